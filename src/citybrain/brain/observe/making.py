"""Making things over a door: each call is one commit, or nothing of it happens.

draft → ids that nobody has → entity, streams and words → registry.change
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import msgspec

from citybrain.brain.observe.entering import alone, declared_elsewhere
from citybrain.brain.observe.gathering import Gathering
from citybrain.brain.observe.made import MADE, MadeGroup, MadeProperty, MadeSensor, MadeStream, MadeThing, MadeUnit, Words
from citybrain.brain.observe.naming import below, free, slug
from citybrain.brain.observe.registry import MovedError
from citybrain.brain.observe.siting import Where
from citybrain.brain.observe.standing import Standing
from citybrain.brain.observe.worded import promising
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Contract, Entity, Sort, Stream
from citybrain.kernel.units import UNITS

_UNIT: Final = 50
_TRIES: Final = 5
"""How often something is decided while others change the register."""
Noun = TypeVar("Noun", MadeProperty, MadeSensor)
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Draft:
    """A stream to be made: what it watches and with what, each described anew or named by id.

    Without a name it is called as what it watches; a sensor that is the same object in several drafts is one sensor.
    """

    words: MadeStream
    sensor: MadeSensor | str
    watched: MadeProperty | str
    contract: Contract
    sort: Sort = "number"


@dataclass(frozen=True, slots=True)
class Beside:
    """Streams to be made side by side, in their order, and what is said of them together."""

    words: MadeGroup
    drafts: tuple[Draft, ...]


class Links(NamedTuple):
    """What a stream comes from, what it watches, and of which thing it is, by id; None where that stays."""

    sensor: str | None = None
    watched: str | None = None
    thing: str | None = None


AS_LINKED: Final = Links()


class Making(Standing):
    """Makes, changes and ends things, their streams, and the properties and sensors that these name.

    Ids are made from names where none is asked for.
    """

    def thing(
        self, name: str, words: MadeThing, places: Sequence[Where], drafts: Sequence[Draft], groups: Sequence[Beside] = ()
    ) -> Entity:
        """A new thing with its streams, those of groups last; ``words.id`` is the id asked for, or empty.

        Raises as ``streams`` and ``move`` do.
        """
        with self._lock:
            key, at = self._thing_id(words.id, name), self._clock.city()
            sited = self._sited(key, places, None)
            entity = self._stood(Entity(key, MADE, same(name), None, None, {}, 1, at, None, self._origin), sited.spot)
            said = sited.says(msgspec.structs.replace(words, id=key))
            streams, more = self._drafted(key, (*drafts, *(draft for group in groups for draft in group.drafts)))
            told = (*sited.fresh[1], said, *more, *self._grouped(key, groups, streams[len(drafts) :]))
            self._commit((*sited.fresh[0], entity), streams, told)
            return entity

    def streams(self, thing: str, drafts: Sequence[Draft]) -> tuple[Stream, ...]:
        """New streams of a made thing.

        Raises NotFoundError for a thing, sensor or property that is not there, ConflictError for an id that is taken or a thing
        that a pack declares, BadInputError for an id that is no id.
        """
        with self._lock:
            self.own(thing)
            streams, words = self._drafted(thing, drafts)
            self._commit((), streams, words)
            return streams

    def group(self, thing: str, beside: Beside) -> MadeGroup:
        """New streams of a made thing side by side; raises as ``streams`` does."""
        with self._lock:
            self.own(thing)
            streams, words = self._drafted(thing, beside.drafts)
            (group,) = self._grouped(thing, (beside,), streams)
            self._commit((), streams, (*words, group))
            return group

    def regroup(
        self, words: MadeGroup, contract: Contract | None, links: Links = AS_LINKED, units: Sequence[MadeUnit] = ()
    ) -> None:
        """Say something else of streams side by side; a contract is that of each from now on, None leaves them theirs.

        Links are those of all of them; units, one for each, are theirs from now on, none leave them theirs. Raises as ``restate`` does.
        """
        with self._lock:
            beside = self._beside(words)
            known = self._registry.made.streams
            promised = words.properties.get("contract")
            said = [known[stream.id] for stream in beside]
            if contract is not None:
                said = [_promise(one, promised) for one in said]
            fresh = [self._linked(self._promising(stream, contract), links) for stream in beside]
            if units:
                said = [msgspec.structs.replace(one, unit=unit) for one, unit in zip(said, units, strict=True)]
                fresh = [msgspec.structs.replace(one, unit=_unit(unit)) for one, unit in zip(fresh, units, strict=True)]
            changed = tuple(after for before, after in zip(beside, fresh, strict=True) if before != after)
            self._commit((), changed, (msgspec.structs.replace(words, thing=fresh[0].entity), *said))

    def end_group(self, words: MadeGroup) -> None:
        """End streams that stand side by side: listed no more, what was observed is kept."""
        with self._lock:
            self._end((), self._beside(words), ())

    def sensor(self, words: MadeSensor) -> str:
        """A sensor for streams to come; its id."""
        with self._lock:
            fresh = self._sensor(words, {})
            self._commit((), (), (fresh,))
            return fresh.id

    def watched(self, words: MadeProperty) -> str:
        """A property for streams to come; its id."""
        with self._lock:
            fresh = self._watched(words, {})
            self._commit((), (), (fresh,))
            return fresh.id

    def rename(self, thing: str, name: str, words: MadeThing, places: Sequence[Where] = ()) -> None:
        """Say something else of a thing, and have it stand somewhere else; without places it stands where it does."""
        with self._lock:
            entity, said = self.own(thing), self._registry.made.things[thing]
            told = msgspec.structs.replace(words, located=said.located, locations=said.locations)
            named = msgspec.structs.replace(entity, title=same(name))
            if places:
                self._commit_all(self._moved(named, told, self._sited(thing, places, said)))
            else:
                self._commit((msgspec.structs.replace(named, version=entity.version + 1),), (), (told,))

    def retype(self, words: MadeStream, contract: Contract, sort: Sort, links: Links = AS_LINKED) -> Stream:
        """Say of a stream of which nothing was observed, too, that its results are of another sort; gives the one that ends here.

        It keeps its id and gets another number: what may be on its way to the old one is never taken for what it is not. Raises as
        ``restate`` does, ConflictError for a stream of a group.
        """
        with self._lock:
            stream = self.own_stream(words.id)
            self._by_itself(stream, _kept_sort(stream))
            linked = self._linked(stream, links)
            number, unit, promised = len(self._registry.streams()) + 1, _unit(words.unit), promising(sort, contract)
            fresh = msgspec.structs.replace(linked, no=number, unit=unit, contract=promised, sort=sort)
            old = self._over(stream)
            self._commit((), (old, fresh), (words,), (stream.id,))
            return old

    def restate(
        self, words: MadeStream | MadeSensor | MadeProperty, contract: Contract | None = None, links: Links = AS_LINKED
    ) -> None:
        """Say something else of a stream, a sensor or a property; a contract and links are the stream's from now on.

        Whoever states no contract leaves in force what a person agreed on. A stream keeps its id, its number and what was observed,
        whatever it watches from now on, in whatever unit, and of whatever thing it is: then all of it is, as if it had always been, and
        the numbers stand as they are (decisions/0020). Raises NotFoundError
        for a sensor, property or thing that is not there, ConflictError for a thing that a pack declares, and for a stream of a group,
        which goes to another thing as a whole.
        """
        with self._lock:
            streams: tuple[Stream, ...] = ()
            if isinstance(words, MadeStream):
                stream = self.own_stream(words.id)
                fresh = msgspec.structs.replace(self._linked(self._promising(stream, contract), links), unit=_unit(words.unit))
                if words.observation != self._registry.made.streams[words.id].observation:
                    raise _kept_sort(stream)
                if fresh.entity != stream.entity:
                    self._by_itself(stream)
                streams = (fresh,) if fresh != stream else ()
            self._commit((), streams, (words,))

    def end_thing(self, thing: str) -> None:
        """End a thing and its streams: listed no more, what was observed is kept. A place of its own stays, as a Location with an id."""
        with self._lock:
            entity, at = self.own(thing), self._clock.city()
            gone = msgspec.structs.replace(entity, valid_to=at, version=entity.version + 1)
            left, said = self._handed(entity, keeps=True), self._registry.made.things[thing]
            words = (*left[1], msgspec.structs.replace(said, locations=())) if said.locations else left[1]
            self._end((gone, *left[0]), self._registry.streams_of(thing), words)

    def end_stream(self, stream: str) -> None:
        """End a stream: listed no more, what was observed is kept."""
        with self._lock:
            self._end((), (self.own_stream(stream),), ())

    def end(self, words: MadeSensor | MadeProperty) -> None:
        """End a sensor or a property, and the streams that name it (OGC 18-088 table 25)."""
        with self._lock:
            sensor = isinstance(words, MadeSensor)
            streams = [
                one for one in self._registry.present() if one.kind == MADE and words.id == (one.source if sensor else one.field)
            ]
            self._end((), streams, (msgspec.structs.replace(words, ended=self._clock.city()),))

    def apart(self, gathering: Gathering) -> "Making":
        """The same on a register that stands apart, where all is tried before it is entered together."""
        return Making(gathering, self._areas, self._clock, self._origin)

    def enter(self, gathering: Gathering) -> None:
        """Enter all that was tried, in one commit; raises MovedError where the register has changed since."""
        with self._lock:
            made = gathering.changes()
            with alone():
                self._registry.change(made.entities, made.streams, made.words, made.freed, gathering.since, gathering.known)

    def decided(self, work: Callable[["Making", Gathering], Result]) -> Result:
        """What ``work`` gives, all that it changes entered in one commit, decided on what is in the store at that commit.

        It is handed a register that stands apart, and done again where the store has moved on meanwhile; one at a time here, for then
        only other processes move it. Raises MovedError where that happens again and again, and whatever ``work`` raises, with nothing
        entered.
        """
        with self._deciding:
            for left in reversed(range(_TRIES)):
                # What another process has changed a moment ago is neither undone nor taken for what stands.
                self._registry.renew()
                gathering = Gathering(self._registry)
                found = work(self.apart(gathering), gathering)
                try:
                    if gathering.version != gathering.since:
                        self.enter(gathering)
                except MovedError:
                    if not left:
                        raise
                else:
                    break
        return found

    def take_back(self, gathering: Gathering) -> None:
        """Have everything as it was before ``enter``; new streams are ended, and what others name by now is kept."""
        self._registry.renew()
        with self._lock:
            back = gathering.opposite(self._clock.city())
            mine = {stream.no for stream in back.streams}
            others = [stream for stream in self._registry.present() if stream.kind == MADE and stream.no not in mine]
            named = {name for stream in others for name in (stream.entity, stream.source, stream.field)}
            gone = {noun.id for noun in back.forgotten}
            things = self._registry.made.given(back.words).things.values()
            named |= {location for thing in things if thing.id not in gone for location in thing.locations}
            self._registry.withdraw(
                back.entities, back.streams, back.words, [noun for noun in back.forgotten if noun.id not in named]
            )

    def own_stream(self, stream: str) -> Stream:
        """A stream that was made here; raises NotFoundError, and ConflictError for one that comes from elsewhere."""
        found = self._registry.stream(stream)
        if found.kind != MADE:
            raise declared_elsewhere(stream)
        return found

    def _beside(self, group: MadeGroup) -> tuple[Stream, ...]:
        """The streams of a group; raises NotFoundError where one has ended meanwhile, and the group with it."""
        streams = tuple(self._registry.streams()[no - 1] for no in group.streams)
        if any(stream.ended is not None for stream in streams):
            raise NotFoundError(Text(f"没有“{group.id}”。", f"There is no '{group.id}'."), id=group.id)
        return streams

    def _promising(self, stream: Stream, contract: Contract | None) -> Stream:
        """A stream that promises something else; who states nothing leaves in force what a person agreed on."""
        silent = contract is None or (contract == Contract() and self._registry.agreed(stream))
        if silent or contract is None:
            return stream
        return msgspec.structs.replace(stream, contract=promising(stream.sort, contract))

    def _linked(self, stream: Stream, links: Links) -> Stream:
        """A stream that comes from another sensor, watches another property, or is of another thing."""
        source = stream.source if links.sensor is None else self._source(links.sensor, {})
        watched = stream.field if links.watched is None else self._watched(links.watched, {}).id
        thing = stream.entity if links.thing in (None, stream.entity) else self.own(str(links.thing)).id
        return msgspec.structs.replace(stream, source=source, field=watched, entity=thing)

    def _by_itself(self, stream: Stream, why: ConflictError | None = None) -> None:
        """Raise ConflictError for a stream of a group: streams that stand side by side are of one thing."""
        for group in self._registry.made.groups_of(stream.entity, self._registry.streams()):
            if stream.no in group.streams:
                what = Text(
                    f"数据流 {stream.id} 属于“{group.id}”，不能单独改属别的 Thing，请改那个 MultiDatastream。",
                    f"{stream.id} is one of '{group.id}' and goes to no other thing alone: change that MultiDatastream.",
                )
                raise why or ConflictError(what, stream=stream.id, group=group.id)

    def _drafted(self, thing: str, drafts: Sequence[Draft]) -> tuple[tuple[Stream, ...], tuple[Words, ...]]:
        """The streams of drafts with numbers that are free, and all that is said of them and of what they name."""
        streams: dict[str, Stream] = {}
        words: dict[tuple[str, str], Words] = {}
        last, shared = len(self._registry.streams()), dict[int, str]()
        for draft in drafts:
            sensor = shared[id(draft.sensor)] if id(draft.sensor) in shared else self._source(draft.sensor, words)
            shared[id(draft.sensor)] = sensor
            watched = self._watched(draft.watched, words)
            key = self._stream_id(thing, draft.words.id, watched.id, streams)
            unit, number = _unit(draft.words.unit), last + len(streams) + 1
            promised = promising(draft.sort, draft.contract)
            streams[key] = Stream(key, number, thing, MADE, watched.id, unit, promised, sensor, self._origin, None, draft.sort)
            words["property", watched.id] = watched
            words["stream", key] = msgspec.structs.replace(draft.words, id=key, name=draft.words.name or watched.name)
        return tuple(streams.values()), tuple(words.values())

    def _grouped(self, thing: str, groups: Sequence[Beside], streams: Sequence[Stream]) -> tuple[MadeGroup, ...]:
        """What is said of groups, whose streams are these one after another."""
        taken = self._taken(thing) if groups else set()
        found: list[MadeGroup] = []
        rest = iter(streams)
        for group in groups:
            wanted = below(thing, group.words.id, taken) if group.words.id else f"{thing}.{slug(group.words.name, 'group')}"
            names = (wanted if count == 1 else f"{wanted}-{count}" for count in itertools.count(1))
            key = next(name for name in names if name not in taken)
            taken.add(key)
            numbers = tuple(stream.no for stream in itertools.islice(rest, len(group.drafts)))
            found.append(msgspec.structs.replace(group.words, id=key, thing=thing, streams=numbers))
        return tuple(found)

    def _taken(self, thing: str) -> set[str]:
        """The ids of groups that are there and begin with a thing's, though some of them be of another thing by now."""
        made, streams = self._registry.made, self._registry.streams()
        away = {home for key, home in made.homes.items() if key.rpartition(".")[0] == thing}
        return {group.id for home in {thing, *away} for group in made.groups_of(home, streams)}

    def _source(self, given: MadeSensor | str, fresh: dict[tuple[str, str], Words]) -> str:
        """The id of a sensor, among what is said from now on where it is no source that a pack declares."""
        declared = (stream.source == given and stream.kind != MADE for stream in self._registry.present())
        if isinstance(given, str) and given not in self._registry.made.sensors and any(declared):
            return given
        sensor = self._sensor(given, fresh)
        fresh["sensor", sensor.id] = sensor
        return sensor.id

    def _sensor(self, given: MadeSensor | str, fresh: Mapping[tuple[str, str], Words]) -> MadeSensor:
        known = self._registry.made.sensors | {one.id: one for one in fresh.values() if isinstance(one, MadeSensor)}
        if isinstance(given, str):
            return _there(known.get(given), given, Text("没有传感器", "There is no sensor"))
        key = given.id or slug(given.name, "sensor")
        declared = {stream.source for stream in self._registry.streams()}
        return msgspec.structs.replace(given, id=free(key, known.keys() | declared, asked=bool(given.id)))

    def _watched(self, given: MadeProperty | str, fresh: Mapping[tuple[str, str], Words]) -> MadeProperty:
        known = self._registry.made.properties | {one.id: one for one in fresh.values() if isinstance(one, MadeProperty)}
        if isinstance(given, str):
            kind, _, name = given.rpartition(".")
            if any(one.name == kind and one.has(name) for one in self._registry.kinds()):
                raise _field_of(given)
            return _there(known.get(given.removeprefix(f"{MADE}.")), given, Text("没有观测属性", "There is no observed property"))
        asked = given.id.removeprefix(f"{MADE}.")
        return msgspec.structs.replace(given, id=free(asked or slug(given.name, "property"), known, asked=bool(asked)))

    def _stream_id(self, thing: str, asked: str, watched: str, fresh: Mapping[str, Stream]) -> str:
        numbers, wanted = self._registry.stream_numbers(), f"{thing}.{watched}"
        if asked:
            return below(thing, asked, {*fresh, *((asked,) if asked in numbers else ())})
        names = (wanted if count == 1 else f"{wanted}-{count}" for count in itertools.count(1))
        return next(name for name in names if name not in numbers and name not in fresh)

    def _end(self, entities: Iterable[Entity], streams: Iterable[Stream], words: Iterable[Words]) -> None:
        """Streams that end promise nothing more, and give their ids back."""
        listed = tuple(streams)
        self._commit(tuple(entities), tuple(map(self._over, listed)), tuple(words), [stream.id for stream in listed])

    def _over(self, stream: Stream) -> Stream:
        return msgspec.structs.replace(stream, id=f"{stream.id}~{stream.no}", contract=Contract(), ended=self._clock.city())


