"""A seeded partition of a polygon into nested blocks that tile it, cut along straight lines as streets cut a town. Pure."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

Polygon: TypeAlias = shapely.Polygon
Line: TypeAlias = NDArray[np.float64]
Blocks: TypeAlias = tuple[Polygon, ...]
Nested: TypeAlias = tuple[tuple[Blocks, ...], ...]
"""Blocks (grids) in communities in subdistricts."""

_METRES_PER_DEGREE = 111_195.08
"""On a sphere of mean radius 6 371 008.8 m."""
_SNAP = 0.01
"""Metres; vertices lie on this raster, so that neighbours share theirs exactly."""
_CLOSE = 0.02
"""How far a cut may miss the share it aims at."""
_TURNS = (0.0, 90.0, 20.0, -20.0, 45.0, -45.0, 70.0, -70.0)
"""Degrees by which a cut is turned, one after the other, until it leaves two whole pieces."""


def partition(shape: Polygon, communities: Sequence[int], side: float, rng: np.random.Generator) -> Nested:
    """Cut a polygon (WGS 84 degrees) into subdistricts of so many communities each, and those into blocks of about side metres.

    The blocks are a coverage: they share their edges vertex by vertex, leave no gap and do not overlap. Pieces of one parent are
    ordered from north to south in rows, and from west to east within a row (the numbering of unit grids). Raises ValueError
    where a piece cannot be kept whole.
    """
    plane = _to_metres(shape)
    leaves, labels = _leaves(plane, communities, side, rng)
    faces = _faces(leaves)
    grown: dict[tuple[int, int], list[Polygon]] = {}
    for label, face in zip(labels, _to_degrees(faces, shape), strict=True):
        grown.setdefault(label, []).append(face)
    subdistricts = []
    for number in range(len(communities)):
        own = [blocks for (subdistrict, _), blocks in grown.items() if subdistrict == number]
        ordered = [tuple(blocks[at] for at in reading_order(blocks)) for blocks in own]
        subdistricts.append(tuple(ordered[at] for at in reading_order([merged(blocks) for blocks in ordered])))
    outlines = [merged([block for blocks in parts for block in blocks]) for parts in subdistricts]
    return tuple(subdistricts[at] for at in reading_order(outlines))


def merged(blocks: Sequence[Polygon]) -> Polygon:
    """The outline of blocks of one coverage; raises ValueError where they do not hang together."""
    union = shapely.coverage_union_all(np.array(blocks))
    parts = shapely.get_parts(union)
    if len(parts) != 1 or not isinstance(parts[0], shapely.Polygon):
        message = "The blocks do not hang together: cut the shape with another seed, or simplify it."
        raise ValueError(message)
    return parts[0]


def reading_order(polygons: Sequence[Polygon]) -> list[int]:
    """Indexes of polygons in rows from north to south, from west to east within a row; a row is as high as a piece is wide."""
    middles = shapely.get_coordinates(shapely.centroid(np.array(polygons)))
    row = float(np.sqrt(np.mean(shapely.area(np.array(polygons)))))
    rows = np.floor((middles[:, 1].max() - middles[:, 1]) / row + 0.5)
    return [int(at) for at in np.lexsort((middles[:, 0], rows))]


def _leaves(
    plane: Polygon, communities: Sequence[int], side: float, rng: np.random.Generator
) -> tuple[list[Polygon], list[tuple[int, int]]]:
    leaves: list[Polygon] = []
    labels: list[tuple[int, int]] = []
    subdistricts = _split(plane, [count * rng.uniform(0.8, 1.2) for count in communities], rng)
    for number, (subdistrict, count) in enumerate(zip(subdistricts, communities, strict=True)):
        for serial, community in enumerate(_split(subdistrict, list(rng.uniform(0.7, 1.3, count)), rng)):
            blocks = _split(community, list(rng.uniform(0.6, 1.4, max(1, round(community.area / side**2)))), rng)
            leaves += blocks
            labels += [(number, serial)] * len(blocks)
    return leaves, labels


def _split(polygon: Polygon, weights: Sequence[float], rng: np.random.Generator) -> list[Polygon]:
    """Cut in two, and each again, until there is a piece for every weight; areas go by the weights."""
    if len(weights) == 1:
        return [polygon]
    half = len(weights) // 2
    one, other = _cut(polygon, sum(weights[:half]) / sum(weights), rng)
    return _split(one, weights[:half], rng) + _split(other, weights[half:], rng)


def _cut(polygon: Polygon, share: float, rng: np.random.Generator) -> tuple[Polygon, Polygon]:
    """Cut a polygon across its longer axis, a little askew, so that the first piece has a share of its area."""
    axis = _axis(polygon) + np.radians(rng.normal(0.0, 4.0))
    for turn in _TURNS:
        one, other = _halves(polygon, share, axis + np.radians(turn))
        if isinstance(one, shapely.Polygon) and isinstance(other, shapely.Polygon):
            return one, other
    message = "A piece cannot be cut into two whole ones: take another seed, or simplify the shape."
    raise ValueError(message)


def _axis(polygon: Polygon) -> float:
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon))
    edges = np.diff(corners[:3], axis=0)
    longer = edges[int(np.argmax(np.hypot(edges[:, 0], edges[:, 1])))]
    return float(np.arctan2(longer[1], longer[0]))


def _halves(polygon: Polygon, share: float, angle: float) -> tuple[shapely.Geometry, shapely.Geometry]:
    along = np.array([np.cos(angle), np.sin(angle)])
    reach = shapely.get_coordinates(polygon) @ along
    low, high, below = float(reach.min()), float(reach.max()), 0.0
    above, area = 1.0, polygon.area
    for _ in range(12):
        # Regula falsi, kept off the ends: areas grow almost evenly along the axis, so two or three steps do.
        at = low + (high - low) * min(0.9, max(0.1, (share - below) / (above - below)))
        half = _half_plane(polygon, along, at)
        found = shapely.area(shapely.intersection(polygon, half)) / area
        if abs(found - share) < _CLOSE:
            break
        if found < share:
            low, below = at, found
        else:
            high, above = at, found
    return shapely.intersection(polygon, half), shapely.difference(polygon, half)


def _half_plane(polygon: Polygon, along: Line, at: float) -> Polygon:
    """The side of a line (points p with p · along <= at), as a square larger than the polygon."""
    west, south, east, north = shapely.bounds(polygon)
    size = 2.0 * (east - west + north - south)
    across = np.array([-along[1], along[0]])
    middle = np.array([(west + east) / 2.0, (south + north) / 2.0])
    foot = middle + (at - float(middle @ along)) * along
    return shapely.Polygon(
        [foot + across * size, foot - across * size, foot - (across + along) * size, foot + (across - along) * size]
    )


def _faces(leaves: Sequence[Polygon]) -> list[Polygon]:
    """The leaves with their edges noded together: one whole face for each leaf, in order."""
    lines = shapely.union_all(shapely.get_exterior_ring(np.array(leaves)), grid_size=_SNAP)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    tree = shapely.STRtree(np.array(leaves))
    owner = tree.nearest(shapely.point_on_surface(faces))
    gathered: list[list[Polygon]] = [[] for _ in leaves]
    for face, leaf in zip(faces, owner, strict=True):
        gathered[int(leaf)].append(face)
    return [merged(parts) for parts in gathered]


def _scale(latitude: float) -> NDArray[np.float64]:
    return np.array([_METRES_PER_DEGREE * np.cos(np.radians(latitude)), _METRES_PER_DEGREE])


def _to_metres(shape: Polygon) -> Polygon:
    middle = shapely.get_coordinates(shape.centroid)[0]
    flat = shapely.transform(shape, lambda degrees: (degrees - middle) * _scale(middle[1]))
    return shapely.Polygon(shapely.get_coordinates(flat))


def _to_degrees(faces: Sequence[Polygon], shape: Polygon) -> list[Polygon]:
    middle = shapely.get_coordinates(shape.centroid)[0]
    return list(shapely.transform(np.array(faces), lambda metres: metres / _scale(middle[1]) + middle))
