"""The short way for the commonest requests of all: a device sends one reading to ``Observations``, or arrays of them to ``CreateObservations``.

It stands before the routes, and answers only what needs nothing of them: a known device, a plain body, streams that it may
write. Everything else, and everything that is refused, goes the whole way with its body unread: the answers are the same. Readings
that arrive together are stored together.
"""

import base64
import binascii
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from citybrain.brain.observe import AS_BEFORE, Rows, Together, plausible
from citybrain.doors.sensorthings import links, saying, sending
from citybrain.doors.sensorthings.keeping import Keeping
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import ROOT, Segment, segments
from citybrain.doors.sensorthings.writing import DOOR, FEATURE, Writer
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError
from citybrain.kernel.instant import Instant, at

_ENDING: Final = b"Observations"
_ARRAYS: Final = "CreateObservations"
_LARGEST: Final = 4096
"""Bytes of a body that is read here; a greater one is no single reading."""
_LARGEST_ARRAYS: Final = 1_048_576
_TOGETHER: Final = 1000
"""Readings that are stored together at most."""
_TOLD: Final = frozenset({b"idempotency-key", b"x-purpose", b"transfer-encoding", b"content-encoding", b"cookie", b"expect"})
"""Headers whose meaning the routes know."""
_KINDS: Final = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
_ACTION: Final = "observation.write"


