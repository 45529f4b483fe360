"""Map layers as GeoJSON (RFC 7946): areas with a figure, things with their latest values; coordinates rounded to about a metre.

The public variant gives no geometry at all until the district has a map approval number (审图号): pages then show a schematic
of areas by name (自然资规〔2023〕2号).
"""

from collections.abc import Mapping, Sequence
from math import isnan

import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from citybrain.kernel.datasets import Figure
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.places import Area
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Entity

DECIMALS = 5
"""1e-5 degrees, at most 1.2 m here."""
Collection = dict[str, Json]


def areas(given: Sequence[Area], figures: Sequence[Figure] = ()) -> Collection:
    """Areas as polygons, each with the figures of its code by indicator."""
    by_area: dict[str, dict[str, Json]] = {}
    for figure in figures:
        if figure.area is not None:
            by_area.setdefault(figure.area, {})[figure.indicator] = _figure(figure)
    return _collection([_area(area, by_area.get(area.code, {})) for area in given])


def things(given: Sequence[Entity], streams: pa.Table) -> Collection:
    """Entities as points, each with the latest value of every field; streams as in tables.STREAM."""
    values: dict[str, dict[str, Json]] = {}
    for row in streams.to_pylist():
        values.setdefault(str(row["entity"]), {})[str(row["field"])] = _value(row)
    return _collection([_thing(entity, values.get(entity.id, {})) for entity in given])


def public(layer: Collection, approval_number: str) -> Collection:
    """The layer for anyone: as it is with a map approval number, without any geometry while there is none."""
    features = layer["features"]
    if approval_number or not isinstance(features, list):
        return {**layer, "approval_number": approval_number}
    bare: list[Json] = [{**one, "geometry": None} for one in features if isinstance(one, dict)]
    return {**layer, "features": bare, "note": _words(Text("示意，不含地理位置", "Schematic, without positions"))}


def _area(area: Area, figures: dict[str, Json]) -> dict[str, Json]:
    said: dict[str, Json] = {
        "code": area.code,
        "level": area.level,
        "name": _words(area.name),
        "parent": area.parent,
        "origin": area.origin,
        "figures": figures,
    }
    return _feature(area.code, shapely.from_wkb(area.wkb) if area.wkb else None, said)


def _thing(entity: Entity, values: dict[str, Json]) -> dict[str, Json]:
    said: dict[str, Json] = {
        "kind": entity.kind,
        "title": _words(entity.title),
        "area": entity.area,
        "origin": entity.origin,
        "demo": entity.origin != "real",
        "values": values,
    }
    point = None if entity.place is None else shapely.Point(entity.place.lon, entity.place.lat)
    return _feature(entity.id, point, said)


def _feature(key: str, shape: BaseGeometry | None, said: dict[str, Json]) -> dict[str, Json]:
    return {"type": "Feature", "id": key, "geometry": None if shape is None else _geometry(shape), "properties": said}


def _geometry(shape: BaseGeometry) -> Json:
    mapped: Mapping[str, object] = shapely.geometry.mapping(shape)
    return {"type": str(mapped["type"]), "coordinates": _rounded(mapped["coordinates"])}


def _rounded(part: object) -> Json:
    if isinstance(part, int | float):
        return round(float(part), DECIMALS)
    return [_rounded(inner) for inner in part] if isinstance(part, tuple | list) else None


def _value(row: Mapping[str, object]) -> Json:
    time, value, life = row["time"], row["value"], row["life"]
    return {
        "value": value if isinstance(value, float) and not isnan(value) else None,
        "unit": str(row["unit"]),
        "time": rfc3339(Instant(time)) if isinstance(time, int) else None,
        "life": str(life),
    }


def _figure(figure: Figure) -> Json:
    reason = None if figure.reason is None else _words(figure.reason)
    return {"value": figure.value, "unknown": figure.unknown, "reason": reason, "as_of": rfc3339(figure.as_of)}


def _words(text: Text) -> dict[str, Json]:
    return {"zh": text.zh, "en": text.en}


def _collection(features: list[dict[str, Json]]) -> Collection:
    listed: list[Json] = [*features]
    return {"type": "FeatureCollection", "features": listed}
