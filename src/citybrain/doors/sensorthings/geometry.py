"""Geospatial functions of ``$filter`` (OGC 18-088 table 24) on WGS 84 degrees, lon-lat: distances and lengths are in degrees. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
import shapely
from shapely.geometry import shape as of_geojson

from citybrain.brain.observe import MadeThing
from citybrain.doors.sensorthings.nodes import Shape, Value
from citybrain.doors.sensorthings.placing import FORMS, geometry, is_point
from citybrain.kernel.text import Json

_NAMED: Final = 1000
"""Rows that a predicate names one by one."""
_KINDS: Final = frozenset({*FORMS, "GeometryCollection", "LinearRing"})
_FARTHEST: Final = 1e6
"""Of a coordinate: more degrees than anybody counts."""


def shape(value: Value) -> shapely.Geometry | None:
    """A geometry, from WKT or GeoJSON; None for what is neither."""
    if isinstance(value, Shape):
        return value.geometry
    drawn = geometry(value) if isinstance(value, dict) else None
    return None if drawn is None else of_geojson(drawn)


def written(wkt: str) -> shapely.Geometry:
    """A geometry of WKT; raises ValueError for curves, and for coordinates that are none on any earth, or ShapelyError."""
    try:
        # A coordinate that no number holds is infinite: it is refused below.
        with np.errstate(all="ignore"):
            found = shapely.from_wkt(wkt)
    except NotImplementedError as error:
        raise ValueError(wkt) from error
    if found.geom_type not in _KINDS or not (np.abs(shapely.get_coordinates(found)) <= _FARTHEST).all():
        raise ValueError(wkt)
    return found


def outlined(things: Mapping[str, MadeThing], box: tuple[float, float, float, float]) -> tuple[str, ...] | None:
    """The ids of made things whose row's point does not say all of where they are, and one of whose outlines meets a box.

    None for too many of them.
    """
    wanted, found = shapely.box(*box), list[str]()
    for thing in things.values():
        wholes = (shape(drawn) for drawn in _outlines(things, thing))
        if any(whole is not None and shapely.intersects(shapely.envelope(whole), wanted) for whole in wholes):
            found.append(thing.id)
    return tuple(found) if len(found) <= _NAMED else None


def _outlines(things: Mapping[str, MadeThing], thing: MadeThing) -> Iterator[Json]:
    """Where a thing is beside the point of its row: its outline, and where it stands at several Locations, all of them."""
    several = [things[one] for one in thing.locations if one in things] if len(thing.locations) > 1 else []
    for each in several or [thing]:
        drawn = None if each.located is None else each.located.get("location")
        if drawn is not None and (several or not is_point(drawn)):
            yield drawn


def _relation(holds: Callable[[shapely.Geometry, shapely.Geometry], bool]) -> Callable[[tuple[Value, ...]], Value]:
    def work(args: tuple[Value, ...]) -> Value:
        one, two = shape(args[0]), shape(args[1])
        try:
            return None if one is None or two is None else bool(holds(one, two))
        except shapely.errors.ShapelyError:
            return None

    return work


RELATIONS: Final[Mapping[str, Callable[[tuple[Value, ...]], Value]]] = {
    "geo.intersects": _relation(shapely.intersects),
    "st_equals": _relation(shapely.equals),
    "st_disjoint": _relation(shapely.disjoint),
    "st_touches": _relation(shapely.touches),
    "st_within": _relation(shapely.within),
    "st_overlaps": _relation(shapely.overlaps),
    "st_crosses": _relation(shapely.crosses),
    "st_intersects": _relation(shapely.intersects),
    "st_contains": _relation(shapely.contains),
}


def relate(args: tuple[Value, ...]) -> Value:
    """Whether two geometries stand to one another as a DE-9IM pattern says."""
    one, two, pattern = shape(args[0]), shape(args[1]), args[2]
    if one is None or two is None or not isinstance(pattern, str) or len(pattern) != 9 or set(pattern) - set("TF*012"):
        return None
    try:
        return bool(shapely.relate_pattern(one, two, pattern))
    except shapely.errors.ShapelyError:
        return None


def distance(args: tuple[Value, ...]) -> Value:
    """How far two geometries lie apart, in degrees."""
    one, two = shape(args[0]), shape(args[1])
    found = None if one is None or two is None else float(shapely.distance(one, two))
    # To what is empty there is no distance.
    return None if found is None or math.isnan(found) else found


def length(args: tuple[Value, ...]) -> Value:
    """How long a line is, in degrees."""
    one = shape(args[0])
    return None if one is None else float(shapely.length(one))
