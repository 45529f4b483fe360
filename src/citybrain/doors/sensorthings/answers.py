"""The form of answers: the landing page, and errors as problem documents that hold what SensorThings servers say."""

from typing import Final
from urllib.parse import urlsplit

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException

from citybrain.doors.sensorthings.model import CONFORMANCE, OVER_MQTT, SETS
from citybrain.doors.sensorthings.openapi import AT, PROBLEM
from citybrain.doors.sensorthings.parts import Call
from citybrain.doors.sensorthings.paths import ROOT
from citybrain.kernel.errors import CityError
from citybrain.kernel.text import Json, Text

JSON: Final = "application/json"
OPENAPI: Final = "https://fraunhoferiosb.github.io/FROST-Server/extensions/OpenAPI.html"


def landing(host: str, mqtt_port: int) -> Json:
    """What stands at the root: the entity sets and the conformance classes that are held (OGC 18-088 clause 9.2.1).

    Where the OpenAPI document stands is said under the name of FROST-Server's extension. With a port of the broker MQTT is among them,
    with the address to publish and to subscribe at.
    """
    sets: list[Json] = [{"name": name, "url": f"{host}{ROOT}/{name}"} for name in SETS]
    settings: dict[str, Json] = {"conformance": [*CONFORMANCE], OPENAPI: {"endpoints": [f"{host}{ROOT}{AT}"]}}
    if mqtt_port:
        settings["conformance"] = [*CONFORMANCE, *OVER_MQTT]
        name = urlsplit(host).hostname or ""
        settings |= {held: {"endpoints": [f"mqtt://{f'[{name}]' if ':' in name else name}:{mqtt_port}"]} for held in OVER_MQTT}
    return {"value": sets, "serverSettings": settings}


def said(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status_code=status, media_type=JSON, headers=headers)


def written(body: bytes, status: int) -> Response[bytes]:
    """An answer whose body is JSON already."""
    return Response(body, status_code=status, media_type=JSON)


def refused(request: Call, error: CityError) -> Response[bytes]:
    """An error of the city as a problem document, which says what SensorThings servers say too."""
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="citybrain"'
    if error.status == 429:
        headers["Retry-After"] = str(error.fields.get("retry_after", 1))
    return _problem(told(error, english=_english(request)), error.status, headers)


def told(error: CityError, *, english: bool) -> dict[str, Json]:
    """What an error says, in English alone or in both languages."""
    own = problem(error.status, error.code, error.title, error.what, english=english)
    # Some errors know a closer reason than their own code.
    return {**own, **{name: value for name, value in error.fields.items() if name not in own or name == "reason"}}


def problem(status: int, reason: str, title: Text, what: Text, *, english: bool) -> dict[str, Json]:
    """A problem document (RFC 9457) that holds ``code`` and ``message`` as well, which clients of SensorThings look for."""
    words = _words(what, english=english)
    return {
        "type": f"/docs/errors#{reason}",
        "title": _words(title, english=english),
        "status": status,
        "detail": words,
        "code": status,
        "message": words,
        "reason": reason,
    }


def unheard(request: Call, error: HTTPException) -> Response[bytes]:
    """What Litestar refuses before the door is asked: a method, a header, a body that is too large."""
    reason, title, what = _WIRE.get(error.status_code, _WIRE[400])
    body = problem(error.status_code, reason, title, what, english=_english(request))
    return _problem(body, error.status_code, dict(error.headers or {}))


_WIRE: Final = {
    400: (
        "bad_input",
        Text("输入有误", "Bad input"),
        Text("请求的参数、请求头或内容不符合要求。", "A parameter, a header or the body is not as it must be."),
    ),
    404: ("not_found", Text("没有找到", "Not found"), Text("没有这个地址。", "There is no such address.")),
    405: (
        "method_not_allowed",
        Text("方法不允许", "Method not allowed"),
        Text("该地址不接受这个方法。", "This address does not take this method."),
    ),
    413: (
        "too_large",
        Text("内容过大", "Too large"),
        Text("内容超过上限，请分批发送。", "The body is over the limit. Send it in parts."),
    ),
    415: (
        "unsupported_media_type",
        Text("不支持的内容类型", "Unsupported media type"),
        Text("请以 UTF-8 编码的 application/json 发送。", "Send application/json in UTF-8."),
    ),
}


def _problem(body: Json, status: int, headers: dict[str, str]) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type=PROBLEM, headers=headers)


def _words(what: Text, *, english: bool) -> str:
    return what.en if english else f"{what.zh} {what.en}"


def _english(request: Call) -> bool:
    return request.query_params.get("lang") == "en"
