"""Where something stands, as somebody sends it: GeoJSON (RFC 7946) on WGS 84, kept as it was written, and the point that stands for it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, TypeAlias

import msgspec
import shapely
from msgspec import Meta
from shapely.geometry import shape as of_geojson

from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json

MOST: Final = 10_000
"""Positions of one geometry."""
_Position: TypeAlias = Annotated[list[float], Meta(min_length=2, max_length=3)]
_Line: TypeAlias = Annotated[list[_Position], Meta(min_length=2)]
_Ring: TypeAlias = Annotated[list[_Position], Meta(min_length=4)]
_Rings: TypeAlias = Annotated[list[_Ring], Meta(min_length=1)]
FORMS: Final[Mapping[str, object]] = {
    "Point": _Position,
    "LineString": _Line,
    "Polygon": _Rings,
    "MultiPoint": Annotated[list[_Position], Meta(min_length=1)],
    "MultiLineString": Annotated[list[_Line], Meta(min_length=1)],
    "MultiPolygon": Annotated[list[_Rings], Meta(min_length=1)],
}
"""The kinds of geometry, and of each the coordinates."""
SEVERAL: Final = "GeometryCollection"
"""Of those one or more."""
_KNOWN: Final = (*FORMS, SEVERAL)


def geometry(value: Json) -> Mapping[str, Json] | None:
    """The geometry of GeoJSON, out of its Feature where it is in one; None for anything else."""
    found = value.get("geometry") if isinstance(value, dict) and value.get("type") == "Feature" else value
    kind = found.get("type") if isinstance(found, dict) else None
    return found if isinstance(found, dict) and isinstance(kind, str) and kind in _KNOWN else None


def is_point(value: Json) -> bool:
    """Whether GeoJSON is nothing but the point that rows hold."""
    found = geometry(value)
    return found is None or found["type"] == "Point"


def place(value: Json) -> Place:
    """The point that stands for a geometry: itself, or one on it.

    Raises BadInputError for what is no geometry, coordinates that are none, rings that are open or cross themselves, or too many
    positions.
    """
    found = geometry(value)
    if found is None:
        raise wrong(f"location 须为 GeoJSON 的 {', '.join(_KNOWN)}。", f"location is a GeoJSON {', '.join(_KNOWN)}.", "location")
    parts = [_drawn(part) for part in _members(found)]
    if sum(int(shapely.get_num_coordinates(part)) for part in parts) > MOST:
        raise _bad(f"超过 {MOST} 个点", f"they are more than {MOST} positions")
    drawn = parts[0] if found["type"] != SEVERAL else shapely.GeometryCollection(parts)
    point = drawn if found["type"] == "Point" else shapely.point_on_surface(drawn)
    return Place(float(point.x), float(point.y))


def _members(found: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The geometries of a collection, which holds no other one; of any other geometry itself."""
    if found["type"] != SEVERAL:
        return [found]
    listed = found.get("geometries")
    listed = listed if isinstance(listed, list) else []
    members: list[Mapping[str, Json]] = [one for one in listed if isinstance(one, dict) and one.get("type") in [*FORMS]]
    if not members or len(members) < len(listed):
        raise wrong(
            f"{SEVERAL} 的 geometries 须至少有一个几何，且为 {', '.join(FORMS)}。",
            f"geometries of a {SEVERAL} are one at least, each a {', '.join(FORMS)}.",
            "location",
        )
    return members


def _drawn(found: Mapping[str, Json]) -> shapely.Geometry:
    kind, coordinates = str(found["type"]), found.get("coordinates")
    try:
        msgspec.convert(coordinates, FORMS[kind])
    except msgspec.ValidationError as error:
        raise _bad(f"不是 {kind}", f"they are no {kind}: {error}") from error
    listed = list(_positions(coordinates))
    if len(listed) > MOST:
        raise _bad(f"超过 {MOST} 个点", f"they are more than {MOST} positions")
    if not all(-180 <= lon <= 180 and -90 <= lat <= 90 for lon, lat in listed):
        raise _bad("超出经纬度范围", "they leave the range of longitude and latitude")
    if any(ring[0] != ring[-1] for ring in _rings(kind, coordinates)):
        raise _bad("环没有闭合", "a ring is not closed")
    drawn: shapely.Geometry = of_geojson({"type": kind, "coordinates": coordinates})
    if not drawn.is_valid:
        raise _bad("图形自相交或退化", f"the geometry is not valid: {shapely.is_valid_reason(drawn)}")
    return drawn


def _positions(value: Json) -> Iterator[tuple[float, float]]:
    match value:
        case [int() | float() as lon, int() | float() as lat, *_]:
            yield float(lon), float(lat)
        case list():
            for one in value:
                yield from _positions(one)
        case _:
            return


def _rings(kind: str, coordinates: Json) -> Iterator[list[Json]]:
    groups = [coordinates] if kind == "Polygon" else coordinates if kind == "MultiPolygon" else []
    for rings in groups if isinstance(groups, list) else ():
        for ring in rings if isinstance(rings, list) else ():
            if isinstance(ring, list):
                yield ring


def _bad(zh: str, en: str) -> BadInputError:
    return wrong(
        f"coordinates 有误（{zh}）：须为 [经度, 纬度]，单位为度（WGS 84）。",
        f"The coordinates are wrong ({en}). They are [longitude, latitude] in degrees (WGS 84).",
        "location",
    )
