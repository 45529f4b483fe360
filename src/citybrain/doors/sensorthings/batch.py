"""``$batch`` in JSON (OGC 18-088 clause 11, OData JSON 4.01 clause 19): many requests in one.

Each goes through the application as if it had come alone, with the credentials of the whole; policy, limits and audit are the same.
Each is answered and refused by itself, but those of one ``atomicityGroup``, which all take place or none (together.py).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Final, Literal, cast
from urllib.parse import unquote, urlsplit

import msgspec
from litestar.types import HTTPDisconnectEvent, HTTPReceiveMessage, HTTPRequestEvent, HTTPScope, Message

from citybrain.doors.sensorthings import answers
from citybrain.doors.sensorthings.parts import Call, SensorThingsParts
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.doors.sensorthings.together import STATE, Group, entered
from citybrain.kernel.errors import BadInputError, CityError
from citybrain.kernel.text import Json, Text

MOST: Final = 500
"""Requests of one batch."""
_KEPT: Final = frozenset({b"authorization", b"cookie", b"x-csrf-token", b"x-purpose", b"host", b"origin", b"sec-fetch-site"})
"""Headers of the batch that its requests are sent with."""
_NAMED: Final = re.compile(r"/?\$(?P<id>[^/?]+)")
_IDEMPOTENCY: Final = "idempotency-key"
BATCH: Final = "$batch"
_BAD, _DEPENDENT = 400, 424


class Part(msgspec.Struct, frozen=True):
    """One request; its address is below the root, or whole, and ``$<id>`` in it or in its body is what an earlier request made."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    method: Literal["get", "post", "patch", "put", "delete", "GET", "POST", "PATCH", "PUT", "DELETE"]
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    body: msgspec.Raw = msgspec.Raw()
    headers: dict[str, str] = {}
    atomicity_group: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = msgspec.field(
        name="atomicityGroup", default=None
    )
    depends_on: list[str] = msgspec.field(name="dependsOn", default_factory=list)


class _Batch(msgspec.Struct, frozen=True):
    requests: list[Part]


class _Made(msgspec.Struct, frozen=True):
    """What a request of the batch made: its address below the root, and its key."""

    below: str
    key: str


@dataclass(slots=True)
class _Known:
    """What is known of the requests so far: what they made, and which of them, and of their groups, came to nothing."""

    made: dict[str, _Made]
    failed: set[str]


async def answered(request: Call, parts: SensorThingsParts, sent: bytes) -> Json:
    """The answers of a batch, in its order; raises BadInputError for what is no batch or too great a one."""
    known = _Known({}, set())
    said: list[Json] = []
    for name, group in groupby(_read(sent), _group):
        if name is None:
            for part in group:
                answer = await _after(request, part, known, None)
                _keep(part, answer, known)
                said.append(_shown(part, answer))
        else:
            members = tuple(group)
            for part, answer in zip(members, await _together(request, parts, members, known), strict=True):
                _keep(part, answer, known)
                said.append(_shown(part, answer))
    return {"responses": said}


async def _together(request: Call, parts: SensorThingsParts, members: Sequence[Part], known: _Known) -> list["_Answer"]:
    """The answers of requests that all take place or none; they are tried on a register that stands apart."""

    async def tried(group: Group) -> list[_Answer]:
        here = _Known(dict(known.made), set(known.failed))
        said: list[_Answer] = []
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
        return [_Answer(error.status, {}, answers.told(error, english=_english(request))) for _ in members]


class _UndoneError(Exception):
    """A request of a group failed; the answers of all say so."""

    def __init__(self, said: list["_Answer"]) -> None:
        super().__init__()
        self.answers = said


def _undone(request: Call, members: Sequence[Part], place: int, failed: "_Answer") -> list["_Answer"]:
    """The answers where one request of a group failed: its own, and of the others that nothing of them took place."""
    name = members[place].id
    other = _dependent(
        request, f"同组的请求“{name}”未成功，整组未执行。", f"Request '{name}' of this group failed: nothing of the group was done."
    )
    return [failed if number == place else other for number in range(len(members))]


def _dependent(request: Call, zh: str, en: str) -> "_Answer":
    what = en if _english(request) else f"{zh} {en}"
    return _Answer(_DEPENDENT, {}, {"code": _DEPENDENT, "type": "error", "message": what, "reason": "failed_dependency"})


def _english(request: Call) -> bool:
    return request.query_params.get("lang") == "en"


async def _after(request: Call, part: Part, known: _Known, group: Group | None) -> "_Answer":
    """The answer of one request, or that another, on which it depends, came to nothing."""
    lost = next((name for name in part.depends_on if name in known.failed), None)
    if lost is not None:
        return _dependent(
            request, f"所依赖的“{lost}”未成功，此请求未执行。", f"'{lost}', on which this depends, failed: this was not done."
        )
    return await _asked(request, part, known.made, group)


def _keep(part: Part, answer: "_Answer", known: _Known) -> None:
    if not answer.good:
        known.failed |= {part.id} | ({part.atomicity_group} if part.atomicity_group is not None else set())
        return
    below = answer.headers.get("location", "").partition(ROOT)[2].strip("/")
    if below:
        known.made[part.id] = _Made(below, segments(f"{ROOT}/{below}")[-1].key or "")


def _shown(part: Part, answer: "_Answer") -> Json:
    where = answer.headers.get("location", "")
    shown: dict[str, Json] = {
        "id": part.id,
        "status": answer.status,
        "headers": {"location": where} if where else {},
        "body": answer.body,
    }
    return shown if part.atomicity_group is None else {**shown, "atomicityGroup": part.atomicity_group}


def _group(part: Part) -> str | None:
    return part.atomicity_group


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
    _in_order(parts)
    return parts


def _in_order(parts: Sequence[Part]) -> None:
    """Raise BadInputError for groups that are torn apart or read, and for what depends on nothing that came before."""
    names = [name for name, _ in groupby(parts, _group) if name is not None]
    if len(set(names)) < len(names) or not {part.id for part in parts}.isdisjoint(names):
        raise wrong(
            "同一 atomicityGroup 的请求须相邻，其名称不得与请求的 id 相同。",
            "The requests of an atomicityGroup stand side by side, and its name is the id of no request.",
            "atomicityGroup",
        )
    before: set[str] = set()
    for part in parts:
        if part.atomicity_group is not None and part.method.lower() == "get":
            raise wrong("atomicityGroup 中不能读取。", "Nothing is read in an atomicityGroup.", "atomicityGroup")
        if not before.issuperset(part.depends_on):
            raise wrong(
                f"请求“{part.id}”的 dependsOn 须为在它之前的请求或组。",
                f"dependsOn of request '{part.id}' names requests or groups that come before it.",
                "dependsOn",
            )
        before |= {part.id} | ({part.atomicity_group} if part.atomicity_group is not None else set())


class _Answer(msgspec.Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: Json

    @property
    def good(self) -> bool:
        """Whether what was asked took place."""
        return self.status < _BAD


async def _asked(request: Call, part: Part, made: Mapping[str, _Made], group: Group | None) -> _Answer:
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
