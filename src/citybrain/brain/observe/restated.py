"""What people said anew of observations, as it is stored: who said what of which, why, and what was known of it before.

A record is entered in one commit with what it makes of an observation (beside.py) and with the corrections that belong to it, whose key it
bears until they stand. It is neither changed nor taken out after that, but that retention empties it. Of an observation that was moved to
another time or stream it says whereto: its old id leads there.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from citybrain.brain.observe.signing import Signed
from citybrain.brain.observe.store import FEATURED, RESTATED
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.observations import Numbers
from citybrain.kernel.text import Json, Text

_MOST: Final = 300
"""Observations that a statement names at once."""
State = tuple[str | None, str | None]
"""The feature that an observation is about and what else is said of it, each as ``About`` has them."""


class Restated(msgspec.Struct, frozen=True):
    """What was said anew of the observation of a stream (its number) at a time, and what had been known of it.

    ``names`` are the properties and links of SensorThings that became others; ``moved`` is the time to which it was moved, and
    ``moved_stream`` the stream where that is another one. ``wall`` is when it was said (wall time).
    """

    no: int
    stream: int
    time: Instant
    was_feature: str | None
    was_said: dict[str, Json]
    feature: str | None
    said: dict[str, Json]
    names: tuple[str, ...]
    moved: Instant | None
    by: str
    why: str
    wall: Instant
    moved_stream: int | None = None


class Record(NamedTuple):
    """A record: of which observation, what was known and what is to be, which names, and the time and stream to which it was moved.

    ``mark`` names what of it had been said anew before.
    """

    stream: int
    time: Instant
    was: State
    now: State
    names: str
    moved: Instant | None
    to: int | None = None
    mark: str | None = None

    @property
    def place(self) -> tuple[int, Instant]:
        """The stream and the time of which the observation is with it."""
        return (self.stream if self.to is None else self.to, self.time if self.moved is None else self.moved)


def record(connection: Connection, listed: Sequence[tuple[Record, Signed]], key: str | None) -> None:
    """Enter records, under the key of acts that are on their way; None for none."""
    last = int(connection.execute(select(func.coalesce(func.max(RESTATED.c.no), 0))).scalar_one())
    rows = [
        {
            "no": no,
            "stream": one.stream,
            "time": one.time,
            "was_feature": one.was[0],
            "was_said": one.was[1],
            "feature": one.now[0],
            "said": one.now[1],
            "names": one.names,
            "moved": one.moved,
            "moved_stream": one.to,
            "was_restated": one.mark,
            "key": key,
            **signed._asdict(),
        }
        for no, (one, signed) in enumerate(listed, last + 1)
    ]
    connection.execute(insert(RESTATED), rows)


def newest(connection: Connection) -> tuple[int, int]:
    """The number of the newest record, and when it was said (wall time); zeros where there is none."""
    row = connection.execute(select(RESTATED.c.no, RESTATED.c.wall).order_by(RESTATED.c.no.desc()).limit(1)).one_or_none()
    return (0, 0) if row is None else (row.no, row.wall)


def since(connection: Connection, last: tuple[int, int]) -> list[tuple[int, int]]:
    """Which observations, each by its stream and the time that it has by now, were said anew after ``last``, the newest record of then.

    A number that was dropped is given again: the time at which it was said tells the two apart.
    """
    begin = min(last, newest(connection))[0]
    rows = connection.execute(select(RESTATED).where(RESTATED.c.no >= begin).order_by(RESTATED.c.no))
    return [_entered(row).place for row in rows if row.no > last[0] or row.wall > last[1]]


def unsettled(connection: Connection) -> tuple[str, ...]:
    """The keys of the acts with which something was said anew and that are on their way."""
    key = RESTATED.c.key
    return tuple(connection.execute(select(key).where(key.is_not(None)).distinct().order_by(key)).scalars())


def settle(connection: Connection, key: str) -> None:
    """Let what was said anew with acts stand with them."""
    connection.execute(update(RESTATED).where(RESTATED.c.key == key).values(key=None))


def take(connection: Connection, key: str) -> tuple[Record, ...]:
    """Forget the records of what never came to stand; they are given back."""
    mine = RESTATED.c.key == key
    found = connection.execute(delete(RESTATED).where(mine).returning(*RESTATED.c)).all()
    return tuple(map(_entered, found))


def of(connection: Connection, stream: int) -> tuple[Restated, ...]:
    """What was said anew of observations of a stream, newest first."""
    wanted = select(RESTATED).where(RESTATED.c.stream == stream).order_by(RESTATED.c.no.desc())
    return tuple(map(_restated, connection.execute(wanted)))


def moved(connection: Connection, streams: Sequence[int], time: int) -> tuple[int, Instant] | None:
    """To which stream and time the observation of streams at a time was moved last, whichever of them; None for one that was not."""
    mine = and_(RESTATED.c.stream.in_(streams), RESTATED.c.time == time, RESTATED.c.moved.is_not(None))
    found = connection.execute(select(RESTATED).where(mine).order_by(RESTATED.c.no.desc()).limit(1)).one_or_none()
    return None if found is None else (found.moved_stream or found.stream, Instant(found.moved))


def overruled(connection: Connection, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], set[State]]:
    """By stream and time all that was known of observations before somebody said it anew: who sends that again undoes nothing."""
    found: dict[tuple[int, int], set[State]] = {}
    for begin in range(0, len(places), _MOST):
        part = places[begin : begin + _MOST]
        wanted = or_(*(and_(RESTATED.c.stream == stream, RESTATED.c.time == time) for stream, time in part))
        for row in connection.execute(select(RESTATED).where(wanted, RESTATED.c.moved.is_(None))):
            found.setdefault((row.stream, row.time), set()).add((row.was_feature, row.was_said))
    return found


def forget(connection: Connection, numbers: Numbers, before: Instant) -> None:
    """Empty the records of observations of streams (n,) before an instant, as retention has it; who said something when stays.

    Of one that was moved what was known goes with where it was, and what was said with where it is.
    """
    to, at = func.coalesce(RESTATED.c.moved_stream, RESTATED.c.stream), func.coalesce(RESTATED.c.moved, RESTATED.c.time)
    nothing = {"was_feature": None, "was_said": None, "was_restated": None}
    for stream, time, emptied in ((RESTATED.c.stream, RESTATED.c.time, nothing), (to, at, {"feature": None, "said": None})):
        held = connection.execute(select(stream).where(time < before).distinct()).scalars().all()
        for no in set(held).intersection(numbers.tolist()):
            connection.execute(update(RESTATED).where(stream == no, time < before).values(emptied))


def verify(connection: Connection) -> int:
    """How many observations are as they were said anew; raises ConflictError that names the first that is not.

    One that was sent with something else since bears no mark of it, and is left out.
    """
    marked = select(FEATURED).where(FEATURED.c.restated.is_not(None)).order_by(FEATURED.c.stream, FEATURED.c.time)
    count = 0
    for stream, rows in groupby(connection.execute(marked), lambda row: int(row.stream)):
        said = _newest(connection, stream)
        for row in rows:
            if said.get(row.time) != (row.feature, row.said):
                raise _unlike(stream, row.time)
            count += 1
    return count


def _newest(connection: Connection, stream: int) -> dict[int, State]:
    """What the newest record of each observation of a stream made of it; of one that was moved there that of its move."""
    stayed = and_(RESTATED.c.stream == stream, RESTATED.c.moved_stream.is_(None))
    wanted = select(RESTATED).where(or_(stayed, RESTATED.c.moved_stream == stream)).order_by(RESTATED.c.no)
    return {row.time if row.moved is None else row.moved: (row.feature, row.said) for row in connection.execute(wanted)}


def _entered(row: Row[tuple[object, ...]]) -> Record:
    was, now = (row.was_feature, row.was_said), (row.feature, row.said)
    moved = None if row.moved is None else Instant(row.moved)
    return Record(row.stream, Instant(row.time), was, now, row.names, moved, row.moved_stream, row.was_restated)


def _unlike(stream: int, time: int) -> ConflictError:
    at = rfc3339(Instant(time))
    what = Text(
        f"{stream} 号监测项在 {at} 的观测值与其改写记录不符：记录或观测值在程序之外被改动过。",
        f"The observation of stream {stream} at {at} is not as its record says: one of the two was changed outside of the program.",
    )
    return ConflictError(what, stream=stream, time=at)


def _restated(row: Row[tuple[object, ...]]) -> Restated:
    return Restated(
        row.no,
        row.stream,
        Instant(row.time),
        row.was_feature,
        _words(row.was_said),
        row.feature,
        _words(row.said),
        tuple(row.names.split(",")),
        None if row.moved is None else Instant(row.moved),
        row.by,
        row.why,
        Instant(row.wall),
        row.moved_stream,
    )


def _words(said: str | None) -> dict[str, Json]:
    words: dict[str, Json] = msgspec.json.decode(said) if said else {}
    return words
