"""When messages came: one that is sent again is of the moment in which it came first, so that a reading without a time is one reading.

A sender repeats what was not acknowledged, under the same packet identifier and with DUP set (MQTT 3.1.1 clause 4.4), also after it has
lost the connection. What is remembered is bounded; a message that is not remembered is of the moment in which it comes.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias

from citybrain.kernel.access import Caller
from citybrain.kernel.instant import Instant

AGAIN: Final = 120.0
"""Seconds after its first arrival in which a message that is sent again is known.

A device that gives every message the same identifier and sends the same bytes again and again is heard anew after these.
"""
_OF_ONE: Final = 256
"""Messages of one client that are remembered: as many as may be on their way."""
_OF_ALL: Final = 65_536
Dated: TypeAlias = Callable[[str, bytes, Caller, Instant], Awaitable[object]]
"""Stores a message (topic, payload, sender) that came at an instant; raises as Take does."""


class _First(NamedTuple):
    said: int
    """Stands for topic and payload."""
    at: Instant
    heard: float


class Arrivals:
    """Remembers when the last messages of each client came; ``take`` stores a message as of then. Lives on one event loop."""

    def __init__(self, now: Callable[[], Instant], take: Dated) -> None:
        self._now = now
        self.take = take
        self._known: OrderedDict[str, dict[int, _First]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        """How many messages are remembered."""
        return self._count

    def came(self, client: str, number: int, topic: str, payload: bytes, *, again: bool) -> Instant:
        """When a message with a packet identifier came, where it is sent ``again``: when it came first."""
        mine = self._known.setdefault(client, {})
        self._known.move_to_end(client)
        first = _First(hash((topic, payload)), self._now(), time.monotonic())
        before = mine.pop(number, None)
        if again and before is not None and before.said == first.said and first.heard - before.heard < AGAIN:
            first = before
        mine[number] = first
        self._count += before is None
        self._forget(mine)
        return first.at

    def _forget(self, mine: dict[int, _First]) -> None:
        if len(mine) > _OF_ONE:
            del mine[next(iter(mine))]
            self._count -= 1
        while self._count > _OF_ALL:
            self._count -= len(self._known.popitem(last=False)[1])
