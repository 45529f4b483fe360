"""Rows of our datasets as SensorThings entities: a thing of the district is a Thing, a stream a Datastream, a field an ObservedProperty."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec

from citybrain.brain.observe import CORRECTION, FEATURE, LOCATION, MADE, About, MadeProperty, Registry, Stood, stays
from citybrain.doors.sensorthings import saying
from citybrain.doors.sensorthings.results import MEASUREMENT, result
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import parse, rfc3339
from citybrain.kernel.predicate import NOTHING, And, Compare, Predicate
from citybrain.kernel.text import Json, Lang, Text
from citybrain.kernel.things import LIFE_WORDS, Life
from citybrain.kernel.units import unit

Row: TypeAlias = Mapping[str, Json]
_GEOJSON: Final = "application/geo+json"
STOOD: Final = "stood"
"""What predicates call the HistoricalLocation of a place."""
AT: Final = "at"
"""What predicates call a Location of a HistoricalLocation, which may be of several."""
WATCHED: Final = "watched"
"""What predicates call an ObservedProperty of a MultiDatastream, which has several."""
OURS: Final = frozenset({"life", "lifeTitle", "lifeSince", "lifeReason", "latest"})
"""Properties of a Datastream that answers add to its maker's own; what is sent back of them is not kept."""
_UCUM: Final = "https://ucum.org/ucum#section-Base-Units"


_CORRECTED: Final = "由人员更正，不是测得的值 · Set by a person, not measured"
RESTATED: Final[Mapping[str, Json]] = {
    "nameOfMeasure": "restated",
    "measureDescription": "由人员改写，不是发送者所说 · Said anew by a person, not by the sender",
}
"""The mark in ``resultQuality`` of an Observation of which a person said something else than its sender."""


def quality(door: Json, **more: Json) -> dict[str, Json]:
    """The ``resultQuality`` (DQ_Element of ISO 19157) of a value that was corrected; nothing for one that was measured."""
    return (
        {"resultQuality": [{"nameOfMeasure": CORRECTION, "measureDescription": _CORRECTED, **more}]} if door == CORRECTION else {}
    )


def with_said(body: dict[str, Json], beside: About | None) -> dict[str, Json]:
    """The properties of an Observation, with what is said beside it, and a mark where a person said it."""
    if beside is None:
        return body
    if beside.restated:
        marks = body.get("resultQuality")
        mark: Json = {**RESTATED, "fields": [*beside.restated.split(",")]}
        body = {**body, "resultQuality": [*(marks if isinstance(marks, list) else []), mark]}
    return saying.shown(body, beside.words()) if beside.said else body


@dataclass(frozen=True, slots=True)
class Item:
    """An entity: its set and id, its properties, and for each of its links what the rows beyond it have in common."""

    set: str
    id: str
    body: dict[str, Json]
    links: Mapping[str, Predicate]
    row: Row = field(default_factory=dict)


def same(column: str, value: Json) -> Predicate:
    """Rows with this value."""
    return Compare(column, "eq", str(value))


