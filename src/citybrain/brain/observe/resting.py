"""What a figure was made of when it was made: how many of its readings a person had set by then, and how many have changed since.

A figure of streams rests on the latest reading of each, or on those from which that was computed. What stood at an instant is told by
the record of corrections, which keeps what was measured, what was set, and when; what has changed since, by what stands now. When a
correction was made in city time is known by the revision that it left; of older ones at the same reading, by their distance to it.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from sqlalchemy import Connection, select

from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.revising import CORRECTION, RESTORED
from citybrain.brain.observe.store import CORRECTED
from citybrain.brain.observe.store import CORRECTION as TABLE
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.kernel.instant import DAY, Duration, Instant
from citybrain.kernel.observations import Ints, SeriesQuery
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
            # Before a person set it nothing was there.
            return None if self.lines[0].measured == NOTHING else (self.lines[0].measured, False)
        return None if stood[-1].value == NOTHING else (stood[-1].value, True)

    def said(self, at: int) -> Rested | None:
        """What it is to a figure made at an instant; None where it did not stand then."""
        then = self.then(at)
        return None if then is None else Rested(int(then[1]), int(then[0] != self.value))

    @property
    def _late(self) -> int:
        """How far city time is from wall time: the last that a person did is known by both."""
        if self.door not in _OURS:
            return 0
        return self.received - max(line.made if line.ended == _FOREVER else line.ended for line in self.lines)


class Grounds(NamedTuple):
    """What a derived field is computed from: fields of the same entity, and how far back."""

    fields: tuple[str, ...]
    lookback: Duration


class Resting:
    """Answers for some instants (n,), over one state of the record of corrections."""

    def __init__(
        self, connection: Connection, series: Series, registry: Registry, grounds: Mapping[tuple[str, str], Grounds]
    ) -> None:
        self._connection = connection
        self._series = series
        self._registry = registry
        self._grounds = grounds
        self._named = {int(no) for no in connection.execute(select(TABLE.c.stream).distinct()).scalars()}

    def of(self, streams: Sequence[str], at: Sequence[Instant]) -> list[Rested]:
        """What a figure of the latest readings of some streams was made of at each instant; unknown streams count nothing."""
        known, found = self._registry.stream_numbers(), [Rested() for _ in at]
        if not (len(at) and self._named):
            return found
        for no in sorted({known[name] for name in streams if name in known}):
            found = [_sum(one, more) for one, more in zip(found, self._of_stream(no, at), strict=True)]
        return found

    def _of_stream(self, no: int, at: Sequence[Instant]) -> Sequence[Rested]:
        stream = self._registry.streams()[no - 1]
        grounds = self._grounds.get((stream.kind, stream.field))
        if grounds is None:
            return self._latest(no, at) if no in self._named else [Rested() for _ in at]
        known = self._registry.stream_numbers()
        inputs = [known[name] for field in grounds.fields if (name := f"{stream.entity}.{field}") in known]
        return self._behind(no, [one for one in inputs if one in self._named], grounds.lookback, at)

    def _latest(self, no: int, at: Sequence[Instant]) -> Sequence[Rested]:
        """Of the latest reading of a stream."""
        times, readings = self._readings(no, Instant(min(at) - _BACK), Instant(max(at) + 1))
        if not any(reading.lines for reading in readings):
            return [Rested() for _ in at]
        found = []
        for instant in at:
            first, last = (int(np.searchsorted(times, edge, "right")) for edge in (instant - _BACK, instant))
            said = (reading.said(instant) for reading in reversed(readings[first:last]))
            found.append(next((one for one in said if one is not None), Rested()))
        return found

    def _behind(self, no: int, inputs: Sequence[int], lookback: Duration, at: Sequence[Instant]) -> Sequence[Rested]:
        """Of the readings that the latest value of a derived stream was computed from."""
        found = [Rested() for _ in at]
        if not inputs:
            return found
        since, until = Instant(min(at) - _BACK), Instant(max(at) + 1)
        made = self._series.scan(SeriesQuery((no,), since, until, marks=True))["time"].to_numpy()
        for one in inputs:
            every, readings = self._readings(one, Instant(since - lookback - 1), until)
            touched = [place for place, reading in enumerate(readings) if reading.lines]
            times = every[touched]
            for place, instant in enumerate(at):
                last = int(np.searchsorted(made, instant, "right")) - 1
                if last < 0 or made[last] <= instant - _BACK:
                    continue
                begin, end = np.searchsorted(times, made[last] - lookback, "left"), np.searchsorted(times, made[last], "right")
                for reading in (readings[touched[near]] for near in range(int(begin), int(end))):
                    found[place] = _sum(found[place], reading.said(instant) or Rested())
        return found

    def _readings(self, no: int, since: Instant, until: Instant) -> tuple[Ints, list[_Reading]]:
        """The readings of a stream in [since, until) with their times (m,); none where no correction speaks of any."""
        lines = _lines(self._connection, no, since, until)
        if not lines:
            return np.zeros(0, np.int64), []
        rows = self._series.scan(SeriesQuery((no,), since, until, marks=True))
        columns = (rows[name].to_pylist() for name in ("time", "value", "door", "received"))
        readings = [_Reading(value, door, came, lines.get(time, ())) for time, value, door, came in zip(*columns, strict=True)]
        return rows["time"].to_numpy(), readings


def _sum(one: Rested, more: Rested) -> Rested:
    return Rested(one.corrected + more.corrected, one.changed + more.changed)


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
