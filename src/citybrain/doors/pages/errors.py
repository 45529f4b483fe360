"""The page of errors: where the ``type`` of every problem document leads."""

from litestar import Response, get

from citybrain.doors.pages import frame
from citybrain.doors.pages.parts import Call, Parts
from citybrain.web.frame_views import Errors


@get("/docs/errors", opt=frame.opens("page.portal"), sync_to_thread=True)
def errors(request: Call, parts: Parts) -> Response[str]:
    """Every code, by status."""
    return frame.shown(parts, request, Errors(parts.errors))


HANDLERS = (errors,)