@dataclass(frozen=True, slots=True)
class Shaper:
    """Makes entities of rows, with the words of the declarations in one language."""

    registry: Registry
    lang: Lang
    host: str

    def thing(self, row: Row) -> Item:
        """A thing of the district; of one that was made here its maker's own words."""
        said = self.registry.made.things.get(str(row["id"]))
        known = ("kind", "area", "h3_9", "version", "valid_from", "origin")
        properties = {"title": row["title"], **{name: row[name] for name in known}, "fields": row["body"]}
        about, shown = (self._kind(row), marked(properties)) if said is None else (said.description, told(said.properties, row))
        body: dict[str, Json] = {"name": self._title(row), "description": about, "properties": shown}
        here = same("id", row["id"])
        links = {"HistoricalLocations": here, "Datastreams": same("entity", row["id"]), "MultiDatastreams": here}
        links = {"Locations": self._locations(row), **links}
        return Item("Things", str(row["id"]), body, links, row)

    def location(self, row: Row) -> Item:
        """Where a thing stands, or any number of them."""
        key = str(row["id"])
        guests = self.registry.made.guests.get(key, ())
        if row["kind"] != LOCATION and not guests:
            now = self._now(row)
            links = {"Things": same("id", key), "HistoricalLocations": NOTHING if now is None else same(STOOD, now)}
            return self._placed("Locations", row, "location", links)
        things = guests if row["kind"] == LOCATION else (key, *guests)
        there = Compare("id", "in", tuple(sorted(things))) if things else NOTHING
        return self._placed("Locations", row, "location", {"Things": there, "HistoricalLocations": same(AT, key)})

    def feature(self, row: Row) -> Item:
        """The place that a thing's streams speak of, or what was made to be observed."""
        by = "feature" if row["kind"] == FEATURE else "entity"
        return self._placed("FeaturesOfInterest", row, "feature", {"Observations": same(by, row["id"])})

    def historical(self, row: Row, stood: Stood) -> Item:
        """Since when a thing stood somewhere: where it stands still, or where it was."""
        key = self.registry.made.called(stood.id)
        where = self._locations(row) if key == self._now(row) else self._then(stood) or same(STOOD, key)
        body: dict[str, Json] = {"time": rfc3339(stood.since)}
        links = {"Thing": same("id", row["id"]), "Locations": where}
        return Item("HistoricalLocations", key, body, links, {**row, STOOD: key})

    def earlier(self, row: Row, stood: Stood) -> Item:
        """Where a thing once stood: a Location of no Thing any more."""
        key = self.registry.made.called(stood.id)
        links = {"Things": NOTHING, "HistoricalLocations": same(STOOD, key)}
        known = {**row, "lon": stood.place.lon, "lat": stood.place.lat, "area": None, STOOD: key}
        return self._at("Locations", key, known, stood.words, "location", links)

    def _locations(self, row: Row) -> Predicate:
        """The Locations of a thing: its own, or those that it names."""
        said = self.registry.made.things.get(str(row["id"]))
        return Compare("id", "in", tuple(sorted(said.locations))) if said is not None and said.locations else same("id", row["id"])

    def _then(self, stood: Stood) -> Predicate | None:
        """The Locations at which a thing once stood, where they are there and still are where it stood; None for a place of its own."""
        return Compare("id", "in", tuple(sorted(stood.locations))) if stays(self.registry, stood) else None

    def _now(self, row: Row) -> str | None:
        """The id of the HistoricalLocation of where a thing stands; None for one that stands nowhere, or of which that was deleted."""
        stands = self.registry.moved(str(row["id"]))
        if row["lon"] is None or (stands is not None and stands.struck):
            return None
        return self.registry.made.called(stands.id) if stands is not None else f"{row['id']}@{parse(str(row['valid_from']))}"

    def datastream(self, row: Row) -> Item:
        """A stream with its contract and the life of its latest value."""
        title = self._field(row).get(self.lang)
        known = ("kind", "field", "area", "life", "contract", "every", "silent_after", "low", "high", "origin")
        latest = {"time": row["time"], "value": result(row, str(row["result_type"])), "received": row["received"]}
        properties = {
            **{name: row[name] for name in known},
            "lifeTitle": LIFE_WORDS[Life(str(row["life"]))].get(self.lang),
            "lifeSince": row["since"],
            "lifeReason": self._said(row["why"]),
        }
        body: dict[str, Json] = {
            "name": f"{self._of(row)} · {title}",
            "description": title,
            "observationType": MEASUREMENT,
            "unitOfMeasurement": unit_words(str(row["unit"])),
            "properties": marked({**properties, "latest": latest}),
        }
        said = self.registry.made.streams.get(str(row["id"]))
        if said is not None:
            ours = {name: value for name, value in {**properties, "latest": latest}.items() if name in OURS}
            body |= {
                "name": said.name,
                "description": said.description,
                "observationType": said.observation,
                "unitOfMeasurement": msgspec.to_builtins(said.unit),
                "properties": {**told(said.properties, row), **ours},
            }
        links = {
            "Thing": same("id", row["entity"]),
            "Sensor": same("id", row["source"]),
            "ObservedProperty": same("id", f"{row['kind']}.{row['field']}"),
            "Observations": same("stream", row["id"]),
        }
        return Item("Datastreams", str(row["id"]), body, links, row)

    def observation(self, row: Row, thing: str, beside: About | None = None) -> Item:
        """A value of a thing, and what is beside it; ``row`` holds id, stream, time, value, received, door, origin, and word."""
        body: dict[str, Json] = {
            "phenomenonTime": row["time"],
            "resultTime": row["time"],
            "result": result(row, self.registry.stream(str(row["stream"])).sort),
            **quality(row["door"]),
            "parameters": marked({"received": row["received"], "origin": row["origin"]}),
        }
        feature = thing if beside is None or beside.feature is None else beside.feature
        links = {"Datastream": same("id", row["stream"]), "FeatureOfInterest": same("id", feature)}
        return Item("Observations", str(row["id"]), with_said(body, beside), links, row)

    def sensor(self, source: str) -> Item:
        """Where streams come from; more is known only of a sensor that was made here."""
        words = Text(f"数据来源：{source}", f"Source of streams: {source}")
        body: dict[str, Json] = {
            "name": source,
            "description": words.get(self.lang),
            "encodingType": "text/plain",
            "metadata": source,
        }
        said = self.registry.made.sensors.get(source)
        if said is not None:
            body = {"name": said.name, "description": said.description, "encodingType": said.encoding, "metadata": said.metadata}
            body["properties"] = said.properties
        here = same("source", source)
        return Item("Sensors", source, body, {"Datastreams": here, "MultiDatastreams": here}, {"id": source})

    def observed_property(self, kind: str, name: str) -> Item:
        """A measured field of a declared kind."""
        declared = self.registry.kind(kind)
        column = declared.field(name)
        body: dict[str, Json] = {
            "name": column.title.get(self.lang),
            "definition": f"{self.host}/data/{kind}#{name}",
            "description": f"{declared.title.get(self.lang)} · {column.title.get(self.lang)}",
            "properties": {"kind": kind, "field": name, "unit": column.unit, "title": _both(column.title)},
        }
        return _watched(kind, name, body)

    def made_property(self, said: MadeProperty) -> Item:
        """A property that somebody made here."""
        body: dict[str, Json] = {
            "name": said.name,
            "definition": said.definition,
            "description": said.description,
            "properties": said.properties,
        }
        return _watched(MADE, said.id, body)

    def _placed(self, name: str, row: Row, geometry: str, links: Mapping[str, Predicate]) -> Item:
        said = self.registry.made.things.get(str(row["id"]))
        return self._at(name, str(row["id"]), row, None if said is None else said.located, geometry, links)

    def _at(
        self, name: str, key: str, row: Row, located: dict[str, Json] | None, geometry: str, links: Mapping[str, Predicate]
    ) -> Item:
        point: Json = {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
        properties = marked({"area": row["area"], "origin": row["origin"]})
        about: dict[str, Json] = {"name": self._title(row), "description": self._kind(row), "properties": properties}
        if located is not None:
            about = dict(located)
            point = about.pop("location", point)
        return Item(name, key, {**about, "encodingType": _GEOJSON, geometry: point}, links, row)

    def _title(self, row: Row) -> str:
        return self._said(row["title"])

    def _said(self, words: Json) -> str:
        return str(words[self.lang]) if isinstance(words, dict) else str(words)

    def _kind(self, row: Row) -> str:
        try:
            return self.registry.kind(str(row["kind"])).title.get(self.lang)
        except BadInputError:
            return str(row["kind"])

    def _of(self, row: Row) -> str:
        return self.registry.entity(str(row["entity"])).title.get(self.lang)

    def _field(self, row: Row) -> Text:
        try:
            return self.registry.kind(str(row["kind"])).field(str(row["field"])).title
        except (BadInputError, KeyError):
            return Text(str(row["field"]), str(row["field"]))


def _watched(kind: str, name: str, body: dict[str, Json]) -> Item:
    key = f"{kind}.{name}"
    links = {"Datastreams": And((same("kind", kind), same("field", name))), "MultiDatastreams": And((same(WATCHED, key),))}
    return Item("ObservedProperties", key, body, links, {"id": key, "kind": kind, "field": name})


def told(properties: dict[str, Json], row: Row) -> dict[str, Json]:
    """A maker's own properties, marked where the whole district is a demonstration."""
    return properties if row["origin"] == "real" else {**properties, "demo": True}


def marked(properties: dict[str, Json]) -> dict[str, Json]:
    """Properties, marked as a demonstration where their ``origin`` is not real."""
    return properties if properties["origin"] == "real" else {**properties, "demo": True}


def unit_words(code: str) -> dict[str, Json]:
    """A UCUM code as a unitOfMeasurement; one that is not known is its own sign."""
    try:
        sign = unit(code).sign
    except BadInputError:
        sign = code
    return {"name": code, "symbol": sign, "definition": _UCUM}


def _both(words: Text) -> Json:
    return {"zh": words.zh, "en": words.en}
