"""Live fragments: cards of a page rendered by the server and sent when they change, one card at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import msgspec
from anyio import to_thread
from litestar import get
from litestar.response import ServerSentEvent, ServerSentEventMessage

from citybrain.doors.pages import cockpit, frame, worklist
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Text
from citybrain.web import render
from citybrain.web.desk_views import News
from citybrain.web.frame_views import Block
from citybrain.web.views import Page

_PAUSE: Final = 1.0
_HEARTBEAT: Final = 15.0
_RETRY_MS: Final = 3000
_open = 0


@get("/live/cockpit", opt=frame.opens("page.cockpit"))
async def live_cockpit(request: Call, parts: Parts) -> ServerSentEvent:
    """The cockpit's cards as they change."""
    return _stream(parts, request, _cockpit_blocks)


@get("/live/desk", opt=frame.opens("page.desk"))
async def live_desk(request: Call, parts: Parts) -> ServerSentEvent:
    """Says that the list has changed; the desk itself is reloaded by whoever works on it, never under their hands."""
    asked = worklist.asked(request)
    seen = request.query_params.get("seen", "")

    def news(parts: PageParts, caller: Caller) -> tuple[Block, ...]:
        """Whether the list is another than the one that was shown."""
        return (News(worklist.mark(worklist.listed(parts, caller, asked)[0]) != seen, worklist.address(asked)),)

    return _stream(parts, request, news)


def _cockpit_blocks(parts: PageParts, caller: Caller) -> tuple[Block, ...]:
    now = cockpit.view(parts, caller)
    return (*now.figures, now.map, now.alerts, now.cases, now.late, now.night)


def _stream(parts: PageParts, request: Call, blocks: Callable[[PageParts, Caller], tuple[Block, ...]]) -> ServerSentEvent:
    if _open >= parts.live_limit:
        raise BusyError(Text("实时连接已满，请稍后再试。", "All live connections are taken. Try again later."))
    page = frame.page(parts, request)
    return ServerSentEvent(_changes(parts, request.user, request.auth, page, blocks), retry_duration=_RETRY_MS)


async def _changes(
    parts: PageParts, caller: Caller, token: str | None, page: Page, blocks: Callable[[PageParts, Caller], tuple[Block, ...]]
) -> AsyncIterator[ServerSentEventMessage]:
    """Everything at first, so that nothing is missed between the page and the stream or while a wall was cut off; then what changes."""
    global _open  # noqa: PLW0603 - how many streams are open is a fact of the process
    _open += 1
    known: dict[str, str] = {}
    quiet, checked = 0.0, 0.0
    try:
        yield ServerSentEventMessage(data=_json({"build": render.build()}), event="build")
        while True:
            if checked >= _HEARTBEAT:
                checked = 0.0
                if not await to_thread.run_sync(_goes_on, parts, token, caller):
                    yield ServerSentEventMessage(event="ended", data="{}")
                    return
            here = msgspec.structs.replace(page, city=parts.clock.city())
            fresh = await to_thread.run_sync(_rendered, parts, caller, here, blocks)
            changed = {name: html for name, html in fresh.items() if known.get(name) != html}
            for name, html in changed.items():
                yield ServerSentEventMessage(data=_json({"id": name, "html": html}), event="fragment")
            known = fresh
            quiet = 0.0 if changed else quiet + _PAUSE
            if quiet >= _HEARTBEAT:
                quiet = 0.0
                yield ServerSentEventMessage(event="beat", data="{}")
            checked += _PAUSE
            await asyncio.sleep(_PAUSE)
    finally:
        _open -= 1


def _goes_on(parts: PageParts, token: str | None, caller: Caller) -> bool:
    """Whether the session that began this stream still holds and is the same person's with the same rights."""
    return token is None or parts.accounts.caller(token) == caller


def _json(said: Mapping[str, str]) -> str:
    return msgspec.json.encode(said).decode()


def _rendered(
    parts: PageParts, caller: Caller, page: Page, blocks: Callable[[PageParts, Caller], tuple[Block, ...]]
) -> dict[str, str]:
    fragments = [render.fragment(block, page) for block in blocks(parts, caller)]
    return {fragment.id: fragment.html for fragment in fragments}


HANDLERS = (live_cockpit, live_desk)