def _there(found: Noun | None, key: str, none: Text) -> Noun:
    if found is None or found.ended is not None:
        raise NotFoundError(Text(f"{none.zh}“{key}”。", f"{none.en} '{key}'."), id=key)
    return found


def _unit(words: MadeUnit) -> str:
    """The UCUM code where one was written, else the words as they stand; ``1`` for none."""
    said = [word for word in (words.symbol, words.name) if word]
    signs = {unit.sign: unit.code for unit in UNITS.values()}
    codes = (word if word in UNITS else signs.get(word) for word in said)
    return next((code for code in codes if code), said[0][:_UNIT] if said else "1")


def _promise(words: MadeStream, contract: Json) -> MadeStream:
    """What is said of a stream, with another contract among its properties, or with none."""
    others = {name: value for name, value in words.properties.items() if name != "contract"}
    return msgspec.structs.replace(words, properties=others if contract is None else {**others, "contract": contract})


def _field_of(watched: str) -> ConflictError:
    what = Text(
        f"“{watched}”是应用包声明的一类对象的字段，只属于那一类；请另写自己的观测属性，definition 可以相同。",
        f"'{watched}' is a field that a pack declares of its own kind. Describe a property of your own, with the same definition.",
    )
    return ConflictError(what, id=watched)


def _kept_sort(stream: Stream) -> ConflictError:
    what = Text(
        f"数据流 {stream.id} 的结果类型（{stream.sort}）不能改动：已有读数以此为准，并列的数据流也是；请另建数据流。",
        f"What the results of {stream.id} are ({stream.sort}) stays, for what was observed is so, and streams side by side are made so. Make "
        "another stream.",
    )
    return ConflictError(what, stream=stream.id, sort=stream.sort)
