"""What is made over a door rather than declared by a pack: things, what they measure, and with what, in their makers' own words.

A made thing is an entity of the kind ``thing``. Each property that somebody names is a field of that kind, and what watches it on
a thing is a stream like any other. What makers say here is read by whoever may read the thing: it is no place for personal data.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from citybrain.brain.observe import placed
from citybrain.brain.observe.placed import Stood, Told
from citybrain.brain.observe.store import DESCRIBED, ENTITY
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import By, Field, Kind, Stream

MADE: Final = "thing"
FEATURE: Final = "feature"
"""The kind of what observations are about and is no thing's place."""
LOCATION: Final = "location"
"""The kind of a place that has an id of its own, so that any number of things may stand there."""
_TITLE: Final = Text("自建对象", "Things made here")
OWNER: Final = "operations"


FEATURES: Final = Kind(FEATURE, Text("观测对象", "Features of interest"), (), OWNER, "point")
LOCATIONS: Final = Kind(LOCATION, Text("位置", "Locations"), (), OWNER, "point")
UNLIKE: Final[Mapping[str, Kind]] = {FEATURE: FEATURES, LOCATION: LOCATIONS}
"""The kinds of what is no thing."""


class MadeThing(msgspec.Struct, frozen=True):
    """What is said of a made thing, and of where it stands; ``located`` is None where nothing was said of the place.

    ``locations`` are the Locations at which it stands, its own among them by the thing's id; none for a place of its own alone, or
    for none at all. ``located`` repeats what is said of the one that its point follows: both are written in one commit.
    """

    id: str
    description: str
    properties: dict[str, Json]
    located: dict[str, Json] | None = None
    locations: tuple[str, ...] = ()

    @property
    def owning(self) -> bool:
        """Whether a place that it stands at is its own."""
        return not self.locations or self.id in self.locations

    @property
    def told(self) -> Told:
        """What is said of where it stands."""
        return Told(self.located, self.locations)


class MadeProperty(msgspec.Struct, frozen=True):
    """A property that may be observed; its id is the name of a field of the kind ``thing``."""

    id: str
    name: str
    definition: str
    description: str
    properties: dict[str, Json]
    ended: Instant | None = None


class MadeSensor(msgspec.Struct, frozen=True):
    """What observes; its id is the source of the streams that it makes."""

    id: str
    name: str
    description: str
    encoding: str
    metadata: Json
    properties: dict[str, Json]
    ended: Instant | None = None


class MadeUnit(msgspec.Struct, frozen=True):
    """A unit as its maker wrote it; null where nothing was said."""

    name: str | None
    symbol: str | None
    definition: str | None


class MadeStream(msgspec.Struct, frozen=True):
    """What is said of a stream; ``id`` is the stream's."""

    id: str
    name: str
    description: str
    observation: str
    unit: MadeUnit
    properties: dict[str, Json]


class MadeGroup(msgspec.Struct, frozen=True):
    """What is said of streams of a thing that stand side by side; ``streams`` are their numbers, in the order of the group.

    It is there as long as all of them are: a number is never given again.
    """

    id: str
    thing: str
    streams: tuple[int, ...]
    name: str
    description: str
    properties: dict[str, Json]


class MadePast(msgspec.Struct, frozen=True):
    """A place that is another thing's past than its id says: the id by which it is known, and by which it is kept."""

    id: str
    kept: str


_Said: TypeAlias = MadeThing | MadeProperty | MadeSensor | MadeStream | MadeGroup | MadePast
Words: TypeAlias = MadeThing | MadeProperty | MadeSensor | MadeStream | MadeGroup | MadePast | Stood


