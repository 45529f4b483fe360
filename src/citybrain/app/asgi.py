"""The web application: doors over a city, problems for programs and for people."""

from litestar import Litestar, Request, Response
from litestar.config.compression import CompressionConfig
from litestar.datastructures.state import State
from litestar.response import Redirect
from litestar.types import ExceptionHandler

from citybrain.app import parts, problems
from citybrain.app.city import City
from citybrain.doors import api, pages
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError


def application(city: City, demo: parts.DemoNotes | None = None) -> Litestar:
    """The application of a wired city."""
    shown = parts.pages(city, demo)
    handlers = problems.handlers()
    return Litestar(
        route_handlers=[*api.routes(parts.api(city)), *pages.routes(shown)],
        exception_handlers={**handlers, CityError: _for_whom(shown, handlers[CityError])},
        openapi_config=api.openapi(),
        compression_config=CompressionConfig(backend="gzip", minimum_size=2000, exclude=["/live", "/api/v1/see/live", "/static"]),
        debug=False,
    )


def _for_whom(shown: pages.PageParts, document: "ExceptionHandler[CityError]") -> "ExceptionHandler[CityError]":
    """A page for somebody with a browser outside the API, a problem document for everything else."""

    def answer(request: Request[Caller, str | None, State], error: CityError) -> Response[bytes] | Response[str] | Redirect:
        looks = "text/html" in request.headers.get("accept", "")
        if looks and not request.url.path.startswith("/api/"):
            return pages.problem_page(shown, request, error)
        return document(request, error)

    return answer
