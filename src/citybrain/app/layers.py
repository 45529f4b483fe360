"""Bringing in a map layer (GeoJSON, RFC 7946): its coordinate system is checked on control points, then each feature by itself."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from citybrain.app.city import City
from citybrain.kernel.coordinates import System, likely, wgs84
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Area, Place, level_of, parent_of
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Field, Kind

AREA = "area"
"""The word for outlines of the district itself, where otherwise the kind of a thing stands."""
_NEAR = 100.0
"""Metres, in the median, that a layer may lie beside its control points; the systems lie 500 m and more apart here."""
_LEAST = 3
"""Control points without which nothing is shown."""
_TITLES = ("title", "name")


class _Feature(msgspec.Struct, frozen=True):
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: dict[str, object] | None = None
    id: str | int | None = None


class _Collection(msgspec.Struct, frozen=True, tag="FeatureCollection", tag_field="type"):
    features: list[_Feature]


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature that can be read: its place in the file from 0, its id, its words and properties, its shape."""

    row: int
    id: str
    title: Text
    properties: Mapping[str, object]
    shape: BaseGeometry


@dataclass(frozen=True, slots=True)
class Refused:
    """A feature that was not taken, and why."""

    row: int
    why: Text


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a layer: ids taken, features refused, metres to the control points, properties of no declared field."""

    taken: tuple[str, ...]
    refused: tuple[Refused, ...]
    metres: float
    aside: tuple[str, ...]


def bring_in(city: City, file: Path, kind: str, system: System, control: Path) -> Report:
    """Enter the features of a layer as things of a kind, or as areas; the same layer again changes nothing.

    Raises BadInputError for a file that cannot be read, an unknown kind, or a layer that does not lie where its control points do:
    then nothing is entered. Features that are wrong by themselves are refused one by one.
    """
    wanted = None if kind == AREA else city.registry.kind(kind)
    found, refused = _read(file)
    metres = _checked(found, _control(control), system, file.name)
    features = [replace(one, shape=turned(one.shape, system)) for one in found]
    made = [_area(one) if wanted is None else _thing(city, one, wanted) for one in features]
    city.areas.put([one for one in made if isinstance(one, Area)])
    city.registry.plant([one for one in made if isinstance(one, Planted)], f"layer:{file.name}", "real", city.clock.city())
    refused += [one for one in made if isinstance(one, Refused)]
    taken = [one.code if isinstance(one, Area) else one.id for one in made if not isinstance(one, Refused)]
    known = {"id", "code", "adcode", "en", *_TITLES, *(() if wanted is None else (field.name for field in wanted.fields))}
    aside = sorted({name for one in features for name in one.properties} - known)
    return Report(tuple(taken), tuple(sorted(refused, key=lambda one: one.row)), metres, tuple(aside))


def turned(shape: BaseGeometry, system: System) -> BaseGeometry:
    """A shape of a declared system in WGS 84."""
    if not shape.is_empty and system in ("GCJ02", "BD09"):
        return shapely.transform(shape, lambda points: np.column_stack(wgs84(points[:, 0], points[:, 1], system)))
    return shape


def _read(file: Path) -> tuple[list[Feature], list[Refused]]:
    try:
        collection = msgspec.json.decode(file.read_bytes(), type=_Collection)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        what = Text(
            f"{file.name} 不是 GeoJSON 要素集合：{error}。", f"{file.name} is no GeoJSON FeatureCollection: {error}. See RFC 7946."
        )
        raise BadInputError(what, file=file.name) from error
    features: list[Feature] = []
    refused: list[Refused] = []
    seen: set[str] = set()
    for row, raw in enumerate(collection.features):
        read = _feature(row, raw)
        if isinstance(read, Feature) and read.id in seen:
            read = Refused(row, Text(f"标识“{read.id}”在本文件中重复", f"the id '{read.id}' stands twice in this file"))
        if isinstance(read, Refused):
            refused.append(read)
        else:
            seen.add(read.id)
            features.append(read)
    return features, refused


def _feature(row: int, raw: _Feature) -> Feature | Refused:
    properties = raw.properties or {}
    name = next((given for key in ("id", "code", "adcode", *_TITLES) if isinstance(given := properties.get(key), str | int)), None)
    identity = raw.id if raw.id is not None else name
    title = next((given for key in _TITLES if isinstance(given := properties.get(key), str) and given.strip()), None)
    if identity is None or title is None:
        return Refused(row, Text("缺少 id 或 name", "it has no id or no name"))
    try:
        shape = None if bytes(raw.geometry) == b"null" else shapely.from_geojson(bytes(raw.geometry))
    except shapely.errors.GEOSException as error:
        return Refused(row, Text(f"几何无法读取：{error}", f"its geometry cannot be read: {error}"))
    if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
        return Refused(row, Text("没有几何", "it has no geometry"))
    if not shape.is_valid:
        why = shapely.is_valid_reason(shape)
        return Refused(row, Text(f"几何不合规：{why}", f"its geometry is not valid: {why}"))
    english = properties.get("en")
    return Feature(row, str(identity), Text(title, english if isinstance(english, str) else title), properties, shape)


def _control(file: Path) -> dict[str, tuple[float, float]]:
    """Control points by id or name: longitude and latitude in WGS 84, surveyed elsewhere."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return {row["id"]: (float(row["lon"]), float(row["lat"])) for row in csv.DictReader(lines)}
    except (OSError, KeyError, ValueError) as error:
        what = Text(
            f"控制点文件 {file.name} 应有 id、lon、lat 三列（WGS 84 度）：{error}。",
            f"{file.name} must have the columns id, lon and lat (WGS 84 degrees): {error}.",
        )
        raise BadInputError(what, file=file.name) from error