@dataclass(frozen=True, slots=True)
class Made:
    """All that makers have said, by id; never changed, only replaced."""

    things: dict[str, MadeThing] = field(default_factory=dict)
    properties: dict[str, MadeProperty] = field(default_factory=dict)
    sensors: dict[str, MadeSensor] = field(default_factory=dict)
    streams: dict[str, MadeStream] = field(default_factory=dict)
    groups: dict[str, dict[str, MadeGroup]] = field(default_factory=dict)
    """By thing, and then by id."""
    guests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The things that name a Location and whose own it is not, ended ones too; by Location."""
    homes: dict[str, str] = field(default_factory=dict)
    """Of which thing each group is, by the group's id."""
    kept: dict[str, MadePast] = field(default_factory=dict)
    """Places that are another thing's past than their ids say, by these."""
    known: dict[str, str] = field(default_factory=dict)
    """Their ids, by those by which they are kept."""

    def kind(self) -> Kind:
        """The kind of made things: a field for each property, ended ones too, for old streams still speak of them."""
        fields = (Field(one.id, same(one.name), By.SENSOR) for one in self.properties.values())
        return Kind(MADE, _TITLE, tuple(fields), OWNER, "point")

    def group(self, key: str) -> MadeGroup | None:
        """What was said last of a group, also of one that has ended; None for none."""
        return self.groups.get(self.homes.get(key, ""), {}).get(key)

    def called(self, kept: str) -> str:
        """The id by which a place is known, by the id by which it is kept."""
        return self.known.get(kept, kept)

    def keeping(self, known: str) -> str:
        """The id by which a place is kept, by the id by which it is known."""
        return self.kept[known].kept if known in self.kept else known

    def groups_of(self, thing: str, streams: Sequence[Stream]) -> tuple[MadeGroup, ...]:
        """The groups of a thing of which no stream has ended, by id; ``streams`` are all that ever were, by number."""
        said = self.groups.get(thing, {})
        return tuple(said[key] for key in sorted(said) if all(streams[no - 1].ended is None for no in said[key].streams))

    def given(self, words: Sequence[Words]) -> "Made":
        """With what was said last instead of what was said before."""
        said = dict(self.things), dict(self.properties), dict(self.sensors), dict(self.streams)
        made = Made(*said, dict(self.groups), dict(self.guests), dict(self.homes), dict(self.kept), dict(self.known))
        for one in words:
            match one:
                case MadeThing():
                    made._seat(one)
                    made.things[one.id] = one
                case MadeProperty():
                    made.properties[one.id] = one
                case MadeSensor():
                    made.sensors[one.id] = one
                case MadeStream():
                    made.streams[one.id] = one
                case MadeGroup():
                    made._house(one)
                case MadePast():
                    before = made.kept.get(one.id)
                    made.known.pop("" if before is None else before.kept, None)
                    made.kept[one.id] = one
                    made.known[one.kept] = one.id
        return made

    def _house(self, group: MadeGroup) -> None:
        """Note of which thing a group is by now."""
        before = self.homes.get(group.id)
        if before is not None and before != group.thing:
            rest = {key: one for key, one in self.groups.pop(before).items() if key != group.id}
            self.groups.update({before: rest} if rest else {})
        self.homes[group.id] = group.thing
        self.groups[group.thing] = self.groups.get(group.thing, {}) | {group.id: group}

    def _seat(self, thing: MadeThing) -> None:
        """Note at which Locations a thing stands by now."""
        before = self.things.get(thing.id)
        for location in () if before is None else before.locations:
            self.guests[location] = tuple(one for one in self.guests.get(location, ()) if one != thing.id)
        for location in thing.locations:
            if location != thing.id:
                self.guests[location] = (*self.guests.get(location, ()), thing.id)


def load(connection: Connection) -> Made:
    """What stands in the store."""
    rows = connection.execute(select(DESCRIBED.c.noun, DESCRIBED.c.body).order_by(DESCRIBED.c.noun, DESCRIBED.c.id))
    return Made().given([_words(row.noun, row.body) for row in rows])


def put(connection: Connection, words: Sequence[Words]) -> None:
    """Keep what was said, instead of what stood there before."""
    for stood in words:
        if isinstance(stood, Stood):
            placed.put(connection, stood)
    # Of two words for one noun the last; many go in one statement, for all that stand at a Location move with it.
    said = {(_noun(one), one.id): one for one in words if not isinstance(one, Stood)}
    _forget(connection, said)
    rows = [{"noun": noun, "id": key, "body": msgspec.json.encode(one).decode()} for (noun, key), one in said.items()]
    if rows:
        connection.execute(insert(DESCRIBED), rows)
    things = [one for one in said.values() if isinstance(one, MadeThing)]
    if things:
        named = update(ENTITY).where(ENTITY.c.id == bindparam("key")).values(location=bindparam("named"))
        connection.execute(named, [{"key": one.id, "named": None if one.owning else one.locations[0]} for one in things])


def drop(connection: Connection, words: Sequence[Words]) -> None:
    """Keep nothing of what was said under these ids."""
    for stood in words:
        if isinstance(stood, Stood):
            placed.drop(connection, stood)
    _forget(connection, [(_noun(one), one.id) for one in words if not isinstance(one, Stood)])


def _forget(connection: Connection, keys: Iterable[tuple[str, str]]) -> None:
    listed = [{"of": noun, "key": key} for noun, key in keys]
    if listed:
        mine = DESCRIBED.c.noun == bindparam("of"), DESCRIBED.c.id == bindparam("key")
        connection.execute(delete(DESCRIBED).where(*mine), listed)


def _noun(words: _Said) -> str:
    return next(name for name, kind in _NOUNS.items() if isinstance(words, kind))


def _words(noun: str, body: str) -> _Said:
    said = msgspec.json.decode(body)
    if noun == _GROUP:
        return MadeGroup(**(said | {"streams": tuple(said["streams"])}))
    if noun == _THING:
        return MadeThing(**(said | {"locations": tuple(said.get("locations", ()))}))
    return _NOUNS[noun](**(said | {"unit": MadeUnit(**said["unit"])} if "unit" in said else said))


_GROUP: Final = "group"
_THING: Final = "thing"
_NOUNS: Final[Mapping[str, type[_Said]]] = {
    _THING: MadeThing,
    "property": MadeProperty,
    "sensor": MadeSensor,
    "stream": MadeStream,
    "past": MadePast,
    _GROUP: MadeGroup,
}
