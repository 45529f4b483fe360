"""From a topic and its payload to rows, and from rows to the intake: the same rules as over HTTP.

``citybrain/v1/observations`` takes the body of the API; ``citybrain/v1/<entity id>`` takes one message with many fields,
``{"time": …, "<field>": value, …}``; topics that a district declares are read as they say (``mapping``). Every row that is
refused stands in the door's ledger.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeAlias

import msgspec
import structlog
from anyio import to_thread

from citybrain.brain.observe import Inlet, Rows, Together, Verdict, because, lenient, permitted, read_rows, unread, whole
from citybrain.brain.protect import Accounts, Guard
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import (
    BadInputError,
    BusyError,
    CityError,
    NotFoundError,
    StorageFullError,
    TooLargeError,
    UnauthenticatedError,
    UnreadableError,
)
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.text import Json, Text

log = structlog.get_logger(__name__)

PREFIX: Final = "citybrain/v1/"
BULK: Final = f"{PREFIX}observations"
DOOR: Final = "mqtt"
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LARGE: Final = 65_536
"""Bytes above which reading leaves the event loop."""


_TOGETHER: Final = 1000
"""Messages of one device that make one sending at most."""


Piece: TypeAlias = Sequence[bytes]
"""Rows that are stored together or not at all."""
Alone: TypeAlias = Callable[[Caller, str], Awaitable[Verdict]]
"""Stores a message by itself, as this caller's and in the account of this door, for one that says more than rows do."""
_Rows: TypeAlias = Callable[[str, bytes], Sequence[Piece] | Alone]


class Reads(Protocol):
    """Makes the API's rows of a message, as JSON; None for a topic that it does not know. Raises CityError."""

    def rows(self, topic: str, payload: bytes, now: str, /) -> Sequence[Piece] | Alone | None:
        """The rows of a message that came at ``now``, piece by piece, or what stores it."""
        ...


