"""Entities made, changed and ended (OGC 18-088 clause 10): the path says which, a draft says what, Making does it in one commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from citybrain.brain.observe import (
    MADE,
    Links,
    MadeGroup,
    MadeProperty,
    MadeSensor,
    MadeStream,
    Making,
    Registry,
    declared_elsewhere,
)
from citybrain.doors.sensorthings import drafts, multi
from citybrain.doors.sensorthings.altering import Body, Change
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.locating import Locator, past
from citybrain.doors.sensorthings.multi import MULTI
from citybrain.doors.sensorthings.paths import Segment, unwritten
from citybrain.doors.sensorthings.refusals import missing, not_held, wrong
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.text import Json, Text

Noun = TypeVar("Noun", MadeProperty, MadeSensor)


@dataclass(frozen=True, slots=True)
class Changer:
    """Changes what was made here; what packs declare is changed by packs alone (409)."""

    making: Making
    registry: Registry

    def create(self, path: tuple[Segment, ...], body: Json) -> tuple[str, str]:
        """Make what a body describes in the set that a path leads to; the set and the id of what was made.

        Raises BadInputError, NotFoundError, ConflictError, and 501 for what is not held.
        """
        match path:
            case (Segment("Things", None),):
                made = drafts.thing(body)
                return "Things", self.making.thing(made.name, made.words, made.places, made.streams, made.groups).id
            case (Segment("Sensors", None),):
                return "Sensors", self.making.sensor(drafts.sensing(body))
            case (Segment("FeaturesOfInterest", None),):
                return "FeaturesOfInterest", self.making.feature(*drafts.feature(body))
            case (Segment("ObservedProperties", None),):
                return "ObservedProperties", _outside(self.making.watched(drafts.property_(body)))
            case (*_, Segment("Locations" | "HistoricalLocations", None)) | (Segment("Locations"), *_) | (*_, Segment("$ref")):
                return self._locator.create(path, body)
            case (*above, Segment("Datastreams" | "MultiDatastreams" as name, None)):
                return name, self._side(name, tuple(above), body)
            case _:
                raise unwritten(path)

    def change(self, path: tuple[Segment, ...], said: Change) -> None:
        """Change an entity by what is said of it, or replace all that was said of it; raises as ``create`` does."""
        said.keeps(path[-1].key or "")
        match path:
            case (Segment("Things", str(key)),):
                self._thing(key, said)
            case (Segment("Locations", str(key)),):
                self._locator.redraw(key, said)
            case (Segment("HistoricalLocations", str(key)),):
                self._locator.retime(key, said)
            case (Segment("FeaturesOfInterest", str(key)),):
                self.making.own_feature(key)
                located = dict(self.registry.made.things[key].located or {})
                before: Body = {"feature": located.pop("location", None), **located, "encodingType": "application/geo+json"}
                self.making.redraw(key, drafts.feature(said.of(before))[1])
            case (Segment("Datastreams", str(key)),):
                self.making.own_stream(key)
                before = _written(self.registry.made.streams[key], observation="observationType", unit="unitOfMeasurement")
                after = said.of(before)
                links = _links(after, self.registry.stream(key).entity)
                self.making.restate(*drafts.series(key, after), links)
            case (Segment("MultiDatastreams", str(key)),):
                self._regroup(self._own_group(key), said)
            case (Segment("Sensors", str(key)),):
                sensor = _there(self.registry.made.sensors, key, self._declared_source)
                sensing = drafts.sensing(said.of(_written(sensor, encoding="encodingType")))
                self.making.restate(msgspec.structs.replace(sensing, id=key))
            case (Segment("ObservedProperties", str(key)),):
                watched = _there(self.registry.made.properties, _inside(key), self._declared_field)
                self.making.restate(msgspec.structs.replace(drafts.property_(said.of(_written(watched))), id=_inside(key)))
            case _:
                raise unwritten(path)

    def end(self, path: tuple[Segment, ...]) -> None:
        """End an entity and what hangs on it; what was observed is kept in the store. Raises as ``create`` does."""
        match path:
            case (Segment("Things", str(key)),):
                self.making.end_thing(key)
            case (Segment("Locations", str(key)),):
                self.making.end_location(key)
            case (Segment("Things", str(key)), Segment("Locations", str(location)), Segment("$ref", None)):
                self.making.leave(key, location)
            case (Segment("HistoricalLocations", str(key)),):
                self.making.forget(*past(key))
            case (Segment("FeaturesOfInterest", str(key)),):
                self.making.end_feature(key)
            case (Segment("Datastreams", str(key)),):
                self.making.end_stream(key)
            case (Segment("MultiDatastreams", str(key)),):
                self.making.end_group(self._own_group(key))
            case (Segment("Sensors", str(key)),):
                self.making.end(_there(self.registry.made.sensors, key, self._declared_source))
            case (Segment("ObservedProperties", str(key)),):
                self.making.end(_there(self.registry.made.properties, _inside(key), self._declared_field))
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
        draft = drafts.datastream(body, sensor, None if watched is None else _inside(watched))
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

    def _own_group(self, key: str) -> MadeGroup:
        """A MultiDatastream that was made here; raises NotFoundError, and ConflictError for one that a pack declares."""
        joint = multi.joint(self.registry, key)
        if joint is None:
            raise missing(f"{MULTI}('{key}')")
        if joint.said is None:
            raise declared_elsewhere(key)
        return joint.said

    def _regroup(self, known: MadeGroup, said: Change) -> None:
        """Say something else of a MultiDatastream; a contract that is another one than before is that of its streams from now on."""
        units = multi.units(self.registry, known)
        kept: Body = {"unitOfMeasurements": units, "multiObservationDataTypes": multi.types(self.registry, known)}
        after = said.of({"name": known.name, "description": known.description, "properties": known.properties, **kept})
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
        self.making.regroup(words, None if same else contract, _links(after, known.thing))

    def _thing(self, key: str, said: Change) -> None:
        entity = self.making.own(key)
        known = self.registry.made.things[key]
        after = said.of({"name": entity.title.zh, "description": known.description, "properties": known.properties})
        if after.get("Datastreams") or after.get(MULTI):
            raise not_held("请以 Things('…')/Datastreams 新建数据流。", "Make Datastreams at Things('…')/Datastreams.")
        made = drafts.thing(after)
        self.making.rename(key, made.name, msgspec.structs.replace(made.words, id=key), made.places)

    @property
    def _locator(self) -> Locator:
        return Locator(self.making, self.registry)

    def _declared_source(self, key: str) -> bool:
        return any(stream.source == key for stream in self.registry.present())

    def _declared_field(self, key: str) -> bool:
        kind, _, name = key.rpartition(".")
        return any(one.name == kind and one.has(name) for one in self.registry.kinds())


def _of(noun: str, thing: str | None, body: Json) -> "str | drafts.Made":
    """The Thing that a new Datastream or MultiDatastream is of: an id, or one that is described with it."""
    given = body.get("Thing") if isinstance(body, dict) else None
    named = reference(given)
    if thing is not None and given is not None and named != thing:
        raise wrong("Thing 与地址不符。", "The Thing is not that of the address.", "Thing")
    if thing is None and given is None:
        raise wrong(f"{noun} 须有 Thing。", f"A {noun} needs its Thing.", "Thing")
    return thing or named or drafts.thing(given)


def _links(body: Body, thing: str) -> Links:
    """What a body names as Sensor and ObservedProperty; raises BadInputError for one that is described, ConflictError for another Thing."""
    found = {name: reference(body[name]) for name in ("Thing", "Sensor", "ObservedProperty") if body.get(name) is not None}
    for name, key in found.items():
        if key is None:
            raise wrong(f"{name} 须以 @iot.id 指明。", f"The {name} is named by its @iot.id.", name)
    if found.get("Thing") not in (None, thing):
        what = Text(
            "数据流的 Thing 不能更改：标识、设备的权限和读数的位置都随它。请在另一个 Thing 上另建数据流。",
            "The Thing of a Datastream is not changed: its id, who may write it, and where its readings were are of that Thing. "
            "Make another Datastream of the other Thing.",
        )
        raise ConflictError(what, id=thing)
    watched = found.get("ObservedProperty")
    return Links(found.get("Sensor"), None if watched is None else _inside(watched))


def _written(words: MadeStream | MadeSensor | MadeProperty, **names: str) -> Body:
    """What was said, under the names of SensorThings; what was never said is left out."""
    said: Body = msgspec.to_builtins(words)
    return {names.get(name, name): value for name, value in said.items() if name not in ("id", "type", "ended")}


def _outside(field: str) -> str:
    """The id of an ObservedProperty: its kind and its field."""
    return f"{MADE}.{field}"


def _inside(key: str) -> str:
    return key.removeprefix(f"{MADE}.")


def _there(known: Mapping[str, Noun], key: str, declared: Callable[[str], bool]) -> Noun:
    found = known.get(key)
    if found is None and declared(key):
        raise declared_elsewhere(key)
    if found is None or found.ended is not None:
        raise missing(key)
    return found
