"""Corrections as they are stored: who changed what and why, what was measured, and which correction a reading stands by."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, or_, select, update

from citybrain.brain.observe import beside
from citybrain.brain.observe.revising import CORRECTION, Change, Plan
from citybrain.brain.observe.signing import Signed
from citybrain.brain.observe.store import CORRECTED
from citybrain.brain.observe.store import CORRECTION as TABLE
from citybrain.brain.observe.striking import NOTHING
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Numbers
from citybrain.kernel.things import Stream

State: TypeAlias = Literal["pending", "standing", "ending", "ended"]
"""``pending`` is on its way into the store of readings, ``ending`` on its way out; both only until that takes rows again."""
UNFINISHED: Final = ("pending", "ending")
_NAMED: Final = 400
"""Streams that a statement names at once."""


class Ending(msgspec.Struct, frozen=True):
    """Who took a correction back, why and when (wall time), and how many readings went back to what they had been.

    The others had been read anew meanwhile, or were kept long enough and deleted.
    """

    by: str
    why: str
    wall: Instant
    restored: int


class Correction(msgspec.Struct, frozen=True):
    """What was corrected in a stream (its number): the change, how many readings, by whom, why and when (wall time)."""

    no: int
    stream: int
    change: Change
    rows: int
    by: str
    why: str
    wall: Instant
    state: State
    ended: Ending | None


class Kept(msgspec.Struct, frozen=True):
    """A reading of a correction: what was measured, and by which door it had come when; what stood, and what was set.

    What was struck out is infinite, in JSON null; so is what was measured where a person set a reading and there was none.
    """

    time: Instant
    measured: float
    door: str
    received: Instant
    before: float
    after: float


class Line(NamedTuple):
    """A reading that a correction changes, and whether what stood there was a corrected value."""

    time: int
    before: float
    after: float
    rests: bool


def streams(connection: Connection) -> frozenset[int]:
    """The numbers of the streams in which a correction stands."""
    found = connection.execute(select(TABLE.c.stream).where(TABLE.c.state != "ended").distinct())
    return frozenset(row.stream for row in found)


def struck(connection: Connection) -> dict[int, int]:
    """Of each stream the newest time at which a reading is struck out, or one that was set where none was is taken back."""
    strikes = CORRECTED.c.correction.in_(select(TABLE.c.no).where(TABLE.c.state != "ended", TABLE.c.offset == NOTHING))
    ended = CORRECTED.c.correction.in_(select(TABLE.c.no).where(TABLE.c.state.in_(("ending", "ended"))))
    gone = or_(strikes, and_(ended, CORRECTED.c.before == NOTHING))
    newest = select(CORRECTED.c.stream, func.max(CORRECTED.c.time).label("time")).where(gone).group_by(CORRECTED.c.stream)
    return {row.stream: row.time for row in connection.execute(newest)}


def of(connection: Connection, stream: int) -> tuple[Correction, ...]:
    """The corrections of a stream, newest first."""
    wanted = select(TABLE).where(TABLE.c.stream == stream).order_by(TABLE.c.no.desc())
    return tuple(_correction(row) for row in connection.execute(wanted))


def one(connection: Connection, no: int) -> Correction:
    """A correction by its number, which must be there."""
    return _correction(connection.execute(select(TABLE).where(TABLE.c.no == no)).one())


def kept(connection: Connection, no: int, most: int) -> tuple[Kept, ...]:
    """The readings of a correction in the order of their time, the first so many."""
    wanted = select(CORRECTED).where(CORRECTED.c.correction == no).order_by(CORRECTED.c.time).limit(most)
    return tuple(
        Kept(Instant(row.time), row.measured, row.door, Instant(row.received), row.before, row.after)
        for row in connection.execute(wanted)
    )


def unfinished(connection: Connection) -> tuple[tuple[Correction, str], ...]:
    """The corrections that are on their way, the oldest first, with the key of their rows."""
    wanted = select(TABLE).where(TABLE.c.state.in_(UNFINISHED)).order_by(TABLE.c.no)
    return tuple((_correction(row), row.key) for row in connection.execute(wanted))


def record(connection: Connection, stream: Stream, plan: Plan, key: str, signed: Signed) -> int:
    """Enter a correction that is on its way, with what was measured; returns its number."""
    no = 1 + int(connection.execute(select(func.coalesce(func.max(TABLE.c.no), 0))).scalar_one())
    change = plan.change
    head = {"no": no, "key": key, "stream": stream.no, "since": change.since, "until": change.until, "state": "pending"}
    factor, offset = (0.0, NOTHING) if change.strikes else (change.factor, change.offset)
    sums = {"factor": factor, "offset": offset, "rows": len(plan.time)}
    connection.execute(insert(TABLE).values({**head, **sums, **signed._asdict()}))
    below = _standing(connection, stream.no, int(plan.time[0]), int(plan.time[-1])) if CORRECTION in plan.door else {}
    lines = []
    columns = (plan.time.tolist(), plan.before.tolist(), plan.after.tolist(), plan.door, plan.received.tolist())
    for time, before, after, door, received in zip(*columns, strict=True):
        had = below.get((time, before)) if door == CORRECTION else None
        own = (before, door, received, None) if had is None else (had.measured, had.door, had.received, had.correction)
        names = ("measured", "door", "received", "rests")
        lines.append(
            {
                "correction": no,
                "time": time,
                "stream": stream.no,
                "before": before,
                "after": after,
                **dict(zip(names, own, strict=True)),
            }
        )
    connection.execute(insert(CORRECTED), lines)
    if change.strikes:
        beside.lay_aside(connection, no, stream.no, (int(plan.time[0]), int(plan.time[-1])))
    return no


def drop(connection: Connection, no: int) -> None:
    """Forget a correction that never came to stand."""
    times = connection.execute(select(CORRECTED.c.time).where(CORRECTED.c.correction == no)).scalars()
    beside.put_back(connection, no, frozenset(times))
    connection.execute(delete(CORRECTED).where(CORRECTED.c.correction == no))
    connection.execute(delete(TABLE).where(TABLE.c.no == no))


def become(connection: Connection, no: int, state: State) -> None:
    """Move a correction to a state."""
    connection.execute(update(TABLE).where(TABLE.c.no == no).values(state=state))


def begin_end(connection: Connection, no: int, signed: Signed, restored: int) -> None:
    """Enter who takes a correction back."""
    ended = {"ended_by": signed.by, "ended_why": signed.why, "ended_wall": signed.wall, "restored": restored}
    connection.execute(update(TABLE).where(TABLE.c.no == no).values(state="ending", **ended))


def bearing(connection: Connection, no: int) -> int | None:
    """The newest correction that stands and rests on this one."""
    over = select(func.max(CORRECTED.c.correction)).where(CORRECTED.c.rests == no, _stands())
    found: int | None = connection.execute(over).scalar_one()
    return found


def lines(connection: Connection, no: int) -> tuple[Line, ...]:
    """The readings of a correction that no newer one has taken over, in the order of their time."""
    newer = CORRECTED.alias()
    same = and_(newer.c.stream == CORRECTED.c.stream, newer.c.time == CORRECTED.c.time, newer.c.correction > no)
    later = exists().where(same, newer.c.correction == TABLE.c.no, TABLE.c.state != "ended")
    wanted = select(CORRECTED).where(CORRECTED.c.correction == no, ~later).order_by(CORRECTED.c.time)
    return tuple(Line(row.time, row.before, row.after, row.rests is not None) for row in connection.execute(wanted))


def measured(connection: Connection, stream: int, first: int, last: int) -> dict[int, tuple[float, float]]:
    """By the time of a reading between two instants (both included): what the newest correction set, and what was measured."""
    wanted = select(CORRECTED).where(CORRECTED.c.stream == stream, CORRECTED.c.time.between(first, last), _stands())
    return {row.time: (row.after, row.measured) for row in connection.execute(wanted.order_by(CORRECTED.c.correction))}


def values(connection: Connection, streams: Sequence[int]) -> dict[int, set[int]]:
    """The whole numbers that are kept of corrections of streams (n,): what was measured, what stood before, and what was set."""
    found: dict[int, set[int]] = {}
    for begin in range(0, len(streams), _NAMED):
        for column in (CORRECTED.c.measured, CORRECTED.c.before, CORRECTED.c.after):
            wanted = select(CORRECTED.c.stream, column).where(CORRECTED.c.stream.in_(streams[begin : begin + _NAMED])).distinct()
            for stream, value in connection.execute(wanted):
                if value != NOTHING:
                    found.setdefault(stream, set()).add(int(value))
    return found


def forget(connection: Connection, numbers: Numbers, before: Instant) -> int:
    """Delete the readings of streams (n,) before an instant; returns how many."""
    held = connection.execute(select(CORRECTED.c.stream).where(CORRECTED.c.time < before).distinct())
    count = 0
    for stream in {row.stream for row in held}.intersection(numbers.tolist()):
        count += connection.execute(delete(CORRECTED).where(CORRECTED.c.stream == stream, CORRECTED.c.time < before)).rowcount
    return count


def _stands() -> ColumnElement[bool]:
    return CORRECTED.c.correction.in_(select(TABLE.c.no).where(TABLE.c.state != "ended"))


def _standing(connection: Connection, stream: int, first: int, last: int) -> dict[tuple[int, float], Row[tuple[object, ...]]]:
    """The newest standing correction's reading at each time and value that was set there."""
    wanted = select(CORRECTED).where(CORRECTED.c.stream == stream, CORRECTED.c.time.between(first, last), _stands())
    return {(row.time, row.after): row for row in connection.execute(wanted.order_by(CORRECTED.c.correction))}


def _correction(row: Row[tuple[object, ...]]) -> Correction:
    ended = None if row.ended_by is None else Ending(row.ended_by, row.ended_why, Instant(row.ended_wall), row.restored)
    span, strikes = (Instant(row.since), Instant(row.until)), row.offset == NOTHING
    change = Change(*span, strikes=True) if strikes else Change(*span, row.factor, row.offset)
    return Correction(row.no, row.stream, change, row.rows, row.by, row.why, Instant(row.wall), row.state, ended)
