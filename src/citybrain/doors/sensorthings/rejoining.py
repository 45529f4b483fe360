"""New readings of the streams of a MultiDatastream, as the Observations of which they are part: each as it stands in the store now."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from citybrain.brain.observe import UNMEASURED, Registry
from citybrain.doors.sensorthings import multi, spans
from citybrain.doors.sensorthings.composed import Beside
from citybrain.doors.sensorthings.shape import Item, Row
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.observations import Numbers, SeriesQuery
from citybrain.kernel.ports import Series


def told(registry: Registry, raw: dict[str, int]) -> Row:
    """The row of an observation that the store tells of."""
    stream = registry.streams()[raw["stream_no"] - 1]
    return {
        "id": f"{stream.no}.{raw['time']}",
        "stream": stream.id,
        "time": rfc3339(Instant(raw["time"])),
        "value": raw["value"],
        "word": registry.worded.result(stream, raw["value"]) if stream.sort in UNMEASURED else None,
        "received": rfc3339(Instant(raw["received"])),
        "door": raw["door"],
        "origin": stream.origin,
    }


def instants(joint: multi.Joint, rows: pa.Table, since: int) -> list[int]:
    """The instants (µs) of new readings of its streams after a sequence number, each once, as they became durable."""
    mine = (rows["seq"].to_numpy() > since) & np.isin(rows["stream_no"].to_numpy(), _numbers(joint))
    return list(dict.fromkeys(rows["time"].to_numpy()[mine].tolist()))


def joints(registry: Registry, rows: pa.Table, since: int) -> Iterator[multi.Joint]:
    """The MultiDatastreams of the things that have new readings after a sequence number."""
    numbers = np.unique(rows["stream_no"].to_numpy()[rows["seq"].to_numpy() > since]).tolist()
    for thing in dict.fromkeys(registry.streams()[no - 1].entity for no in numbers):
        yield from multi.of_thing(registry, thing)


def readings(registry: Registry, key: str) -> list[tuple[int, int]]:
    """The readings, each a stream number and a time (µs), that the Observation of an id may hold; none for what is no such id."""
    where, single = multi.place(key), spans.place(key)
    if where is None:
        return [] if single is None else [single]
    joint = multi.joint(registry, where[0])
    return [] if joint is None else [(stream.no, where[1]) for stream in joint.streams]


def observations(series: Series, registry: Registry, joint: multi.Joint, times: Sequence[int], about: Beside) -> list[Item]:
    """The Observations of instants in their order; one of which nothing is kept is left out. ``about`` gives what is beside readings."""
    if not times:
        return []
    numbers = tuple(stream.no for stream in joint.streams)
    found = series.scan(SeriesQuery(numbers, Instant(min(times)), Instant(max(times) + 1)))
    wanted = found.filter(pa.array(np.isin(found["time"].to_numpy(), np.array(times, np.int64))))
    readings: dict[int, dict[str, Row]] = {}
    for raw in wanted.to_pylist():
        row = told(registry, raw)
        readings.setdefault(raw["time"], {})[str(row["stream"])] = row
    beside = about([row for each in readings.values() for row in each.values()])
    return [multi.put_together(joint, readings[time], beside) for time in times if time in readings]


def _numbers(joint: multi.Joint) -> Numbers:
    return np.array([stream.no for stream in joint.streams], np.int32)
