"""The native API under /api/v1: one guard before every handler, lists through the guard's reader alone, problems as RFC 9457."""

from collections.abc import Sequence

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from citybrain.doors.api import (
    act,
    bookings,
    corrections,
    decide,
    detect,
    exchange,
    health,
    instructions,
    limits,
    nearby,
    observe,
    promises,
    protect,
    reports,
    see,
    taking,
)
from citybrain.doors.api.body import JsonRequest
from citybrain.doors.api.bulk import Bulk
from citybrain.doors.api.caller import gate, may, purpose
from citybrain.doors.api.live import Seats
from citybrain.doors.api.metrics import Metrics
from citybrain.doors.api.openapi import document, openapi
from citybrain.doors.api.parts import ApiParts
from citybrain.doors.api.speaking import language, preferred

__all__ = ["ApiParts", "Bulk", "Metrics", "gate", "language", "may", "openapi", "preferred", "purpose", "routes"]

_FACULTIES = {
    "observe": (*observe.HANDLERS, *promises.HANDLERS, *corrections.HANDLERS, *nearby.HANDLERS),
    "detect": (*detect.HANDLERS, *limits.HANDLERS),
    "act": (*act.HANDLERS, *bookings.HANDLERS, *instructions.HANDLERS, *reports.HANDLERS),
    "decide": decide.HANDLERS,
    "exchange": exchange.HANDLERS,
    "see": see.HANDLERS,
    "protect": protect.HANDLERS,
}


def routes(parts: ApiParts, numbers: Metrics) -> Sequence[ControllerRouterHandler]:
    """All routes of the door over these parts; the application adds ``problems.handlers()`` and ``openapi()``."""
    seats = Seats(parts.live_limit)
    faculties = [Router(f"/api/v1/{name}", route_handlers=handlers, tags=[name]) for name, handlers in _FACULTIES.items()]
    bulk = Router("/api/v1/observe", route_handlers=taking.BULK, tags=["observe"], request_max_body_size=parts.bulk_limit)
    photos = Router(
        "/api/v1/act", route_handlers=(*reports.PHOTOS, *act.PHOTOS), tags=["act"], request_max_body_size=reports.LARGEST
    )
    whole = Router(
        "/",
        route_handlers=[*faculties, bulk, photos, *health.HANDLERS, document],
        dependencies={
            "parts": Provide(lambda: parts, sync_to_thread=False),
            "numbers": Provide(lambda: numbers, sync_to_thread=False),
            "seats": Provide(lambda: seats, sync_to_thread=False),
        },
        guards=[gate(parts)],
        middleware=[numbers.middleware()],
        request_class=JsonRequest,
        request_max_body_size=parts.body_limit,
    )
    return (whole,)
