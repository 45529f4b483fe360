"""The bus of one process: messages to whoever listens now; a slow listener misses the oldest, nobody waits."""

import asyncio
import threading
from collections import deque
from weakref import WeakSet


class Listener:
    """Messages of one topic from now on, in order; ``dropped`` counts those that did not fit. Ends by ``close``."""

    def __init__(self, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self._loop = loop
        self._waiting: deque[object] = deque(maxlen=size)
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        self._called = False
        self._closed = False
        self.dropped = 0

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> object:
        while True:
            with self._lock:
                if self._waiting:
                    return self._waiting.popleft()
                if self._closed:
                    raise StopAsyncIteration
                self._ready.clear()
                self._called = False
            await self._ready.wait()

    def take(self, message: object) -> None:
        """Queue a message, from any thread; the oldest makes room when the queue is full."""
        with self._lock:
            if len(self._waiting) == self._waiting.maxlen:
                self.dropped += 1
            self._waiting.append(message)
        self._call()

    def close(self) -> None:
        """End the iteration, after the messages that wait."""
        with self._lock:
            self._closed = True
        self._call()

    def _call(self) -> None:
        """Wake the reader once, however many messages come before it runs; a loop that is gone has no reader."""
        with self._lock:
            if self._called or self._loop.is_closed():
                return
            self._called = True
        self._loop.call_soon_threadsafe(self._ready.set)


class LocalBus:
    """In-process delivery; ``publish`` may be called from any thread, ``listen`` from a running loop."""

    def __init__(self) -> None:
        self._topics: dict[str, WeakSet[Listener]] = {}
        self._lock = threading.Lock()

    def publish(self, topic: str, message: object) -> None:
        """Hand a message to every listener of a topic; never blocks."""
        with self._lock:
            listeners = tuple(self._topics.get(topic, ()))
        for listener in listeners:
            listener.take(message)

    def listen(self, topic: str, size: int = 256) -> Listener:
        """Messages from this call on, through a queue of a size; forgotten when nobody holds the listener any more."""
        listener = Listener(asyncio.get_running_loop(), size)
        with self._lock:
            self._topics.setdefault(topic, WeakSet()).add(listener)
        return listener
