"""What a field of an entity was: raw observations or buckets, from the series store."""

import pyarrow as pa

from citybrain.brain.observe.registry import Registry
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.text import Text

MOST_BUCKETS = 20_000


def history(
    series: Series, registry: Registry, entity: str, field: str, since: Instant, until: Instant, bucket: Duration | None = None
) -> pa.Table:
    """Observations of [since, until) in time order: time, value; with a bucket: time, mean, low, high, count.

    Raises NotFoundError for an unknown stream and BadInputError for a span that is no span or has too many buckets.
    """
    stream = registry.stream(f"{entity}.{field}")
    if until <= since or (bucket is not None and (bucket <= 0 or (until - since) // bucket > MOST_BUCKETS)):
        what = Text(
            f"时间范围有误：起点须早于终点，且不超过 {MOST_BUCKETS} 个时段。",
            f"The span is wrong: it must begin before it ends and hold at most {MOST_BUCKETS} buckets.",
        )
        raise BadInputError(what, since=since, until=until)
    found = series.scan(SeriesQuery((stream.no,), since, until, bucket))
    return found.select(["time", "value"] if bucket is None else ["time", "mean", "low", "high", "count"])
