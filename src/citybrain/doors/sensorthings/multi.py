"""MultiDatastreams (OGC 18-088, MultiDatastream extension): the measured fields of a thing that share their interval, side by side.

A MultiDatastream owns no data. Its Observations are put together from the readings of the thing's Datastreams that are of one
instant, each at the place of its field and null where a field has none; the Datastreams stay as they are. Pure.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from citybrain.brain.observe import CORRECTION, Registry
from citybrain.doors.sensorthings.shape import MEASUREMENT, Item, Row, Shaper, marked, quality, same, unit_words
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.text import Json
from citybrain.kernel.things import Field, Kind, Stream

MULTI: Final = "MultiDatastreams"
COLUMN: Final = "multi"
"""What predicates call the MultiDatastream of an Observation."""
_COMPLEX: Final = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation"
_SIGN: Final = "@"


@dataclass(frozen=True, slots=True)
class Joint:
    """What a MultiDatastream is of: streams of one thing in their order."""

    id: str
    thing: str
    streams: tuple[Stream, ...]
    fields: tuple[Field, ...]
    """The field of each stream."""

    @property
    def source(self) -> str:
        """Its Sensor, that of its first stream."""
        return self.streams[0].source

    @property
    def watched(self) -> tuple[str, ...]:
        """The ids of its ObservedProperties."""
        return tuple(f"{stream.kind}.{stream.field}" for stream in self.streams)


def together(kind: Kind) -> tuple[Field, ...]:
    """The measured fields of a kind as they are declared, where they are two or more and all of one interval; none otherwise."""
    found = tuple(column for column in kind.fields if column.measured)
    return found if len(found) > 1 and found[0].every is not None and len({column.every for column in found}) == 1 else ()


def kinds(registry: Registry) -> tuple[str, ...]:
    """The declared kinds whose things have a MultiDatastream."""
    return tuple(kind.name for kind in registry.kinds() if together(kind))


def of_thing(registry: Registry, thing: str) -> tuple[Joint, ...]:
    """The MultiDatastreams of a thing; none for one without any, or that is not there."""
    streams = {stream.field: stream for stream in registry.streams_of(thing)}
    kind = next((kind for kind in registry.kinds() for stream in streams.values() if stream.kind == kind.name), None)
    fields = () if kind is None else together(kind)
    whole = fields and all(column.name in streams for column in fields)
    return (Joint(thing, thing, tuple(streams[column.name] for column in fields), fields),) if whole else ()


def joint(registry: Registry, key: str) -> Joint | None:
    """The MultiDatastream of an id; None where there is none."""
    return next((one for one in of_thing(registry, key) if one.id == key), None)


def watched_by(registry: Registry, sources: Collection[str]) -> tuple[str, ...]:
    """The things whose MultiDatastream comes from one of these Sensors."""
    things = (entity.id for kind in kinds(registry) for entity in registry.entities(kind))
    return tuple(thing for thing in things if any(one.source in sources for one in of_thing(registry, thing)))


def multi_datastream(shaper: Shaper, row: Row) -> Item:
    """The MultiDatastream of a thing, from the row of the thing; units, types and ObservedProperties in one order."""
    key, kind = str(row["id"]), shaper.registry.kind(str(row["kind"]))
    fields, title = together(kind), row["title"]
    named = str(title[shaper.lang]) if isinstance(title, dict) else str(title)
    listed = " · ".join(column.title.get(shaper.lang) for column in fields)
    known: dict[str, Json] = {name: row[name] for name in ("kind", "area", "origin")}
    names: list[Json] = [column.name for column in fields]
    body: dict[str, Json] = {
        "name": f"{named} · {listed}",
        "description": listed,
        "observationType": _COMPLEX,
        "multiObservationDataTypes": [MEASUREMENT for _ in fields],
        "unitOfMeasurements": [unit_words(column.unit or "1") for column in fields],
        "properties": marked({**known, "fields": names, "every": fields[0].every}),
    }
    found = joint(shaper.registry, key)
    source = "" if found is None else found.source
    links = {
        "Thing": same("id", key),
        "Sensor": same("id", source),
        "ObservedProperties": same("kind", kind.name),
        "Observations": same(COLUMN, key),
    }
    return Item(MULTI, key, body, links, {**row, "source": source})


def put_together(joint: Joint, readings: Mapping[str, Row]) -> Item:
    """The Observation of readings of one instant, by stream; at least one."""
    newest = max(readings.values(), key=lambda row: parse(str(row["received"])))
    rows = [readings.get(stream.id, {}) for stream in joint.streams]
    corrected: list[Json] = [stream.field for stream, row in zip(joint.streams, rows, strict=True) if row.get("door") == CORRECTION]
    values: list[Json] = [row.get("value") for row in rows]
    body: dict[str, Json] = {
        "phenomenonTime": newest["time"],
        "resultTime": newest["time"],
        "result": values,
        **(quality(CORRECTION, fields=corrected) if corrected else {}),
        "parameters": marked({"received": newest["received"], "origin": newest["origin"]}),
    }
    key = named(joint.id, parse(str(newest["time"])))
    links = {"MultiDatastream": same("id", joint.id), "FeatureOfInterest": same("id", joint.thing)}
    return Item("Observations", key, body, links, {"id": key, COLUMN: joint.id})


def named(entity: str, time: Instant) -> str:
    """The id of the Observation of a MultiDatastream."""
    return f"{entity}{_SIGN}{time}"


def place(key: str) -> tuple[str, Instant] | None:
    """The MultiDatastream and the time (µs) of an id; None for what is no such id."""
    entity, sign, time = key.rpartition(_SIGN)
    sound = sign and time.isascii() and time.isdigit() and len(time) < 18
    return (entity, Instant(int(time))) if sound else None