def _checked(features: Sequence[Feature], control: Mapping[str, tuple[float, float]], system: System, name: str) -> float:
    """Median distance in metres to the control points; raises BadInputError where the layer lies elsewhere, naming where it fits."""
    pairs = [(one.shape.centroid, control[key]) for one in features for key in (one.id, one.title.zh) if key in control]
    if len(pairs) < _LEAST:
        what = Text(
            f"{name} 只有 {len(pairs)} 个要素有控制点，至少需要 {_LEAST} 个，否则无法核对坐标系。",
            f"Only {len(pairs)} features of {name} have control points; its coordinate system cannot be checked on fewer than {_LEAST}.",
        )
        raise BadInputError(what, file=name, found=len(pairs))
    points, there = shapely.get_coordinates([point for point, _ in pairs]), np.array([place for _, place in pairs])
    distances = likely(points[:, 0], points[:, 1], there[:, 0], there[:, 1])
    best = min(distances, key=lambda one: distances[one])
    own = distances["WGS84" if system == "CGCS2000" else system]
    if own <= _NEAR and own <= distances[best]:
        return own
    fits = distances[best] <= _NEAR
    hint = Text(f"它很可能是 {best}", f"it is probably {best}") if fits else Text("它不合任何已知坐标系", "it fits no known system")
    what = Text(
        f"{name} 按 {system} 读取时偏离控制点 {own:.0f} 米：{hint.zh}。未导入任何要素。",
        f"{name} lies {own:.0f} m beside its control points when read as {system}: {hint.en}. Nothing was imported.",
    )
    raise BadInputError(what, file=name, metres=round(own), declared=system, likely=best if fits else None)


def _area(one: Feature) -> Area | Refused:
    """A feature as an area of the district; its id is the area's code."""
    try:
        level = level_of(one.id)
    except BadInputError as error:
        return Refused(one.row, error.what)
    if one.shape.geom_type not in ("Polygon", "MultiPolygon"):
        return Refused(one.row, Text("区域须为面", "an area must be a polygon"))
    return Area(one.id, level, one.title, parent_of(one.id), shapely.to_wkb(one.shape), "surveyed")


def _thing(city: City, one: Feature, kind: Kind) -> Planted | Refused:
    """A feature as a thing of a kind; it must lie within the district where that has an outline."""
    if kind.place != "point" or one.shape.geom_type != "Point":
        return Refused(one.row, Text("此类对象须为点", "things of this kind are points, and so must the feature be"))
    place = Place(one.shape.x, one.shape.y)
    area = city.areas.area_of(place)
    if area is None and any(known.wkb for known in city.areas.all()):
        return Refused(one.row, Text("位于本区之外", "it lies outside the district"))
    body: dict[str, Json] = {}
    for field in kind.fields:
        given = one.properties.get(field.name)
        if field.measured or given is None:
            continue
        if not isinstance(given, str | int | float) or not _fits(field, given):
            return Refused(
                one.row, Text(f"“{field.title.zh}”的值不合规：{given}", f"the value of '{field.name}' is wrong: {given}")
            )
        body[field.name] = given
    return Planted(one.id, kind.name, one.title, place, area or "", body)


def _fits(field: Field, given: str | float) -> bool:
    low, high = field.range
    if field.unit is not None or field.range != (None, None):
        if isinstance(given, bool) or not isinstance(given, int | float):
            return False
        return (low is None or low <= given) and (high is None or given <= high)
    return not field.choices or given in [word for word, _ in field.choices]
