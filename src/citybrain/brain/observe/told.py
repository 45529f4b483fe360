"""The latest values of all streams as the API's JSON: what never changes of a stream is written once, the rest column by column."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import repeat

import msgspec
import numpy as np

from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.worded import UNMEASURED
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.observations import Numbers
from citybrain.kernel.things import Stream

_FIXED = ("id", "entity", "kind", "field", "unit")


def latest_json(registry: Registry, latest: Latest) -> bytes:
    """A list of rows by stream id: id, entity, kind, field, unit, area, time, value, received, door, life, origin, ``demo`` where not real.

    Where a value is no number, ``word`` stands beside it.
    """
    order, heads, tails = _unchanging(registry, registry.version)
    table = latest.table(order)
    times, received = _instants(table.column("time").to_pylist()), _instants(table.column("received").to_pylist())
    values = msgspec.json.encode(table.column("value").to_pylist())[1:-1].split(b",")
    doors = _words(table.column("door").to_pylist())
    lives = [f'"{life}"'.encode() for life in table.column("life").to_pylist()]
    parts = zip(
        heads,
        times,
        repeat(b',"value":'),
        values,
        _spoken(registry, order, table.column("value").to_pylist()),
        repeat(b',"received":'),
        received,
        repeat(b',"door":'),
        doors,
        repeat(b',"life":'),
        lives,
        tails,
        strict=False,
    )
    return b"[" + b",".join(map(b"".join, parts)) + b"]"


@lru_cache(maxsize=1)
def _unchanging(registry: Registry, version: int) -> tuple[Numbers, list[bytes], list[bytes]]:  # noqa: ARG001 - part of the key
    """Stream numbers by id, and the JSON of each before its time and after its life; ``version`` says that the register changed."""
    streams = sorted(registry.present(), key=lambda stream: stream.id)
    heads = [_head(stream, registry.entity(stream.entity).area) for stream in streams]
    tails = [f',"origin":"{stream.origin}"{"" if stream.origin == "real" else _DEMO}}}'.encode() for stream in streams]
    return np.array([stream.no for stream in streams], np.int32), heads, tails


_DEMO = ',"demo":true'


def _head(stream: Stream, area: str | None) -> bytes:
    fixed = {name: getattr(stream, name) for name in _FIXED} | {"area": area}
    return msgspec.json.encode(fixed)[:-1] + b',"time":'


def _spoken(registry: Registry, numbers: Numbers, values: list[float | None]) -> Iterable[bytes]:
    """What stands behind each value: what it says where it is no number, else nothing."""
    if not registry.unlike:
        return repeat(b"")
    streams = registry.streams()
    said = registry.worded.results([(streams[no - 1], value) for no, value in zip(numbers.tolist(), values, strict=True)])
    pairs = zip(numbers.tolist(), said, strict=True)
    return [b',"word":' + msgspec.json.encode(word) if streams[no - 1].sort in UNMEASURED else b"" for no, word in pairs]


def _words(found: list[str | None]) -> list[bytes]:
    """JSON of words, or null; each is written once."""
    written = {word: msgspec.json.encode(word) for word in set(found)}
    return [written[word] for word in found]


def _instants(times: list[int | None]) -> list[bytes]:
    """RFC 3339 in quotes, or null; the streams of one sending share their instants, so each is written once."""
    words = {time: b"null" if time is None else f'"{rfc3339(Instant(time))}"'.encode() for time in set(times)}
    return [words[time] for time in times]
