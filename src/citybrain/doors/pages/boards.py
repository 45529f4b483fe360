"""A pack's board on a page: its entities now, on their scale, area by area, with the figure of the district and its outlook."""

from functools import lru_cache

import msgspec
import numpy as np
from shapely import from_wkb
from shapely.geometry import MultiPolygon, Polygon

from citybrain.doors.pages import charts, figures
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.together import Seen, look
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.pack import Board
from citybrain.kernel.pack import Level as Step
from citybrain.kernel.places import Area
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import LIFE_WORDS, Entity, Life
from citybrain.kernel.units import UNITS
from citybrain.web.map_views import Level, Map, Point, Ring, Shape
from citybrain.web.views import Chart, Figure, Place, Topic

_UNSURVEYED = Text("各街道尚未录入测绘边界", "no outline of a subdistrict has been entered yet")
_BASE = (("areas", "areas"), ("sites", "points"))
"""How a board is drawn: its areas coloured, its points as small marks that cover no words."""
_OWN = Text("本区登记的监测点实时上报", "reported by the stations that this district has registered")
"""The origin of readings where nothing is replayed: what a pack names is where its demonstration comes from."""
_NO_STATION = Text("无监测点", "no station")


def topic(parts: PageParts, caller: Caller, board: Board) -> Topic:
    """The board as a public matter: figure, advice, places, a schematic map, the outlook of the worst place."""
    headline = district(parts, board)
    if not parts.policy.decide(Ask(caller, "figure.read", "figure")).allowed:
        headline = msgspec.structs.replace(headline, href="")
    step = None if headline.value is None else board.level(headline.value)
    seen = look(parts, board)
    return Topic(
        name=board.kind,
        title=board.title,
        figure=headline,
        hint=board.hint,
        advice=None if step is None else step.advice,
        detail=None,
        places=tuple(_place(parts, seen, area) for area in parts.areas.subdistricts()),
        map=overview(parts, seen, public=True),
        chart=outlook(parts, caller, seen),
        basis=board.basis,
        source=_OWN if parts.demo is None else board.source,
    )


def district(parts: PageParts, board: Board) -> Figure:
    """The district's figure of a board."""
    known = () if board.indicator is None else parts.indicators.of(board.indicator)
    found = next((one for one in known if one.area is None), None)
    if found is None:
        reason = Text("尚未计算", "not computed yet")
        return Figure(board.kind, board.title, None, same(""), None, reason=reason, demo=parts.demo is not None)
    card = figures.card(parts, found)
    return card if card.value is None else msgspec.structs.replace(card, level=level(board.level(card.value)))


def overview(parts: PageParts, seen: Seen, *, public: bool) -> Map:
    """The district on the board's scale; without an approval number the public sees tiles and no coordinate."""
    board, schematic = seen.board, public and not parts.map_approval
    shapes = tuple(_shape(seen, area) for area in parts.areas.subdistricts() if area.wkb)
    points = () if schematic else tuple(_point(seen, entity) for entity in seen.entities if entity.place is not None)
    return Map(
        name=board.kind,
        title=Text(f"{board.title.zh}分布", f"{board.title.en} by place") if public else board.title,
        shapes=shapes,
        points=points,
        levels=tuple(_level(step) for step in board.levels),
        measure=seen.kind.field(board.field).title,
        tiles=schematic,
        approval=parts.map_approval,
        src=() if schematic else tuple(f"{look}:base|/layers/{board.kind}/{file}.geojson" for look, file in _BASE),
        reason=_UNSURVEYED,
        demo=parts.demo is not None,
    )


def outlook(parts: PageParts, caller: Caller, seen: Seen) -> Chart:
    """The forecast of the entity that reads highest now: the place that needs looking at."""
    here, board = worst_first(seen), seen.board
    if not here:
        return Chart(board.kind, board.title, same(""), (), reason=_NO_STATION)
    return charts.outlook(parts, caller, board, here[0])


def worst_first(seen: Seen) -> tuple[Entity, ...]:
    """The entities of a board, the highest live reading first, those without one last."""

    def rank(entity: Entity) -> tuple[float, str]:
        value = seen.reading(entity)[0]
        return (np.inf if value is None else -value, entity.id)

    return tuple(sorted(seen.entities, key=rank))


def level(step: Step | None) -> Level | None:
    """A step of the scale as a view."""
    return None if step is None else _level(step)


def _level(step: Step) -> Level:
    span = f"{step.low:g}-{step.high:g}" if np.isfinite(step.high) else f"≥ {step.low:g}"
    return Level(step.rank, step.title, step.colour, span)


def _place(parts: PageParts, seen: Seen, area: Area) -> Place:
    board, here = seen.board, seen.of_area(area)
    if not here:
        return Place(
            Figure(area.code, area.name, None, same(""), None, life="never", reason=_NO_STATION, demo=parts.demo is not None)
        )
    entity, now = here[0], seen.together(here)
    sign = UNITS[parts.registry.stream(f"{entity.id}.{board.field}").unit].sign
    figure = Figure(
        name=entity.id,
        title=area.name,
        value=now.value,
        unit=Text(sign, sign),
        at=now.at,
        life=now.life.value,
        since=None if now.value is not None or now.life is Life.CLOSED else now.at,
        reason=None if now.value is not None else LIFE_WORDS[now.life],
        level=None if now.value is None else level(board.level(now.value)),
        demo=entity.origin != "real",
    )
    return Place(figure, seen.detail(here, now.unknown))


def _shape(seen: Seen, area: Area) -> Shape:
    board, here = seen.board, seen.of_area(area)
    now = seen.together(here) if here else None
    value = None if now is None else now.value
    dead = None if value is not None else _NO_STATION if now is None else LIFE_WORDS[now.life]
    return Shape(
        id=area.code,
        title=area.name,
        rings=rings(area),
        value="" if value is None else f"{value:.0f}",
        level=None if value is None else level(board.level(value)),
        reason=dead,
    )


def _point(seen: Seen, entity: Entity) -> Point:
    value, life, at = seen.reading(entity)
    lon, lat = (0.0, 0.0) if entity.place is None else (entity.place.lon, entity.place.lat)
    return Point(
        id=entity.id,
        title=entity.title,
        lon=lon,
        lat=lat,
        value="" if value is None else f"{value:.0f}",
        level=None if value is None else level(seen.board.level(value)),
        at=at,
        reason=None if value is not None else LIFE_WORDS[life],
    )


def rings(area: Area) -> tuple[Ring, ...]:
    """The outline of an area: outer rings, then holes."""
    return _outline(area.wkb)


@lru_cache(maxsize=512)
def _outline(wkb: bytes) -> tuple[Ring, ...]:
    shape = from_wkb(wkb)
    parts = shape.geoms if isinstance(shape, MultiPolygon) else (shape,) if isinstance(shape, Polygon) else ()
    return tuple(tuple((float(x), float(y)) for x, y in ring.coords) for part in parts for ring in (part.exterior, *part.interiors))
