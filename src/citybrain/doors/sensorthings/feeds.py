"""Updates over MQTT (OGC 18-088 clause 14.2): whoever subscribed gets what is new of what they may read, once it is durable.

New observations are followed by their sequence number, as rules follow them: what has one is committed. Entities that were made or
changed are read anew, as the one who subscribed. Nobody who sends waits for any of this.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Protocol, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import structlog
from anyio import to_thread

from citybrain.brain.observe import About, Noun
from citybrain.doors.sensorthings import multi, rejoining, showing, spans
from citybrain.doors.sensorthings.bound import bound
from citybrain.doors.sensorthings.model import SETS
from citybrain.doors.sensorthings.options import Options, options
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.reading import Raw, Reading
from citybrain.doors.sensorthings.refusals import not_held
from citybrain.doors.sensorthings.topics import Topic, topic
from citybrain.doors.sensorthings.wildcards import Part, datastreams, is_of, spread, told_at
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError, NotFoundError
from citybrain.kernel.observations import Ints, Numbers
from citybrain.kernel.predicate import EVERYTHING, Predicate
from citybrain.kernel.text import Json

_READINGS: Final = "Observations"
_ROUND: Final = 50_000
"""Observations that are looked at in one round."""
_FAR: Final = 500_000
"""Observations behind which the rest is given up, so that what is told is of now."""
_CHANGES: Final = 10_000
"""Changed entities that may wait to be told."""
_CHECKED: Final = 60.0
"""Seconds between two looks at whether the one who subscribed still may be signed in."""
_Known: TypeAlias = dict[tuple[int | str, object, str], bytes]
"""Messages of a round: of which observation, what is asked of it, and in which language."""
log = structlog.get_logger(__name__)


class Outlet(Protocol):
    """Where the messages of one subscription go; nothing here waits."""

    @property
    def room(self) -> int:
        """How many messages may wait at most."""
        ...

    @property
    def end(self) -> Callable[[], None]:
        """Ends the connection: nothing more may be read."""
        ...

    def put(self, payload: bytes, topic: str, /) -> None:
        """Send a message under a topic."""
        ...

    def miss(self, count: int, /) -> None:
        """Say that so many messages are left out."""
        ...


@dataclass(eq=False, slots=True)
class _Feed:
    """A subscription: who asks for what, and where it goes. ``key`` is that of one entity, None for a whole set."""

    caller: Caller
    topic: Topic
    asked: Options
    set: str
    key: str | None
    scope: Predicate
    outlet: Outlet
    joint: str | None
    """The MultiDatastream whose Observations are asked for; None for those of Datastreams."""
    checked: float
    part: Part
    """The topic under which all of it is told, or under which each Observation is by its Datastream."""
    of: tuple[str, str] | None = None
    """The set and the id of the entity whose Datastreams are asked for, where ``part`` is of each of them; None for all."""
    since: int = 0
    """Observations up to this sequence number were there before."""
    version: int = -1
    numbers: Numbers | None = None
    """Of the streams that are asked for, as the register knew them at ``version``; None for all."""

    @property
    def joins(self) -> bool:
        """Whether it asks for Observations of MultiDatastreams."""
        return self.joint is not None or (self.part.each and self.topic.path[-1].name == multi.MULTI)


@dataclass(slots=True)
class _Round:
    """What is to be told, in order, what was left out, and who may not read on."""

    messages: list[tuple[_Feed, str, bytes]] = field(default_factory=list)
    missed: list[tuple[_Feed, int]] = field(default_factory=list)
    gone: list[_Feed] = field(default_factory=list)


class Feeds:
    """All subscriptions of a running program; ``stays`` says whether a caller still is who they were, ``host`` begins every address."""

    def __init__(self, parts: SensorThingsParts, stays: Callable[[Caller], bool], host: str) -> None:
        self._parts = parts
        self._stays = stays
        self._host = host
        self._feeds: dict[_Feed, None] = {}
        self._changes: deque[tuple[str, str]] = deque(maxlen=_CHANGES)
        self._cursor: int | None = None
        parts.registry.on_change(self._changed)
        parts.featured.on_restated(self._restated)

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return len(self._feeds)

    async def open(self, text: str, caller: Caller, outlet: Outlet) -> Callable[[], None]:
        """Tell from now on what is new under a topic, or under all that a filter stands for; returns what ends that.

        A filter is granted where all that it stands for may be read. Raises what a GET of the same path would raise for this caller,
        BadInputError for options other than ``$select`` and wildcards that stand elsewhere, NotHeldError where only some of the
        observations may be read.
        """
        opened = await to_thread.run_sync(lambda: [self._feed(part, caller, outlet) for part in spread(text)])
        since = self._parts.series.last_seq()
        if self._cursor is None:
            self._cursor = since
        for feed in opened:
            feed.since = since
            self._feeds[feed] = None
        return lambda: self._close(*opened)

    async def run_once(self) -> int:
        """Tell what is new; returns how many observations were looked at. Call it again until that is none."""
        if not self._feeds or self._cursor is None:
            self._cursor = None
            self._changes.clear()
            return 0
        found, cursor, rows = await to_thread.run_sync(self._round, tuple(self._feeds), self._cursor)
        self._cursor = cursor
        for feed, count in found.missed:
            feed.outlet.miss(count)
        for feed, where, payload in found.messages:
            if feed in self._feeds:
                feed.outlet.put(payload, where)
        for feed in found.gone:
            log.info("subscription_ended", account=feed.caller.account, set=feed.set)
            self._close(feed)
            feed.outlet.end()
        return rows

    def _close(self, *feeds: _Feed) -> None:
        for feed in feeds:
            self._feeds.pop(feed, None)

    def _feed(self, part: Part, caller: Caller, outlet: Outlet) -> _Feed:
        """A subscription, after a look at what it asks for: whoever may not read that is refused here."""
        wanted = topic(part.topic)
        reading = self._reading(caller, wanted)
        target = reading.target(wanted.path)
        pairs = list(wanted.pairs)
        # Of Datastreams whose Observations are asked for the options speak of these.
        about = [] if part.each else pairs
        reading.answer(wanted.path, about if target.item is not None else [*about, ("$top", "1")])
        if (target.set == _READINGS or part.each) and not self._whole(caller):
            raise not_held(
                "您只能读取部分观测值，不能订阅；请经 HTTP 读取。",
                "You may read only some of the observations, so you cannot subscribe to them. Read them over HTTP.",
            )
        if target.set == _READINGS and target.item is None and target.scope != EVERYTHING:
            reading.streams(target.scope)
        if part.each:
            asked = options(pairs, SETS[_READINGS])
            above = reading.target(wanted.path[:-1]).item if len(wanted.path) > 1 else None
            of = None if above is None else (above.set, above.id)
            return _Feed(caller, wanted, asked, _READINGS, None, EVERYTHING, outlet, None, time.monotonic(), part, of)
        key = None if target.item is None else target.item.id
        asked = options(pairs, SETS[target.set])
        named = spans.named(target.scope, multi.COLUMN) if target.set == _READINGS else None
        joint = None if named is None else named[0]
        return _Feed(caller, wanted, asked, target.set, key, target.scope, outlet, joint, time.monotonic(), part)

    def _changed(self, nouns: Sequence[Noun]) -> None:
        """Note what was made or changed; from any thread."""
        if self._feeds:
            self._changes.extend(dict.fromkeys(place for noun in nouns for place in showing.places(self._parts.registry, noun)))

    def _restated(self, about: Sequence[About]) -> None:
        """Note the observations of which something was said anew, and those of MultiDatastreams that hold them; from any thread."""
        registry = self._parts.registry
        for one in about if self._feeds else ():
            stream = registry.streams()[one.stream - 1]
            joints = [joint for joint in multi.of_thing(registry, stream.entity) if stream in joint.streams]
            names = [one.id, *(multi.named(joint.id, one.time) for joint in joints)]
            self._changes.extend((_READINGS, name) for name in names)

    def _round(self, feeds: Sequence[_Feed], cursor: int) -> tuple[_Round, int, int]:
        found = _Round()
        may = {feed: self._may(feed) for feed in feeds}
        kept, found.gone = [feed for feed in feeds if may[feed]], [feed for feed in feeds if not may[feed]]
        last = self._parts.series.last_seq()
        if last - cursor > _FAR:
            found.missed += [(feed, last - cursor - _FAR) for feed in kept if feed.set == _READINGS]
            cursor = last - _FAR
        rows = self._parts.series.after(cursor, _ROUND)
        changes = [self._changes.popleft() for _ in range(len(self._changes))]
        known: _Known = {}
        said = list(dict.fromkeys(change for change in changes if change[0] == _READINGS))
        for feed in kept:
            if feed.set == _READINGS and feed.key is None:
                tell = self._rejoined if feed.joins else self._observed
                tell(feed, rows, known, found)
                # No reading came, but another thing is said of one.
                found.messages += [
                    (feed, where, payload) for where, payload in self._anew(feed, self._alone(said, rows, feed.since))
                ]
        changes = list(dict.fromkeys([*changes, *self._revised(kept, rows)]))
        for feed in kept:
            if feed.set != _READINGS or feed.key is not None:
                found.messages += [(feed, feed.part.topic, payload) for payload in self._told(feed, changes)]
        return found, int(rows["seq"][-1].as_py()) if rows.num_rows else cursor, rows.num_rows

    def _may(self, feed: _Feed) -> bool:
        """Whether the one who subscribed still may read; what policy says is asked every time, the account now and then."""
        now = time.monotonic()
        if now - feed.checked >= _CHECKED:
            feed.checked = now
            if not self._stays(feed.caller):
                return False
        return feed.set != _READINGS or self._whole(feed.caller)

    def _observed(self, feed: _Feed, rows: pa.Table, known: _Known, found: _Round) -> None:
        """The new observations of a feed, in the order in which they became durable; the newest of more than may wait."""
        seq = rows["seq"].to_numpy()
        # What was struck out is not told: nothing is there.
        mine = (seq > feed.since) & np.isfinite(rows["value"].to_numpy())
        numbers = self._numbers(feed)
        if numbers is not None:
            mine &= np.isin(rows["stream_no"].to_numpy(), numbers)
        places = self._about(feed, rows, np.flatnonzero(mine))
        if len(places) > feed.outlet.room:
            found.missed.append((feed, len(places) - feed.outlet.room))
            places = places[-feed.outlet.room :]
        reading = self._reading(feed.caller, feed.topic)
        told = [rejoining.told(self._parts.registry, raw) for raw in rows.take(places).to_pylist()]
        # What is said of a reading is durable before it is.
        beside = reading.beside(told)
        for place, row in zip(seq[places].tolist(), told, strict=True):
            key = (place, feed.asked.select, feed.topic.lang)
            payload = known.get(key)
            if payload is None:
                payload = known[key] = msgspec.json.encode(reading.observed(row, feed.asked, beside.get(str(row["id"]))))
            found.messages.append((feed, told_at(feed.part, str(row["stream"])), payload))

    def _rejoined(self, feed: _Feed, rows: pa.Table, known: _Known, found: _Round) -> None:
        """The Observations of MultiDatastreams that have new readings, each once, with all that is known of it by now."""
        listed = [(joint, at) for joint in self._joints(feed, rows) for at in rejoining.instants(joint, rows, feed.since)]
        if len(listed) > feed.outlet.room:
            found.missed.append((feed, len(listed) - feed.outlet.room))
            listed = listed[-feed.outlet.room :]
        reading = self._reading(feed.caller, feed.topic)
        for joint, each in groupby(listed, lambda pair: pair[0]):
            times = [at for _, at in each]
            for item in rejoining.observations(self._parts.series, self._parts.registry, joint, times, reading.beside):
                key = (item.id, feed.asked.select, feed.topic.lang)
                payload = known.get(key)
                if payload is None:
                    payload = known[key] = msgspec.json.encode(reading.shown(item, feed.asked))
                found.messages.append((feed, told_at(feed.part, joint.id), payload))

    def _joints(self, feed: _Feed, rows: pa.Table) -> list[multi.Joint]:
        """The MultiDatastream that is subscribed to, or those that may have new readings, where that is each of some or of all."""
        if feed.joint is None:
            return [joint for joint in rejoining.joints(self._parts.registry, rows, feed.since) if is_of(joint, feed.of)]
        joint = multi.joint(self._parts.registry, feed.joint)
        return [] if joint is None else [joint]

    def _about(self, feed: _Feed, rows: pa.Table, places: Ints) -> Ints:
        """Of some rows those about the feature that is subscribed to; all of them where none is."""
        wanted = spans.named(feed.scope, "feature") or spans.named(feed.scope, "entity")
        if wanted is None or not len(places):
            return places
        few, streams = rows.take(places), self._parts.registry.streams()
        numbers, times = few["stream_no"].to_numpy().tolist(), few["time"].to_numpy().tolist()
        having = self._parts.featured.streams()
        # What a reading is about is durable before it is.
        about = self._parts.featured.at([place for place in zip(numbers, times, strict=True) if place[0] in having])
        features = {key: one.feature for key, one in about.items() if one.feature}
        found = [features.get(f"{no}.{at}", streams[no - 1].entity) in wanted for no, at in zip(numbers, times, strict=True)]
        return places[np.array(found, np.bool_)]

    def _numbers(self, feed: _Feed) -> Numbers | None:
        registry = self._parts.registry
        if feed.of is not None and feed.version != registry.version:
            feed.version = registry.version
            feed.numbers = np.array([one.no for one in datastreams(registry, *feed.of)], np.int32)
        by_feature = spans.named(feed.scope, "feature") or spans.named(feed.scope, "entity")
        stale = feed.version != registry.version or by_feature is not None
        if stale and feed.scope != EVERYTHING:
            feed.version, known = registry.version, registry.stream_numbers()
            streams = self._reading(feed.caller, feed.topic).streams(feed.scope)
            feed.numbers = np.array([known[name] for name in streams if name in known], np.int32)
        return feed.numbers

    def _revised(self, feeds: Sequence[_Feed], rows: pa.Table) -> list[tuple[str, str]]:
        """Observations that are subscribed to one by one and were sent again, or in part."""
        wanted = {feed.key for feed in feeds if feed.set == _READINGS and feed.key is not None}
        if not wanted:
            return []
        names = zip(rows["stream_no"].to_pylist(), rows["time"].to_pylist(), strict=True)
        single = [name for name in dict.fromkeys(f"{no}.{at}" for no, at in names) if name in wanted]
        return [(_READINGS, name) for name in (*single, *self._joined_again(wanted, rows))]

    def _joined_again(self, wanted: Iterable[str], rows: pa.Table) -> list[str]:
        """Those of MultiDatastreams among these ids that have a new reading."""
        found = []
        for name in wanted:
            where = multi.place(name)
            joint = None if where is None else multi.joint(self._parts.registry, where[0])
            if where is not None and joint is not None and where[1] in rejoining.instants(joint, rows, 0):
                found.append(name)
        return found

    def _told(self, feed: _Feed, changes: Sequence[tuple[str, str]]) -> list[bytes]:
        """The changed entities of a feed as they are now; nothing of those that ended, or that this caller does not see."""
        found = []
        for name, key in changes:
            if name != feed.set or feed.key not in (None, key):
                continue
            path = feed.topic.path if feed.key is not None else (*feed.topic.path[:-1], Segment(name, key))
            answer = self._answer(feed, path)
            if answer is not None:
                found.append(msgspec.json.encode(answer))
        return found

    def _alone(self, said: Sequence[tuple[str, str]], rows: pa.Table, since: int) -> list[tuple[str, str]]:
        """Those of Observations of which no reading came after a sequence number: with a reading all is told that is said of it."""
        if not said:
            return []
        new = rows.filter(pa.array(rows["seq"].to_numpy() > since))
        fresh = set(zip(new["stream_no"].to_pylist(), new["time"].to_pylist(), strict=True))
        return [(name, key) for name, key in said if fresh.isdisjoint(rejoining.readings(self._parts.registry, key))]

    def _anew(self, feed: _Feed, said: Sequence[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
        """The Observations of a feed of which something else is said, each under its topic."""
        if not feed.part.each:
            yield from ((feed.part.topic, payload) for payload in self._told(feed, said))
            return
        for name, key in said:
            where = self._topic(feed, key)
            answer = None if where is None else self._answer(feed, (Segment(name, key),))
            if where is not None and answer is not None:
                yield where, msgspec.json.encode(answer)

    def _topic(self, feed: _Feed, key: str) -> str | None:
        """The topic under which an Observation is told below what it is of; None where that is not asked for."""
        registry, numbers, no = self._parts.registry, self._numbers(feed), key.partition(".")[0]
        if feed.joins:
            place = multi.place(key)
            joint = None if place is None else multi.joint(registry, place[0])
            return told_at(feed.part, joint.id) if joint is not None and is_of(joint, feed.of) else None
        wanted = no.isdecimal() and (numbers is None or int(no) in numbers)
        return told_at(feed.part, registry.streams()[int(no) - 1].id) if wanted else None

    def _answer(self, feed: _Feed, path: tuple[Segment, ...]) -> Json:
        try:
            answer = self._reading(feed.caller, feed.topic).answer(path, list(feed.topic.pairs))
        except NotFoundError:
            return None
        except CityError as error:
            log.info("update_not_told", account=feed.caller.account, set=feed.set, code=error.code, why=error.what.en)
            return None
        return answer.value if isinstance(answer, Raw) else answer

    def _whole(self, caller: Caller) -> bool:
        return self._parts.guard.whole(caller, "observation", "")

    def _reading(self, caller: Caller, wanted: Topic) -> Reading:
        return bound(self._parts, caller, "", wanted.lang, self._host)
