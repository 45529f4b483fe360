"""The form of answers: the landing page, and errors as SensorThings servers give them."""

from typing import Final
from urllib.parse import urlsplit

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException

from citybrain.doors.sensorthings.model import CONFORMANCE, OVER_MQTT, SETS
from citybrain.doors.sensorthings.parts import Call
from citybrain.doors.sensorthings.paths import ROOT
from citybrain.kernel.errors import CityError
from citybrain.kernel.text import Json, Text

JSON: Final = "application/json"


def landing(host: str, mqtt_port: int) -> Json:
    """What stands at the root: the entity sets and the conformance classes that are held (OGC 18-088 clause 9.2.1).

    With a port of the broker MQTT is among them, with the address to publish and to subscribe at.
    """
    sets: list[Json] = [{"name": name, "url": f"{host}{ROOT}/{name}"} for name in SETS]
    settings: dict[str, Json] = {"conformance": [*CONFORMANCE]}
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
    """An error of the city as ``{"code", "type", "message"}``, with its own code as ``reason``."""
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="citybrain"'
    if error.status == 429:
        headers["Retry-After"] = str(error.fields.get("retry_after", 1))
    return said(told(error, english=_english(request)), error.status, headers)


def told(error: CityError, *, english: bool) -> dict[str, Json]:
    """What an error says, in English alone or in both languages."""
    fields = {name: value for name, value in error.fields.items() if name not in ("code", "type", "message")}
    return _said(error.status, error.what, english=english) | {"reason": error.code, **fields}


def unheard(request: Call, error: HTTPException) -> Response[bytes]:
    """What Litestar refuses before the door is asked: a method, a body that is too large."""
    what = _WIRE.get(error.status_code, Text("请求无法处理。", "The request cannot be answered."))
    return said(_said(error.status_code, what, english=_english(request)), error.status_code, dict(error.headers or {}))


_WIRE: Final = {
    404: Text("没有这个地址。", "There is no such address."),
    405: Text("该地址不接受这个方法。", "This address does not take this method."),
    413: Text("内容超过上限，请分批发送。", "The body is over the limit. Send it in parts."),
    415: Text("请以 UTF-8 编码的 application/json 发送。", "Send application/json in UTF-8."),
}


def _said(status: int, what: Text, *, english: bool) -> dict[str, Json]:
    return {"code": status, "type": "error", "message": what.en if english else f"{what.zh} {what.en}"}


def _english(request: Call) -> bool:
    return request.query_params.get("lang") == "en"
