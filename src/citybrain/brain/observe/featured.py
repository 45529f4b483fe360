"""What observations are about, where that is another feature than the place of their own thing, and what else is said of them.

Kept beside them, by stream and time. Those that have nothing of it cost nothing: which streams have any is known in memory.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, or_, select
from sqlalchemy.sql.elements import ColumnElement

from citybrain.brain.observe import restated
from citybrain.brain.observe.made import FEATURE, LOCATION, MadeThing
from citybrain.brain.observe.marks import Mark
from citybrain.brain.observe.restated import Record
from citybrain.brain.observe.signing import Signed
from citybrain.brain.observe.store import ENTITY, FEATURED
from citybrain.kernel.errors import ConflictError, StaleError
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.observations import Numbers
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Entity

MARK: Final = "observe.featured"
"""The cursor that moves when a stream has such an observation for the first time."""
AS_BEFORE: Final = ""
"""In place of a feature, or of what is said: what is known of it stays."""
_MOST: Final = 500
"""Values that a statement names at once."""
Noun = TypeVar("Noun")
Result = TypeVar("Result")


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

    Where this is of another time the observation is moved there, and what was known of it stays beside what is struck out.
    """

    seen: About
    about: About


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


class Featured:
    """What is beside observations in the store; ``put`` and the reads block: run them in a thread."""

    def __init__(self, transactions: Transactions[Connection]) -> None:
        self._transactions = transactions
        self._mark = Mark(transactions, MARK)
        self._lock = threading.Lock()
        self._streams = Having(frozenset(), frozenset())
        self._listeners: list[Callable[[Sequence[About]], None]] = []

    def on_restated(self, told: Callable[[Sequence[About]], None]) -> None:
        """Have somebody told of what is said anew in this process, from any thread, once it is durable."""
        self._listeners.append(told)

    def known(self) -> Having:
        """Which streams have anything beside their observations."""
        if self._mark.moved():
            with self._lock:
                self._mark.note()
                with self._transactions.read() as connection:
                    self._streams = _streams(connection)
        return self._streams

    def streams(self) -> frozenset[int]:
        """The numbers of the streams that have, or once had, an observation about another feature."""
        return self.known().featured

    def saying(self) -> frozenset[int]:
        """The numbers of the streams that have, or once had, an observation of which something else is said."""
        return self.known().saying

    @property
    def recalled(self) -> frozenset[int]:
        """As ``saying``, without a look whether another process knows of more."""
        return self._streams.saying

    def of(self, streams: Sequence[int], first: int, last: int) -> dict[str, About]:
        """What is beside the observations of streams from one time to another (µs, both included), by their ids."""
        wanted = and_(FEATURED.c.stream.in_(streams), FEATURED.c.time.between(first, last))
        with self._transactions.read() as connection:
            return {one.id: one for one in map(_about, connection.execute(select(FEATURED).where(wanted)))}

    def at(self, places: Sequence[tuple[int, int]]) -> dict[str, About]:
        """What is beside observations, each given by its stream and its time in µs, by their ids."""
        with self._transactions.read() as connection:
            return _at(connection, places)

    def lags(self, streams: Iterable[int]) -> Lags:
        """How far the results of streams are from their observations: bounds within which all of them lie."""
        lag, lasts, found = FEATURED.c.lag, FEATURED.c.lasts, Lags(0, 0, 0)
        with self._transactions.read() as connection:
            for stream in self.saying().intersection(streams):
                # One by one, each is the end of an index.
                asked = ((func.min(lag), lag), (func.max(lag), lag), (func.max(lasts), lasts))
                mine = FEATURED.c.stream == stream
                edges = (select(edge).where(mine, of.is_not(None)).scalar_subquery() for edge, of in asked)
                low, high, longest = (one or 0 for one in connection.execute(select(*edges)).one())
                found = Lags(min(found.low, low), max(found.high, high), max(found.longest, longest))
        return found

    def features(self, stream: int) -> dict[str, int]:
        """How many observations of a stream are about each feature that is not its own thing's place."""
        mine = and_(FEATURED.c.stream == stream, FEATURED.c.feature.is_not(None))
        wanted = select(FEATURED.c.feature, func.count().label("count")).where(mine).group_by(FEATURED.c.feature)
        with self._transactions.read() as connection:
            return {row.feature: row[1] for row in connection.execute(wanted)}

    def about(self, features: Iterable[str]) -> frozenset[int]:
        """The numbers of the streams that have, or once had, an observation about one of these."""
        asked = select(FEATURED.c.stream).where(FEATURED.c.feature.in_(tuple(features)))
        with self._transactions.read() as connection:
            return frozenset(connection.execute(asked.distinct()).scalars())

    def listed(self, feature: str, after: About | None, limit: int, *, descending: bool) -> tuple[About, ...]:
        """At most so many observations about a feature, by time and stream, those after one of them."""
        time, stream = FEATURED.c.time, FEATURED.c.stream
        wanted = select(FEATURED).where(FEATURED.c.feature == feature)
        if after is not None:
            later = time < after.time if descending else time > after.time
            wanted = wanted.where(or_(later, and_(time == after.time, stream > after.stream)))
        ordered = wanted.order_by(time.desc() if descending else time, stream).limit(limit)
        with self._transactions.read() as connection:
            return tuple(map(_about, connection.execute(ordered)))

    def keep(self, about: Sequence[About]) -> tuple[About, ...]:
        """As ``put``, for features that are there; raises EndedError, with nothing kept, where one of them is there no more."""
        return self._kept(about, sorted({one.feature for one in about if one.feature}))

    def put(self, about: Sequence[About]) -> tuple[About, ...]:
        """Keep what is beside observations, in one commit; what was known of the same ones before, each once.

        Of two for one observation the last is kept, with what of the first it leaves as it was.
        """
        return self._kept(about, ())

    def restate(self, listed: Sequence[Anew], signed: Signed) -> tuple[tuple[int, ...], tuple[About, ...]]:
        """Keep what a person says anew, with a record of each, in one commit; what ``unsay`` takes to undo it.

        Raises StaleError where something else is known of one by now, EndedError for a feature that is gone.
        """
        about = [one.about for one in listed]
        needed = sorted({one.about.feature for one in listed if one.about.feature and one.about.feature != one.seen.feature})

        def put(connection: Connection) -> tuple[tuple[int, ...], tuple[About, ...]]:
            known = _at(connection, [one.seen[:2] for one in listed])
            if any(known.get(one.seen.id, About(*one.seen[:2], None, None)) != one.seen for one in listed):
                what = Text("观测值其间另有更新，请重试。", "The observation was changed meanwhile. Try again.")
                raise StaleError(what)
            return restated.record(connection, [_record(one) for one in listed], signed), _put(connection, about)

        found = self._entered(about, needed, put)
        for told in self._listeners:
            told(about)
        return found

    def unsay(self, numbers: Sequence[int], before: Sequence[About]) -> None:
        """Undo what ``restate`` did, where what belongs to it came to nothing."""

        def back(connection: Connection) -> None:
            restated.drop(connection, numbers)
            _put(connection, before)

        self._entered(before, (), back)

    def moved(self, stream: int, time: int) -> Instant | None:
        """To which time the observation of a stream at a time was moved; None for one that was not."""
        with self._transactions.read() as connection:
            return restated.moved(connection, stream, time)

    def verify(self) -> int:
        """How many observations are as people said them anew; raises ConflictError that names the first that is not."""
        with self._transactions.read() as connection:
            return restated.verify(connection)

    def _kept(self, about: Sequence[About], needed: Sequence[str]) -> tuple[About, ...]:
        return self._entered(about, needed, lambda connection: _put(connection, about))

    def _entered(self, about: Sequence[About], needed: Sequence[str], put: Callable[[Connection], Result]) -> Result:
        """What ``put`` gives, in one commit with what says which streams have any; raises EndedError for a feature that is gone."""
        known = self.known()
        fresh = Having(
            frozenset(one.stream for one in about if one.feature) - known.featured,
            frozenset(one.stream for one in about if one.said or one.restated) - known.saying,
        )
        with self._lock:
            with self._transactions.begin() as tx:
                fresh = fresh._replace(hosts=_require(tx.connection, needed) - known.hosts)
                found = put(tx.connection)
                alone = any(fresh) and self._mark.move(tx.connection)
            if alone:
                now = self._streams
                self._streams = Having(now.featured | fresh.featured, now.saying | fresh.saying, now.hosts | fresh.hosts)
        if any(fresh) and not alone:
            self.known()
        return found

    def forget(self, numbers: Numbers, before: Instant) -> int:
        """Forget what is beside observations of streams (n,) before an instant, as retention has it; returns of how many."""
        count = 0
        with self._lock, self._transactions.begin() as tx:
            there = _streams(tx.connection)
            for stream in (there.featured | there.saying).intersection(numbers.tolist()):
                gone = delete(FEATURED).where(FEATURED.c.stream == stream, FEATURED.c.time < before)
                count += tx.connection.execute(gone).rowcount
            restated.forget(tx.connection, numbers, before)
        return count


