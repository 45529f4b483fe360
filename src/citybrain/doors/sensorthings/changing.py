"""Entities made, changed and ended (OGC 18-088 clause 10): the path says which, a draft says what, Making does it in one commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from citybrain.brain.observe import (
    MADE,
    Gathering,
    Links,
    MadeGroup,
    MadeProperty,
    MadeSensor,
    MadeStream,
    MadeThing,
    Making,
    Registry,
    declared_elsewhere,
)
from citybrain.doors.sensorthings import drafts, multi
from citybrain.doors.sensorthings.altering import Body, Change
from citybrain.doors.sensorthings.bindings import ADDED, SET, apart, inline, inside, links_of, outside
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.linking import Linker, own_group
from citybrain.doors.sensorthings.locating import Locator, past
from citybrain.doors.sensorthings.paths import Segment, unwritten
from citybrain.doors.sensorthings.refusals import missing, wrong
from citybrain.doors.sensorthings.results import SORTS
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Contract, Stream

Noun = TypeVar("Noun", MadeProperty, MadeSensor)


def _always(_stream: Stream) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Changer:
    """Changes what was made here, on what is in the store when it is entered; what packs declare is changed by packs alone (409)."""

    making: Making
    registry: Registry
    observed: Callable[[Stream], bool] = _always
    """Whether anything was observed of a stream; where nobody can say, it may have been."""

    def create(self, path: tuple[Segment, ...], body: Json) -> tuple[str, str]:
        """Make what a body describes in the set that a path leads to; the set and the id of what was made.

        Raises BadInputError, NotFoundError, ConflictError, and 501 for what is not held.
        """
        if not isinstance(self.registry, Gathering):
            return self.making.decided(lambda *there: Changer(*there).create(path, body))
        match path:
            case (Segment("Things", None),):
                made = drafts.thing(body)
                return "Things", self.making.thing(made.name, made.words, made.places, made.streams, made.groups).id
            case (Segment("Sensors", None),):
                return "Sensors", self.making.sensor(drafts.sensing(body))
            case (Segment("FeaturesOfInterest", None),):
                return "FeaturesOfInterest", self.making.feature(*drafts.feature(body))
            case (Segment("ObservedProperties", None),):
                return "ObservedProperties", outside(self.making.watched(drafts.property_(body)))
            case (Segment("Things"), Segment("Locations"), Segment("$ref")):
                return self._locator.create(path, body)
            case (*_, Segment("$ref")):
                return self._linker.refer(path, body, ADDED)
            case (*_, Segment("Locations" | "HistoricalLocations", None)) | (Segment("Locations"), *_):
                return self._locator.create(path, body)
            case (*above, Segment("Datastreams" | "MultiDatastreams" as name, None)):
                return name, self._side(name, tuple(above), body)
            case _:
                raise unwritten(path)

    def change(self, path: tuple[Segment, ...], said: Change) -> None:
        """Change an entity by what is said of it, or replace all that was said of it; raises as ``create`` does.

        Links to others are changed with it in one commit, or nothing is.
        """
        if isinstance(self.registry, Gathering):
            self._change(path, said)
            return

        def work(making: Making, gathering: Gathering) -> Gathering:
            Changer(making, gathering, self.observed).change(path, said)
            return gathering

        self._look_back(self.making.decided(work))

    def _look_back(self, gathering: Gathering) -> None:
        """Take a change back by which a stream got another number where something was observed of the old one meanwhile."""
        ended = [one for one in gathering.changes().streams if one.ended is not None]
        if any(self.observed(one) for one in ended):
            self.making.take_back(gathering)
            what = Text(
                "其间有观测值到达，观测类型没有改动，请另建数据流。",
                "Observations came in meanwhile, so the observationType was not changed. Make another Datastream.",
            )
            raise ConflictError(what)

    def _change(self, path: tuple[Segment, ...], said: Change) -> None:
        match path:
            case (*_, Segment("$ref")):
                self._linker.refer(path, said.sent, SET if said.how == "replace" else ())
            case (Segment("Things", str(key)),):
                self._thing(key, said)
            case (Segment("Locations", str(key)),):
                self._linker.bind("Locations", key, self._locator.redraw(key, said))
            case (Segment("HistoricalLocations", str(key)),):
                self._locator.rewrite(key, said)
            case (Segment("FeaturesOfInterest", str(key)),):
                self.making.own_feature(key)
                located = dict(self.registry.made.things[key].located or {})
                before: Body = {"feature": located.pop("location", None), **located, "encodingType": "application/geo+json"}
                self.making.redraw(key, drafts.feature(said.of(before))[1])
            case (Segment("Datastreams", str(key)),):
                self.making.own_stream(key)
                before = _written(self.registry.made.streams[key], observation="observationType", unit="unitOfMeasurement")
                after = said.of(before)
                self._restate(*drafts.series(key, after), links_of(after))
            case (Segment("MultiDatastreams", str(key)),):
                self._regroup(own_group(self.registry, key), said)
            case (Segment("Sensors", str(key)),):
                sensor = _there(self.registry.made.sensors, key, self._declared_source)
                after, bound = apart("Sensors", said.of(_written(sensor, encoding="encodingType")))
                self.making.restate(msgspec.structs.replace(drafts.sensing(after), id=key))
                self._linker.bind("Sensors", key, bound)
            case (Segment("ObservedProperties", str(key)),):
                watched = _there(self.registry.made.properties, inside(key), self._declared_field)
                after, bound = apart("ObservedProperties", said.of(_written(watched)))
                self.making.restate(msgspec.structs.replace(drafts.property_(after), id=inside(key)))
                self._linker.bind("ObservedProperties", key, bound)
            case _:
                raise unwritten(path)

    def _restate(self, words: MadeStream, contract: Contract, links: Links) -> None:
        """Say something else of a Datastream; its type is another one where nothing was observed of it."""
        retyped = words.observation != self.registry.made.streams[words.id].observation
        if retyped and not self.observed(self.registry.stream(words.id)):
            self.making.retype(words, contract, SORTS[words.observation], links)
        else:
            self.making.restate(words, contract, links)

    def end(self, path: tuple[Segment, ...], known: int = 0) -> None:
        """End an entity and what hangs on it; what was observed is kept in the store. Raises as ``create`` does.

        ``known`` is how many observations a feature is known to have been about, none of which stands: with more it is not ended.
        """
        if isinstance(self.registry, Gathering):
            self._end(path, known)
        else:
            self.making.decided(lambda *there: Changer(*there).end(path, known))

    def _end(self, path: tuple[Segment, ...], known: int) -> None:
        match path:
            case (Segment("Things", str(key)),):
                self.making.end_thing(key)
            case (Segment("Locations", str(key)),):
                self.making.end_location(key)
            case (Segment("Things", str(key)), Segment("Locations", str(location)), Segment("$ref", None)):
                self.making.leave(key, location)
            case (Segment("HistoricalLocations", str(key)),):
                self.making.forget(*past(self.registry, key))
            case (Segment("FeaturesOfInterest", str(key)),):
                self.making.end_feature(key, known)
            case (Segment("Datastreams", str(key)),):
                self.making.end_stream(key)
            case (Segment("MultiDatastreams", str(key)),):
                self.making.end_group(own_group(self.registry, key))
            case (Segment("Sensors", str(key)),):
                self.making.end(_there(self.registry.made.sensors, key, self._declared_source))
            case (Segment("ObservedProperties", str(key)),):
                self.making.end(_there(self.registry.made.properties, inside(key), self._declared_field))
            case _:
                raise unwritten(path)

    def _side(self, name: str, above: tuple[Segment, ...], body: Json) -> str:
        """A Datastream or MultiDatastream, of what stands above it in the path."""
        make = self._stream if name == "Datastreams" else self._group
        match above:
            case ():
                return make(None, body)
            case (Segment("Things", str(key)),):
                return make(key, body)
            case (Segment("Sensors", str(key)),):
                return make(None, body, key)
            case (Segment("ObservedProperties", str(key)),) if name == "Datastreams":
                return self._stream(None, body, watched=key)
            case _:
                raise unwritten((*above, Segment(name)))

    def _stream(self, thing: str | None, body: Json, sensor: str | None = None, watched: str | None = None) -> str:
        draft = drafts.datastream(body, sensor, None if watched is None else inside(watched))
        of = _of("Datastream", thing, body)
        if isinstance(of, drafts.Made):
            made_here = self.making.thing(of.name, of.words, of.places, (*of.streams, draft), of.groups)
            return self.registry.streams_of(made_here.id)[len(of.streams)].id
        return self.making.streams(of, (draft,))[0].id

    def _group(self, thing: str | None, body: Json, sensor: str | None = None) -> str:
        beside = drafts.multi_datastream(body, sensor)
        of = _of("MultiDatastream", thing, body)
        if not isinstance(of, drafts.Made):
            return self.making.group(of, beside).id
        made_here = self.making.thing(of.name, of.words, of.places, of.streams, (*of.groups, beside))
        # Of its groups the one whose streams were made last.
        return max(self.registry.made.groups_of(made_here.id, self.registry.streams()), key=lambda one: one.streams).id

    def _regroup(self, known: MadeGroup, said: Change) -> None:
        """Say something else of a MultiDatastream; a contract that is another one than before is that of its streams from now on."""
        units = multi.units(self.registry, known)
        kept: Body = {"multiObservationDataTypes": multi.types(self.registry, known)}
        told: Body = {"name": known.name, "description": known.description, "properties": known.properties}
        after = said.of({**told, "unitOfMeasurements": units, **kept})
        watched = [f"{MADE}.{self.registry.streams()[no - 1].field}" for no in known.streams]
        named = after.get("ObservedProperties")
        listed = watched if named is None else [reference(one) for one in named] if isinstance(named, list) else []
        other = [name for name, value in kept.items() if after.get(name, value) != value]
        for name in (*other, *(("ObservedProperties",) if listed != watched else ())):
            what = Text(
                f"MultiDatastream 的 {name} 不能更改：已有的结果以此为序，请另建。",
                f"The {name} of a MultiDatastream is not changed: results that are there stand in that order. Make another one.",
            )
            raise ConflictError(what, id=known.id)
        words, contract = drafts.group(known, after)
        same = words.properties.get("contract") == known.properties.get("contract")
        other_units = after.get("unitOfMeasurements", units)
        changed = () if other_units == units else drafts.units(other_units, len(units))
        self.making.regroup(words, None if same else contract, links_of(after), changed)

    def _thing(self, key: str, said: Change) -> None:
        entity = self.making.own(key)
        known = self.registry.made.things[key]
        before: Body = {"name": entity.title.zh, "description": known.description, "properties": known.properties}
        after, bound = apart("Things", said.of(before))
        if said.how == "merge":
            self._known_places(known, after.get("Locations"))
        made = drafts.thing(after)
        self.making.rename(key, made.name, msgspec.structs.replace(made.words, id=key), made.places)
        self._linker.bind("Things", key, bound)

    def _known_places(self, known: MadeThing, places: Json) -> None:
        """Raise BadInputError for a Location that is described with a change; one that was read and is sent back is none."""
        mine = known.locations or (known.id,)
        for one in places if isinstance(places, list) else ():
            if reference(one) is None and not (isinstance(one, dict) and one.get("@iot.id") in mine):
                raise inline("Locations")

    @property
    def _linker(self) -> Linker:
        return Linker(self.making, self.registry)

    @property
    def _locator(self) -> Locator:
        return Locator(self.making, self.registry)

    def _declared_source(self, key: str) -> bool:
        return any(stream.source == key for stream in self.registry.present())

    def _declared_field(self, key: str) -> bool:
        kind, _, name = key.rpartition(".")
        return any(one.name == kind and one.has(name) for one in self.registry.kinds())


def noted(registry: Registry, path: tuple[Segment, ...], said: Change) -> dict[str, Json]:
    """What the trail keeps of a change: of what something is said, and where that is units those that were."""
    facts: dict[str, Json] = {"names": [*sorted(said.names)]}
    key = path[-1].key or ""
    if said.names & {"unitOfMeasurement", "unitOfMeasurements"}:
        group = registry.made.group(key)
        numbers = [registry.stream_numbers().get(key)] if group is None else group.streams
        facts["units"] = {registry.streams()[no - 1].id: registry.streams()[no - 1].unit for no in numbers if no is not None}
    return facts


def _of(noun: str, thing: str | None, body: Json) -> "str | drafts.Made":
    """The Thing that a new Datastream or MultiDatastream is of: an id, or one that is described with it."""
    given = body.get("Thing") if isinstance(body, dict) else None
    named = reference(given)
    if thing is not None and given is not None and named != thing:
        raise wrong("Thing 与地址不符。", "The Thing is not that of the address.", "Thing")
    if thing is None and given is None:
        raise wrong(f"{noun} 须有 Thing。", f"A {noun} needs its Thing.", "Thing")
    return thing or named or drafts.thing(given)


def _written(words: MadeStream | MadeSensor | MadeProperty, **names: str) -> Body:
    """What was said, under the names of SensorThings; what was never said is left out."""
    said: Body = msgspec.to_builtins(words)
    return {names.get(name, name): value for name, value in said.items() if name not in ("id", "type", "ended")}


def _there(known: Mapping[str, Noun], key: str, declared: Callable[[str], bool]) -> Noun:
    found = known.get(key)
    if found is None and declared(key):
        raise declared_elsewhere(key)
    if found is None or found.ended is not None:
        raise missing(key)
    return found
