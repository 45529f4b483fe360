"""The desk's list on a map: the same cases by urgency where they lie, counted by subdistrict, each opening to its case."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from citybrain.doors.pages import frame, layers, maps, report_views, rows, worklist
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.doors.pages.worklist import Asked
from citybrain.kernel.access import Caller, Query
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.predicate import And
from citybrain.kernel.text import Text
from citybrain.web.desk_views import Within
from citybrain.web.map_views import Map, MapLayer, Shape

_NAME: Final = "case"
_LEVELS: Final = {"closed": (maps.CLOSED,), "late": (maps.LATE,)}
"""What a tab's marks can be."""
_TITLE: Final = Text("案件分布", "Where the cases lie")
_NOTHING: Final = Text("此栏目下没有带位置的案件。", "No case here has a place.")


@get("/desk/map/{name:str}", opt=frame.opens("page.desk"), sync_to_thread=True)
def layer(request: Call, parts: Parts, name: FromPath[str]) -> Response[bytes]:
    """``areas.geojson`` and ``points.geojson`` of a list, asked for as the list is."""
    if name not in ("areas.geojson", "points.geojson"):
        raise NotFoundError(Text(f"没有图层“{name}”。", f"There is no layer '{name}'."), layer=name)
    shown = view(parts, frame.signed_in(request), worklist.asked(request))
    lang = frame.language(request)
    return layers.areas(shown.shapes, lang) if name == "areas.geojson" else layers.things(shown.layers[0].points, lang)


def view(parts: PageParts, caller: Caller, wanted: Asked) -> Map:
    """The cases of a list on the district's map; an area opens to the list of its own cases."""
    where = And((worklist.sought(wanted), maps.PLACED))
    found = rows.read(parts, caller, Query("case", where, worklist.order(wanted), maps.MOST, count=True))
    plain = report_views.subdistrict_map(parts, "desk", _TITLE)
    said = worklist.told(msgspec.structs.replace(wanted, cursor=""))
    asked = f"?{urlencode(said)}"
    points = maps.gathered(parts, found.rows)
    raw = MapLayer(
        _NAME,
        wanted.tab[1],
        "cases",
        points,
        f"/desk/map/points.geojson{asked}",
        _LEVELS.get(wanted.tab[0], maps.URGENCIES),
        _note(found.total),
    )
    drawn = maps.within(raw, [shape.id for shape in plain.shapes])
    shapes = tuple(_counted(shape, drawn, wanted) for shape in plain.shapes)
    src = (f"areas:base|/desk/map/areas.geojson{asked}", f"cases:{_NAME}|{drawn.src}")
    demo = parts.demo is not None and any(row["origin"] != "real" for row in found.rows)
    return msgspec.structs.replace(plain, shapes=shapes, layers=(drawn,), src=src, demo=demo)


def within(parts: PageParts, wanted: Asked) -> Within | None:
    """The area that a list is narrowed to, and how to see all again."""
    if not wanted.area:
        return None
    return Within(rows.area(parts, wanted.area), worklist.address(msgspec.structs.replace(wanted, area="", cursor="")))


def _counted(shape: Shape, drawn: MapLayer, wanted: Asked) -> Shape:
    narrowed: Sequence[MapLayer] = (drawn,)
    href = worklist.address(msgspec.structs.replace(wanted, area=shape.id, cursor=""))
    return msgspec.structs.replace(shape, href=href, marks=maps.marks(shape, narrowed))


def _note(total: int | None) -> Text:
    here = total or 0
    if not here:
        return _NOTHING
    more = Text(f"，图上为最前面的{maps.MOST}件", f"; the first {maps.MOST} are shown") if here > maps.MOST else Text("", "")
    return Text(f"{here}件有位置{more.zh}", f"{here} with a place{more.en}")


HANDLERS = (layer,)