def unnamed(connection: Connection, nouns: Sequence[Noun]) -> list[Noun]:
    """Of what is to be forgotten all but the features that observations are about by now, and what is said of them."""
    ids = [noun.id for noun in nouns if isinstance(noun, Entity) and noun.kind == FEATURE]
    kept: set[str] = set()
    for part in _parts(ids):
        # Locked first and looked at after that: whoever keeps an observation about one of them is waited for.
        connection.execute(select(ENTITY.c.id).where(ENTITY.c.id.in_(part)).with_for_update())
        kept |= set(connection.execute(select(FEATURED.c.feature).where(FEATURED.c.feature.in_(part)).distinct()).scalars())
    return [noun for noun in nouns if not isinstance(noun, Entity | MadeThing) or noun.id not in kept]


def _require(connection: Connection, features: Sequence[str]) -> frozenset[str]:
    """Those of features that are the places of things; raises EndedError where one is there no more."""
    things: set[str] = set()
    for part in _parts(features):
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


def _put(connection: Connection, about: Sequence[About]) -> tuple[About, ...]:
    """Keep these; what was known of the observations before, each once."""
    known = _at(connection, [one[:2] for one in about])
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
    gone = [{"of": one.stream, "at": one.time} for one in changed if one.id in known]
    if gone:
        mine = and_(FEATURED.c.stream == bindparam("of"), FEATURED.c.time == bindparam("at"))
        connection.execute(delete(FEATURED).where(mine), gone)
    fresh = [{**one._asdict(), **_measured(one)} for one in changed if one.feature or one.said or one.restated]
    if fresh:
        connection.execute(insert(FEATURED), fresh)
    return tuple(before.values())


