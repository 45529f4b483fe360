"""What goes to one subscriber: a queue of bounded length that never makes the sender wait, written by a task of its own.

QoS 0: the oldest makes room, is counted, and the count is logged. QoS 1: nothing is left out in silence, so a subscriber that
falls behind loses its connection and knows it. Nothing is kept for one that is away.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import structlog
from amqtt.mqtt.publish import PublishPacket

from citybrain.kernel.access import Caller

WAITING: Final = 4000
"""Messages that may wait for one subscriber."""
UNACKNOWLEDGED: Final = 100
"""Messages with QoS 1 that one subscriber may owe an answer to; the rest waits."""
PATIENCE: Final = 30.0
"""Seconds for which a subscriber may read nothing of what it was sent."""
_NUMBERS: Final = 65_535
log = structlog.get_logger(__name__)
Write: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Writes bytes to the connection; resolves when the system has room for more."""


class _Message(NamedTuple):
    topic: str
    payload: bytes
    qos: int


class Outgoing:
    """The queue of one connection, over all that it subscribed to; ``cut`` ends the connection at once. Lives on one event loop."""

    def __init__(self, name: str, write: Write, cut: Callable[[], None], patience: float = PATIENCE) -> None:
        self._name = name
        self._write = write
        self._cut = cut
        self._patience = patience
        self._waiting: deque[_Message] = deque()
        self._ready = asyncio.Event()
        self._owed: set[int] = set()
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._writing = self._closed = False
        self.dropped = 0
        """Messages with QoS 0 that made room."""

    @property
    def waiting(self) -> int:
        """Messages that wait to be sent."""
        return len(self._waiting)

    def put(self, topic: str, payload: bytes, qos: int) -> None:
        """Queue a message; never waits."""
        if self._closed:
            return
        if len(self._waiting) >= WAITING and not self._room():
            return
        self._waiting.append(_Message(topic, payload, qos))
        self._ready.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def miss(self, count: int, qos: int) -> None:
        """So many messages were never queued, for they could not have waited here either."""
        if qos:
            self._fall_behind()
        elif not self._closed:
            self._count(count)

    def acknowledged(self, number: int) -> None:
        """The subscriber has a message with QoS 1."""
        self._owed.discard(number)
        self._ready.set()

    def close(self) -> None:
        """Send nothing more. A write that is stuck would hold up all that ends the connection: it is cut then."""
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        if self.dropped:
            log.warning("mqtt_messages_dropped", account=self._name, messages=self.dropped)
        if self._task is not None:
            self._task.cancel()
        if self._writing:
            self._cut()

    def _room(self) -> bool:
        """Whether the oldest message made room for another one."""
        if self._waiting[0].qos:
            self._fall_behind()
            return False
        self._waiting.popleft()
        self._count(1)
        return True

    def _count(self, count: int) -> None:
        if not self.dropped:
            log.warning("mqtt_subscriber_slow", account=self._name)
        self.dropped += count

    def _fall_behind(self) -> None:
        if not self._closed:
            log.warning("mqtt_subscriber_behind", account=self._name, waiting=len(self._waiting))
            self.close()
            self._cut()

    async def _run(self) -> None:
        while True:
            self._ready.clear()
            packets = self._packets()
            if not packets:
                await self._ready.wait()
                continue
            self._writing = True
            try:
                async with asyncio.timeout(self._patience):
                    await self._write(packets)
            except (TimeoutError, OSError):
                log.warning("mqtt_subscriber_gone", account=self._name)
                self._cut()
                return
            self._writing = False

    def _packets(self) -> bytes:
        """The messages that may be sent now, some at a time; those with QoS 1 only while few are owed an answer."""
        packets = bytearray()
        while self._waiting and len(packets) < 1 << 16:
            if self._waiting[0].qos and len(self._owed) >= UNACKNOWLEDGED:
                break
            message = self._waiting.popleft()
            number = self._next() if message.qos else None
            packet = PublishPacket.build(message.topic, message.payload, number, dup_flag=False, qos=message.qos, retain=False)
            packets += packet.to_bytes()
        return bytes(packets)

    def _next(self) -> int:
        self._number = self._number % _NUMBERS + 1
        while self._number in self._owed:
            self._number = self._number % _NUMBERS + 1
        self._owed.add(self._number)
        return self._number


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where the messages of one subscription are handed in."""

    topic: str
    qos: int
    outgoing: Outgoing
    end: Callable[[], None]
    """Ends the connection: the subscriber may read this no longer."""

    @property
    def room(self) -> int:
        """How many messages may wait at most."""
        return WAITING

    def put(self, payload: bytes, topic: str = "") -> None:
        """Send a message, under a topic that a filter with wildcards stands for, or the one that was asked for."""
        self.outgoing.put(topic or self.topic, payload, self.qos)

    def miss(self, count: int) -> None:
        """Say that so many messages are left out."""
        self.outgoing.miss(count, self.qos)


Subscribe: TypeAlias = Callable[[str, Caller, Outlet], Awaitable[Callable[[], None]]]
"""Begins to send what a topic stands for; returns what ends it. Raises CityError for a topic that is none, or not for this caller."""
