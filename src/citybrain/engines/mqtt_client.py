"""Readings from a broker that a district has already: subscribed with QoS 1, acknowledged only after they have been taken."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from citybrain.kernel.errors import BadInputError, BusyError, CityError, StorageFullError
from citybrain.kernel.text import Text

IN_FLIGHT: Final = 256
"""Messages that may wait to be taken; the rest stay with the broker."""
_AGAIN: Final = 1.0
"""Seconds until a message that could not be stored is tried again."""
_ENDING: Final = 2.0
"""Seconds that messages which are being taken are waited for at the end; the rest comes again."""
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
log = structlog.get_logger(__name__)
Take: TypeAlias = Callable[[str, bytes], Awaitable[object]]
"""Stores a message (topic, payload)."""


class Subscription:
    """A session with another broker that outlives connections: what comes while this program is away waits there.

    BusyError and StorageFullError keep a message waiting and try it again; any other CityError is acknowledged and logged,
    since the same message would be refused again; what was not foreseen stays unacknowledged and comes again with the next
    connection.
    """

    def __init__(
        self,
        address: str,
        filters: Sequence[str],
        take: Take,
        client: str,
        user: str = "",
        password: str = "",
        *,
        kept: Take | None = None,
    ) -> None:
        """For an address ``mqtt://host[:port]``, or ``mqtts://…`` for TLS; raises BadInputError for another.

        ``kept`` takes messages that the broker had kept (retained): they come again with each connection, whenever they were sent.
        """
        where = urlsplit(address)
        if where.scheme not in _PORTS or not where.hostname:
            what = Text(
                f"“{address}”不是 MQTT 地址，应如 mqtt://主机:1883 或 mqtts://主机:8883。",
                f"'{address}' is no MQTT address. Write mqtt://host:1883 or mqtts://host:8883.",
            )
            raise BadInputError(what, setting="mqtt_broker")
        self._host, self._port = where.hostname, where.port or _PORTS[where.scheme]
        self._filters = tuple(filters)
        self._take, self._kept = take, kept or take
        self._seats = threading.BoundedSemaphore(IN_FLIGHT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._connection = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self.connected = False
        self._client = Client(CallbackAPIVersion.VERSION2, client, clean_session=False, manual_ack=True)
        self._client.reconnect_delay_set(1, 30)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        if user:
            self._client.username_pw_set(user, password)
        if where.scheme == "mqtts":
            self._client.tls_set()

    def start(self) -> None:
        """Connect, and go on trying where the broker is not there; call it on the loop that takes the messages."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self._host, self._port)
        self._client.loop_start()

    async def stop(self) -> None:
        """Take and acknowledge what has arrived, then end the connection; the session stays with the broker."""
        self._loop = None
        waiting = tuple(self._tasks)
        if waiting:
            await asyncio.wait(waiting, timeout=_ENDING)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _: object, __: ConnectFlags, why: ReasonCode, ___: Properties | None) -> None:
        if why.is_failure:
            log.warning("mqtt_broker_refused", host=self._host, why=str(why))
            return
        self._connection += 1
        self.connected = True
        client.subscribe([(each, 1) for each in self._filters])
        log.info("mqtt_broker_connected", host=self._host, filters=list(self._filters))

    def _on_disconnect(self, _: Client, __: object, ___: DisconnectFlags, why: ReasonCode, ____: Properties | None) -> None:
        self.connected = False
        log.warning("mqtt_broker_gone", host=self._host, why=str(why))

    def _on_message(self, _: Client, __: object, message: MQTTMessage) -> None:
        self._seats.acquire()
        loop, connection = self._loop, self._connection
        if loop is None:
            self._seats.release()
            return
        loop.call_soon_threadsafe(self._begin, message, connection)

    def _begin(self, message: MQTTMessage, connection: int) -> None:
        task = asyncio.create_task(self._handle(message, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, message: MQTTMessage, connection: int) -> None:
        try:
            await self._taken(message)
        except CityError as error:
            log.info("mqtt_message_refused", topic=message.topic, code=error.code, why=error.what.en)
        except Exception as error:
            # A fence: one message that breaks something must not end the subscription.
            log.exception("mqtt_message_failed", topic=message.topic, error=str(error))
            return
        finally:
            self._seats.release()
        # The numbers of messages belong to a connection: on another one this number may mean another message.
        if message.qos and connection == self._connection:
            self._client.ack(message.mid, message.qos)

    async def _taken(self, message: MQTTMessage) -> None:
        while True:
            try:
                await (self._kept if message.retain else self._take)(message.topic, bytes(message.payload))
            except (BusyError, StorageFullError) as error:
                log.warning("mqtt_message_waits", topic=message.topic, why=error.what.en)
                await asyncio.sleep(_AGAIN)
            else:
                return
