"""``$batch`` in JSON (OGC 18-088 clause 11, OData JSON 4.01 clause 19): many requests in one, each asked, answered and refused by itself.

Each goes through the application as if it had come alone, with the credentials of the whole; policy, limits and audit are the same.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, cast
from urllib.parse import unquote, urlsplit

import msgspec
from litestar.types import HTTPDisconnectEvent, HTTPReceiveMessage, HTTPRequestEvent, HTTPScope, Message

from citybrain.doors.sensorthings import answers
from citybrain.doors.sensorthings.parts import Call
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Json, Text

MOST: Final = 500
"""Requests of one batch."""
_KEPT: Final = frozenset({b"authorization", b"cookie", b"x-csrf-token", b"x-purpose", b"host", b"origin", b"sec-fetch-site"})
"""Headers of the batch that its requests are sent with."""
_NAMED: Final = re.compile(r"/?\$(?P<id>[^/?]+)")
_IDEMPOTENCY: Final = "idempotency-key"
BATCH: Final = "$batch"


class Part(msgspec.Struct, frozen=True):
    """One request; its address is below the root, or whole, and ``$<id>`` in it or in its body is what an earlier request made."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    method: Literal["get", "post", "patch", "put", "delete", "GET", "POST", "PATCH", "PUT", "DELETE"]
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    body: msgspec.Raw = msgspec.Raw()
    headers: dict[str, str] = {}
    atomicity_group: str | None = msgspec.field(name="atomicityGroup", default=None)


class _Batch(msgspec.Struct, frozen=True):
    requests: list[Part]


class _Made(msgspec.Struct, frozen=True):
    """What a request of the batch made: its address below the root, and its key."""

    below: str
    key: str


async def answered(request: Call, sent: bytes) -> Json:
    """The answers of a batch, in its order.

    Raises BadInputError for what is no batch or too great a one, and 501 for requests that are to succeed or fail together.
    """
    made: dict[str, _Made] = {}
    said: list[Json] = []
    for part in _read(sent):
        answer = await _asked(request, part, made)
        where = answer.headers.get("location", "")
        below = where.partition(ROOT)[2].strip("/")
        if below:
            made[part.id] = _Made(below, segments(f"{ROOT}/{below}")[-1].key or "")
        headers: dict[str, Json] = {"location": where} if where else {}
        said.append({"id": part.id, "status": answer.status, "headers": headers, "body": answer.body})
    return {"responses": said}


def _read(sent: bytes) -> list[Part]:
    try:
        parts = msgspec.json.decode(sent, type=_Batch).requests
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        what = Text(
            f'内容不是批请求：{error}。应为 {{"requests": [{{"id", "method", "url", "body"?}}]}}。',
            f'The body is no batch: {error}. Expected {{"requests": [{{"id", "method", "url", "body"?}}]}}.',
        )
        raise BadInputError(what, parameter="requests") from error
    if len(parts) > MOST:
        raise wrong(
            f"一批至多 {MOST} 个请求，请分批发送。", f"A batch holds at most {MOST} requests. Send it in parts.", "requests"
        )
    if len({part.id for part in parts}) < len(parts):
        raise wrong("批内请求的 id 不得重复。", "The ids of a batch's requests are unlike one another.", "id")
    if any(part.atomicity_group is not None for part in parts):
        raise not_held(
            "尚不支持 atomicityGroup：需要一起成败的，请用一次深层新建。",
            "atomicityGroup is not held yet: what must succeed together is made in one deep insert.",
        )
    return parts


class _Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: Json


async def _asked(request: Call, part: Part, made: Mapping[str, _Made]) -> _Answer:
    """One request, sent through the application."""
    address = urlsplit(_address(part.url, made))
    below = address.path.partition(ROOT)[2] if ROOT in address.path else address.path
    if below.strip("/") == BATCH:
        raise wrong("批请求中不能再有批请求。", "A batch holds no batch.", "url")
    path = f"{ROOT}/{below.lstrip('/')}"
    body = b"" if not bytes(part.body) else msgspec.json.encode(_filled(msgspec.json.decode(part.body), made))
    headers = [pair for pair in request.scope["headers"] if pair[0] in _KEPT]
    headers += [(name.lower().encode(), value.encode()) for name, value in part.headers.items() if name.lower() == _IDEMPOTENCY]
    headers += [(b"content-type", answers.JSON.encode()), (b"content-length", str(len(body)).encode())]
    raw, query = path.encode(), address.query.encode()
    own = {
        "method": part.method.upper(),
        "path": unquote(path),
        "raw_path": raw,
        "query_string": query,
        "headers": headers,
        "state": {},
    }
    scope: HTTPScope = cast("HTTPScope", {**request.scope, **own})
    waiting: list[HTTPReceiveMessage] = [HTTPRequestEvent(type="http.request", body=body, more_body=False)]
    got: list[Message] = []

    async def receive() -> HTTPReceiveMessage:
        return waiting.pop() if waiting else HTTPDisconnectEvent(type="http.disconnect")

    async def send(message: Message) -> None:
        got.append(message)

    await request.app(scope, receive, send)
    return _answer(got)


def _answer(got: Sequence[Message]) -> _Answer:
    status, headers, body = 500, dict[str, str](), b""
    for message in got:
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            body += message["body"]
    kind = headers.get("content-type", "")
    return _Answer(status, headers, msgspec.json.decode(body) if body and "json" in kind else body.decode() or None)


def _address(url: str, made: Mapping[str, _Made]) -> str:
    """An address in which ``$<id>`` at the beginning is what an earlier request made."""
    named = _NAMED.match(url)
    known = None if named is None else made.get(named["id"])
    return url if named is None or known is None else known.below + url[named.end() :]


def _filled(value: Json, made: Mapping[str, _Made]) -> Json:
    """A body in which ``"$<id>"`` is the key of what an earlier request made."""
    match value:
        case dict():
            return {name: _filled(one, made) for name, one in value.items()}
        case list():
            return [_filled(one, made) for one in value]
        case str() if value.startswith("$") and value[1:] in made:
            return made[value[1:]].key
        case _:
            return value
