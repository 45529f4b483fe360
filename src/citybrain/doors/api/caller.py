"""Who calls, and may they: cookie session, bearer or device credentials, then one question to policy before any handler runs."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from anyio import to_thread
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures.state import State
from litestar.handlers import BaseRouteHandler

from citybrain.brain.protect import fits
from citybrain.doors.api import asking
from citybrain.doors.api.parts import ApiParts, Call
from citybrain.kernel.access import ANYONE, Ask, Caller
from citybrain.kernel.errors import BadInputError, ForbiddenError, UnauthenticatedError
from citybrain.kernel.instant import MINUTE
from citybrain.kernel.text import Json, Text

SESSION: Final = "session"
CSRF: Final = "csrf"
CSRF_HEADER: Final = "x-csrf-token"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST: Final = 200

Connection: TypeAlias = ASGIConnection[BaseRouteHandler, Caller, str | None, State]


def asks(action: str, *words: str, of: str = "", columns: bool = False) -> dict[str, object]:
    """The ``opt`` of a route: its action in policy, the dataset it serves (empty where the address names it, or none).

    A route whose paths mean two things says ``endings`` too: the action for those that end so, ``*`` being anything. ``words`` are those
    that its address takes; with ``columns`` it takes a dataset's columns too.
    """
    return {"action": action, "of": of, "words": words, "columns": columns}


def gate(parts: ApiParts) -> Callable[[Connection, BaseRouteHandler], Awaitable[None]]:
    """The one guard of the door: finds the caller, refuses forged and malformed requests, asks policy for the route's action."""

    async def allowed(connection: Connection, handler: BaseRouteHandler) -> None:
        """Let the request in, or raise."""
        if not isinstance(connection, Request):
            raise ForbiddenError(Text("此处只接受 HTTP 请求。", "Only HTTP requests are taken here."))
        await _admit(parts, connection, handler)

    return allowed


def may(parts: ApiParts) -> Callable[[Caller, str], bool]:
    """Tells whether policy would let a caller do the action of a route that serves no dataset, as the gate asks it."""
    return lambda caller, action: parts.policy.decide(at_best(parts, caller, action, "", "")).allowed


def at_best(parts: ApiParts, caller: Caller, action: str, of: str, why: str) -> Ask:
    """The ask of a whole route: whether policy would let this caller do it with the row that suits them best.

    So a handler passes who may move the cases of their own unit; which case it is, the handler of the route and the guard's
    reader ask again with the facts of the row.
    """
    # To the minute, so that policy, which remembers its answers, is asked the same thing again; midnight is a minute too.
    now = parts.clock.city() // MINUTE * MINUTE
    row: dict[str, Json] = {"account": caller.account, "recipient": f"account:{caller.account}", "time": now, "as_of": now}
    if caller.unit is not None:
        row["unit"] = caller.unit
    if not of:
        return Ask(caller, action, action.partition(".")[0], why, {"access": "unconditional", **row})
    dataset = parts.catalogue.describe(of)
    columns = {column.name for column in dataset.columns}
    fitting = {name: value for name, value in row.items() if name in columns}
    return Ask(caller, action, of, why, {"access": dataset.access, **fitting})


