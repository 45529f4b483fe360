"""The web application: doors over a city, problems for programs and for people."""

from collections.abc import Callable
from typing import TypeAlias

from litestar import Litestar, Request, Response
from litestar.config.compression import CompressionConfig
from litestar.datastructures.state import State
from litestar.response import Redirect
from litestar.types import ASGIApp

from citybrain.app import decoding, parts, problems
from citybrain.app.city import City
from citybrain.app.shortcut import Shortcut
from citybrain.doors import api, pages, sensorthings
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError

_Asked: TypeAlias = Request[Caller, str | None, State]
_Answer: TypeAlias = Response[bytes] | Response[str] | Redirect

_LEVEL = 4
"""Of gzip: a page of 120 kB takes a third of the time that the highest level takes, and comes out some hundredths longer."""


def application(city: City, demo: parts.DemoNotes | None = None, outside: parts.Connected | None = None) -> Litestar:
    """The application of a wired city; ``outside`` tells whether the broker that it reads from is there."""
    served = parts.api(city)
    return _routes(city, served, api.Metrics(served), parts.pages(city, demo, outside))


def served(city: City, demo: parts.DemoNotes | None = None, outside: parts.Connected | None = None) -> ASGIApp:
    """The application as it is served: before it stands the short way of what devices send most."""
    handed = parts.api(city)
    numbers = api.Metrics(handed)
    whole = _routes(city, handed, numbers, parts.pages(city, demo, outside))
    ways = (api.Bulk(handed, numbers), sensorthings.Singles(parts.sensorthings(city, handed)))
    return Shortcut(whole, city.accounts, api.may(handed), ways)


def _routes(city: City, served: api.ApiParts, numbers: api.Metrics, shown: pages.PageParts) -> Litestar:
    made = Litestar(
        route_handlers=[*api.routes(served, numbers), *sensorthings.routes(parts.sensorthings(city, served)), *pages.routes(shown)],
        exception_handlers={**problems.handlers(), CityError: _for_whom(shown)},
        openapi_config=api.openapi(),
        compression_config=CompressionConfig(
            backend="gzip",
            gzip_compress_level=_LEVEL,
            minimum_size=2000,
            exclude=["/live", "/api/v1/see/live", "/api/v1/observe/observations"],
        ),
        debug=False,
    )
    decoding.ready()
    return made


def _for_whom(shown: pages.PageParts) -> Callable[[_Asked, CityError], _Answer]:
    """A page for somebody with a browser outside the API, a problem document for everything else."""

    def answer(request: _Asked, error: CityError) -> _Answer:
        looks = "text/html" in request.headers.get("accept", "")
        if looks and not request.scope["path"].startswith("/api/"):
            return pages.problem_page(shown, request, error)
        return problems.problem(request, error)

    return answer
