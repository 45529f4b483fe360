"""Corrections held against the readings they speak of: two stores, which a restore may have put together from different days.

Every reading that a standing correction changed must not stand as it was before; and whatever stands as corrected or struck out must
have a correction that says so. What is on its way, in or out, may be found either way: it is finished at the next start.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import Connection, Row, select

from citybrain.brain.observe.corrected import UNFINISHED
from citybrain.brain.observe.horizon import Horizon
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.revising import CORRECTION
from citybrain.brain.observe.store import CORRECTED
from citybrain.brain.observe.store import CORRECTION as TABLE
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import DAY, Instant, rfc3339
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.text import Text
from citybrain.kernel.things import By, Stream

_SETS: Final = (CORRECTION, STRUCK)
_BEGIN, _END = Instant(0), Instant(2**62)
_MANY: Final = 500
"""Streams whose days are counted in one question."""


class Said(NamedTuple):
    """What the corrections of a stream say: by time the newest that stands, and the times of those on their way.

    At the times of ``nothing`` a reading was set where none was, and taken back: it is struck out by no correction of its own.
    """

    stands: dict[int, "Row[tuple[object, ...]]"]
    moving: frozenset[int]
    nothing: frozenset[int]


class Stands(NamedTuple):
    """A reading as it stands in the series store."""

    value: float
    door: str
    received: int


def verify(connection: Connection, series: Series, registry: Registry, horizon: Horizon) -> int:
    """How many corrected readings agree in both stores; raises ConflictError that names the first that does not."""
    count, streams = 0, registry.streams()
    named = {int(no) for no in connection.execute(select(TABLE.c.stream).distinct()).scalars()}
    for no in sorted(named | _touched(series, registry)):
        count += _agree(_said(connection, no), series, streams[no - 1], horizon)
    return count


def _agree(said: Said, series: Series, stream: Stream, horizon: Horizon) -> int:
    found = {time: reading for day in _days(said, series, stream) for time, reading in _read(series, stream, day)}
    for time, line in said.stands.items():
        reading = found.get(time)
        gone = reading is None and bool(horizon.expired(np.array([stream.no], np.int32), np.array([time], np.int64))[0])
        if not gone and time not in said.moving and (reading is None or _lost(line, reading)):
            raise _unlike(stream, time, int(line.correction))
    for time, reading in found.items():
        if time in said.moving or reading.door not in _SETS or time in said.stands:
            continue
        if reading.door != STRUCK or time not in said.nothing:
            raise _unlike(stream, time, None)
    return len(said.stands)


def _lost(line: "Row[tuple[object, ...]]", reading: Stands) -> bool:
    """Whether what stands is not what a correction set, nor anything newer: it is another correction's, or what was there before."""
    if reading.door in _SETS:
        return bool(reading.value != line.after)
    return line.rests is None and reading == Stands(line.measured, line.door, line.received)


def _said(connection: Connection, stream: int) -> Said:
    columns = (*CORRECTED.c, TABLE.c.state)
    joined = select(*columns).select_from(CORRECTED.join(TABLE, CORRECTED.c.correction == TABLE.c.no))
    stands, moving, nothing = {}, set(), set()
    for row in connection.execute(joined.where(CORRECTED.c.stream == stream).order_by(CORRECTED.c.correction)):
        if row.state == "standing":
            stands[int(row.time)] = row
        elif row.state in UNFINISHED:
            moving.add(int(row.time))
        elif row.before == NOTHING:
            nothing.add(int(row.time))
    return Said(stands, frozenset(moving), frozenset(nothing))


def _touched(series: Series, registry: Registry) -> set[int]:
    """The streams in which the series store holds something corrected or struck out.

    What is computed is struck out by the program when its grounds are, and has no correction of its own.
    """
    derived = {(kind.name, field.name) for kind in registry.kinds() for field in kind.fields if field.by is By.DERIVED}
    numbers = [stream.no for stream in registry.streams() if (stream.kind, stream.field) not in derived]
    found: set[int] = set()
    for first in range(0, len(numbers), _MANY):
        days = series.scan(SeriesQuery(tuple(numbers[first : first + _MANY]), _BEGIN, _END, DAY, marks=True))
        marked = (days["corrected"].to_numpy() > 0) | (days["struck"].to_numpy() > 0)
        found |= set(days["stream_no"].to_numpy()[marked].tolist())
    return found


def _days(said: Said, series: Series, stream: Stream) -> list[tuple[int, int]]:
    """The spans of time to be read: the days of which a correction speaks, or in which something is corrected or struck out."""
    days = series.scan(SeriesQuery((stream.no,), _BEGIN, _END, DAY, marks=True))
    begins = days["time"].to_numpy()
    marked = (days["corrected"].to_numpy() > 0) | (days["struck"].to_numpy() > 0)
    spoken = np.array(sorted(said.stands), np.int64)
    held = np.searchsorted(spoken, begins + DAY) > np.searchsorted(spoken, begins)
    return [(begin, begin + DAY) for begin in begins[marked | held].tolist()]


def _read(series: Series, stream: Stream, span: tuple[int, int]) -> Iterator[tuple[int, Stands]]:
    rows = series.scan(SeriesQuery((stream.no,), Instant(span[0]), Instant(span[1]), marks=True))
    columns = (rows[name].to_pylist() for name in ("time", "value", "door", "received"))
    for time, value, door, received in zip(*columns, strict=True):
        yield time, Stands(value, door, received)


def _unlike(stream: Stream, time: int, no: int | None) -> ConflictError:
    at = rfc3339(Instant(time))
    zh, en = (
        ("没有更正记录", "no correction says so") if no is None else (f"第 {no} 号更正不在其中", f"correction {no} is not in it")
    )
    what = Text(
        f"更正记录与读数不符：{stream.id} 在 {at} 的读数，{zh}。业务数据和观测可能取自不同的备份：请用同一份备份恢复。",
        f"Corrections and readings do not agree: the reading of {stream.id} at {at}, {en}. Transactions and observations may be of different "
        "backups: restore both from the same.",
    )
    return ConflictError(what, stream=stream.id, time=at, correction=no)