def identify(parts: ApiParts, request: Call) -> tuple[Caller, str | None]:
    """The caller with the session token, if any; raises UnauthenticatedError for credentials that are not good.

    A stale cookie makes nobody of the caller, so that public pages stay readable; a bad Authorization header is an error.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _known(parts.accounts.caller(given.strip())), given.strip()
    if scheme.lower() == "basic":
        login, secret = _pair(given)
        return _known(parts.accounts.device_caller(login, secret)), None
    if scheme:
        raise _bad_credentials()
    token = request.cookies.get(SESSION)
    caller = parts.accounts.caller(token) if token else None
    return (ANYONE, None) if caller is None else (caller, token)


def purpose(request: Call) -> str:
    """The purpose of reading: header ``X-Purpose`` (percent-encoded where not ASCII), else the word ``purpose``; at most 200 characters."""
    said = asking.unescaped(request.headers.get("x-purpose", "")) or request.query_params.get("purpose", "")
    if len(said) > _LONGEST:
        raise BadInputError(Text("用途说明不得超过 200 字。", "A purpose has at most 200 characters."), parameter="purpose")
    return said


def words(request: Call) -> asking.Words:
    """The words of the address, in order, repeats included."""
    return tuple((str(name), str(value)) for name, value in request.query_params.multi_items())


async def _admit(parts: ApiParts, request: Call, handler: BaseRouteHandler) -> None:
    _sound(request)
    if request.method == "OPTIONS" and "action" not in handler.opt:
        # No handler of ours: it says which methods an address takes, and nothing else.
        return
    # Devices send many times a second and are remembered: a thread would cost more than the answer.
    device = request.headers.get("authorization", "")[:6].lower() == "basic "
    caller, token = identify(parts, request) if device else await to_thread.run_sync(identify, parts, request)
    request.scope["user"], request.scope["auth"] = caller, token
    if request.method not in _SAFE and "authorization" not in request.headers:
        _own_page(request, token)
    if device and not handler.opt["of"]:
        _ask(parts, request, caller, handler)
    else:
        await to_thread.run_sync(_ask, parts, request, caller, handler)
    if not handler.opt["columns"]:
        asking.known(words(request), _names(handler))


def _ask(parts: ApiParts, request: Call, caller: Caller, handler: BaseRouteHandler) -> None:
    ask = at_best(parts, caller, action_of(handler, request.scope["path"]), str(handler.opt["of"]), purpose(request))
    if not parts.policy.decide(ask).allowed:
        # The guard says no as policy did, and writes it into the trail; what is allowed is written where it is done.
        parts.guard.require(ask)


def action_of(handler: BaseRouteHandler, path: str) -> str:
    """The action that a path of a route asks for."""
    endings: Mapping[str, str] = handler.opt.get("endings", {})
    own = (action for ending, action in endings.items() if fnmatchcase(path.rstrip("/"), f"*{ending}"))
    return next(own, str(handler.opt["action"]))


def _names(handler: BaseRouteHandler) -> tuple[str, ...]:
    return tuple(str(name) for name in handler.opt["words"])


def _sound(request: Call) -> None:
    """No store takes NUL in a text (PostgreSQL), so none passes the door; of a host that is none no address can be written."""
    if "\x00" in request.scope["path"] or any("\x00" in name + value for name, value in words(request)):
        raise BadInputError(Text("地址中含有 NUL 字符，请去掉。", "The address holds a NUL character. Leave it out."))
    try:
        _ = request.base_url
    except ValueError as error:
        what = Text("请求头 Host 不是地址，请写明主机和端口。", "The header Host is no address. Name a host and a port.")
        raise BadInputError(what, header="Host") from error


def _own_page(request: Call, token: str | None) -> None:
    """Raise ForbiddenError for a request that another site had the browser send: a wrong token, or a sign-in from outside."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise ForbiddenError(Text("不接受由其他网站发起的请求。", "Requests that another site starts are not taken."))
    if token is not None and not fits(token, request.headers.get(CSRF_HEADER, "")):
        what = Text(
            "缺少或不符的 X-CSRF-Token。请以 cookie “csrf” 的值作为该请求头再试。",
            "X-CSRF-Token is missing or wrong. Send the value of the cookie 'csrf' in that header.",
        )
        raise ForbiddenError(what, header="X-CSRF-Token")


def _known(caller: Caller | None) -> Caller:
    if caller is None:
        raise _bad_credentials()
    return caller


def _pair(given: str) -> tuple[str, str]:
    try:
        login, colon, secret = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise _bad_credentials() from None
    if not colon or "\x00" in login:
        raise _bad_credentials()
    return login, secret


def _bad_credentials() -> UnauthenticatedError:
    what = Text(
        "凭证无效或已过期。请重新登录，或检查设备的登录名和密钥。",
        "The credentials are wrong or have expired. Sign in again, or check the device's login and secret.",
    )
    return UnauthenticatedError(what)
