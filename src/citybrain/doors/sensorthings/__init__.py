"""OGC SensorThings API 1.1 under /sta/v1.1: whatever a pack declares is a Thing with Datastreams, with no further line.

request → paths, options (``$filter`` → push → Predicate) → shelves (the guard's reader) → shape → answer.
"""

from collections.abc import Sequence

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler

from citybrain.doors.sensorthings import answers
from citybrain.doors.sensorthings.feeds import Feeds
from citybrain.doors.sensorthings.handlers import HANDLERS
from citybrain.doors.sensorthings.messages import VERSION, Messages
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import ROOT
from citybrain.doors.sensorthings.singles import Singles
from citybrain.kernel.errors import CityError

__all__ = ["ROOT", "VERSION", "Feeds", "Messages", "SensorThingsParts", "Singles", "routes"]


def routes(parts: SensorThingsParts) -> Sequence[ControllerRouterHandler]:
    """All routes of the door over these parts."""
    whole = Router(
        ROOT,
        route_handlers=HANDLERS,
        dependencies={"parts": Provide(lambda: parts, sync_to_thread=False)},
        guards=[parts.admit],
        exception_handlers={CityError: answers.refused, HTTPException: answers.unheard},
        request_max_body_size=parts.body_limit,
        include_in_schema=False,
    )
    return (whole,)
