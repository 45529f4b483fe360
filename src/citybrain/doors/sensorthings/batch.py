"""``$batch`` (OGC 18-088 clause 11): many requests in one, as multipart/mixed or in JSON.

Each goes through the application as if it had come alone, with the credentials of the whole; policy, limits and audit are the same.
Each is answered and refused by itself, but those of one group (a change set, an ``atomicityGroup``), which all take place or none
(together.py). What is done is decided here, whatever the form on the wire: read → checked → done → written.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, cast
from urllib.parse import quote, unquote, urlsplit

import msgspec
from litestar import Response
from litestar.types import HTTPDisconnectEvent, HTTPReceiveMessage, HTTPRequestEvent, HTTPScope, Message

from citybrain.doors.sensorthings import answers, jsonbatch, multipart
from citybrain.doors.sensorthings.batched import BATCH, Answer, Batch, Part, below, checked, group_of
from citybrain.doors.sensorthings.openapi import PROBLEM
from citybrain.doors.sensorthings.parts import Call, SensorThingsParts
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.together import STATE, Group, entered
from citybrain.kernel.errors import CityError
from citybrain.kernel.ids import new_id
from citybrain.kernel.text import Json, Text

__all__ = ["BATCH", "answered"]

_KEPT: Final = frozenset({b"authorization", b"cookie", b"x-csrf-token", b"x-purpose", b"host", b"origin", b"sec-fetch-site"})
"""Headers of the batch that its requests are sent with."""
_OWN: Final = ("idempotency-key",)
"""Headers of a request that are its own; its Content-Type is too."""
_NAMED: Final = re.compile(r"/?\$(?P<name>[^/?]+)")
_SAFE: Final = "/%:?#[]@!$&'()*+,;=-._~"
_GOING_ON: Final = re.compile(r"(?:odata\.)?continue-on-error(?:\s*=\s*\"?true\"?)?", re.IGNORECASE)
_DEPENDENT: Final = 424


@dataclass(frozen=True, slots=True)
class _Made:
    """What a request of the batch made: its address below the root, and its key."""

    below: str
    key: str


@dataclass(slots=True)
class _Known:
    """What is known of the requests so far: what they made, by scope and name, and which of them, and of their groups, came to nothing."""

    made: dict[str, dict[str, _Made]]
    failed: set[str]
    lost: set[tuple[str, str]]
    """The scope and name of those that came to nothing."""


async def answered(request: Call, parts: SensorThingsParts, sent: bytes) -> Response[bytes]:
    """The answers of a batch, in its order and its form; raises BadInputError for what is no batch or too great a one.

    Of a multipart batch nothing is done after the first failure, unless the sender prefers to go on (OData 4.0 Protocol 11.7.4).
    """
    if request.content_type[0] != multipart.KIND:
        batch = checked(jsonbatch.read(sent))
        return answers.said(jsonbatch.written(await _done(request, parts, batch)))
    going_on = any(_GOING_ON.fullmatch(one.strip()) for one in re.split("[,;]", request.headers.get("prefer", "")))
    batch = checked(multipart.read(request.headers["content-type"], sent, halts=not going_on))
    boundary = f"batch_{new_id()}"
    body = multipart.written(await _done(request, parts, batch), boundary)
    applied = {"Preference-Applied": "odata.continue-on-error"} if going_on else None
    return Response(body, status_code=200, media_type=multipart.content_type(boundary), headers=applied)


async def _done(request: Call, parts: SensorThingsParts, batch: Batch) -> list[tuple[Part, Answer]]:
    known = _Known({}, set(), set())
    said: list[tuple[Part, Answer]] = []
    for name, group in groupby(batch.parts, group_of):
        members = tuple(group)
        if name is None:
            for part in members:
                said.append((part, await _after(request, part, known, None)))
                _keep(*said[-1], known)
                if batch.halts and not said[-1][1].good:
                    return said
        else:
            together = list(zip(members, await _together(request, parts, members, known), strict=True))
            said += together
            for part, answer in together:
                _keep(part, answer, known)
            if batch.halts and not all(answer.good for _, answer in together):
                return said
    return said


async def _together(request: Call, parts: SensorThingsParts, members: Sequence[Part], known: _Known) -> list[Answer]:
    """The answers of requests that all take place or none; they are tried on a register that stands apart."""

    async def tried(group: Group) -> list[Answer]:
        here = _Known({scope: dict(made) for scope, made in known.made.items()}, set(known.failed), set(known.lost))
        said: list[Answer] = []
        for part in members:
            said.append(await _after(request, part, here, group))
            _keep(part, said[-1], here)
            if not said[-1].good:
                raise _UndoneError(_undone(request, members, len(said) - 1, said[-1]))
        return said

    try:
        return await entered(parts, tried)
    except _UndoneError as undone:
        return undone.answers
    except CityError as error:
        return [_told(error.status, answers.told(error, english=_english(request)))] * len(members)


class _UndoneError(Exception):
    """A request of a group failed; the answers of all say so."""

    def __init__(self, said: list[Answer]) -> None:
        super().__init__()
        self.answers = said


def _undone(request: Call, members: Sequence[Part], place: int, failed: Answer) -> list[Answer]:
    """The answers where one request of a group failed: its own, and of the others that nothing of them took place."""
    name = members[place].id
    other = _dependent(
        request, f"同组的请求“{name}”未成功，整组未执行。", f"Request '{name}' of this group failed: nothing of the group was done."
    )
    return [failed if number == place else replace(other, own=False) for number in range(len(members))]


def _dependent(request: Call, zh: str, en: str) -> Answer:
    title = Text("所依赖的请求未成功", "Failed dependency")
    what = answers.problem(_DEPENDENT, "failed_dependency", title, Text(zh, en), english=_english(request))
    return _told(_DEPENDENT, what | {"type": "about:blank"})


def _told(status: int, what: Json) -> Answer:
    return Answer(status, {"content-type": PROBLEM}, msgspec.json.encode(what))


def _english(request: Call) -> bool:
    return request.query_params.get("lang") == "en"


async def _after(request: Call, part: Part, known: _Known, group: Group | None) -> Answer:
    """The answer of one request, or that another, on which it depends, came to nothing."""
    lost = next((name for name in part.after if name in known.failed), None)
    named = _NAMED.match(part.url)
    if named is not None and (part.scope, named["name"]) in known.lost:
        lost = named["name"]
    if lost is not None:
        return _dependent(
            request, f"所依赖的“{lost}”未成功，此请求未执行。", f"'{lost}', on which this depends, failed: this was not done."
        )
    return await _asked(request, part, known.made.get(part.scope, {}), group)


def _keep(part: Part, answer: Answer, known: _Known) -> None:
    if not answer.good:
        known.failed |= {part.id} | ({part.group} if part.group is not None else set())
        known.lost |= set() if part.name is None else {(part.scope, part.name)}
        return
    at = answer.headers.get("location", "").partition(ROOT)[2].strip("/")
    if at and part.name is not None:
        known.made.setdefault(part.scope, {})[part.name] = _Made(at, segments(f"{ROOT}/{at}")[-1].key or "")


async def _asked(request: Call, part: Part, made: Mapping[str, _Made], group: Group | None) -> Answer:
    """One request, sent through the application."""
    address = _address(part.url, made)
    path = quote(f"{ROOT}/{below(address).lstrip('/')}", safe=_SAFE)
    kind = part.headers.get("content-type", answers.JSON)
    body = _body(part.body, made) if made and "json" in kind else part.body
    headers = [pair for pair in request.scope["headers"] if pair[0] in _KEPT]
    headers += [(name.encode(), part.headers[name].encode()) for name in _OWN if name in part.headers]
    headers += [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    own = {
        "method": part.method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": quote(urlsplit(address).query, safe=_SAFE).encode(),
        "headers": headers,
        "state": {} if group is None else {STATE: group},
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


def _answer(got: Sequence[Message]) -> Answer:
    status, headers, body = 500, dict[str, str](), b""
    for message in got:
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            body += message["body"]
    return Answer(status, headers, body)


def _address(url: str, made: Mapping[str, _Made]) -> str:
    """An address in which ``$<name>`` at the beginning is what an earlier request made."""
    named = _NAMED.match(url)
    known = None if named is None else made.get(named["name"])
    return url if named is None or known is None else known.below + url[named.end() :]


def _body(body: bytes, made: Mapping[str, _Made]) -> bytes:
    """A body with the keys of what earlier requests made filled in; what is no JSON is left for the request to refuse."""
    try:
        return msgspec.json.encode(_filled(msgspec.json.decode(body), made)) if body else body
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body


def _filled(value: Json, made: Mapping[str, _Made]) -> Json:
    """A body in which ``"$<name>"`` is the key of what an earlier request made."""
    match value:
        case dict():
            return {name: _filled(one, made) for name, one in value.items()}
        case list():
            return [_filled(one, made) for one in value]
        case str() if value.startswith("$") and value[1:] in made:
            return made[value[1:]].key
        case _:
            return value
