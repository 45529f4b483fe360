"""Map images: shapes and points in degrees become SVG paths, or a schematic of equal tiles without any coordinate."""

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from citybrain.web.map_views import Level, Map, MapLayer, Point, Ring, Shape

_WIDTH, _HEIGHT, _MARGIN = 800.0, 560.0, 14.0
_TILE, _GAP = 104.0, 8.0


class Area(msgspec.Struct, frozen=True):
    """A drawn area: an SVG path with the place of its label."""

    id: str
    path: str
    x: float
    y: float
    shape: Shape


class Dot(msgspec.Struct, frozen=True):
    """A drawn point."""

    x: float
    y: float
    point: Point


class Over(msgspec.Struct, frozen=True):
    """A layer over the map, drawn."""

    layer: MapLayer
    dots: tuple[Dot, ...]


class Picture(msgspec.Struct, frozen=True):
    """A drawn map in its own units, ready for a template."""

    width: float
    height: float
    areas: tuple[Area, ...]
    dots: tuple[Dot, ...]
    layers: tuple[Over, ...] = ()
    degrees: tuple[float, float, float, float] | None = None
    """Longitude and latitude at (0, 0), and degrees for a step to the right and down; None for a schematic."""


def draw(view: Map) -> Picture:
    """Draw a map: a schematic of tiles where ``tiles`` is set, otherwise the shapes as they lie."""
    return _tiles(view) if view.tiles else _plan(view)


def ink(level: Level | None) -> Literal["dark", "light"]:
    """Whether dark or light letters stand out on a level's colour (WCAG relative luminance)."""
    if level is None:
        return "dark"
    red, green, blue = (_linear(int(level.colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "dark" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "light"


def middle(rings: Sequence[Ring]) -> tuple[float, float]:
    """The centre of gravity of the largest ring, in degrees."""
    ring = max(rings, key=lambda candidate: abs(_twice_area(candidate)))
    double = _twice_area(ring)
    if abs(double) < 1e-15:
        return ring[0]
    x = y = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(ring):
        cross = x0 * y1 - x1 * y0
        x += (x0 + x1) * cross
        y += (y0 + y1) * cross
    return x / (3 * double), y / (3 * double)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _twice_area(ring: Ring) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in itertools.pairwise(ring))


class _Projection(msgspec.Struct, frozen=True):
    """Equirectangular, with degrees of longitude shortened by the cosine of the middle latitude."""

    west: float
    north: float
    squeeze: float
    scale: float

    def to(self, lon: float, lat: float) -> tuple[float, float]:
        x = (lon - self.west) * self.squeeze * self.scale + _MARGIN
        return round(x, 1), round((self.north - lat) * self.scale + _MARGIN, 1)


def _plan(view: Map) -> Picture:
    spots = [spot for shape in view.shapes for ring in shape.rings for spot in ring]
    spots += [(point.lon, point.lat) for point in view.points]
    # A thing outside the district must not shrink it to a speck: layers widen the picture only where there is nothing else.
    spots = spots or [(point.lon, point.lat) for layer in view.layers for point in layer.points]
    if not spots:
        return Picture(_WIDTH, _HEIGHT, (), ())
    west, east = min(lon for lon, _ in spots), max(lon for lon, _ in spots)
    south, north = min(lat for _, lat in spots), max(lat for _, lat in spots)
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, high = max((east - west) * squeeze, 1e-4), max(north - south, 1e-4)
    scale = min((_WIDTH - 2 * _MARGIN) / wide, (_HEIGHT - 2 * _MARGIN) / high)
    projection = _Projection(west, north, squeeze, scale)
    areas = tuple(_area(view, shape, projection) for shape in view.shapes)
    layers = tuple(Over(layer, _dots(layer.points, projection)) for layer in view.layers)
    width, height = round(wide * scale + 2 * _MARGIN, 1), round(high * scale + 2 * _MARGIN, 1)
    across, down = 1 / (squeeze * scale), -1 / scale
    degrees = (west - _MARGIN * across, north - _MARGIN * down, across, down)
    return Picture(width, height, areas, _dots(view.points, projection), layers, degrees)


def _dots(points: Sequence[Point], projection: _Projection) -> tuple[Dot, ...]:
    return tuple(Dot(*projection.to(point.lon, point.lat), point) for point in points)


def _area(view: Map, shape: Shape, projection: _Projection) -> Area:
    path = "".join(_path([projection.to(*spot) for spot in ring]) for ring in shape.rings)
    x, y = projection.to(*middle(shape.rings))
    return Area(f"{view.name}-{shape.id}", path, x, y, shape)


def _path(spots: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in spots) + "Z"


def _tiles(view: Map) -> Picture:
    seats = seats_for([(shape.id, *middle(shape.rings)) for shape in view.shapes])
    step = _TILE + _GAP
    areas = []
    for shape in view.shapes:
        column, row = seats[shape.id]
        x, y = column * step + _GAP, row * step + _GAP
        path = f"M{x:g} {y:g}h{_TILE:g}v{_TILE:g}h-{_TILE:g}Z"
        areas.append(Area(f"{view.name}-{shape.id}", path, x + _TILE / 2, y + _TILE / 2, shape))
    columns = max((seat[0] for seat in seats.values()), default=0) + 1
    rows = max((seat[1] for seat in seats.values()), default=0) + 1
    return Picture(columns * step + _GAP, rows * step + _GAP, tuple(areas), ())


def seats_for(places: Sequence[tuple[str, float, float]]) -> dict[str, tuple[int, int]]:
    """Give each place (id, lon, lat) a (column, row): rows from north to south, within a row from west to east.

    Rows are as equal as can be and never leave a hole, so that the schematic shows only who lies north or west of whom.
    """
    count = len(places)
    if count == 0:
        return {}
    rows = max(1, round(math.sqrt(count * 0.75)))
    ordered = sorted(places, key=lambda place: (-place[2], place[0]))
    seats: dict[str, tuple[int, int]] = {}
    for row in range(rows):
        band = ordered[round(row * count / rows) : round((row + 1) * count / rows)]
        for column, place in enumerate(sorted(band, key=lambda entry: (entry[1], entry[0]))):
            seats[place[0]] = (column, row)
    return seats
