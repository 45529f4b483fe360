"""The bus of several processes: what is published in one is heard in all, by NATS; a wake-up that is lost is made up by the next.

Of each topic only the newest message waits to be sent: they say that there is something, what it is stands in the stores.
"""

import asyncio
from contextlib import suppress

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.errors import Error

from citybrain.engines.bus import Listener, LocalBus
from citybrain.engines.nats.link import Link
from citybrain.kernel.ids import new_id

log = structlog.get_logger()

_GATHER = 0.01
"""Seconds in which messages of a topic become one."""


class SharedBus:
    """Bus over NATS. Listeners of this process hear at once; messages of others come as plain JSON values."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._subject = f"citybrain.{link.district}.bus"
        self._local = LocalBus()
        self._me = new_id()
        self._waiting: dict[str, object] = {}
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending: asyncio.Task[None] | None = None

    def publish(self, topic: str, message: object) -> None:
        """Hand a message to every listener here and, in a moment, elsewhere; from any thread, never blocks."""
        self._local.publish(topic, message)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._queue, topic, message)

    def listen(self, topic: str, size: int = 256) -> Listener:
        """Messages from this call on, through a queue of a size."""
        return self._local.listen(topic, size)

    async def start(self) -> None:
        """Send and hear from now on; the link is there."""
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        await self._link.client.subscribe(f"{self._subject}.*", cb=self._heard)
        self._sending = asyncio.create_task(self._send())

    async def stop(self) -> None:
        """Hear and send no more."""
        self._loop = None
        if self._sending is not None:
            self._sending.cancel()
            with suppress(asyncio.CancelledError):
                await self._sending

    def _queue(self, topic: str, message: object) -> None:
        self._waiting[topic] = message
        if self._wake is not None:
            self._wake.set()

    async def _send(self) -> None:
        while self._wake is not None:
            await self._wake.wait()
            await asyncio.sleep(_GATHER)
            self._wake.clear()
            waiting, self._waiting = self._waiting, {}
            for topic, message in waiting.items():
                try:
                    body = msgspec.msgpack.encode((self._me, message))
                    await self._link.client.publish(f"{self._subject}.{topic}", body)
                except Error as error:
                    # A wake-up that is lost: all who are woken by it also look by themselves.
                    log.warning("bus_lost", topic=topic, error=str(error))

    async def _heard(self, message: Msg) -> None:
        sender, said = msgspec.msgpack.decode(message.data)
        if sender != self._me:
            self._local.publish(message.subject.rpartition(".")[2], said)
