"""One MQTT connection: a message is acknowledged only after it has been taken, so a lost one is sent again."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from typing import NamedTuple, TypeAlias

import structlog
from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import BrokerContext
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.pubcomp import PubcompPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.pubrec import PubrecPacket
from amqtt.mqtt.pubrel import PubrelPacket
from amqtt.plugins.manager import PluginManager
from amqtt.session import Session

from citybrain.engines import mqtt_packets as packets
from citybrain.engines.mqtt_arrivals import Arrivals
from citybrain.engines.mqtt_gate import GatedReader
from citybrain.engines.mqtt_outgoing import Outgoing, Outlet, Subscribe
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, BusyError, CityError, StorageFullError
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text

Take: TypeAlias = Callable[[str, bytes, Caller], Awaitable[object]]
"""Stores a message (topic, payload, sender); what it raises decides whether the sender tries again."""
Refuse: TypeAlias = Callable[[CityError, Caller], Awaitable[object]]
"""Accounts for a packet that may have held observations and was not read: why not, and its sender."""
_SUBSCRIPTIONS = 200
"""Topics that one connection may subscribe to."""
_WILDCARDS = 10
"""Of these such as hold wildcards."""
_PUBACK = b"\x40\x02"
_log = structlog.get_logger(__name__)


class _Message(NamedTuple):
    """What was published; ``number`` is its packet identifier, none with QoS 0, and ``again`` whether its sender says that it came before."""

    topic: str
    payload: bytes
    qos: int
    number: int | None
    again: bool


class DurableHandler(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt ships no types
    """amqtt's handler acknowledges QoS 1 on arrival; this one takes the message first (QoS 0, 1 and 2).

    BusyError, StorageFullError and unforeseen errors end the connection without acknowledgement: the device sends again. Any
    other CityError is acknowledged, since sending the same again would be refused again.
    """

    def __init__(
        self,
        plugins: PluginManager[BrokerContext],
        take: Take,
        client: str,
        arrivals: Arrivals | None = None,
        refuse: Refuse | None = None,
    ) -> None:
        super().__init__(plugins)
        self._take = take
        self._client = client
        self._arrivals = arrivals
        self._refuse = refuse
        self._gate: GatedReader | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._received: set[int] = set()
        self._ended = False
        self._before: asyncio.Future[None] | None = None
        self.caller: Caller | None = None
        self._outgoing: Outgoing | None = None
        self._taken_in = bytearray()
        self._subscriptions: dict[str, Callable[[], None]] = {}

    def attach(self, session: Session, reader: ReaderAdapter, writer: WriterAdapter) -> None:
        """Begin on a connection."""
        super().attach(session, reader, writer)
        self._gate = reader if isinstance(reader, GatedReader) else None
        if self._gate is not None:
            self._gate.refused = self._unread

    def handle_read_timeout(self) -> None:
        """A device that is silent for longer than it promised is gone [MQTT-3.1.2-24], unless we made it wait."""
        if self._gate is None or self._gate.waiting == 0:
            self.end()

    def end(self) -> None:
        """Close the connection without another word."""
        self._ended = True
        if self._disconnect_waiter is not None and not self._disconnect_waiter.done():
            self._disconnect_waiter.set_result(None)

    async def stop(self) -> None:
        """End, and with it all that was subscribed to."""
        self.unsubscribe_all()
        await super().stop()

    async def subscribe(self, topic: str, qos: int, begin: Subscribe) -> bool:
        """Begin to send what a topic stands for, again where it was subscribed to before; whether the caller may have it."""
        if self.caller is None or self._gate is None:
            return False
        self.unsubscribe(topic)
        if self._outgoing is None:
            self._outgoing = Outgoing(self.caller.account, self._write, self._gate.cut)
        try:
            self._check(topic)
            self._subscriptions[topic] = await begin(topic, self.caller, Outlet(topic, qos, self._outgoing, self.end))
        except CityError as error:
            _log.info("mqtt_subscription_refused", account=self.caller.account, topic=topic, code=error.code, why=error.what.en)
            return False
        return True

    def _check(self, topic: str) -> None:
        """Raise BadInputError for one topic too many, or one with wildcards, each of which stands for several."""
        wild = sum(_is_wild(one) for one in self._subscriptions)
        if _is_wild(topic) and wild >= _WILDCARDS:
            zh, en = (
                f"一个连接至多订阅 {_WILDCARDS} 个带通配符的主题。",
                f"One connection has at most {_WILDCARDS} topics with wildcards.",
            )
            raise BadInputError(Text(zh, en), topic=topic)
        if len(self._subscriptions) >= _SUBSCRIPTIONS:
            zh, en = f"一个连接至多订阅 {_SUBSCRIPTIONS} 个主题。", f"One connection has at most {_SUBSCRIPTIONS} topics."
            raise BadInputError(Text(zh, en), topic=topic)

    def unsubscribe(self, topic: str) -> None:
        """Send no more of a topic; harmless where it was not subscribed to."""
        stop = self._subscriptions.pop(topic, None)
        if stop is not None:
            stop()

    def unsubscribe_all(self) -> None:
        """Send nothing more."""
        for topic in tuple(self._subscriptions):
            self.unsubscribe(topic)
        if self._outgoing is not None:
            self._outgoing.close()

    async def handle_puback(self, puback: PubackPacket) -> None:
        """The subscriber has a message with QoS 1."""
        if self._outgoing is not None and puback.variable_header is not None:
            self._outgoing.acknowledged(puback.variable_header.packet_id)

    async def _write(self, packets: bytes) -> None:
        """Write whole packets, between those that acknowledge."""
        async with self._write_lock:
            if self.writer is not None:
                self.writer.write(packets)
                await self.writer.drain()

    async def settled(self) -> None:
        """Wait for the messages that are being taken."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def handle_publish(self, publish_packet: PublishPacket) -> None:
        """Take a message, in a task of its own: a device that hangs up after QoS 0 still meant what it said."""
        topic, payload = publish_packet.topic_name, publish_packet.data
        if not topic or payload is None or topic.startswith("$") or "#" in topic or "+" in topic or self.caller is None:
            self.end()
            return
        number = publish_packet.variable_header.packet_id if publish_packet.variable_header else None
        if publish_packet.qos == 2 and number in self._received:
            await self._acknowledge(2, number)
            return
        before, mine = self._before, asyncio.get_running_loop().create_future()
        self._before = mine
        message = _Message(topic, bytes(payload), publish_packet.qos or 0, number, again=bool(publish_packet.dup_flag))
        if self._gate is not None:
            self._gate.enter(len(message.payload))
        self._begin(self._taken(message, self._came(message), before, mine, self.caller))

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        """Do something that the end of the connection waits for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _came(self, message: _Message) -> Instant | None:
        """When a message came that may be sent again, as far as anybody asks for that."""
        if self._arrivals is None or not message.qos or message.number is None:
            return None
        return self._arrivals.came(self._client, message.number, message.topic, message.payload, again=message.again)

    def _unread(self, error: CityError, kind: int) -> None:
        """A packet is not read: its sender is cut off, and of what may have held observations whoever keeps the account is told."""
        account = "" if self.caller is None else self.caller.account
        _log.warning("mqtt_packet_not_read", account=account, client=self._client, packet=kind, code=error.code, why=error.what.en)
        if self._refuse is not None and self.caller is not None and kind == packets.PUBLISH:
            self._begin(self._accounted(self._refuse(error, self.caller)))

    async def _accounted(self, told: Awaitable[object]) -> None:
        try:
            await told
        except CityError as error:
            _log.warning("mqtt_refusal_not_accounted", client=self._client, code=error.code, why=error.what.en)

    async def handle_pubrel(self, pubrel: PubrelPacket) -> None:
        """The end of QoS 2."""
        self._received.discard(pubrel.packet_id)
        await self._send_packet(PubcompPacket.build(pubrel.packet_id))

    async def _taken(
        self,
        message: _Message,
        came: Instant | None,
        before: asyncio.Future[None] | None,
        mine: asyncio.Future[None],
        caller: Caller,
    ) -> None:
        """Take a message and acknowledge it, in the order of arrival [MQTT-4.6.0-2]."""
        stays = message.qos == 0
        try:
            stays = await self._stored(message, came, caller) or stays
            if before is not None:
                await before
            if stays and not self._ended:
                await self._acknowledge(message.qos, message.number)
        finally:
            mine.set_result(None)
            if self._gate is not None:
                self._gate.leave(len(message.payload))
            if not stays:
                self.end()

    async def _stored(self, message: _Message, came: Instant | None, caller: Caller) -> bool:
        """Whether the message needs not be sent again."""
        topic, payload = message.topic, message.payload
        try:
            if self._arrivals is None or came is None:
                await self._take(topic, payload, caller)
            else:
                await self._arrivals.take(topic, payload, caller, came)
        except (BusyError, StorageFullError) as error:
            _log.warning("mqtt_message_not_taken", account=caller.account, topic=topic, code=error.code)
            return False
        except CityError as error:
            _log.warning("mqtt_message_refused", account=caller.account, topic=topic, code=error.code, why=str(error))
        return True

    async def _acknowledge(self, qos: int, number: int | None) -> None:
        if number is None:
            return
        if qos == 1 and self.writer is not None:
            if not self._taken_in:
                asyncio.get_running_loop().call_soon(self._flush)
            self._taken_in += _PUBACK + number.to_bytes(2)
            # A device that does not read is written to no further, and so read from no further.
            await self.writer.drain()
        elif qos == 2:
            self._received.add(number)
            await self._send_packet(PubrecPacket.build(number))

    def _flush(self) -> None:
        """Write the acknowledgements of what was taken together: each by itself would be a packet of the network."""
        said, self._taken_in = bytes(self._taken_in), bytearray()
        if self.writer is not None:
            self.writer.write(said)


def _is_wild(topic: str) -> bool:
    return "+" in topic or "#" in topic


_numbers = itertools.count(1)


def own_name(session: Session) -> str:
    """A name for the session that no other device can take over: the account, its client id, a serial number."""
    return f"{session.username}/{session.client_id}/{next(_numbers)}"
