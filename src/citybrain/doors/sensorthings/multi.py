"""MultiDatastreams (OGC 18-088, MultiDatastream extension): streams of a thing side by side.

Of what a pack declares they are the measured fields that share their interval; of what was made here, what somebody made as one. A
MultiDatastream owns no data. Its Observations are put together from the readings of the thing's Datastreams that are of one
instant, each at the place of its field and null where a field has none; the Datastreams stay as they are. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec

from citybrain.brain.observe import CORRECTION, MADE, About, MadeGroup, Registry
from citybrain.doors.sensorthings.results import COMPLEX, result, type_of
from citybrain.doors.sensorthings.shape import (
    Item,
    Row,
    Shaper,
    marked,
    quality,
    same,
    told,
    unit_words,
    with_said,
)
from citybrain.kernel.instant import Duration, Instant, duration, parse
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json
from citybrain.kernel.things import Field, Kind, Stream

MULTI: Final = "MultiDatastreams"
COLUMN: Final = "multi"
"""What predicates call a MultiDatastream, by its id."""
_SIGN: Final = "@"


@dataclass(frozen=True, slots=True)
class Joint:
    """What a MultiDatastream is of: streams of one thing in their order."""

    id: str
    thing: str
    streams: tuple[Stream, ...]
    fields: tuple[Field, ...]
    """The field of each stream."""
    said: MadeGroup | None = None
    """What its maker said of it; None for one that follows from a declaration."""

    @property
    def source(self) -> str:
        """Its Sensor, that of its first stream."""
        return self.streams[0].source

    @property
    def watched(self) -> tuple[str, ...]:
        """The ids of its ObservedProperties."""
        return tuple(f"{stream.kind}.{stream.field}" for stream in self.streams)


@lru_cache(maxsize=256)
def groups(kind: Kind) -> tuple[tuple[Field, ...], ...]:
    """The measured fields of a kind as they are declared, two or more of one interval each; a field alone in its own is in none."""
    found: dict[Duration, list[Field]] = {}
    for column in kind.fields:
        if column.measured and column.every is not None:
            found.setdefault(duration(column.every), []).append(column)
    return tuple(tuple(fields) for fields in found.values() if len(fields) > 1)


def of_thing(registry: Registry, thing: str) -> tuple[Joint, ...]:
    """The MultiDatastreams of a thing; none for one without any, or that is not there."""
    made = registry.made.groups_of(thing, registry.streams())
    if made:
        return tuple(_made(registry, one) for one in made)
    streams = {stream.field: stream for stream in registry.streams_of(thing)}
    kind = next((kind for stream in streams.values() for kind in registry.kinds() if kind.name == stream.kind), None)
    found = () if kind is None else groups(kind)
    return tuple(
        Joint(thing if len(found) == 1 else f"{thing}.{fields[0].every}", thing, tuple(streams[one.name] for one in fields), fields)
        for fields in found
        if all(column.name in streams for column in fields)
    )


def _made(registry: Registry, said: MadeGroup) -> Joint:
    streams, kind = tuple(registry.streams()[no - 1] for no in said.streams), registry.kind(MADE)
    return Joint(said.id, said.thing, streams, tuple(kind.field(stream.field) for stream in streams), said)


def units(registry: Registry, said: MadeGroup) -> list[Json]:
    """The units of a MultiDatastream as its maker wrote them."""
    known = registry.made.streams
    return [msgspec.to_builtins(known[registry.streams()[no - 1].id].unit) for no in said.streams]


def types(registry: Registry, said: MadeGroup) -> list[Json]:
    """The types of the results of a MultiDatastream, one for each stream."""
    return [type_of(registry.streams()[no - 1]) for no in said.streams]


def joint(registry: Registry, key: str) -> Joint | None:
    """The MultiDatastream of an id, which is that of its thing, or begins with it, or is known to be of another; None for none."""
    home = registry.made.homes.get(key)
    things = (key, key.rpartition(".")[0]) if home is None else (home,)
    return next((one for thing in things for one in of_thing(registry, thing) if one.id == key), None)


def every_one(registry: Registry) -> Iterator[Joint]:
    """All MultiDatastreams that there are."""
    for thing in registry.made.groups:
        yield from of_thing(registry, thing)
    for kind in registry.kinds():
        if groups(kind):
            for entity in registry.entities(kind.name):
                yield from of_thing(registry, entity.id)


def multi_datastream(shaper: Shaper, row: Row, joint: Joint) -> Item:
    """A MultiDatastream, from the row of its thing; units, types and ObservedProperties in one order."""
    title = row["title"]
    named = str(title[shaper.lang]) if isinstance(title, dict) else str(title)
    listed = " · ".join(column.title.get(shaper.lang) for column in joint.fields)
    known: dict[str, Json] = {name: row[name] for name in ("kind", "area", "origin")}
    names: list[Json] = [column.name for column in joint.fields]
    body: dict[str, Json] = {
        "name": f"{named} · {listed}",
        "description": listed,
        "observationType": COMPLEX,
        "multiObservationDataTypes": [type_of(stream) for stream in joint.streams],
        "unitOfMeasurements": [unit_words(stream.unit) for stream in joint.streams],
        "properties": marked({**known, "fields": names, "every": joint.fields[0].every}),
    }
    said = joint.said
    if said is not None:
        about: dict[str, Json] = {"name": said.name, "description": said.description}
        body |= {**about, "unitOfMeasurements": units(shaper.registry, said), "properties": told(said.properties, row)}
    links = {
        "Thing": same("id", joint.thing),
        "Sensor": same("id", joint.source),
        "ObservedProperties": Compare("id", "in", joint.watched),
        "Observations": same(COLUMN, joint.id),
    }
    return Item(MULTI, joint.id, body, links, {**row, "source": joint.source, COLUMN: joint.id})


def put_together(joint: Joint, readings: Mapping[str, Row], about: Mapping[str, About]) -> Item:
    """The Observation of readings of one instant, by stream; at least one.

    ``about`` gives what is beside readings by their ids: the first feature, and the first that else is said, are the Observation's.
    """
    newest = max(readings.values(), key=lambda row: parse(str(row["received"])))
    rows = [readings.get(stream.id, {}) for stream in joint.streams]
    corrected: list[Json] = [stream.field for stream, row in zip(joint.streams, rows, strict=True) if row.get("door") == CORRECTION]
    values: list[Json] = [result(row, stream.sort) for stream, row in zip(joint.streams, rows, strict=True)]
    body: dict[str, Json] = {
        "phenomenonTime": newest["time"],
        "resultTime": newest["time"],
        "result": values,
        **(quality(CORRECTION, fields=corrected) if corrected else {}),
        "parameters": marked({"received": newest["received"], "origin": newest["origin"]}),
    }
    key = named(joint.id, parse(str(newest["time"])))
    beside = [about[str(row["id"])] for row in rows if row and str(row["id"]) in about]
    feature = next((one.feature for one in beside if one.feature), joint.thing)
    body = with_said(body, next((one for one in beside if one.said or one.restated), None))
    links = {"MultiDatastream": same(COLUMN, joint.id), "FeatureOfInterest": same("id", feature)}
    return Item("Observations", key, body, links, {"id": key, COLUMN: joint.id})


def named(entity: str, time: Instant) -> str:
    """The id of the Observation of a MultiDatastream."""
    return f"{entity}{_SIGN}{time}"


def place(key: str) -> tuple[str, Instant] | None:
    """The MultiDatastream and the time (µs) of an id; None for what is no such id."""
    entity, sign, time = key.rpartition(_SIGN)
    sound = sign and time.isascii() and time.isdigit() and len(time) < 18
    return (entity, Instant(int(time))) if sound else None
