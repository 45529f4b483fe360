"""What a field of an entity was: raw observations, buckets, or what is missing, from the series store."""

from bisect import bisect_left
from collections import OrderedDict
from typing import TypeAlias

import msgspec
import numpy as np
import pyarrow as pa

from citybrain.brain.observe.checking import OLDEST
from citybrain.brain.observe.gaps import AROUND, Gap, gaps
from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.worded import UNMEASURED
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import DAY, Duration, Instant
from citybrain.kernel.observations import ROWS, SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.text import Text

MOST_BUCKETS = 20_000
LONGEST = 31 * DAY
"""The longest span in which gaps are looked for."""
Readings: TypeAlias = tuple[tuple[Instant, float], ...]
"""Times and values of a stream, oldest first."""


class _Kept(msgspec.Struct, frozen=True):
    """What was read of a stream in [since, until), when its mark stood so."""

    mark: int
    since: Instant
    until: Instant
    readings: Readings


class Recent:
    """The last days of streams, read again only when something was written of them: many pages ask for the same few."""

    def __init__(self, series: Series, registry: Registry, latest: Latest, most: int = 256) -> None:
        self._series = series
        self._registry = registry
        self._latest = latest
        self._most = most
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def readings(self, stream: str, since: Instant, until: Instant) -> Readings:
        """The observations of [since, until); raises NotFoundError for an unknown stream."""
        no = self._registry.stream(stream).no
        # The mark is taken before the store is read: what is written meanwhile moves it, and the next asker reads anew.
        mark, kept = self._latest.mark(no), self._kept.get(stream)
        if kept is None or kept.mark != mark or since < kept.since or until > kept.until:
            kept = self._read(stream, no, mark, since, Instant(until + DAY))
        return kept.readings[_place(kept.readings, since) : _place(kept.readings, until)]

    def _read(self, stream: str, no: int, mark: int, since: Instant, until: Instant) -> _Kept:
        found = self._series.scan(SeriesQuery((no,), since, until))
        times, values = found["time"].to_numpy().tolist(), found["value"].to_numpy().tolist()
        pairs = zip(times, values, strict=True)
        kept = _Kept(mark, since, until, tuple((Instant(int(time)), float(value)) for time, value in pairs))
        self._kept[stream] = kept
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept


def _place(readings: Readings, at: Instant) -> int:
    return bisect_left(readings, at, key=lambda reading: reading[0])


def history(
    series: Series, registry: Registry, entity: str, field: str, since: Instant, until: Instant, bucket: Duration | None = None
) -> pa.Table:
    """Observations of [since, until) in time order: time, value; with a bucket: time, mean, low, high, count, corrected, struck.

    ``corrected`` of the readings of a bucket were set by a person; ``struck`` others were struck out, and where there were no more
    it has no figures.
    Raises NotFoundError for an unknown stream and BadInputError for a span that is no span or has too many buckets, and for buckets of
    a stream whose results are no quantities.
    """
    stream = registry.stream(f"{entity}.{field}")
    if until <= since or (bucket is not None and (bucket <= 0 or (until - since) // bucket > MOST_BUCKETS)):
        what = Text(
            f"时间范围有误：起点须早于终点，且不超过 {MOST_BUCKETS} 个时段。",
            f"The span is wrong: it must begin before it ends and hold at most {MOST_BUCKETS} buckets.",
        )
        raise BadInputError(what, since=since, until=until)
    if bucket is not None and stream.sort in UNMEASURED:
        what = Text(
            "该监测项的结果不是数量，没有均值、最低和最高；请逐条读取观测值。",
            "The results of this stream are no quantities: they have no mean, lowest or highest. Read its observations one by one.",
        )
        raise BadInputError(what, stream=stream.id)
    found = series.scan(SeriesQuery((stream.no,), since, until, bucket, marks=bucket is not None))
    return found.select(["time", "value"]) if bucket is None else found.drop_columns("stream_no")


def struck(series: Series, registry: Registry, name: str, since: Instant, until: Instant) -> int:
    """How many readings of a stream in [since, until) a person struck out; raises NotFoundError for an unknown stream."""
    found = series.scan(SeriesQuery((registry.stream(name).no,), since, until, DAY, marks=True))
    return int(found["struck"].to_numpy().sum()) if since < until else 0


def missing(series: Series, registry: Registry, name: str, since: Instant, until: Instant, now: Instant) -> tuple[Gap, ...]:
    """The gaps of a stream that reach into [since, until), with estimates that are stored nowhere (see ``gaps``).

    Raises NotFoundError for an unknown stream and BadInputError for a span that is no span or longer than 31 days.
    """
    stream = registry.stream(name)
    if not 0 < until - since <= LONGEST:
        what = Text(
            "时间范围有误：起点须早于终点，且不超过 31 天。",
            "The span is wrong: it must begin before it ends and be at most 31 days.",
        )
        raise BadInputError(what, since=since, until=until)
    first, end = Instant(since - AROUND * DAY), Instant(until + AROUND * DAY)
    found = series.scan(SeriesQuery((stream.no,), first, end, marks=True))
    found = found.select(["time", "value"])
    standing = found["time"].to_numpy()[np.isfinite(found["value"].to_numpy())]
    # A gap may be longer than what is read: where it begins and ends is looked for farther away.
    if not (standing <= since).any():
        found = pa.concat_tables([_outermost(series, stream.no, OLDEST, first, -1), found])
    if end <= now and not (standing >= until).any():
        found = pa.concat_tables([found, _outermost(series, stream.no, end, Instant(now + 1), 0)])
    time, value = found["time"].to_numpy(), found["value"].to_numpy()
    sound = np.isfinite(value)
    struck = time[~sound]
    holes = gaps(stream.contract, time[sound], value[sound], since, until, now)
    if stream.sort in UNMEASURED:
        # What was said before and after says nothing of what would have been said between.
        holes = tuple(Gap(gap.since, gap.until, gap.missing) for gap in holes)
    return tuple(
        msgspec.structs.replace(gap, struck=int(((struck > gap.since) & (struck < (gap.until or now))).sum())) for gap in holes
    )


def _outermost(series: Series, no: int, since: Instant, until: Instant, place: int) -> pa.Table:
    """The first reading (place 0) or the last one (-1) of a stream in a span: time, value; none where there is none."""
    days = series.scan(SeriesQuery((no,), since, until, DAY))["time"].to_numpy()
    if not len(days):
        return ROWS.empty_table().select(["time", "value"])
    day = Instant(int(days[place]))
    found = series.scan(SeriesQuery((no,), max(since, day), min(until, Instant(day + DAY))))
    return found.select(["time", "value"]).slice(0 if place == 0 else found.num_rows - 1, 1)
