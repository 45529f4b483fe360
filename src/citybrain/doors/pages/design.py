"""The design system by example: every block in every state, drawn by the macros that the pages use."""

from litestar import Response, get

from citybrain.doors.pages import frame
from citybrain.doors.pages.parts import Call, Parts
from citybrain.web import samples


@get("/docs/design", opt=frame.opens("page.portal"), sync_to_thread=True)
def design(request: Call, parts: Parts) -> Response[str]:
    """One state at a time, ``?state=`` of ready, demo, loading, empty, stale, error, denied."""
    state = samples.named(request.query_params.get("state", ""))
    return frame.shown(parts, request, samples.design(state, parts.clock.city()))


HANDLERS = (design,)
