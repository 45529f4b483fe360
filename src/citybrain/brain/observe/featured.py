"""What observations are about, where that is another feature than the place of their own thing: kept beside them, by stream and time.

Few observations have one, and those that have none cost nothing: which streams have any is known in memory.
"""

import threading
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select

from citybrain.brain.observe.made import FEATURE, MadeThing
from citybrain.brain.observe.marks import Mark
from citybrain.brain.observe.store import ENTITY, FEATURED
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Numbers
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity

MARK: Final = "observe.featured"
"""The cursor that moves when a stream has such an observation for the first time."""
_MOST: Final = 500
"""Values that a statement names at once."""
Noun = TypeVar("Noun")


class EndedError(ConflictError):
    """What observations were to be about is there no more."""


class About(NamedTuple):
    """What the observation of a stream at a time is about; None for the place of its own thing."""

    stream: int
    time: Instant
    feature: str | None


class Featured:
    """The features of observations in the store; ``put`` and the reads block: run them in a thread."""

    def __init__(self, transactions: Transactions[Connection]) -> None:
        self._transactions = transactions
        self._mark = Mark(transactions, MARK)
        self._lock = threading.Lock()
        self._streams: frozenset[int] = frozenset()

    def streams(self) -> frozenset[int]:
        """The numbers of the streams that have, or once had, an observation about another feature."""
        if self._mark.moved():
            with self._lock:
                self._mark.note()
                with self._transactions.read() as connection:
                    self._streams = self._streams_in(connection)
        return self._streams

    def of(self, streams: Sequence[int], first: int, last: int) -> dict[str, str]:
        """The features of the observations of streams from one time to another (µs, both included), by their ids."""
        wanted = and_(FEATURED.c.stream.in_(streams), FEATURED.c.time.between(first, last))
        with self._transactions.read() as connection:
            return {f"{row.stream}.{row.time}": row.feature for row in connection.execute(select(FEATURED).where(wanted))}

    def listed(self, feature: str, after: About | None, limit: int, *, descending: bool) -> tuple[About, ...]:
        """At most so many observations about a feature, by time and stream, those after one of them."""
        time, stream = FEATURED.c.time, FEATURED.c.stream
        wanted = select(FEATURED).where(FEATURED.c.feature == feature)
        if after is not None:
            later = time < after.time if descending else time > after.time
            wanted = wanted.where(or_(later, and_(time == after.time, stream > after.stream)))
        ordered = wanted.order_by(time.desc() if descending else time, stream).limit(limit)
        with self._transactions.read() as connection:
            return tuple(About(row.stream, Instant(row.time), row.feature) for row in connection.execute(ordered))

    def keep(self, about: Sequence[About]) -> tuple[About, ...]:
        """As ``put``, for features that are there; raises EndedError, with nothing kept, where one of them is there no more."""
        return self._kept(about, sorted({one.feature for one in about if one.feature is not None}))

    def put(self, about: Sequence[About]) -> tuple[About, ...]:
        """Keep what observations are about, in one commit; what was known of the same ones before, each once."""
        return self._kept(about, ())

    def _kept(self, about: Sequence[About], needed: Sequence[str]) -> tuple[About, ...]:
        fresh = {one.stream for one in about if one.feature is not None} - self.streams()
        with self._lock, self._transactions.begin() as tx:
            _require(tx.connection, needed)
            before = _put(tx.connection, list({one[:2]: one for one in about}.values()))
            alone = bool(fresh) and self._mark.move(tx.connection)
        if alone:
            self._streams |= fresh
        return before

    def forget(self, numbers: Numbers, before: Instant) -> int:
        """Forget what observations of streams (n,) before an instant were about, as retention has it; returns how many."""
        count = 0
        with self._lock, self._transactions.begin() as tx:
            for stream in self._streams_in(tx.connection).intersection(numbers.tolist()):
                gone = delete(FEATURED).where(FEATURED.c.stream == stream, FEATURED.c.time < before)
                count += tx.connection.execute(gone).rowcount
        return count

    def _streams_in(self, connection: Connection) -> frozenset[int]:
        return frozenset(connection.execute(select(FEATURED.c.stream).distinct()).scalars())


def unnamed(connection: Connection, nouns: Sequence[Noun]) -> list[Noun]:
    """Of what is to be forgotten all but the features that observations are about by now, and what is said of them."""
    ids = [noun.id for noun in nouns if isinstance(noun, Entity) and noun.kind == FEATURE]
    kept: set[str] = set()
    for part in _parts(ids):
        # Locked first and looked at after that: whoever keeps an observation about one of them is waited for.
        connection.execute(select(ENTITY.c.id).where(ENTITY.c.id.in_(part)).with_for_update())
        kept |= set(connection.execute(select(FEATURED.c.feature).where(FEATURED.c.feature.in_(part)).distinct()).scalars())
    return [noun for noun in nouns if not isinstance(noun, Entity | MadeThing) or noun.id not in kept]


def _require(connection: Connection, features: Sequence[str]) -> None:
    for part in _parts(features):
        there = and_(ENTITY.c.id.in_(part), ENTITY.c.kind == FEATURE, ENTITY.c.valid_to.is_(None))
        # Locked on servers that know it, so that nobody takes one back before this is committed.
        found = set(connection.execute(select(ENTITY.c.id).where(there).with_for_update(read=True)).scalars())
        gone = next((feature for feature in part if feature not in found), None)
        if gone is not None:
            what = Text(
                f"观测对象“{gone}”刚被删除，请重新发送。",
                f"The feature '{gone}' has just been deleted. Send the observation again.",
            )
            raise EndedError(what, id=gone)


def _put(connection: Connection, about: Sequence[About]) -> tuple[About, ...]:
    """Keep these, each of another observation; what was known of them before."""
    times: dict[int, list[Instant]] = {}
    for one in about:
        times.setdefault(one.stream, []).append(one.time)
    known: dict[tuple[int, int], str] = {}
    for stream, listed in times.items():
        for part in _parts(listed):
            rows = connection.execute(select(FEATURED).where(FEATURED.c.stream == stream, FEATURED.c.time.in_(part)))
            known |= {(row.stream, row.time): row.feature for row in rows}
    if known:
        mine = and_(FEATURED.c.stream == bindparam("of"), FEATURED.c.time == bindparam("at"))
        connection.execute(delete(FEATURED).where(mine), [{"of": stream, "at": time} for stream, time in known])
    fresh = [one._asdict() for one in about if one.feature is not None]
    if fresh:
        connection.execute(insert(FEATURED), fresh)
    return tuple(About(one.stream, one.time, known.get((one.stream, one.time))) for one in about)


def _parts(values: Sequence[Noun]) -> Iterable[Sequence[Noun]]:
    return (values[begin : begin + _MOST] for begin in range(0, len(values), _MOST))
