"""The short way for what devices send most: it stands before the routes, and answers only what needs nothing of them.

A known device, plain JSON, an address of which a door says that it takes it so. Everything else goes the whole way with its body
unread, and what a door leaves to the routes with its body as it came: the answers are the same.
"""

import base64
import binascii
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, TypeAlias

import structlog
from litestar import Response
from litestar.datastructures import URL
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, ReceiveMessage, Scope, Send

from citybrain.app.problems import CityRequest, answered
from citybrain.brain.protect import Accounts
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError

log = structlog.get_logger(__name__)
_TOLD: Final = frozenset({b"idempotency-key", b"x-purpose", b"transfer-encoding", b"content-encoding", b"cookie", b"expect"})
"""Headers whose meaning the routes know."""
_KINDS: Final = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
_INTERNAL: Final = 500
_HOST: Final = re.compile(rb"[A-Za-z0-9._:\[\]-]+")
_TYPE: Final = b"content-type"
Answer: TypeAlias = tuple[int, bytes, tuple[tuple[bytes, bytes], ...]]
"""Status, body in JSON, and headers beside its type and length."""


class Aim(Protocol):
    """What an address takes by the short way."""

    @property
    def action(self) -> str:
        """The action that policy is asked for."""

    @property
    def largest(self) -> int:
        """Bytes of a body that is read here; a greater one goes the whole way."""

    @property
    def answer(self) -> Callable[[Caller, str, Mapping[bytes, bytes], bytes], Awaitable[Answer | None]]:
        """Answers who sends, at which scheme and host, with which headers, what: None leaves it to the routes. Raises CityError."""


class Way(Protocol):
    """What a door answers before its routes."""

    def aim(self, raw: bytes) -> Aim | None:
        """What a path takes; None for one that goes the whole way."""


class Shortcut:
    """An ASGI application before another one; ``may`` tells whether policy lets a caller do an action."""

    def __init__(self, whole: ASGIApp, accounts: Accounts, may: Callable[[Caller, str], bool], ways: Sequence[Way]) -> None:
        self._whole = whole
        self._accounts = accounts
        self._may = may
        self._ways = ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request here or the whole way."""
        read: deque[ReceiveMessage] = deque()
        answer = await self._answer(scope, receive, read) if scope["type"] == ScopeType.HTTP else None
        if answer is None:
            await self._whole(scope, _again(read, receive) if read else receive, send)
            return
        status, content, headers = answer
        if _TYPE not in dict(headers):
            headers = (*headers, (_TYPE, b"application/json"))
        headers = (*headers, (b"content-length", b"%d" % len(content)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content, "more_body": False})

    async def _answer(self, scope: HTTPScope, receive: Receive, read: deque[ReceiveMessage]) -> Answer | None:
        """The answer; None for what goes the whole way, with what was ``read`` of it."""
        try:
            asked = self._asked(scope)
            body = None if asked is None else await _body(receive, asked.aim.largest, read)
            return None if asked is None or body is None else await asked.aim.answer(asked.caller, asked.site, asked.headers, body)
        except CityError as error:
            return _told(answered(CityRequest(scope), error))
        except Exception as error:
            # What nobody foresaw is told as the routes tell it, and no connection is lost over it.
            log.exception("short_way_failed", path=scope["path"])
            return _told(answered(CityRequest(scope), error))

    def _asked(self, scope: HTTPScope) -> "_Asked | None":
        """Who asks for what; None for what goes the whole way."""
        if scope["method"] != "POST" or scope["query_string"] or scope.get("root_path"):
            return None
        raw = scope.get("raw_path") or b""
        aim = next((aim for way in self._ways if (aim := way.aim(raw)) is not None), None)
        sent = list(scope["headers"])
        headers = dict(sent)
        if aim is None or len(headers) != len(sent) or not _TOLD.isdisjoint(headers):
            return None
        site = _site(scope["scheme"], headers.get(b"host", b""))
        if headers.get(_TYPE, b"").lower() not in _KINDS or site is None:
            return None
        caller = self._caller(headers.get(b"authorization", b""), aim.action)
        return None if caller is None else _Asked(aim, caller, headers, site)

    def _caller(self, given: bytes, action: str) -> Caller | None:
        """The device of these credentials, if it may do the action at all; None leaves the answer to the routes."""
        if given[:6].lower() != b"basic ":
            return None
        try:
            login, colon, secret = base64.b64decode(given[6:].strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        caller = self._accounts.device_caller(login, secret) if colon and "\x00" not in login else None
        return caller if caller is not None and self._may(caller, action) else None


class _Asked(NamedTuple):
    aim: Aim
    caller: Caller
    headers: Mapping[bytes, bytes]
    site: str


def _told(made: Response[bytes]) -> Answer:
    headers = tuple((name.lower().encode(), value.encode()) for name, value in made.headers.items())
    return made.status_code or _INTERNAL, made.content, (*headers, (_TYPE, str(made.media_type).encode()))


@lru_cache(maxsize=1024)
def _site(scheme: str, host: bytes) -> str | None:
    """Scheme and host as addresses begin with them; None for a host that is none, or is written in a way that the routes judge."""
    if not _HOST.fullmatch(host):
        return None
    site = f"{scheme}://{host.decode()}"
    try:
        URL(site)
    except ValueError:
        return None
    return site


async def _body(receive: Receive, largest: int, read: deque[ReceiveMessage]) -> bytes | None:
    """The body of a request; None for one that is too large, or does not come to its end. What came is put into ``read``."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            read += ({"type": "http.request", "body": bytes(body), "more_body": True}, message)
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if not more or len(body) > largest:
            whole = bytes(body)
            read.append({"type": "http.request", "body": whole, "more_body": more})
            return whole if len(body) <= largest else None


def _again(read: deque[ReceiveMessage], receive: Receive) -> Receive:
    """The messages of a request, those that were read already first."""

    async def received() -> ReceiveMessage:
        return read.popleft() if read else await receive()

    return received