@dataclass(frozen=True, slots=True)
class MqttDoor:
    """The door for devices, and for people who subscribe; ``limit`` is the greatest payload in bytes.

    What a device sends while its messages before are being stored becomes one sending: each message alone would cost as much.
    """

    guard: Guard
    accounts: Accounts
    intake: Inlet
    clock: Clock
    limit: int = 1_000_000
    topics: Sequence[Reads] = ()
    """Who reads topics that are not our own; the first that knows a topic reads its message."""
    _together: dict[str, Together[Sequence[Piece], Verdict]] = field(default_factory=dict)
    """Of each device whose messages are being stored."""
    _sessions: dict[str, str] = field(default_factory=dict)
    """Of each person who signed in here, the newest session."""

    async def authorise(self, login: str, secret: str, address: str = "") -> Caller | None:
        """The device of a login and secret, or the person of a login and password who wants to subscribe; None for neither."""
        return await to_thread.run_sync(self._caller, login, secret, address)

    def stays(self, caller: Caller) -> bool:
        """Whether a person who signed in here still may be: the account is open, its password the same, the session not over."""
        token = self._sessions.get(caller.account)
        return token is not None and self.accounts.caller(token) == caller

    def _caller(self, login: str, secret: str, address: str) -> Caller | None:
        device = self.accounts.device_caller(login, secret)
        # The wrong secret of a device is no attempt at a person's account.
        if device is not None or not login or self.accounts.devices.named(login) is not None:
            return device
        try:
            token = self.accounts.sign_in(login, secret, address)
        except (UnauthenticatedError, BusyError):
            return None
        caller = self.accounts.caller(token)
        if caller is not None:
            self._sessions[caller.account] = token
        return caller

    async def take(self, topic: str, payload: bytes, caller: Caller) -> Verdict:
        """Store what a message says; resolves when it is durable, with the verdict on all that was stored together with it.

        Raises UnreadableError, BadInputError, TooLargeError and ForbiddenError, after which the message is not worth sending
        again; BusyError and StorageFullError, after which it is.
        """
        return await self._take(topic, payload, caller, self._rows)

    async def take_at(self, topic: str, payload: bytes, caller: Caller, came: Instant) -> Verdict:
        """The same for what came first at an instant, and may have been sent again since: what says no time is of that instant."""
        return await self._take(topic, payload, caller, lambda topic, payload: self._read(topic, payload, came))

    async def refuse(self, error: CityError, caller: Caller) -> None:
        """Have a packet that the broker would not read stand in the ledger as one row that is refused."""
        await self._account(error, caller)

    async def take_kept(self, topic: str, payload: bytes, caller: Caller) -> Verdict:
        """The same for what another broker had kept (MQTT: retained): it came now, but nobody knows when it was sent.

        So one that does not say when it was measured is refused (BadInputError): a sensor that is long dead would seem to live.
        """
        return await self._take(topic, payload, caller, self._kept)

    async def _take(self, topic: str, payload: bytes, caller: Caller, rows: _Rows) -> Verdict:
        if topic == BULK and len(payload) <= self.limit:
            return await self._store(payload, caller, topic, ())
        try:
            found = rows(topic, payload)
        except (BadInputError, NotFoundError) as error:
            await self._account(error, caller)
            raise
        if callable(found):
            return _logged(await self._alone(found, caller), caller, topic)
        together = self._together.get(caller.account)
        if together is None:
            together = self._together[caller.account] = Together(partial(self._store_all, caller, topic), _TOGETHER)
        try:
            verdict, _ = await together.put(found)
        finally:
            if together.idle and self._together.get(caller.account) is together:
                del self._together[caller.account]
        return verdict

    async def _alone(self, store: Alone, caller: Caller) -> Verdict:
        """Store a message by itself; one that cannot be stored, and is not worth sending again, stands in the ledger as one row."""
        try:
            return await store(caller, DOOR)
        except (BusyError, StorageFullError):
            raise
        except CityError as error:
            await self._account(error, caller)
            raise

    async def _account(self, error: CityError, caller: Caller) -> None:
        """Have a message of which nothing could be read stand in the ledger, as one row: it is acknowledged, and its sender not told."""
        self.guard.require(Ask(caller, "observation.write", "observation"))
        await self.intake.take(unread(error), DOOR, None)

    def _rows(self, topic: str, payload: bytes) -> Sequence[Piece] | Alone:
        return self._read(topic, payload, self.clock.city())

    def _kept(self, topic: str, payload: bytes) -> Sequence[Piece] | Alone:
        now = self.clock.city()
        found = self._read(topic, payload, now)
        if not callable(found) and found != self._read(topic, payload, Instant(now - 1)):
            what = Text(
                "这是另一台服务器上保留（retained）的消息，且未写时间：不知何时测得，未存入。请在消息中写明时间。",
                "The other broker had kept (retained) this message, which says no time: when it was measured is not known, so it is "
                "not stored. Say the time in the message.",
            )
            raise BadInputError(what, topic=topic)
        return found

    def _read(self, topic: str, payload: bytes, at: Instant) -> Sequence[Piece] | Alone:
        if len(payload) > self.limit:
            what = Text(f"消息超过 {self.limit} 字节，请分批发送。", f"The message is over {self.limit} bytes. Send it in parts.")
            raise TooLargeError(what, limit=self.limit)
        now = rfc3339(at)
        for known in self.topics:
            found = known.rows(topic, payload, now)
            if found is not None:
                return found
        return observations(topic, payload, now)

    async def _store_all(self, caller: Caller, topic: str, group: Sequence[Sequence[Piece]]) -> Verdict:
        """Store the messages of a device as one sending."""
        listed = [piece for message in group for piece in message]
        joint = any(len(piece) > 1 for piece in listed)
        pieces = [number for number, piece in enumerate(listed) for _ in piece] if joint else ()
        return await self._store(b"[" + b",".join(row for piece in listed for row in piece) + b"]", caller, topic, pieces)

    async def _store(self, body: bytes, caller: Caller, topic: str, pieces: Sequence[int]) -> Verdict:
        """Store rows; ``pieces`` says of each which piece it is of, empty where each is by itself."""
        # On the loop, as far as they are small: policy remembers its answers, and messages that change threads lose their order.
        self.guard.require(Ask(caller, "observation.write", "observation"))
        read = partial(self._own, body, caller, pieces)
        try:
            own = await to_thread.run_sync(read) if len(body) > _LARGE else read()
        except UnreadableError as error:
            await self._account(error, caller)
            raise
        return _logged(await self.intake.take(own, DOOR, None), caller, topic)

    def _own(self, body: bytes, caller: Caller, pieces: Sequence[int]) -> Rows:
        own = permitted(read_rows(body), self.accounts.barred(caller))
        return whole(own, pieces) if pieces else own


def _logged(verdict: Verdict, caller: Caller, topic: str) -> Verdict:
    if verdict.refused:
        why, rows = because(verdict.refused[0]), len(verdict.refused)
        log.info("rows_refused", door=DOOR, topic=topic, caller=caller.account, rows=rows, first=why)
    return verdict


def observations(topic: str, payload: bytes, now: str) -> list[Piece]:
    """The API's rows for a message of one entity, as JSON, each by itself; without ``time`` it was measured ``now``.

    Raises BadInputError for a topic that is not ours, UnreadableError for a payload that is no JSON object.
    """
    entity = topic.removeprefix(PREFIX)
    if entity == topic or not entity or "/" in entity:
        what = Text(
            f"主题“{topic}”不可用。请用 {BULK} 或 {PREFIX}<对象标识>。",
            f"No such topic: '{topic}'. Use {BULK} or {PREFIX}<entity id>.",
        )
        raise BadInputError(what, topic=topic)
    try:
        fields = _FIELDS.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        said = lenient(payload)
        if isinstance(said, dict):
            # NaN, which becomes null: its row is refused, and no other.
            return _pieces(entity, said, now)
        what = Text(
            f'消息不是 UTF-8 编码的 JSON 对象：{error}。应为 {{"time": …, "字段": 数值}}。',
            f'The message is no JSON object in UTF-8: {error}. Expected {{"time": …, "field": value}}.',
        )
        raise UnreadableError(what, topic=topic) from error
    return _pieces(entity, fields, now)


def _pieces(entity: str, fields: Mapping[str, msgspec.Raw] | Mapping[str, Json], now: str) -> list[Piece]:
    time = fields.get("time", now)
    said = ((field, value) for field, value in fields.items() if field != "time")
    return [(msgspec.json.encode({"stream": f"{entity}.{field}", "time": time, "value": value}),) for field, value in said]
