"""What a figure was made of when it was made: how many of its readings a person had set by then, and how many have changed since.

A figure of streams rests on the latest reading of each. What stood at an instant is told by the record of corrections, which keeps what
was measured, what was set, and when; what has changed since, by what stands now. A correction is known in city time by the revision
that it left; older ones at the same time of a reading by their distance to it.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Connection, select

from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.revising import CORRECTION, RESTORED
from citybrain.brain.observe.store import CORRECTED
from citybrain.brain.observe.store import CORRECTION as TABLE
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series

_BACK: Final = 2 * DAY
"""How long before an instant a reading may be to have been the latest that counted."""
_OURS: Final = (CORRECTION, STRUCK, RESTORED)
_FOREVER: Final = 2**62


class Rested(msgspec.Struct, frozen=True):
    """Of the readings that a figure was made of: ``corrected`` had been set by a person, ``changed`` are not what they were then."""

    corrected: int = 0
    changed: int = 0


class _Line(NamedTuple):
    """What a correction said of a reading, from when to when (wall), and what was measured, received at a city time."""

    value: float
    made: int
    ended: int
    measured: float
    received: int


class _Reading(NamedTuple):
    """A reading as it stands, with what corrections have said of it, oldest first."""

    value: float
    door: str
    received: int
    lines: tuple[_Line, ...]

    def then(self, at: int) -> tuple[float, bool] | None:
        """What stood at an instant and whether a person had set it; None where it was struck out, or had not come in."""
        if not self.lines or (self.door not in _OURS and self.received <= at):
            return None if self.received > at or self.value == NOTHING else (self.value, self.door == CORRECTION)
        if self.lines[0].received > at:
            return None
        stood = [line for line in self.lines if line.made + self._late <= at < line.ended + self._late]
        if not stood:
            return self.lines[0].measured, False
        return None if stood[-1].value == NOTHING else (stood[-1].value, True)

    @property
    def _late(self) -> int:
        """How far city time is from wall time: the last that a person did is known by both."""
        if self.door not in _OURS:
            return 0
        return self.received - max(line.made if line.ended == _FOREVER else line.ended for line in self.lines)


def rested(
    connection: Connection, series: Series, registry: Registry, streams: Sequence[str], at: Sequence[Instant]
) -> list[Rested]:
    """For each instant (n,) what a figure of the latest readings of some streams was made of then; streams unknown by now count nothing."""
    known, found = registry.stream_numbers(), [Rested() for _ in at]
    named = {int(no) for no in connection.execute(select(TABLE.c.stream).distinct()).scalars()} if len(at) else set()
    for no in sorted(named & {known[name] for name in streams if name in known}):
        for place, (corrected, changed) in enumerate(_of_stream(connection, series, no, at)):
            before = found[place]
            found[place] = Rested(before.corrected + corrected, before.changed + changed)
    return found


def _of_stream(connection: Connection, series: Series, no: int, at: Sequence[Instant]) -> Iterator[tuple[bool, bool]]:
    since, until = Instant(min(at) - _BACK), Instant(max(at) + 1)
    lines = _lines(connection, no, since, until)
    rows = series.scan(SeriesQuery((no,), since, until, marks=True)) if lines else None
    if rows is None:
        yield from ((False, False) for _ in at)
        return
    times = rows["time"].to_numpy()
    columns = (rows[name].to_pylist() for name in ("time", "value", "door", "received"))
    readings = [_Reading(value, door, came, lines.get(time, ())) for time, value, door, came in zip(*columns, strict=True)]
    for instant in at:
        last = int(np.searchsorted(times, instant, "right"))
        first = int(np.searchsorted(times, instant - _BACK, "left"))
        yield next((said for place in range(last - 1, first - 1, -1) if (said := _said(readings[place], instant))), (False, False))


def _said(reading: _Reading, at: Instant) -> tuple[bool, bool] | None:
    """Whether a reading that stood at an instant had been set by a person, and whether it is another by now; None where it did not stand."""
    then = reading.then(at)
    return None if then is None else (then[1], then[0] != reading.value)


def _lines(connection: Connection, stream: int, since: Instant, until: Instant) -> dict[int, tuple[_Line, ...]]:
    """What corrections have said of the readings of a stream in [since, until), by time, oldest first."""
    columns = (CORRECTED.c.time, CORRECTED.c.after, CORRECTED.c.measured, CORRECTED.c.received, TABLE.c.wall, TABLE.c.ended_wall)
    joined = select(*columns, TABLE.c.state).select_from(CORRECTED.join(TABLE, CORRECTED.c.correction == TABLE.c.no))
    within = joined.where(
        CORRECTED.c.stream == stream, CORRECTED.c.time >= since, CORRECTED.c.time < until, TABLE.c.state != "pending"
    )
    found: dict[int, tuple[_Line, ...]] = {}
    for row in connection.execute(within.order_by(CORRECTED.c.correction)):
        ended = int(row.ended_wall) if row.state == "ended" else _FOREVER
        line = _Line(row.after, int(row.wall), ended, row.measured, int(row.received))
        found[int(row.time)] = (*found.get(int(row.time), ()), line)
    return found
