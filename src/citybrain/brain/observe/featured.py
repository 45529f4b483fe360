"""What observations are about, where that is another feature than the place of their own thing: kept beside them, by stream and time.

Few observations have one, and those that have none cost nothing: which streams have any is known in memory.
"""

import threading
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, delete, insert, or_, select

from citybrain.brain.observe.marks import Mark
from citybrain.brain.observe.store import FEATURED
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Numbers
from citybrain.kernel.ports import Transactions

MARK: Final = "observe.featured"
"""The cursor that moves when a stream has such an observation for the first time."""


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

    def put(self, about: Sequence[About]) -> tuple[About, ...]:
        """Keep what observations are about, in one commit; what was known of the same ones before."""
        fresh = {one.stream for one in about if one.feature is not None} - self.streams()
        with self._lock, self._transactions.begin() as tx:
            before = tuple(_put(tx.connection, one) for one in about)
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


def _put(connection: Connection, about: About) -> About:
    mine = and_(FEATURED.c.stream == about.stream, FEATURED.c.time == about.time)
    known = connection.execute(select(FEATURED.c.feature).where(mine)).scalar_one_or_none()
    connection.execute(delete(FEATURED).where(mine))
    if about.feature is not None:
        connection.execute(insert(FEATURED).values(stream=about.stream, time=about.time, feature=about.feature))
    return About(about.stream, about.time, known)
