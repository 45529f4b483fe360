"""The layers of a board's map as GeoJSON: the same shapes and points as the drawing and the list, with their level and words."""

from collections.abc import Mapping, Sequence

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from citybrain.doors.pages import boards, cockpit, frame, maps
from citybrain.doors.pages.parts import Call, Parts
from citybrain.doors.pages.together import look
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.text import Lang, Text
from citybrain.web.map_views import Level, Mark, Point, Ring, Shape

_GEOJSON = "application/geo+json"
_DIGITS = 5
"""Decimals of degrees: about a metre."""


@get("/layers/{kind:str}/{name:str}", opt=frame.opens("page.cockpit"), sync_to_thread=True)
def layer(request: Call, parts: Parts, kind: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """``areas.geojson`` or ``points.geojson`` of a board, ``points.geojson`` of the open cases, reports or alerts."""
    lang = frame.language(request)
    if kind in maps.nouns(parts) and name == "points.geojson":
        return things(maps.noun(parts, request.user, kind).points, lang)
    board = next((board for board in parts.boards("cockpit") if board.kind == kind), None)
    if board is None or name not in ("areas.geojson", "points.geojson"):
        raise NotFoundError(Text(f"没有图层“{kind}/{name}”。", f"There is no layer '{kind}/{name}'."), layer=f"{kind}/{name}")
    if name == "points.geojson":
        return things(boards.overview(parts, look(parts, board), public=False).points, lang)
    # The areas of the map below the others say what stands in them; those of another board stand alone.
    whole = board == parts.boards("cockpit")[0]
    view = cockpit.view(parts, request.user).map if whole else boards.overview(parts, look(parts, board), public=False)
    return areas(view.shapes, lang)


def areas(shapes: Sequence[Shape], lang: Lang) -> Response[bytes]:
    """Areas with what stands in them, as GeoJSON."""
    return _answer([_area(shape, lang) for shape in shapes])


def things(points: Sequence[Point], lang: Lang) -> Response[bytes]:
    """Points as GeoJSON."""
    return _answer([_thing(point, lang) for point in points])


def _answer(features: Sequence[Mapping[str, object]]) -> Response[bytes]:
    body = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    return Response(body, media_type=_GEOJSON, headers={"Cache-Control": "no-store"})


def _area(shape: Shape, lang: Lang) -> Mapping[str, object]:
    outline = {"type": "MultiPolygon", "coordinates": [[_ring(ring)] for ring in shape.rings]}
    marks = {key: said for mark in shape.marks for key, said in _marked(mark).items()}
    return _feature(shape.id, outline, shape, lang, marks)


def _marked(mark: Mark) -> dict[str, object]:
    counted: dict[str, object] = {f"{mark.layer}_count": mark.count}
    if mark.level is not None:
        counted[f"{mark.layer}_colour"] = mark.level.colour
    return counted if mark.grade is None else counted | {f"{mark.layer}_grade": mark.grade}


def _thing(point: Point, lang: Lang) -> Mapping[str, object]:
    where = {"type": "Point", "coordinates": [round(point.lon, _DIGITS), round(point.lat, _DIGITS)]}
    return _feature(point.id, where, point, lang, {"area": point.area} if point.area else {})


def _feature(
    key: str, geometry: Mapping[str, object], shown: Shape | Point, lang: Lang, more: Mapping[str, object]
) -> Mapping[str, object]:
    said: dict[str, object] = {
        "id": key,
        "title": shown.title.zh,
        "title_en": shown.title.en,
        "value": shown.value,
        "href": shown.href,
    }
    if isinstance(shown, Point) and shown.count > 1:
        said["count"] = shown.count
    if isinstance(shown, Point) and shown.grade is not None:
        said["grade"] = shown.grade
    return {
        "type": "Feature",
        "id": key,
        "geometry": geometry,
        "properties": {**said, **more, **_graded(shown.level, shown.reason, lang)},
    }


def _graded(level: Level | None, reason: Text | None, lang: Lang) -> dict[str, object]:
    if level is not None:
        return {"level": level.title.get(lang), "colour": level.colour}
    return {} if reason is None else {"level": reason.get(lang)}


def _ring(ring: Ring) -> Sequence[Sequence[float]]:
    return [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in ring]


HANDLERS = (layer,)
