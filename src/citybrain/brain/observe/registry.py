"""The register of things: entities of declared kinds, and a numbered stream with a contract for each measured field."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TypeAlias

import msgspec
import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from citybrain.brain.observe import featured, made, placed
from citybrain.brain.observe.made import MADE, UNLIKE, Made, Words
from citybrain.brain.observe.marks import Mark
from citybrain.brain.observe.placed import Stood
from citybrain.brain.observe.planting import Planting
from citybrain.brain.observe.store import ENTITY, STREAM, agreed, entity_of, entity_row, stream_of, stream_row
from citybrain.brain.observe.texts import Runs
from citybrain.brain.observe.worded import Worded
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Numbers
from citybrain.kernel.pack import Pack, Planted
from citybrain.kernel.ports import Areas, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Contract, Entity, Kind, Origin, Stream

Noun: TypeAlias = Entity | Stream | Words
"""What changes over a door."""
_MOVED = Text("登记内容刚在别处改动，请重试。", "The register was changed elsewhere at this moment. Try again.")
MARK = "observe.registry"
"""The cursor that moves with each change, so that other processes see that there was one."""
_LISTS = 64
"""Lists of streams whose numbers are remembered."""


class MovedError(ConflictError):
    """What was worked out on the register stands on what is no longer so."""


class Registry:
    """Entities and streams in the store, cached in memory; ``version`` grows with each change.

    What was made over a door may end: it is listed no more, but its streams keep their numbers and what was observed. ``unlike`` are
    the numbers of the streams whose results are of another sort than numbers, ``worded`` the words that some of them say.
    """

    def __init__(self, transactions: Transactions[Connection], packs: Sequence[Pack], areas: Areas) -> None:
        self._transactions = transactions
        self._areas = areas
        self._kinds = {kind.name: kind for pack in packs for kind in pack.kinds}
        self.version = 0
        self._mark = Mark(transactions, MARK)
        self._lock = threading.Lock()
        self._agreed: Mapping[int, Contract] = {}
        self.worded = Worded(transactions)
        self._told: list[Callable[[Sequence[Noun]], None]] = []
        self._listed: dict[tuple[int, str, str], tuple[Sequence[str], Numbers]] = {}
        self._load()

    def plant(self, entities: Sequence[Planted], source: str, origin: Origin, at: Instant) -> None:
        """Enter entities with the streams of their measured fields; the same again changes nothing.

        A changed entity gets a new version; a changed declaration a new contract, the stream keeps its number. What stands where it
        stood and was made here stays there (decisions/0020). Raises BadInputError for a kind that no pack declares.
        """
        with self._lock:
            held = self._entities, self._streams, self._numbers, self._agreed, self._moved
            planting = Planting(self._declared, self._areas, *held)
            planted = [planting.entity(each, origin, at) for each in entities]
            with self._transactions.begin() as tx:
                planting.put(tx.connection, planted, source)
                self._mark.move(tx.connection)
            self._load()

    def change(
        self,
        entities: Sequence[Entity],
        streams: Sequence[Stream],
        words: Sequence[Words],
        freed: Sequence[str] = (),
        since: int | None = None,
        known: Mapping[str, int] | None = None,
    ) -> None:
        """Enter made entities and streams as they are now, with what was said of them, in one commit.

        ``freed`` are ids of streams that end here and may be given again. Raises MovedError, with nothing entered, where this was worked
        out at the version ``since`` and the store is past that, here or elsewhere; ConflictError for a feature that ends while more
        observations are about it than are ``known``, none of which stands.
        """
        with self._lock:
            with self._transactions.begin() as tx:
                # Nobody else writes until this is committed.
                if since is not None and (since != self.version or self._mark.moved()):
                    raise MovedError(_MOVED)
                featured.unobserved(tx.connection, entities, known or {})
                self._put(tx.connection, entities, streams, words)
                alone = self._mark.move(tx.connection)
            self._hold(entities, streams, words, freed, alone=alone)
        self._tell((*entities, *streams, *words))

    def withdraw(
        self, entities: Sequence[Entity], streams: Sequence[Stream], words: Sequence[Words], forgotten: Sequence[Entity | Words]
    ) -> None:
        """The same, less what is to be as if it had never been there; rare, so everything is read again."""
        with self._lock:
            with self._transactions.begin() as tx:
                rest = featured.unnamed(tx.connection, forgotten)
                tx.connection.execute(delete(ENTITY).where(ENTITY.c.id.in_([one.id for one in rest if isinstance(one, Entity)])))
                made.drop(tx.connection, [noun for noun in rest if not isinstance(noun, Entity)])
                self._put(tx.connection, entities, streams, words)
                self._mark.move(tx.connection)
            self._load()
        self._tell((*entities, *streams, *words))

    def renew(self) -> bool:
        """Read anew what another process has entered meanwhile, and tell of it; whether there was something, once all is read. Blocks."""
        with self._lock:
            if not self._mark.moved():
                return False
            entities, streams, groups = self._entities, self._streams, self._made.groups
            self._load()
            changed: tuple[Noun, ...] = (
                *(entity for entity in self._entities.values() if entities.get(entity.id) != entity),
                *(stream for stream in self._streams if stream.no > len(streams) or streams[stream.no - 1] != stream),
                *(
                    one
                    for thing, each in self._made.groups.items()
                    for one in each.values()
                    if groups.get(thing, {}).get(one.id) != one
                ),
            )
        self._tell(changed)
        return True

    def standing(self) -> dict[str, object]:
        """All that the register holds in memory at this moment, for one that stands apart (gathering.py)."""
        with self._lock:
            return {**vars(self)}

    def on_change(self, told: Callable[[Sequence[Noun]], None]) -> None:
        """From now on say what ``change`` or ``promise`` has entered, once it is committed; in its thread."""
        self._told.append(told)

    def _tell(self, nouns: Sequence[Noun]) -> None:
        for told in self._told:
            told(nouns)

    def promise(self, no: int, contract: Contract | None, write: Callable[[Connection, Stream], None]) -> None:
        """Have a stream promise what was agreed on, or nothing again.

        ``write`` is handed the stream as it is now, and leaves the record in the same commit, or raises and nothing is changed. Raises
        MovedError where another process changes the register at this moment.
        """
        self.renew()
        with self._lock:
            held = self._streams[no - 1]
            changed = msgspec.structs.replace(held, contract=contract or Contract())
            with self._transactions.begin() as tx:
                if self._mark.moved():
                    raise MovedError(_MOVED)
                write(tx.connection, held)
                tx.connection.execute(update(STREAM).where(STREAM.c.no == no).values(stream_row(changed)))
                alone = self._mark.move(tx.connection)
            others = {other: promised for other, promised in self._agreed.items() if other != no}
            self._agreed = others if contract is None else {**others, no: contract}
            self._hold((), (changed,), (), (), alone=alone)
        self._tell((changed,))

    def agreed(self, stream: Stream) -> bool:
        """Whether what a stream promises was agreed on by a person, and declared by nobody."""
        return self._agreed.get(stream.no) == stream.contract

    def kind(self, name: str) -> Kind:
        """A declared kind, or that of what is made over doors; raises BadInputError."""
        if name in UNLIKE:
            return UNLIKE[name]
        return self._made_kind if name == MADE else self._declared(name)

    def _declared(self, name: str) -> Kind:
        try:
            return self._kinds[name]
        except KeyError:
            known = ", ".join(sorted(self._kinds))
            what = Text(f"没有“{name}”这一类对象。已声明：{known}。", f"No pack declares the kind '{name}'. Declared: {known}.")
            raise BadInputError(what, kind=name) from None

    def kinds(self) -> tuple[Kind, ...]:
        """All declared kinds, in the order of their packs."""
        return tuple(self._kinds.values())

    @property
    def made(self) -> Made:
        """What makers have said of what they made."""
        return self._made

    def entity(self, id: str) -> Entity:  # noqa: A002 - the word of the public face
        """An entity by id, also one that has ended; raises NotFoundError."""
        try:
            return self._entities[id]
        except KeyError:
            what = Text(f"没有标识为“{id}”的对象。", f"There is no entity with the id '{id}'.")
            raise NotFoundError(what, id=id) from None

    def entities(self, kind: str) -> tuple[Entity, ...]:
        """The entities of a kind, by id; none for a kind without any."""
        return self._of_kind.get(kind, ())

    def moved(self, entity: str) -> Stood | None:
        """Where a thing that ever moved stands, or stood last, and since when; None for one that never did."""
        return self._moved.get(entity)

    def places(self, entity: str, since: int, most: int) -> tuple[Stood, ...]:
        """The places of a thing that moved from an instant on (µs, included), the earliest first, at most so many."""
        with self._transactions.read() as connection:
            return placed.places(connection, entity, since, most)

    def place(self, entity: str, key: int) -> Stood | None:
        """The place of a thing that moved whose id says an instant (µs)."""
        with self._transactions.read() as connection:
            return placed.place(connection, entity, key)

    def at_location(self, location: str, most: int) -> tuple[Stood, ...]:
        """The places of things that were a Location, by thing and time, at most so many; those of things that moved alone."""
        with self._transactions.read() as connection:
            return placed.at_location(connection, location, most)

    def last_place(self, entity: str) -> Stood | None:
        """The last place of a thing that moved, as it stands in the store."""
        with self._transactions.read() as connection:
            return placed.last(connection, entity)

    def stream(self, id: str) -> Stream:  # noqa: A002 - the word of the public face
        """A stream by id ``<entity id>.<field>``; raises NotFoundError."""
        try:
            return self._streams[self._numbers[id] - 1]
        except KeyError:
            what = Text(f"没有标识为“{id}”的数据流。", f"There is no stream with the id '{id}'.")
            raise NotFoundError(what, id=id) from None

    def streams(self) -> tuple[Stream, ...]:
        """All streams that ever were, by number: the stream of number n stands at n - 1."""
        return self._streams

    def present(self) -> Iterator[Stream]:
        """The streams that have not ended, by number."""
        return (stream for stream in self._streams if stream.ended is None)

    def streams_of(self, entity: str) -> tuple[Stream, ...]:
        """The streams of an entity that have not ended, by number; none for one that is not there."""
        return self._of_entity.get(entity, ())

    def stream_numbers(self) -> Mapping[str, int]:
        """The number of each stream by id, of those that have not ended."""
        return self._numbers

    def numbered(self, ids: Sequence[str]) -> Numbers:
        """The number of each of some streams (n,), 0 where there is none; read-only.

        A gateway sends the same list again and again: to see that it is the same takes a tenth of looking each of it up.
        """
        if isinstance(ids, Runs):
            return np.repeat(self._found(ids.words), np.asarray(ids.counts, np.int64))
        if not len(ids):
            return np.zeros(0, np.int32)
        # Taken before the numbers are: what another thread makes stale meanwhile is remembered by nobody.
        listed = self._listed
        key = len(ids), ids[0], ids[-1]
        known = listed.get(key)
        if known is not None and known[0] == ids:
            return known[1]
        found = self._found(ids)
        if len(listed) >= _LISTS:
            listed.clear()
        found.flags.writeable = False
        listed[key] = ids, found
        return found

    def _found(self, ids: Sequence[str]) -> Numbers:
        return np.fromiter(map(self._numbers.get, ids, repeat(0)), np.int32, len(ids))

    def _hold(
        self, entities: Sequence[Entity], streams: Sequence[Stream], words: Sequence[Words], freed: Sequence[str], *, alone: bool
    ) -> None:
        """Hold in memory what was committed: the change ``alone``, or everything where another process made one in between."""
        if alone:
            self._changed(entities, streams, words, freed)
        else:
            self._load()

    def _put(self, connection: Connection, entities: Sequence[Entity], streams: Sequence[Stream], words: Sequence[Words]) -> None:
        for entity in (one for one in entities if one.id not in self._entities):
            connection.execute(insert(ENTITY).values(entity_row(entity)))
        known = [entity_row(one) | {"key": one.id} for one in entities if one.id in self._entities]
        if known:
            names = [name for name in known[0] if name not in ("id", "key")]
            again = update(ENTITY).where(ENTITY.c.id == bindparam("key")).values({name: bindparam(name) for name in names})
            connection.execute(again, [{name: row[name] for name in (*names, "key")} for row in known])
        for stream in streams:
            if stream.no > len(self._streams):
                connection.execute(insert(STREAM).values(stream_row(stream)))
            else:
                connection.execute(update(STREAM).where(STREAM.c.no == stream.no).values(stream_row(stream)))
        made.put(connection, words)

    def _load(self) -> None:
        # Noted first: what is entered from here on is looked at again.
        self._mark.note()
        with self._transactions.read() as connection:
            entities = [entity_of(row) for row in connection.execute(select(ENTITY).order_by(ENTITY.c.id))]
            self._streams = tuple(stream_of(row) for row in connection.execute(select(STREAM).order_by(STREAM.c.no)))
            self._say(made.load(connection))
            self._moved = placed.newest(connection)
            self._agreed = agreed(connection)
        of_kind: dict[str, list[Entity]] = {}
        for entity in entities:
            if entity.valid_to is None:
                of_kind.setdefault(entity.kind, []).append(entity)
        self._entities = {entity.id: entity for entity in entities}
        self._of_kind = {kind: tuple(group) for kind, group in of_kind.items()}
        self._numbers = {stream.id: stream.no for stream in self._streams if stream.ended is None}
        self.unlike = frozenset(stream.no for stream in self._streams if stream.sort != "number")
        of_entity: dict[str, list[Stream]] = {}
        for stream in self.present():
            of_entity.setdefault(stream.entity, []).append(stream)
        self._of_entity = {entity: tuple(group) for entity, group in of_entity.items()}
        self._listed = {}
        self.version += 1

    def _changed(self, entities: Sequence[Entity], streams: Sequence[Stream], words: Sequence[Words], freed: Sequence[str]) -> None:
        """The same as ``_load`` after a change, without reading a hundred thousand others again."""
        held = list(self._streams)
        left = [held[stream.no - 1].entity for stream in streams if stream.no <= len(held)]
        for stream in streams:
            held[stream.no - 1 : stream.no] = [stream]
        self._streams = tuple(held)
        self.unlike |= {stream.no for stream in streams if stream.sort != "number"}
        self._entities = self._entities | {entity.id: entity for entity in entities}
        for kind in {entity.kind for entity in entities}:
            whole = {one.id: one for one in (*self._of_kind.get(kind, ()), *entities) if one.kind == kind}
            self._of_kind = self._of_kind | {kind: tuple(whole[name] for name in sorted(whole) if whole[name].valid_to is None)}
        others = {name: no for name, no in self._numbers.items() if name not in freed} if freed else self._numbers
        self._numbers = others | {stream.id: stream.no for stream in streams if stream.ended is None}
        # A stream may be of another entity by now.
        of_entity = {name: {one.no for one in self.streams_of(name)} for name in {*left, *(stream.entity for stream in streams)}}
        for stream in streams:
            of_entity[stream.entity].add(stream.no)
        alive: dict[str, tuple[Stream, ...]] = {}
        for name, numbers in of_entity.items():
            now = (held[no - 1] for no in sorted(numbers))
            alive[name] = tuple(one for one in now if one.entity == name and one.ended is None)
        self._of_entity = self._of_entity | alive
        self._say(self._made.given(words))
        self._moved = placed.moved(self._moved, words, self.last_place)
        self._listed = {}
        self.version += 1

    def _say(self, words: Made) -> None:
        self._made, self._made_kind = words, words.kind()
