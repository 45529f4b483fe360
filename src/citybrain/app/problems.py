"""Every error becomes a problem document (RFC 9457) in the caller's language: city errors, Litestar's own, and the unexpected."""

from collections.abc import Iterator, Mapping
from typing import Final

import structlog
from litestar import Request, Response
from litestar.datastructures.state import State
from litestar.exceptions import HTTPException
from litestar.serialization import encode_json
from litestar.types import ExceptionHandlersMap

from citybrain.doors.api import language
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError
from citybrain.kernel.ids import new_id
from citybrain.kernel.text import Json, Text

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER: Final = 1
_NO_BODY: Final = {"message": "'data'", "key": "data", "source": "body"}
"""How Litestar says that a body is missing."""
_GONE: Final = "client disconnected prematurely"
"""How Litestar says that whoever sends a body hung up."""
_INTERNAL: Final = ("internal", Text("系统内部错误", "Internal error"))
_WIRE: Final[dict[int, tuple[str, Text, Text]]] = {
    400: (
        "bad_input",
        Text("输入有误", "Bad input"),
        Text("请求的参数或内容不符合要求。", "A parameter or the body is not as it must be."),
    ),
    401: ("sign_in_needed", Text("需要登录", "Sign-in needed"), Text("请先登录再试。", "Sign in and try again.")),
    403: ("forbidden", Text("没有权限", "Not permitted"), Text("您没有做这件事的权限。", "You may not do this.")),
    404: (
        "not_found",
        Text("没有找到", "Not found"),
        Text(
            "没有这个地址。请检查拼写，或查看 /api/openapi.json。",
            "There is no such address. Check its spelling, or see /api/openapi.json.",
        ),
    ),
    405: (
        "method_not_allowed",
        Text("方法不允许", "Method not allowed"),
        Text("该地址不接受这个方法。允许的方法见 Allow。", "This address does not take this method. Allow says which it takes."),
    ),
    406: (
        "not_acceptable",
        Text("无法按要求的格式回答", "Not acceptable"),
        Text("请改用 application/json。", "Ask for application/json."),
    ),
    413: (
        "too_large",
        Text("内容过大", "Too large"),
        Text("内容超过上限。请分批发送。", "The body is over the limit. Send it in parts."),
    ),
    415: (
        "unsupported_media_type",
        Text("不支持的内容类型", "Unsupported media type"),
        Text(
            "请以 UTF-8 编码、不压缩（无 Content-Encoding）发送；该地址接收的类型见 Accept，如 application/json。",
            "Send it in UTF-8 and not compressed (no Content-Encoding); Accept says which types this address takes, such as application/json.",
        ),
    ),
    429: ("busy", Text("系统繁忙", "Busy"), Text("请稍后再试。", "Try again a little later.")),
    503: ("unavailable", Text("暂不可用", "Unavailable"), Text("请稍后再试。", "Try again a little later.")),
}

CityRequest = Request[Caller, str | None, State]
Headers = dict[str, str]


def handlers() -> ExceptionHandlersMap:
    """What the application registers: one handler for each root of errors."""
    return {CityError: problem, HTTPException: _wire, Exception: _unexpected}


def answered(request: CityRequest, error: Exception) -> Response[bytes]:
    """The problem document of any error that was raised before the routes."""
    return problem(request, error) if isinstance(error, CityError) else _unexpected(request, error)


def codes() -> tuple[tuple[str, int, Text], ...]:
    """Every code with its status and title, for the page of errors; sorted by status, then code."""
    known = {error.code: (error.code, error.status, error.title) for error in _tree(CityError)}
    wire = {code: (code, status, title) for status, (code, title, _) in _WIRE.items()}
    return tuple(sorted((wire | known).values(), key=lambda entry: (entry[1], entry[0])))


def _tree(root: type[CityError]) -> Iterator[type[CityError]]:
    yield root
    for below in root.__subclasses__():
        yield from _tree(below)


def problem(request: CityRequest, error: CityError) -> Response[bytes]:
    """The problem document of an error of the city, in the caller's language."""
    lang = language(request)
    if error.status >= 500:
        log.error("request_failed", code=error.code, path=request.scope["path"], exc_info=error)
    headers: Headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="citybrain"'
    if error.status == 429:
        headers["Retry-After"] = str(error.fields.get("retry_after", _RETRY_AFTER))
    return _document(request, error.status, error.code, (error.title.get(lang), error.what.get(lang)), error.fields, headers)


def _wire(request: CityRequest, error: HTTPException) -> Response[bytes]:
    known = _WIRE.get(error.status_code)
    if error.detail == _GONE:
        # No fault of ours, and nobody is there to read the answer.
        log.info("client_gone", method=request.method, path=request.scope["path"])
        known = _WIRE[400]
    if known is None:
        return _unexpected(request, error)
    lang = language(request)
    code, title, detail = known
    headers: Headers = dict(error.headers or {})
    if error.status_code == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="citybrain"')
    fields: dict[str, Json] = {"errors": _reasons(error)} if error.status_code == 400 else {}
    return _document(
        request, 400 if error.detail == _GONE else error.status_code, code, (title.get(lang), detail.get(lang)), fields, headers
    )


def _unexpected(request: CityRequest, error: Exception) -> Response[bytes]:
    incident = new_id()
    log.error("unexpected_error", incident=incident, method=request.method, path=request.scope["path"], exc_info=error)
    code, title = _INTERNAL
    detail = Text(
        f"系统出现意外错误，已记录，编号 {incident}。请稍后再试；若再次出现，请告知管理员该编号。",
        f"Something unexpected happened and was recorded as {incident}. Try again later; if it comes back, tell an administrator.",
    )
    lang = language(request)
    return _document(request, 500, code, (title.get(lang), detail.get(lang)), {"incident": incident}, {})


def _document(
    request: CityRequest, status: int, code: str, words: tuple[str, str], fields: Mapping[str, Json], headers: Headers
) -> Response[bytes]:
    title, detail = words
    own: dict[str, Json] = {
        "type": f"/docs/errors#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": request.scope["path"],
    }
    spoken: Headers = {"Content-Language": language(request), "Cache-Control": "no-store", **headers}
    return Response(
        encode_json({**own, **{k: v for k, v in fields.items() if k not in own}}),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=spoken,
    )


def _reasons(error: HTTPException) -> list[Json]:
    """What Litestar found wrong with parameters or body, by name; nothing else of it is told."""
    if error.extra == [_NO_BODY]:
        return [{"source": "body", "message": "The body is missing."}]
    found = error.extra if isinstance(error.extra, list) else []
    reasons: list[Json] = [
        {key: str(entry[key]) for key in ("key", "source", "message") if key in entry} for entry in found if isinstance(entry, dict)
    ]
    return reasons or [{"message": error.detail}]
