"""What is beside observations as it is stored: which feature they are about, what else they say, and what a person said anew of that.

What is beside a reading that is struck out is set aside with that correction, for another reading of that instant says nothing of it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, or_, select
from sqlalchemy.sql.elements import ColumnElement

from citybrain.brain.observe import restated
from citybrain.brain.observe.made import FEATURE, LOCATION
from citybrain.brain.observe.restated import Record
from citybrain.brain.observe.store import ASIDE, ENTITY, FEATURED
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.text import Json, Text

AS_BEFORE: Final = ""
"""In place of a feature, or of what is said: what is known of it stays."""
_MOST: Final = 500
"""Values that a statement names at once."""
Noun = TypeVar("Noun")


class EndedError(ConflictError):
    """What observations were to be about is there no more."""


class About(NamedTuple):
    """What the observation of a stream at a time is about; None for the place of its own thing.

    ``said`` is a JSON object of what else is said of it, by the names of its properties in SensorThings; None for nothing. Times in it
    are RFC 3339, a ``phenomenonTime`` in it is an interval that begins at ``time``. ``restated`` names what of this a person said anew,
    with commas between; None for nothing.
    """

    stream: int
    time: Instant
    feature: str | None
    said: str | None = AS_BEFORE
    restated: str | None = None

    @property
    def id(self) -> str:
        """That of the observation."""
        return f"{self.stream}.{self.time}"

    def words(self) -> dict[str, Json]:
        """What else is said, by the names of properties."""
        words: dict[str, Json] = msgspec.json.decode(self.said) if self.said else {}
        return words


class Anew(NamedTuple):
    """What a person says anew of an observation: what was known of it when they saw it, and what is to be.

    Where this is of another stream or time the observation is moved there; what was known of it goes with what is struck out.
    """

    seen: About
    about: About

    @property
    def moves(self) -> bool:
        """Whether it is to be of another stream or time."""
        return self.seen[:2] != self.about[:2]


class Lags(NamedTuple):
    """How far results are from their observations, in µs: the earliest and the latest (0 among them), and the longest interval."""

    low: int
    high: int
    longest: int


class Having(NamedTuple):
    """The numbers of streams that have, or once had, an observation about a feature, and one of which something else is said.

    ``hosts`` are the things at whose place observations of others are.
    """

    featured: frozenset[int]
    saying: frozenset[int]
    hosts: frozenset[str] = frozenset()


def require(connection: Connection, features: Sequence[str]) -> frozenset[str]:
    """Those of features that are the places of things; raises EndedError where one is there no more."""
    things: set[str] = set()
    for part in parts(features):
        stands = or_(ENTITY.c.kind == FEATURE, and_(ENTITY.c.kind != LOCATION, ENTITY.c.lon.is_not(None)))
        there = and_(ENTITY.c.id.in_(part), stands, ENTITY.c.valid_to.is_(None))
        # Locked on servers that know it, so that nobody takes one back before this is committed.
        rows = connection.execute(select(ENTITY.c.id, ENTITY.c.kind).where(there).with_for_update(read=True)).all()
        found = {row.id for row in rows}
        things |= {row.id for row in rows if row.kind != FEATURE}
        gone = next((feature for feature in part if feature not in found), None)
        if gone is not None:
            what = Text(
                f"观测对象“{gone}”刚被删除，请重新发送。",
                f"The feature '{gone}' has just been deleted. Send the observation again.",
            )
            raise EndedError(what, id=gone)
    return frozenset(things)


def put(connection: Connection, about: Sequence[About]) -> tuple[About, ...]:
    """Keep these; what was known of the observations before, each once."""
    known = at(connection, [one[:2] for one in about])
    before = {one.id: known.get(one.id) or About(one.stream, one.time, None, None) for one in about}
    # Whoever sends again what had been known before a person said it anew undoes nothing of that.
    again = restated.overruled(connection, [one[:2] for one in before.values() if one.restated])
    now = dict(before)
    for one in about:
        was = now[one.id]
        state = was.feature if one.feature == AS_BEFORE else one.feature, was.said if one.said == AS_BEFORE else one.said
        if one.restated is None and (state == was[2:4] or state in again.get(one[:2], ())):
            continue
        now[one.id] = About(one.stream, one.time, *state, one.restated)
    changed = [one for key, one in now.items() if one != before[key]]
    _enter(connection, [one[:2] for one in changed if one.id in known], changed)
    return tuple(before.values())


def are_about(connection: Connection, stream: int, times: Sequence[int], feature: str) -> bool:
    """Whether the observations of a stream at these times, which come one after another, are all about a feature, until this is committed."""
    span = FEATURED.c.time.between(times[0], times[-1])
    mine = select(FEATURED.c.time).where(FEATURED.c.stream == stream, span, FEATURED.c.feature == feature).with_for_update()
    return set(times) <= set(connection.execute(mine).scalars())


def lay_aside(connection: Connection, correction: int, stream: int, span: tuple[int, int]) -> None:
    """Take what is beside the observations of a stream from one time to another (both included), which a correction strikes out."""
    mine = and_(FEATURED.c.stream == stream, FEATURED.c.time.between(*span))
    taken = connection.execute(delete(FEATURED).where(mine).returning(*FEATURED.c)).all()
    if taken:
        rows = [read(row)._asdict() for row in taken]
        connection.execute(insert(ASIDE), [{"correction": correction, **row} for row in rows])


def put_back(connection: Connection, correction: int, times: Collection[int]) -> None:
    """Put back what a correction that is no more had taken, at these times; where something else is said by now that stays.

    Whoever sent again meanwhile what had been known before a person said it anew undid nothing of that.
    """
    mine = ASIDE.c.correction == correction
    taken = connection.execute(delete(ASIDE).where(mine).returning(*ASIDE.c)).all()
    back = [one for one in map(read, taken) if one.time in times]
    known = at(connection, [one[:2] for one in back])
    again = restated.overruled(connection, [one[:2] for one in back if one.restated])
    back = [one for one in back if one.id not in known or known[one.id][2:4] in again.get(one[:2], ())]
    _enter(connection, [one[:2] for one in back], back)


def remove(connection: Connection, places: Sequence[tuple[int, int]]) -> None:
    """Forget what is beside observations, each given by its stream and its time, that are there no more."""
    _enter(connection, places, ())


def unsay(connection: Connection, key: str) -> None:
    """Undo what people said anew with acts that came to nothing, but for what has been said otherwise since; its records go too."""
    taken = restated.take(connection, key)
    stands = {now[:2]: now[2:4] for now in at(connection, [one.place for one in taken]).values()}
    mine = [one for one in taken if stands.get(one.place) == one.now]
    _enter(
        connection,
        [one.place for one in mine],
        [About(one.stream, one.time, *one.was, one.mark) for one in mine if one.moved is None],
    )


def _enter(connection: Connection, places: Sequence[tuple[int, int]], about: Sequence[About]) -> None:
    """Let these stand, and nothing else at those places."""
    if places:
        mine = and_(FEATURED.c.stream == bindparam("of"), FEATURED.c.time == bindparam("at"))
        connection.execute(delete(FEATURED).where(mine), [{"of": stream, "at": time} for stream, time in places])
    fresh = [{**one._asdict(), **_measured(one)} for one in about if one.feature or one.said or one.restated]
    if fresh:
        connection.execute(insert(FEATURED), fresh)


def at(connection: Connection, places: Sequence[tuple[int, int]]) -> dict[str, About]:
    """What is beside observations, each given by its stream and its time in µs, by their ids."""
    found: dict[str, About] = {}
    for part in parts(places):
        times: dict[int, list[int]] = {}
        for stream, time in part:
            times.setdefault(stream, []).append(time)
        # Pairs by themselves would have SQLite look at every row.
        wanted = or_(*(and_(FEATURED.c.stream == stream, FEATURED.c.time.in_(listed)) for stream, listed in times.items()))
        found |= {one.id: one for one in map(read, connection.execute(select(FEATURED).where(wanted)))}
    return found


def read(row: Row[tuple[object, ...]]) -> About:
    """A row as what it says."""
    return About(row.stream, Instant(row.time), row.feature, row.said, row.restated)


def record(one: Anew) -> Record:
    """The record of what a person says anew."""
    seen, about = one
    stream = None if about.stream == seen.stream else about.stream
    return Record(*seen[:2], seen[2:4], about[2:4], about.restated or "", about.time if one.moves else None, stream, seen.restated)


def _measured(one: About) -> dict[str, int | None]:
    """How far the result is from the observation, and how long this spans, in µs."""
    if not one.said:
        return {"lag": 0 if one.restated else None, "lasts": None}
    words = one.words()
    _, _, end = str(words.get("phenomenonTime", "")).partition("/")
    lasts = parse(end) - one.time if end else None
    said = words.get("resultTime")
    return {"lag": (lasts or 0) if said is None else parse(str(said)) - one.time, "lasts": lasts}


def streams(connection: Connection) -> Having:
    """Which streams have anything beside their observations, and which things are observed by others."""
    stream, feature = FEATURED.c.stream, FEATURED.c.feature
    featured, saying = _each(connection, stream, feature.is_not(None)), _each(connection, stream, FEATURED.c.lag.is_not(None))
    # What was set aside may come back.
    aside = connection.execute(select(ASIDE.c.stream, ASIDE.c.feature, ASIDE.c.said, ASIDE.c.restated).distinct()).all()
    featured |= {row.stream for row in aside if row.feature}
    saying |= {row.stream for row in aside if row.said or row.restated}
    hosts: set[str] = set()
    for part in parts(sorted(_each(connection, feature, feature.is_not(None)) | {row.feature for row in aside if row.feature})):
        hosts |= set(connection.execute(select(ENTITY.c.id).where(ENTITY.c.id.in_(part), ENTITY.c.kind != FEATURE)).scalars())
    return Having(featured, saying, frozenset(hosts))


def _each(connection: Connection, column: ColumnElement[Noun], there: ColumnElement[bool]) -> frozenset[Noun]:
    """The values of a column of rows, each found after the one before it: no row between is looked at."""
    first = select(func.min(column).label("value")).where(there).cte("each", recursive=True)
    after = select(func.min(column)).where(there, column > first.c.value).scalar_subquery()
    found = first.union_all(select(after).where(first.c.value.is_not(None)))
    return frozenset(connection.execute(select(found.c.value).where(found.c.value.is_not(None))).scalars())


def parts(values: Sequence[Noun]) -> Iterable[Sequence[Noun]]:
    """Values, as many at once as a statement names."""
    return (values[begin : begin + _MOST] for begin in range(0, len(values), _MOST))
