"""What a map shows: areas, things, the layers over them, and the levels by which they are coloured. Data alone."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text

Ring: TypeAlias = tuple[tuple[float, float], ...]


class Level(msgspec.Struct, frozen=True):
    """A step of a graded scale, always shown with its word; ``colour`` is #rrggbb, from the scale's own standard."""

    rank: int
    title: Text
    colour: str
    span: str = ""
    """The values of the step, such as ``51-100``."""


class Mark(msgspec.Struct, frozen=True):
    """How many things of a layer stand in an area, in the colour of the most urgent: of its ``level``, or its ``grade``."""

    layer: str
    look: Literal["points", "cases", "reports", "alerts"]
    count: int
    level: Level | None = None
    grade: int | None = None


class Shape(msgspec.Struct, frozen=True):
    """An area on a map: outer rings then holes, each a closed ring of (lon, lat) in degrees."""

    id: str
    title: Text
    rings: tuple[Ring, ...]
    value: str = ""
    level: Level | None = None
    href: str = ""
    reason: Text | None = None
    marks: tuple[Mark, ...] = ()
    """What the district's view says in one line instead of drawing each thing."""


class Point(msgspec.Struct, frozen=True):
    """A thing on a map; ``grade`` 1-4 marks an open alert there."""

    id: str
    title: Text
    lon: float
    lat: float
    value: str = ""
    level: Level | None = None
    grade: int | None = None
    href: str = ""
    at: Instant | None = None
    reason: Text | None = None
    count: int = 1
    """How many things stand at this place."""
    area: str = ""
    """The drawn area whose ``marks`` count it; such a thing is drawn itself only from near."""


class MapLayer(msgspec.Struct, frozen=True):
    """A layer over a map that a reader may take away; ``look`` says how its points are drawn: dots, cases (◆), reports (■) or alerts (▲)."""

    name: str
    title: Text
    look: Literal["points", "cases", "reports", "alerts"]
    points: tuple[Point, ...]
    src: str
    levels: tuple[Level, ...] = ()
    note: Text | None = None


class Map(msgspec.Struct, frozen=True):
    """A map and the same places as a list.

    With ``tiles`` true only a schematic of equal tiles is drawn and no coordinate leaves the server (no approval number).
    ``src`` are GeoJSON layers for the interactive map, ``look:layer|/path`` each (look: areas, sites, points, cases, alerts); it
    takes from each feature ``id``, ``title`` (or ``title_en``), ``value``, ``level`` (word), ``colour``, ``grade``, ``count``, ``area``, ``href``,
    and from an area ``<layer>_count``, ``<layer>_colour`` and ``<layer>_grade`` of its marks.
    """

    name: str
    title: Text
    shapes: tuple[Shape, ...] = ()
    points: tuple[Point, ...] = ()
    levels: tuple[Level, ...] = ()
    measure: Text | None = None
    """What value is coloured."""
    tiles: bool = False
    approval: str = ""
    src: tuple[str, ...] = ()
    layers: tuple[MapLayer, ...] = ()
    reason: Text | None = None
    demo: bool = False
