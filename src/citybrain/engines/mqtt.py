"""The embedded MQTT 3.1.1 broker: ``take`` gets what is published, ``subscribe`` gives what is read; nothing is passed on between."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import structlog
from amqtt import broker as amqtt_broker
from amqtt.adapters import ReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import AMQTTError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

from citybrain.engines.mqtt_arrivals import Arrivals
from citybrain.engines.mqtt_gate import GatedReader
from citybrain.engines.mqtt_greeting import SPOKEN, greeted, refusal
from citybrain.engines.mqtt_outgoing import Subscribe
from citybrain.engines.mqtt_session import DurableHandler, Refuse, Take, own_name
from citybrain.kernel.access import Caller

Authorise: TypeAlias = Callable[[str, str, str], Awaitable[Caller | None]]
"""Who signs in with a login and a secret, from an address; None for nobody."""
IN_FLIGHT = 256
"""Messages of one device that may wait to be taken."""
LARGEST = 1_048_576
"""Bytes of the largest packet."""
_GREETING = 10.0
"""Seconds in which a device must say CONNECT."""
_REFUSED = 0x80
"""The return code of a subscription that failed [MQTT-3.9.3-2]."""
_log = structlog.get_logger(__name__)


class Broker:
    """A broker on one port of several addresses; port 0 takes a free one, which ``port`` then tells."""

    def __init__(
        self,
        hosts: Sequence[str],
        port: int,
        authorise: Authorise,
        take: Take,
        in_flight: int = IN_FLIGHT,
        tls: ssl.SSLContext | None = None,
        subscribe: Subscribe | None = None,
        arrivals: Arrivals | None = None,
        refuse: Refuse | None = None,
    ) -> None:
        """``arrivals`` takes what may be sent again instead of ``take``, and ``refuse`` is told of packets that are not read."""
        self._hosts = tuple(hosts)
        self._authorise = authorise
        self._take = take
        self._in_flight = in_flight
        self._tls = tls
        self._subscribe = subscribe
        self._arrivals = arrivals
        self._refuse = refuse
        self._servers: list[asyncio.Server] = []
        self._broker: _Broker | None = None
        self.port = port

    async def start(self) -> None:
        """Listen on every address; raises OSError when one is taken."""
        self._broker = _Broker(self._authorise, self._take, self._subscribe, self._arrivals, self._refuse)
        await self._broker.start()
        for host in self._hosts:
            server = await asyncio.start_server(self._connected, host, self.port, ssl=self._tls)
            self._servers.append(server)
            self.port = int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take what has arrived, then close every connection."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        if self._broker is not None:
            await self._broker.settle()
            await self._broker.shutdown()
            self._broker = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._broker is None:
            writer.close()
            return
        try:
            level, said = await asyncio.wait_for(greeted(reader), _GREETING)
        except (TimeoutError, OSError):
            writer.transport.abort()
            return
        if level != SPOKEN:
            await _turned_away(writer, level)
            return
        gated = GatedReader(reader, self._in_flight, LARGEST, writer.transport.abort, said)
        await self._broker.external_connected(gated, StreamWriterAdapter(writer), "default")


async def _turned_away(writer: asyncio.StreamWriter, level: int) -> None:
    """Say that this MQTT is not spoken here, so that a device ends with that reason at once, and hang up."""
    _log.info("mqtt_version_refused", level=level, spoken=SPOKEN, peer=str(writer.get_extra_info("peername")))
    with contextlib.suppress(OSError):
        writer.write(refusal(level))
        await asyncio.wait_for(writer.drain(), _GREETING)
    writer.close()


class _Broker(amqtt_broker.Broker):  # type: ignore[misc]  # amqtt ships no types
    """amqtt's broker with our handler, our sign-in, and no state that outlives a connection."""

    def __init__(
        self, authorise: Authorise, take: Take, subscribe: Subscribe | None, arrivals: Arrivals | None, refuse: Refuse | None
    ) -> None:
        listener = ListenerConfig(type=ListenerType.EXTERNAL, bind="external")
        super().__init__(BrokerConfig(listeners={"default": listener}, plugins={}))
        self._authorise = authorise
        self._take = take
        self._begin = subscribe
        self._arrivals = arrivals
        self._refuse = refuse
        self._handlers: dict[str, DurableHandler] = {}

    async def settle(self) -> None:
        """Send nothing more, and wait for the messages that are being taken."""
        for handler in self._handlers.values():
            handler.unsubscribe_all()
        await asyncio.gather(*(handler.settled() for handler in self._handlers.values()))

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        greeting = super()._initialize_client_session(reader, writer, remote_address, remote_port)
        try:
            _, session = await asyncio.wait_for(greeting, _GREETING)
        except (TimeoutError, OSError) as error:
            await writer.close()
            message = f"No CONNECT from {remote_address}."
            raise AMQTTError(message) from error
        session.clean_session = True  # nothing is kept for one that is away
        session.will_flag = False  # a last will would be heard by those who subscribed, past every check
        said = f"{session.username}/{session.client_id}"
        session.client_id = own_name(session)
        session.keep_alive = session.keep_alive * 3 // 2
        handler = DurableHandler(self.plugins_manager, self._take, said, self._arrivals, self._refuse)
        self._handlers[session.client_id] = handler
        return handler, session

    async def _handle_client_session(
        self,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        client_session: Session,
        handler: BrokerProtocolHandler,
        server: amqtt_broker.Server,
        listener_name: str,
    ) -> None:
        name = client_session.client_id or ""
        try:
            await super()._handle_client_session(reader, writer, client_session, handler, server, listener_name)
        finally:  # amqtt keeps a session whose sign-in failed for ever
            self._sessions.pop(name, None)
            taken = self._handlers.pop(name, None)
            if taken is not None:
                taken.unsubscribe_all()
                await taken.settled()

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        """Ask who signs in; the handler remembers."""
        caller = await self._authorise(session.username or "", session.password or "", session.remote_address or "")
        handler = self._handlers[session.client_id or ""]
        handler.caller = caller
        return caller is not None

    async def add_subscription(self, subscription: tuple[str, int], session: Session) -> int:
        """The QoS that is granted, 1 at most; 0x80 where the topic is refused."""
        topic, qos = subscription
        handler, granted = self._handlers.get(session.client_id or ""), min(qos, 1)
        if self._begin is None or handler is None or not await handler.subscribe(topic, granted, self._begin):
            return _REFUSED
        return granted

    def _del_subscription(self, a_filter: str, session: Session) -> int:
        """End a subscription; how many there were is nobody's question here."""
        handler = self._handlers.get(session.client_id or "")
        if handler is not None:
            handler.unsubscribe(a_filter)
        return 0
