"""From a topic and its payload to rows, and from rows to the intake: the same rules as over HTTP.

``citybrain/v1/observations`` takes the body of the API; ``citybrain/v1/<entity id>`` takes one message with many fields,
``{"time": …, "<field>": value, …}``. Every row that is refused stands in the door's ledger.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import structlog
from anyio import to_thread

from citybrain.brain.observe import Intake, Rows, Verdict, permitted, read_rows
from citybrain.brain.protect import Accounts, Guard
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, TooLargeError, UnreadableError
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.text import Text

log = structlog.get_logger(__name__)

PREFIX: Final = "citybrain/v1/"
BULK: Final = f"{PREFIX}observations"
DOOR: Final = "mqtt"
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LARGE: Final = 65_536
"""Bytes above which reading leaves the event loop."""


@dataclass(frozen=True, slots=True)
class MqttDoor:
    """The door for devices; ``limit`` is the greatest payload in bytes."""

    guard: Guard
    accounts: Accounts
    intake: Intake
    clock: Clock
    limit: int = 1_000_000

    async def authorise(self, login: str, secret: str) -> Caller | None:
        """The device of a login and secret, or None."""
        return await to_thread.run_sync(self.accounts.device_caller, login, secret)

    async def take(self, topic: str, payload: bytes, caller: Caller) -> Verdict:
        """Store what a message says; resolves when it is durable, which is when it may be acknowledged.

        Raises UnreadableError, BadInputError, TooLargeError and ForbiddenError, after which the message is not worth sending
        again; BusyError and StorageFullError, after which it is.
        """
        if len(payload) > self.limit:
            what = Text(f"消息超过 {self.limit} 字节，请分批发送。", f"The message is over {self.limit} bytes. Send it in parts.")
            raise TooLargeError(what, limit=self.limit)
        await to_thread.run_sync(self.guard.require, Ask(caller, "observation.write", "observation"))
        body = payload if topic == BULK else observations(topic, payload, rfc3339(self.clock.city()))
        rows = await to_thread.run_sync(read_rows, body) if len(body) > _LARGE else read_rows(body)
        own = await to_thread.run_sync(self._own, rows, caller)
        verdict = await self.intake.take(own, DOOR, None)
        if verdict.refused:
            log.info("rows_refused", door=DOOR, topic=topic, caller=caller.account, rows=len(verdict.refused))
        return verdict

    def _own(self, rows: Rows, caller: Caller) -> Rows:
        return permitted(rows, self.accounts.barred(caller))


def observations(topic: str, payload: bytes, now: str) -> bytes:
    """The API's body for a message of one entity; without ``time`` it was measured ``now``.

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
        what = Text(
            f'消息不是 UTF-8 编码的 JSON 对象：{error}。应为 {{"time": …, "字段": 数值}}。',
            f'The message is no JSON object in UTF-8: {error}. Expected {{"time": …, "field": value}}.',
        )
        raise UnreadableError(what, topic=topic) from error
    time = fields.pop("time", msgspec.Raw(msgspec.json.encode(now)))
    rows = [{"stream": f"{entity}.{field}", "time": time, "value": value} for field, value in fields.items()]
    return msgspec.json.encode({"observations": rows})