class _Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str = msgspec.field(name="@iot.id")


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An observation as most devices send it."""

    result: float
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = msgspec.field(name="phenomenonTime", default=None)
    datastream: _Reference | None = msgspec.field(name="Datastream", default=None)


_BODY: Final = msgspec.json.Decoder(_Body)


class _Aim(NamedTuple):
    """What an address takes: arrays of readings, or one, of the Datastream that it names if it does."""

    arrays: bool
    stream: str | None


class _Sender(NamedTuple):
    """Who sends, from where, and to what."""

    caller: Caller
    host: str
    aim: _Aim


class _Answer(NamedTuple):
    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class _Reading(NamedTuple):
    stream: str
    time: Instant
    value: float
    said: str | None


class Singles:
    """An ASGI application before another one."""

    def __init__(self, whole: ASGIApp, parts: SensorThingsParts) -> None:
        self._whole = whole
        self.parts = parts
        self._together = Together(self._store, _TOGETHER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request here or the whole way."""
        sender = self._sender(scope)
        if sender is None:
            await self._whole(scope, receive, send)
            return
        read, body = await _body(receive, _LARGEST_ARRAYS if sender.aim.arrays else _LARGEST)
        answer = None if body is None else await (self._many if sender.aim.arrays else self._one)(sender, body)
        if answer is None:
            await self._whole(scope, _again(read, receive), send)
            return
        headers = [*answer.headers, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    def _sender(self, scope: Scope) -> _Sender | None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "POST" or scope["query_string"] or scope.get("root_path"):
            return None
        raw = scope.get("raw_path") or b""
        if not raw.endswith(_ENDING):
            return None
        aim = _named(raw)
        sent = list(scope["headers"])
        headers = dict(sent)
        if aim is None or len(headers) != len(sent) or not _TOLD.isdisjoint(headers):
            return None
        if headers.get(b"content-type", b"").lower() not in _KINDS or b"host" not in headers:
            return None
        caller = self._caller(headers.get(b"authorization", b""))
        if caller is None:
            return None
        return _Sender(caller, f"{scope['scheme']}://{headers[b'host'].decode('latin-1')}", aim)

    def _caller(self, given: bytes) -> Caller | None:
        """The device of these credentials, if it may write at all; None leaves the answer to the routes."""
        if given[:6].lower() != b"basic ":
            return None
        try:
            login, colon, secret = base64.b64decode(given[6:].strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        caller = self.parts.accounts.device_caller(login, secret) if colon and "\x00" not in login else None
        return caller if caller is not None and self.parts.may(caller, _ACTION) else None

    async def _many(self, sender: _Sender, sent: bytes) -> _Answer | None:
        """The answer to arrays of readings; None for those that are not stored here."""
        parts = self.parts
        writer = Writer(parts.intake, parts.accounts, sender.caller, parts.registry.stream_numbers(), None)
        try:
            told = await writer.arrays(sent, None, links.around(sender.host, "Observations"))
        except CityError:
            # Nothing was stored: the routes try again, and say what is wrong.
            return None
        return None if told is None else _Answer(201, told)

    async def _one(self, sender: _Sender, sent: bytes) -> _Answer | None:
        """The answer to one reading; None for what is not stored here."""
        name = await self._stored(sender, sent)
        if name is None:
            return None
        return _Answer(201, b"", ((b"location", links.entity(sender.host, "Observations", name).encode()),))

    async def _stored(self, sender: _Sender, sent: bytes) -> str | None:
        """The id of the reading that a body holds, when it is durable; None for what is not stored here."""
        found = _read(sent)
        if found is None:
            return None
        body, said = found
        named = None if body.datastream is None else body.datastream.id
        stream = sender.aim.stream or named
        if stream is None or named not in (None, stream):
            return None
        number = self.parts.registry.stream_numbers().get(stream)
        if number is None or not self.parts.accounts.may_write(sender.caller, stream):
            return None
        now = self.parts.clock.city()
        time = now if body.time is None else at(body.time)
        if not plausible(time, now):
            return None
        if said is None and number not in self.parts.featured.recalled:
            said = AS_BEFORE
        refused, place = await self._together.put(_Reading(stream, time, body.result, said))
        return None if place in refused else f"{number}.{time}"

    async def _store(self, group: Sequence[_Reading]) -> frozenset[int]:
        """Store readings together; the places of those that were not."""
        times = np.array([reading.time for reading in group], np.int64)
        values = np.array([reading.value for reading in group], np.float64)
        rows = Rows([reading.stream for reading in group], times, values, None, np.arange(len(group)))
        told = any(reading.said != AS_BEFORE for reading in group)
        takes = Keeping(self.parts, lambda row: (AS_BEFORE, group[row].said)) if told else self.parts.intake
        try:
            verdict = await takes.take(rows, DOOR, None)
        except CityError:
            # Nothing was stored: the routes try each again by itself, and say what is wrong.
            return frozenset(range(len(group)))
        return frozenset(refusal.row for refusal in verdict.refused)


def _read(sent: bytes) -> tuple[_Body, str | None] | None:
    """The observation of a body, and what else it says; None for what the routes have to judge."""
    try:
        return _BODY.decode(sent), AS_BEFORE
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        fields = msgspec.json.decode(sent)
        if not isinstance(fields, dict) or FEATURE in fields:
            return None
        return msgspec.convert(sending.bare(fields), _Body), saying.said(fields)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, CityError):
        return None


@lru_cache(maxsize=4096)
def _named(raw: bytes) -> _Aim | None:
    """What a path below the root takes; None for one that takes neither single readings nor arrays."""
    if not raw.startswith(ROOT.encode()):
        return None
    try:
        found = segments(raw.decode("ascii"))
    except (CityError, UnicodeDecodeError):
        return None
    match found:
        case (Segment(name, None),) if name == _ARRAYS:
            return _Aim(arrays=True, stream=None)
        case (Segment("Observations", None),):
            return _Aim(arrays=False, stream=None)
        case (Segment("Datastreams", str(key)), Segment("Observations", None)) if key:
            return _Aim(arrays=False, stream=key)
        case _:
            return None


async def _body(receive: Receive, largest: int) -> tuple[deque[ReceiveMessage], bytes | None]:
    """The messages of a request that were read, and its body; None for one that is too large, or does not come to its end."""
    read: deque[ReceiveMessage] = deque()
    body = b""
    while len(body) <= largest:
        message = await receive()
        read.append(message)
        if message["type"] != "http.request":
            return read, None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return read, body
    return read, None


def _again(read: deque[ReceiveMessage], receive: Receive) -> Receive:
    """The messages of a request, those that were read already first."""

    async def received() -> ReceiveMessage:
        return read.popleft() if read else await receive()

    return received
