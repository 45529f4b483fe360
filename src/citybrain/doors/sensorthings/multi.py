"""MultiDatastreams (OGC 18-088, MultiDatastream extension): the measured fields of a thing that share their interval, side by side.

A MultiDatastream owns no data. Its Observations are put together from the readings of the thing's Datastreams that are of one
instant, each at the place of its field and null where a field has none; the Datastreams stay as they are. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from citybrain.brain.observe import CORRECTION, Registry
from citybrain.doors.sensorthings.shape import MEASUREMENT, Item, Row, Shaper, marked, quality, same, unit_words
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.text import Json
from citybrain.kernel.things import Field, Kind

MULTI: Final = "MultiDatastreams"
COLUMN: Final = "multi"
"""What predicates call the MultiDatastream of an Observation."""
_COMPLEX: Final = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation"
_SIGN: Final = "@"


def together(kind: Kind) -> tuple[Field, ...]:
    """The measured fields of a kind as they are declared, where they are two or more and all of one interval; none otherwise."""
    found = tuple(column for column in kind.fields if column.measured)
    return found if len(found) > 1 and found[0].every is not None and len({column.every for column in found}) == 1 else ()


def kinds(registry: Registry) -> tuple[str, ...]:
    """The declared kinds whose things have a MultiDatastream."""
    return tuple(kind.name for kind in registry.kinds() if together(kind))


def fields_of(registry: Registry, entity: str) -> tuple[Field, ...]:
    """The fields of a thing's MultiDatastream in their order; none for a thing without one, or that is not there."""
    streams = registry.streams_of(entity)
    declared = {kind.name: kind for kind in registry.kinds()}.get(streams[0].kind) if streams else None
    fields = together(declared) if declared is not None else ()
    present = {stream.field for stream in streams}
    return fields if all(column.name in present for column in fields) else ()


def source_of(registry: Registry, entity: str) -> str:
    """The Sensor of a thing's MultiDatastream, that of its first field; empty for a thing without one."""
    fields = fields_of(registry, entity)
    return next((one.source for one in registry.streams_of(entity) if fields and one.field == fields[0].name), "")


def watched_by(registry: Registry, sources: Collection[str]) -> tuple[str, ...]:
    """The things whose MultiDatastream comes from one of these Sensors."""
    things = (entity.id for kind in kinds(registry) for entity in registry.entities(kind))
    return tuple(thing for thing in things if source_of(registry, thing) in sources)


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
    source = source_of(shaper.registry, key)
    links = {
        "Thing": same("id", key),
        "Sensor": same("id", source),
        "ObservedProperties": same("kind", kind.name),
        "Observations": same(COLUMN, key),
    }
    return Item(MULTI, key, body, links, {**row, "source": source})


def put_together(entity: str, fields: Sequence[Field], readings: Mapping[str, Row]) -> Item:
    """The Observation of readings of one instant, by stream; at least one."""
    newest = max(readings.values(), key=lambda row: parse(str(row["received"])))
    corrected: list[Json] = [
        column.name for column in fields if readings.get(f"{entity}.{column.name}", {}).get("door") == CORRECTION
    ]
    values: list[Json] = [readings.get(f"{entity}.{column.name}", {}).get("value") for column in fields]
    body: dict[str, Json] = {
        "phenomenonTime": newest["time"],
        "resultTime": newest["time"],
        "result": values,
        **(quality(CORRECTION, fields=corrected) if corrected else {}),
        "parameters": marked({"received": newest["received"], "origin": newest["origin"]}),
    }
    key = named(entity, parse(str(newest["time"])))
    links = {"MultiDatastream": same("id", entity), "FeatureOfInterest": same("id", entity)}
    return Item("Observations", key, body, links, {"id": key, COLUMN: entity})


def named(entity: str, time: Instant) -> str:
    """The id of the Observation of a MultiDatastream."""
    return f"{entity}{_SIGN}{time}"


def place(key: str) -> tuple[str, Instant] | None:
    """The MultiDatastream and the time (µs) of an id; None for what is no such id."""
    entity, sign, time = key.rpartition(_SIGN)
    sound = sign and time.isascii() and time.isdigit() and len(time) < 18
    return (entity, Instant(int(time))) if sound else None
