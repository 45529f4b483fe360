"""The OpenAPI 3.1 document: Litestar's own, with problem documents for errors, the words of lists, and how one signs in."""

from copy import deepcopy
from typing import Final

from litestar import Response, Router, get
from litestar.openapi.config import OpenAPIConfig
from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import ControllerRouterHandler

from citybrain.doors.api.asking import EVERYWHERE, MOST
from citybrain.doors.api.caller import asks
from citybrain.doors.api.parts import Call
from citybrain.kernel.errors import CityError
from citybrain.kernel.text import Json

PROBLEM: Final[dict[str, Json]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "description": "/docs/errors#code"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What, why, and what to do, in the caller's language."},
        "code": {"type": "string"},
        "instance": {"type": "string"},
    },
}
_LIST_WORDS: Final[tuple[tuple[str, dict[str, Json], str], ...]] = (
    ("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100}, "Rows of a page."),
    ("cursor", {"type": "string"}, "`next` of the page before."),
    ("count", {"type": "boolean", "default": False}, "Whether to count all rows into `total`."),
    ("sort", {"type": "string"}, "A column; with a `-` before it, the greatest first."),
    ("bbox", {"type": "string"}, "west,south,east,north in WGS 84 degrees, for rows with lon and lat."),
)
_SECURITY: Final[dict[str, Json]] = {
    "session": {"type": "apiKey", "in": "cookie", "name": "session"},
    "token": {"type": "http", "scheme": "bearer"},
    "device": {"type": "http", "scheme": "basic"},
}


class _Closed(Router):
    """A router that takes nothing: the document has its own address, and Litestar's pages for it are not served."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        del value
        return []


def openapi() -> OpenAPIConfig:
    """What the application hands to Litestar so that the document can be built."""
    return OpenAPIConfig(
        title="城区大脑 CityBrain",
        version="1",
        description="One API for a district: observe, detect, act, exchange, see, protect. Additive within /api/v1.",
        openapi_router=_Closed("/api", route_handlers=[]),
        use_handler_docstrings=True,
    )


@get("/api/openapi.json", opt=asks("catalogue.read"), include_in_schema=False, sync_to_thread=True)
def document(request: Call) -> Response[dict[str, Json]]:
    """The OpenAPI 3.1 document of the running program."""
    return Response(amended(request), media_type="application/vnd.oai.openapi+json")


def amended(request: Call) -> dict[str, Json]:
    """Litestar's document of the running application with what it cannot know."""
    whole: dict[str, Json] = deepcopy(request.app.openapi_schema.to_schema())
    lists = _lists(request)
    components = _map(whole, "components")
    _map(components, "schemas")["Problem"] = PROBLEM
    _map(components, "responses")["Problem"] = {
        "description": "A problem document (RFC 9457). Codes: " + ", ".join(sorted(_codes(CityError))),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    components["securitySchemes"] = dict(_SECURITY)
    ways: list[Json] = [{name: []} for name in _SECURITY]
    whole["security"] = [{}, *ways]
    paths = _map(whole, "paths")
    for path in paths:
        for method, operation in _map(paths, path).items():
            if isinstance(operation, dict):
                _amend(operation, lists=(path, method.upper()) in lists)
    return whole


def _lists(request: Call) -> frozenset[tuple[str, str]]:
    """Path and method of the routes that answer with rows of a dataset."""
    routes = [route for route in request.app.routes if isinstance(route, HTTPRoute)]
    return frozenset(
        (route.path_format, method)
        for route in routes
        for method, (handler, _) in route.route_handler_map.items()
        if handler.opt.get("columns")
    )


def _amend(operation: dict[str, Json], *, lists: bool) -> None:
    answers = _map(operation, "responses")
    answers.pop("400", None)
    if "204" in answers:
        _map(answers, "204").pop("content", None)
    answers["default"] = {"$ref": "#/components/responses/Problem"}
    given = operation.setdefault("parameters", [])
    if not isinstance(given, list):
        return
    if lists:
        given.extend(
            {"name": name, "in": "query", "schema": dict(schema), "description": about} for name, schema, about in _LIST_WORDS
        )
        operation["description"] = (
            f"{operation.get('description', '')} Filters: `column=value`, `column.op=value` with ne, lt, le, gt, ge, in, contains."
        )
    about = {"lang": "Language of errors: zh or en.", "purpose": "Purpose of reading, for data that ask for one."}
    given.extend(
        {"name": name, "in": "query", "schema": {"type": "string", "maxLength": 200}, "description": about[name]}
        for name in EVERYWHERE
    )


def _map(parent: dict[str, Json], name: str) -> dict[str, Json]:
    found = parent.setdefault(name, {})
    return found if isinstance(found, dict) else {}


def _codes(root: type[CityError]) -> set[str]:
    return {root.code}.union(*(_codes(below) for below in root.__subclasses__()))
