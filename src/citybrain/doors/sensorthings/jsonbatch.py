"""A batch in JSON (the extension of FROST; OData JSON 4.01 clause 19): ``{"requests": […]}`` in, ``{"responses": […]}`` out. Pure."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from citybrain.doors.sensorthings.batched import LONGEST, Answer, Batch, Part
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Json, Text

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Request(msgspec.Struct, frozen=True):
    id: _Name
    method: Literal["get", "post", "patch", "put", "delete", "GET", "POST", "PATCH", "PUT", "DELETE"]
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST)]
    body: msgspec.Raw = msgspec.Raw()
    headers: dict[str, str] = {}
    group: _Name | None = msgspec.field(name="atomicityGroup", default=None)
    depends_on: list[str] = msgspec.field(name="dependsOn", default_factory=list)


class _Requests(msgspec.Struct, frozen=True):
    requests: list[_Request]


def read(sent: bytes) -> Batch:
    """The batch of a body; raises BadInputError for what is none."""
    try:
        requests = msgspec.json.decode(sent, type=_Requests).requests
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        what = Text(
            f'内容不是批请求：{error}。应为 {{"requests": [{{"id", "method", "url", "body"?}}]}}。',
            f'The body is no batch: {error}. Expected {{"requests": [{{"id", "method", "url", "body"?}}]}}.',
        )
        raise BadInputError(what, parameter="requests") from error
    return Batch([_part(one) for one in requests])


def written(done: Sequence[tuple[Part, Answer]]) -> Json:
    """The answers of requests, as one."""
    return {"responses": [_shown(part, answer) for part, answer in done]}


def _part(one: _Request) -> Part:
    headers = {name.lower(): value for name, value in one.headers.items()}
    return Part(one.id, one.method.upper(), one.url, bytes(one.body), headers, one.group, one.depends_on, one.id)


def _shown(part: Part, answer: Answer) -> Json:
    where = answer.headers.get("location", "")
    plain = "json" in answer.headers.get("content-type", "") and answer.body
    shown: dict[str, Json] = {
        "id": part.id,
        "status": answer.status,
        "headers": {"location": where} if where else {},
        "body": msgspec.json.decode(answer.body) if plain else answer.body.decode() or None,
    }
    return shown if part.group is None else {**shown, "atomicityGroup": part.group}
