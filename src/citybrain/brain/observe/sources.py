"""What observe puts into the catalogue: entity, stream, area, observation and each declared kind, with the sources of their rows."""

from collections.abc import Callable, Iterable, Mapping

import msgspec
import numpy as np
from sqlalchemy import Connection

from citybrain.brain.observe import shelves
from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.memory import Cells, Memory
from citybrain.brain.observe.observed import Observed
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.streams import Streams
from citybrain.kernel.listing import Listing
from citybrain.kernel.ports import Series, Source, Transactions


def sources(
    transactions: Transactions[Connection],
    registry: Registry,
    latest: Latest,
    series: Series,
    deletions: Callable[[], Iterable[Cells]] = tuple,
) -> Mapping[str, Source]:
    """The sources of all datasets of observe by name; ``deletions`` gives the rows of what was deleted, none where nothing is."""
    kinds: dict[str, Source] = {
        kind.name: Memory(shelves.of_kind(kind, None), _kind_rows(registry, latest, kind.name)) for kind in registry.kinds()
    }
    own: dict[str, Source] = {
        "entity": Listing(transactions.ask, shelves.ENTITY, "entity", _ENTITY, ("valid_from", "id", "kind")),
        "area": Listing(transactions.ask, shelves.AREA, "area", _AREA, ("code", "level")),
        "stream": Streams(registry, latest),
        "observation": Observed(registry, series, latest, shelves.OBSERVATION),
        "deletion": Memory(shelves.DELETION, deletions),
    }
    return kinds | own


_ENTITY = {
    "id": "id",
    "kind": "kind",
    "title": "title",
    "lon": "lon",
    "lat": "lat",
    "area": "area_id",
    "h3_9": "h3_9",
    "body": "body",
    "version": "version",
    "valid_from": "valid_from",
    "valid_to": "valid_to",
    "origin": "origin",
    "location": "location",
}
_AREA = {"code": "code", "level": "level", "name": "name", "parent": "parent", "origin": "origin"}


def _kind_rows(registry: Registry, latest: Latest, kind: str) -> Callable[[], Iterable[Cells]]:
    fields = registry.kind(kind).fields

    def rows() -> Iterable[Cells]:
        entities = registry.entities(kind)
        numbers = registry.stream_numbers()
        streams = [numbers[f"{entity.id}.{field.name}"] for entity in entities for field in fields if field.measured]
        readings = iter(latest.table(np.array(streams, np.int32)).to_pylist() if streams else [])
        for entity in entities:
            place = entity.place
            row: Cells = {
                "id": entity.id,
                "title": msgspec.to_builtins(entity.title),
                "lon": None if place is None else place.lon,
                "lat": None if place is None else place.lat,
                "area": entity.area,
                "origin": entity.origin,
            }
            for field in fields:
                if not field.measured:
                    row[field.name] = entity.body.get(field.name)
                    continue
                reading = next(readings)
                row[field.name] = reading["value"]
                row[f"{field.name}_time"], row[f"{field.name}_life"] = reading["time"], reading["life"]
            yield row

    return rows
