"""pages: the HTML door: portal, cockpit, desk, data, figures, traces, administration; served whole, enhanced by custom elements."""

from collections.abc import Sequence

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.static_files import create_static_files_router

from citybrain.doors.pages import (
    admin,
    bookings,
    cockpit,
    corrections,
    data,
    decide,
    design,
    desk,
    deskmap,
    errors,
    figures,
    frame,
    instructing,
    layers,
    live,
    nearby,
    offering,
    portal,
    promises,
    reports,
    signin,
    streams,
    studio,
    traces,
)
from citybrain.doors.pages.moments import Moments
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.problem import problem_page
from citybrain.web.assets import STATIC

__all__ = ["Moments", "PageParts", "problem_page", "routes"]

_FOR_EVER = CacheControlHeader(max_age=31_536_000, public=True, immutable=True)
"""Built files are named by their content."""
_ROOMS = (
    portal,
    cockpit,
    desk,
    deskmap,
    instructing,
    bookings,
    offering,
    data,
    figures,
    traces,
    decide,
    studio,
    admin,
    streams,
    corrections,
    promises,
    errors,
    design,
    layers,
    live,
    reports,
    signin,
)


def routes(parts: PageParts) -> Sequence[Router]:
    """Every page, behind one guard, and the built files, which everybody may have."""

    def given() -> PageParts:
        return parts

    handlers = [*(handler for room in _ROOMS for handler in room.HANDLERS), *nearby.handlers(parts)]
    pages = Router(
        "/",
        route_handlers=handlers,
        guards=[frame.gate(parts)],
        dependencies={"parts": Provide(given, sync_to_thread=False, use_cache=True)},
        include_in_schema=False,
    )
    files = create_static_files_router(
        "/static", [STATIC], include_in_schema=False, cache_control=_FOR_EVER, opt={"action": "page.portal"}
    )
    return (pages, files)