def _at(connection: Connection, places: Sequence[tuple[int, int]]) -> dict[str, About]:
    found: dict[str, About] = {}
    for part in _parts(places):
        times: dict[int, list[int]] = {}
        for stream, time in part:
            times.setdefault(stream, []).append(time)
        # Pairs by themselves would have SQLite look at every row.
        wanted = or_(*(and_(FEATURED.c.stream == stream, FEATURED.c.time.in_(listed)) for stream, listed in times.items()))
        found |= {one.id: one for one in map(_about, connection.execute(select(FEATURED).where(wanted)))}
    return found


def _about(row: Row[tuple[int, int, str | None, str | None, int | None, int | None, str | None]]) -> About:
    return About(row.stream, Instant(row.time), row.feature, row.said, row.restated)


def _record(one: Anew) -> Record:
    seen, about = one
    moved = None if about.time == seen.time else about.time
    return Record(seen.stream, seen.time, seen[2:4], about[2:4], about.restated or "", moved)


def _measured(one: About) -> dict[str, int | None]:
    """How far the result is from the observation, and how long this spans, in µs."""
    if not one.said:
        return {"lag": 0 if one.restated else None, "lasts": None}
    words = one.words()
    _, _, end = str(words.get("phenomenonTime", "")).partition("/")
    lasts = parse(end) - one.time if end else None
    said = words.get("resultTime")
    return {"lag": (lasts or 0) if said is None else parse(str(said)) - one.time, "lasts": lasts}


def _streams(connection: Connection) -> Having:
    stream, feature = FEATURED.c.stream, FEATURED.c.feature
    featured, saying = _each(connection, stream, feature.is_not(None)), _each(connection, stream, FEATURED.c.lag.is_not(None))
    hosts: set[str] = set()
    for part in _parts(sorted(_each(connection, feature, feature.is_not(None)))):
        hosts |= set(connection.execute(select(ENTITY.c.id).where(ENTITY.c.id.in_(part), ENTITY.c.kind != FEATURE)).scalars())
    return Having(featured, saying, frozenset(hosts))


def _each(connection: Connection, column: ColumnElement[Noun], there: ColumnElement[bool]) -> frozenset[Noun]:
    """The values of a column of rows, each found after the one before it: no row between is looked at."""
    first = select(func.min(column).label("value")).where(there).cte("each", recursive=True)
    after = select(func.min(column)).where(there, column > first.c.value).scalar_subquery()
    found = first.union_all(select(after).where(first.c.value.is_not(None)))
    return frozenset(connection.execute(select(found.c.value).where(found.c.value.is_not(None))).scalars())


def _parts(values: Sequence[Noun]) -> Iterable[Sequence[Noun]]:
    return (values[begin : begin + _MOST] for begin in range(0, len(values), _MOST))
