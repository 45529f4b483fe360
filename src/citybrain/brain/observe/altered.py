"""Readings that something was concluded from, held against what stands there now: what each was, what it is, and what came in between."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec
import numpy as np
from sqlalchemy import Connection, func, select

from citybrain.brain.observe import derive
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.resting import Grounds
from citybrain.brain.observe.revising import CORRECTION, RESTORED
from citybrain.brain.observe.store import CORRECTED
from citybrain.brain.observe.store import CORRECTION as TABLE
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.alerts import Evidence
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Ints, SeriesQuery
from citybrain.kernel.ports import Policy, Series
from citybrain.kernel.text import Json
from citybrain.kernel.things import Stream

How: TypeAlias = Literal["corrected", "struck", "restored", "computed", "resent"]
"""A person set it, struck it out, or took that back; it was computed anew; or another value came in for the same time."""
_NAMED: Final = 400
"""Streams that a statement names at once."""
_DEEPEST: Final = 4
"""Derived fields made of derived fields, at most."""
_HOW: Final[dict[str, How]] = {CORRECTION: "corrected", STRUCK: "struck", RESTORED: "restored", derive.DOOR: "computed"}


class Altered(msgspec.Struct, frozen=True):
    """A reading of a stream (its id) that is not what it was: both in the stream's own type and unit, ``now`` null where struck out.

    ``correction`` is the number of the newest that stands there, null for none; ``at`` when what stands came in (city time).
    """

    stream: str
    time: Instant
    unit: str
    was: Json
    now: Json
    how: How
    at: Instant
    correction: int | None = None


def readable(policy: Policy, registry: Registry, caller: Caller, seen: Iterable[Evidence], purpose: str = "") -> list[Evidence]:
    """Those of some readings whose stream, as it is now, policy lets a caller read; of the others nothing that is newer is told."""
    known, found = registry.stream_numbers(), []
    for one in seen:
        if one.stream in known:
            kind = registry.kind(registry.stream(one.stream).kind)
            ask = Ask(caller, "observation.read", kind.name, purpose, {"access": kind.access})
            if policy.decide(ask).allowed:
                found.append(one)
    return found


def altered(connection: Connection, series: Series, registry: Registry, seen: Sequence[Evidence]) -> tuple[Altered, ...]:
    """Those of some readings that are not what they were; what was kept long enough and deleted is not among them. Blocks."""
    known = registry.stream_numbers()
    asked: dict[Instant, dict[int, Evidence]] = {}
    for one in seen:
        if one.stream in known:
            asked.setdefault(one.time, {})[known[one.stream]] = one
    found = []
    for time, listed in asked.items():
        rows = series.scan(SeriesQuery(tuple(listed), time, Instant(time + 1), marks=True))
        columns = (rows[name].to_pylist() for name in ("stream_no", "value", "door", "received"))
        for no, value, door, received in zip(*columns, strict=True):
            if value != listed[no].value:
                stream = registry.streams()[no - 1]
                found.append(_altered(connection, registry, stream, listed[no], value, door, Instant(received)))
    return tuple(found)


def corrected(
    connection: Connection, registry: Registry, grounds: Mapping[tuple[str, str], Grounds], seen: Iterable[Evidence]
) -> tuple[Evidence, ...]:
    """Those of many readings of which a person corrected something: the reading itself, or what it may have been computed from. Blocks."""
    listed, known = tuple(seen), registry.stream_numbers()
    reach = {name: _reach(registry, grounds, known, name, 0) for name in {one.stream for one in listed} if name in known}
    if not reach:
        return ()
    first, last = min(one.time for one in listed), max(one.time for one in listed)
    furthest = max(back for each in reach.values() for back in each.values())
    numbers = sorted({no for each in reach.values() for no in each})
    times = _times(connection, numbers, Instant(first - furthest), last)

    def touched(one: Evidence) -> bool:
        """Whether a correction speaks of a time from which it could have been made."""
        return any(
            np.searchsorted(times[no], one.time - back, "left") < np.searchsorted(times[no], one.time, "right")
            for no, back in reach.get(one.stream, {}).items()
            if no in times
        )

    return tuple(one for one in listed if touched(one))


def _reach(
    registry: Registry, grounds: Mapping[tuple[str, str], Grounds], known: Mapping[str, int], name: str, depth: int
) -> dict[int, int]:
    """The streams that a stream rests on, itself too, by number, and how far back (µs)."""
    stream = registry.streams()[known[name] - 1]
    found, ground = {stream.no: 0}, grounds.get((stream.kind, stream.field))
    if ground is not None and depth < _DEEPEST:
        for field in ground.fields:
            if (below := f"{stream.entity}.{field}") in known:
                for no, back in _reach(registry, grounds, known, below, depth + 1).items():
                    found[no] = max(found.get(no, 0), back + ground.lookback)
    return found


def _times(connection: Connection, numbers: Sequence[int], first: Instant, last: Instant) -> dict[int, Ints]:
    """When readings of streams are, of which a correction speaks, in a span with both ends."""
    found: dict[int, list[int]] = {}
    for begin in range(0, len(numbers), _NAMED):
        named = CORRECTED.c.stream.in_(numbers[begin : begin + _NAMED])
        wanted = select(CORRECTED.c.stream, CORRECTED.c.time).where(named, CORRECTED.c.time.between(first, last))
        for stream, time in connection.execute(wanted.order_by(CORRECTED.c.time)):
            found.setdefault(stream, []).append(time)
    return {stream: np.array(times, np.int64) for stream, times in found.items()}


def _altered(
    connection: Connection, registry: Registry, stream: Stream, one: Evidence, value: float, door: str, received: Instant
) -> Altered:
    was, now = registry.worded.results([(stream, one.value), (stream, value)])
    # What is computed is struck out with its grounds, by nobody's correction of its own.
    how = "struck" if value == NOTHING else _HOW.get(door, "resent")
    held = _standing(connection, stream.no, one.time) if door in (CORRECTION, STRUCK) else None
    return Altered(stream.id, one.time, one.unit, was, now, how, received, held)


def _standing(connection: Connection, stream: int, time: Instant) -> int | None:
    joined = select(func.max(CORRECTED.c.correction)).select_from(CORRECTED.join(TABLE, CORRECTED.c.correction == TABLE.c.no))
    found: int | None = connection.execute(
        joined.where(CORRECTED.c.stream == stream, CORRECTED.c.time == time, TABLE.c.state != "ended")
    ).scalar_one()
    return found
