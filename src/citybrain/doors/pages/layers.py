"""The layers of a board's map as GeoJSON: the same shapes and points as the drawing and the list, with their level and words."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from citybrain.doors.pages import boards, frame, maps
from citybrain.doors.pages.parts import Call, Parts
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.text import Lang, Text
from citybrain.web.views import Level, Point, Ring, Shape

_GEOJSON = "application/geo+json"
_NOUNS: Final = {"case": maps.cases, "report": maps.reports, "alert": maps.alerts}
_DIGITS = 5
"""Decimals of degrees: about a metre."""


@get("/layers/{kind:str}/{name:str}", opt=frame.opens("page.cockpit"), sync_to_thread=True)
def layer(request: Call, parts: Parts, kind: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """``areas.geojson`` or ``points.geojson`` of a board, ``points.geojson`` of the open cases, reports or alerts."""
    lang = frame.language(request)
    if kind in _NOUNS and name == "points.geojson":
        return _answer([_thing(point, lang) for point in _NOUNS[kind](parts, request.user).points])
    board = next((board for board in parts.boards("cockpit") if board.kind == kind), None)
    if board is None or name not in ("areas.geojson", "points.geojson"):
        raise NotFoundError(Text(f"没有图层“{kind}/{name}”。", f"There is no layer '{kind}/{name}'."), layer=f"{kind}/{name}")
    view = boards.overview(parts, board, public=False)
    areas = name == "areas.geojson"
    return _answer([_area(shape, lang) for shape in view.shapes] if areas else [_thing(point, lang) for point in view.points])


def _answer(features: Sequence[Mapping[str, object]]) -> Response[bytes]:
    body = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    return Response(body, media_type=_GEOJSON, headers={"Cache-Control": "no-store"})


def _area(shape: Shape, lang: Lang) -> Mapping[str, object]:
    outline = {"type": "MultiPolygon", "coordinates": [[_ring(ring)] for ring in shape.rings]}
    return _feature(shape.id, outline, shape, lang)


def _thing(point: Point, lang: Lang) -> Mapping[str, object]:
    return _feature(point.id, {"type": "Point", "coordinates": [round(point.lon, _DIGITS), round(point.lat, _DIGITS)]}, point, lang)


def _feature(key: str, geometry: Mapping[str, object], shown: Shape | Point, lang: Lang) -> Mapping[str, object]:
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
    return {"type": "Feature", "id": key, "geometry": geometry, "properties": said | _graded(shown.level, shown.reason, lang)}


def _graded(level: Level | None, reason: Text | None, lang: Lang) -> dict[str, object]:
    if level is not None:
        return {"level": level.title.get(lang), "colour": level.colour}
    return {} if reason is None else {"level": reason.get(lang)}


def _ring(ring: Ring) -> Sequence[Sequence[float]]:
    return [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in ring]


HANDLERS = (layer,)
