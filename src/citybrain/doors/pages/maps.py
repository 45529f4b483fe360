"""The cockpit's map: the first board coloured by subdistrict, and over it every other board, open reports, cases and alerts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from citybrain.doors.pages import boards, rows
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.together import look
from citybrain.kernel.access import Caller, Order, Query
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.pack import Board
from citybrain.kernel.predicate import And, Compare, Not, Predicate
from citybrain.kernel.text import Text
from citybrain.web.map_views import Level, Map, MapLayer, Mark, Point, Shape

Noun: TypeAlias = Callable[[PageParts, Caller], MapLayer]
MOST: Final = 300
"""Things of a layer at most: the most urgent ones."""
_OPEN: Final = Compare("state", "in", ("reported", "filed", "assigned", "handling", "finished"))
PLACED: Final = Compare("lon", "ge", -180.0)
_REPORTED: Final = And((Compare("cause", "ge", "report:"), Compare("cause", "lt", "report;")))
"""Cases that people reported, by the beginning of what caused them."""
_REPORTS, _CASES = Text("市民上报", "Reports by citizens"), Text("其他在办案件", "Other open cases")
LATE: Final = Level(1, Text("超期", "Overdue"), "#A61B1B")
SOON: Final = Level(2, Text("24小时内到期", "Due within 24 h"), "#B84E05")
CALM: Final = Level(3, Text("期限内", "In time"), "#12507B")
URGENCIES: Final = (LATE, SOON, CALM)
CLOSED: Final = Level(4, Text("已结案", "Closed"), "#515C68")
_NO_LAYER: Final = Text("没有可显示的图层", "no layer to show")


def overview(parts: PageParts, caller: Caller) -> Map:
    """The whole map as a caller may see it."""
    shown = parts.boards("cockpit")
    base = (
        boards.overview(parts, look(parts, shown[0]), public=False) if shown else Map("district", parts.district, reason=_NO_LAYER)
    )
    told = tuple(noun(parts, caller, name) for name in nouns(parts))
    shapes = tuple(msgspec.structs.replace(shape, marks=marks(shape, told)) for shape in base.shapes)
    layers = (*(board_layer(parts, board) for board in shown[1:]), *told)
    sources = tuple(f"{layer.look}:{layer.name}|{layer.src}" for layer in layers)
    return msgspec.structs.replace(base, shapes=shapes, layers=layers, src=(*base.src, *sources) if base.src else ())


def nouns(parts: PageParts) -> Mapping[str, Noun]:
    """What makes the layers of things that people handle, by name, in the order in which they lie."""
    reported: dict[str, Noun] = {"report": reports} if parts.reports.forms else {}
    return {"case": cases, **reported, "alert": alerts}


def noun(parts: PageParts, caller: Caller, name: str) -> MapLayer:
    """One of them alone, each thing with the subdistrict that counts it."""
    drawn = [area.code for area in parts.areas.subdistricts() if area.wkb] if parts.boards("cockpit") else []
    return within(nouns(parts)[name](parts, caller), drawn)


def board_layer(parts: PageParts, board: Board) -> MapLayer:
    """A further board as points in the colours of its scale."""
    view = boards.overview(parts, look(parts, board), public=False)
    return MapLayer(
        board.kind,
        board.title,
        "points",
        view.points,
        f"/layers/{board.kind}/points.geojson",
        view.levels,
        None if view.points else view.reason,
    )


def cases(parts: PageParts, caller: Caller) -> MapLayer:
    """Open cases that nobody reported and that have a place, by urgency."""
    return _cases(parts, caller, "case", _CASES, Not(_REPORTED))


def reports(parts: PageParts, caller: Caller) -> MapLayer:
    """Open cases that people reported and that have a place, by urgency; each opens to its case."""
    return _cases(parts, caller, "report", _REPORTS, _REPORTED)


def _cases(parts: PageParts, caller: Caller, name: Literal["case", "report"], title: Text, which: Predicate) -> MapLayer:
    """Those at one place are one mark with their number. The placed are asked for alone only where not all open cases fit."""
    whole = rows.read(parts, caller, Query("case", And((_OPEN, which)), Order("due"), MOST, count=True))
    if whole.next is None:
        shown = tuple(row for row in whole.rows if row["lon"] is not None)
        count, here = len(whole.rows), len(shown)
    else:
        found = rows.read(parts, caller, Query("case", And((_OPEN, PLACED, which)), Order("due"), MOST, count=True))
        shown, count, here = found.rows, whole.total or 0, found.total or 0
    note = Text(
        f"在办{count}件，其中{here}件有位置" + (f"，图上为最紧迫的{MOST}件" if here > MOST else ""),
        f"{count} open, {here} of them with a place" + (f"; the {MOST} most urgent are shown" if here > MOST else ""),
    )
    points = gathered(parts, shown)
    look: Literal["cases", "reports"] = "cases" if name == "case" else "reports"
    return MapLayer(name, title, look, points, f"/layers/{name}/points.geojson", URGENCIES, note)


def alerts(parts: PageParts, caller: Caller) -> MapLayer:
    """Open alerts that have a place, ringed in the colour of their grade."""
    where = And((Compare("state", "eq", "open"), PLACED))
    found = rows.read(parts, caller, Query("alert", where, Order("began", descending=True), MOST))
    points = tuple(
        Point(
            id=str(row["id"]),
            title=rows.words(row["because"]),
            lon=rows.number(row["lon"]) or 0.0,
            lat=rows.number(row["lat"]) or 0.0,
            grade=int(rows.number(row["grade"]) or 4),
            href=f"/alerts/{row['id']}",
            area=str(row.get("area") or ""),
        )
        for row in found.rows
    )
    nothing = None if points else Text("目前没有未解除的预警。", "No alert is open.")
    return MapLayer("alert", Text("预警", "Alerts"), "alerts", points, "/layers/alert/points.geojson", note=nothing)


def urgency(due: Instant, now: Instant) -> Level:
    """How pressing an open case is."""
    return LATE if now > due else SOON if due - now <= DAY else CALM


def _case(parts: PageParts, row: rows.Row) -> Point:
    return Point(
        id=str(row["number"]),
        title=rows.words(row["title"]),
        lon=rows.number(row["lon"]) or 0.0,
        lat=rows.number(row["lat"]) or 0.0,
        value=str(row["number"]),
        level=CLOSED if row["closed"] else urgency(rows.needed(row["due"]), parts.clock.city()),
        href=f"/desk/{row['number']}",
        area=str(row.get("area") or ""),
    )


def gathered(parts: PageParts, found: Sequence[rows.Row]) -> tuple[Point, ...]:
    """Cases as marks, one a place: that of the most urgent case there, which comes first."""
    places: dict[tuple[float, float], list[Point]] = {}
    for point in (_case(parts, row) for row in found):
        places.setdefault((point.lon, point.lat), []).append(point)
    return tuple(msgspec.structs.replace(here[0], count=len(here)) for here in places.values())


def within(layer: MapLayer, codes: Sequence[str]) -> MapLayer:
    """Each point with the drawn area that counts it, in place of the community or grid it stands in."""
    points = tuple(
        msgspec.structs.replace(point, area=next((code for code in codes if point.area.startswith(code)), ""))
        for point in layer.points
    )
    return msgspec.structs.replace(layer, points=points)


def marks(shape: Shape, layers: Sequence[MapLayer]) -> tuple[Mark, ...]:
    """What a shape's label says of each layer: how many stand there, and the most urgent of them."""
    found = ((layer, [point for point in layer.points if point.area == shape.id]) for layer in layers)
    return tuple(_mark(layer, here) for layer, here in found if here)


def _mark(layer: MapLayer, here: Sequence[Point]) -> Mark:
    levels = [point.level for point in here if point.level is not None]
    grades = [point.grade for point in here if point.grade is not None]
    return Mark(
        layer=layer.name,
        look=layer.look,
        count=sum(point.count for point in here),
        level=min(levels, key=lambda one: one.rank, default=None),
        grade=min(grades, default=None),
    )
