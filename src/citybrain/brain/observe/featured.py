"""What observations are about, where that is another feature than the place of their own thing, and what else is said of them.

Kept beside them, by stream and time. Those that have nothing of it cost nothing: which streams have any is known in memory.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, TypeAlias, TypeVar

from sqlalchemy import Connection, and_, delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from citybrain.brain.observe import beside, restated
from citybrain.brain.observe.beside import About, Anew, Having, Lags
from citybrain.brain.observe.made import FEATURE, MadeThing
from citybrain.brain.observe.marks import Mark
from citybrain.brain.observe.signing import Signed
from citybrain.brain.observe.store import ASIDE, ENTITY, FEATURED
from citybrain.kernel.errors import BusyError, ConflictError, StaleError
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Numbers
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity

MARK: Final = "observe.featured"
"""The cursor that moves when a stream has such an observation for the first time."""
_TRIES: Final = 5
Said: TypeAlias = tuple[Anew, Signed]
"""What is said anew, and by whom, why and when."""
Noun = TypeVar("Noun")
Result = TypeVar("Result")


class Featured:
    """What is beside observations in the store; ``put`` and the reads block: run them in a thread."""

    def __init__(self, transactions: Transactions[Connection]) -> None:
        self._transactions = transactions
        self._mark = Mark(transactions, MARK)
        self._lock = threading.Lock()
        self._streams = Having(frozenset(), frozenset())
        self._listeners: list[Callable[[Sequence[About]], None]] = []
        self._telling = threading.Lock()
        self._told = (0, 0)

    def on_restated(self, told: Callable[[Sequence[About]], None]) -> None:
        """Have somebody told of what is said anew from now on, from any thread, once it is durable; see ``renew``."""
        with self._telling:
            if not self._listeners:
                with self._transactions.read() as connection:
                    self._told = restated.newest(connection)
            self._listeners.append(told)

    def renew(self) -> None:
        """Tell of what was said anew since the last look, here or in another process. Blocks."""
        with self._telling:
            if not self._listeners:
                return
            with self._transactions.read() as connection:
                newest = restated.newest(connection)
                if newest == self._told:
                    return
                about = tuple(beside.at(connection, restated.since(connection, self._told)).values())
            self._told = newest
        for told in self._listeners if about else ():
            told(about)

    def known(self) -> Having:
        """Which streams have anything beside their observations."""
        if self._mark.moved():
            with self._lock:
                self._mark.note()
                with self._transactions.read() as connection:
                    self._streams = beside.streams(connection)
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
            return {one.id: one for one in map(beside.read, connection.execute(select(FEATURED).where(wanted)))}

    def at(self, places: Sequence[tuple[int, int]]) -> dict[str, About]:
        """What is beside observations, each given by its stream and its time in µs, by their ids."""
        with self._transactions.read() as connection:
            return beside.at(connection, places)

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
            return tuple(map(beside.read, connection.execute(ordered)))

    def keep(self, about: Sequence[About]) -> tuple[About, ...]:
        """As ``put``, for features that are there; raises EndedError, with nothing kept, where one of them is there no more."""
        return self._kept(about, sorted({one.feature for one in about if one.feature}))

    def put(self, about: Sequence[About]) -> tuple[About, ...]:
        """Keep what is beside observations, in one commit; what was known of the same ones before, each once.

        Of two for one observation the last is kept, with what of the first it leaves as it was.
        """
        return self._kept(about, ())

    def restate(self, listed: Sequence[Said]) -> None:
        """Keep what people say anew, with a record of each, in one commit; raises as ``restate_with`` does."""
        self.restate_with(listed, None, lambda _: None)

    def restate_with(self, listed: Sequence[Said], key: str | None, work: Callable[[Connection], Result]) -> Result:
        """What some work gives, in one commit with what people say anew and a record of each, after that.

        ``key`` is that of acts that are on their way, which the records bear until these stand. Raises StaleError where something else
        is known of an observation by now, EndedError for a feature that is gone, BusyError where other processes say something all the
        time.
        """
        anew = [one for one, _ in listed]
        about = [one.about for one in anew]
        needed = sorted({one.about.feature for one in anew if one.about.feature and one.about.feature != one.seen.feature})

        def put(connection: Connection) -> Result:
            known = beside.at(connection, [one.seen[:2] for one in anew])
            if any(known.get(one.seen.id, About(*one.seen[:2], None, None)) != one.seen for one in anew):
                what = Text("观测值其间另有更新，请重试。", "The observation was changed meanwhile. Try again.")
                raise StaleError(what)
            restated.record(connection, [(beside.record(one), signed) for one, signed in listed], key)
            beside.put(connection, about)
            return work(connection)

        found = self._alone(about, needed, put)
        self.renew()
        return found

    def _alone(self, about: Sequence[About], needed: Sequence[str], put: Callable[[Connection], Result]) -> Result:
        """As ``_entered``, again where another process has entered a record of the same number meanwhile."""
        for _ in range(_TRIES):
            with suppress(IntegrityError):
                return self._entered(about, needed, put)
        raise BusyError(Text("正在别处改写观测值，请重试。", "Observations are being changed elsewhere. Try again."), retry_after=1)

    def moved(self, streams: Sequence[int], time: int) -> tuple[int, Instant] | None:
        """To which stream and time the observation of streams at a time was moved last, whichever of them; None for one that was not."""
        with self._transactions.read() as connection:
            return restated.moved(connection, streams, time)

    def verify(self) -> int:
        """How many observations are as people said them anew; raises ConflictError that names the first that is not."""
        with self._transactions.read() as connection:
            return restated.verify(connection)

    def _kept(self, about: Sequence[About], needed: Sequence[str]) -> tuple[About, ...]:
        return self._entered(about, needed, lambda connection: beside.put(connection, about))

    def _entered(self, about: Sequence[About], needed: Sequence[str], put: Callable[[Connection], Result]) -> Result:
        """What ``put`` gives, in one commit with what says which streams have any; raises EndedError for a feature that is gone."""
        known = self.known()
        fresh = Having(
            frozenset(one.stream for one in about if one.feature) - known.featured,
            frozenset(one.stream for one in about if one.said or one.restated) - known.saying,
        )
        with self._lock:
            with self._transactions.begin() as tx:
                fresh = fresh._replace(hosts=beside.require(tx.connection, needed) - known.hosts)
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
            there = beside.streams(tx.connection)
            for stream in (there.featured | there.saying).intersection(numbers.tolist()):
                gone = delete(FEATURED).where(FEATURED.c.stream == stream, FEATURED.c.time < before)
                count += tx.connection.execute(gone).rowcount
                aside = delete(ASIDE).where(ASIDE.c.stream == stream, ASIDE.c.time < before)
                count += tx.connection.execute(aside).rowcount
            restated.forget(tx.connection, numbers, before)
        return count


def unnamed(connection: Connection, nouns: Sequence[Noun]) -> list[Noun]:
    """Of what is to be forgotten all but the features that observations are about by now, and what is said of them."""
    ids = [noun.id for noun in nouns if isinstance(noun, Entity) and noun.kind == FEATURE]
    kept: set[str] = set()
    for part in beside.parts(ids):
        # Locked first and looked at after that: whoever keeps an observation about one of them is waited for.
        connection.execute(select(ENTITY.c.id).where(ENTITY.c.id.in_(part)).with_for_update())
        for feature in (FEATURED.c.feature, ASIDE.c.feature):
            kept |= set(connection.execute(select(feature).where(feature.in_(part)).distinct()).scalars())
    return [noun for noun in nouns if not isinstance(noun, Entity | MadeThing) or noun.id not in kept]


def unobserved(connection: Connection, entities: Iterable[Entity], known: Mapping[str, int]) -> None:
    """Raise ConflictError for a feature that is ending and that more observations are about than is known, in the commit that ends it.

    ``known`` is how many each was about none of which stands.
    """
    ending = [one.id for one in entities if one.kind == FEATURE and one.valid_to is not None]
    for part in beside.parts(ending):
        about = select(FEATURED.c.feature, func.count()).where(FEATURED.c.feature.in_(part)).group_by(FEATURED.c.feature)
        more = next((feature for feature, count in connection.execute(about) if count > known.get(feature, 0)), None)
        if more is not None:
            what = Text(
                f"有观测值以“{more}”为观测对象，读数须留存，因此不能删除它。",
                f"Observations are about '{more}', and what was observed is kept: the feature is not deleted.",
            )
            raise ConflictError(what, id=more)
