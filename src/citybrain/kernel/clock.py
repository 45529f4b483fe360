"""Clocks: ``city()`` times phenomena, cases and deadlines; ``wall()`` times sessions, audit, ledger and keys."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from citybrain.kernel.instant import Instant


class Clock(Protocol):
    """Where everything that needs a time gets it from."""

    def city(self) -> Instant:
        """The time in the district; replayed history in a demo, otherwise the wall time."""
        ...

    def wall(self) -> Instant:
        """The time on the wall, never replayed."""
        ...

    @property
    def speed(self) -> float:
        """City seconds per wall second; 1 in a real district."""
        ...


class Replay(msgspec.Struct, frozen=True):
    """How city time runs from an anchor: ``city = anchor_city + (wall - anchor_wall) * speed``."""

    anchor_wall: Instant
    anchor_city: Instant
    speed: float

    def city(self, wall: Instant) -> Instant:
        """City time at a wall time."""
        return Instant(self.anchor_city + round((wall - self.anchor_wall) * self.speed))


class RunningClock:
    """A clock over a source of wall time, replayed where a replay is given."""

    def __init__(self, source: Callable[[], Instant], replay: Replay | None = None) -> None:
        self._source = source
        self._replay = replay

    def wall(self) -> Instant:
        """The time on the wall."""
        return self._source()

    def city(self) -> Instant:
        """The time in the district."""
        now = self._source()
        return now if self._replay is None else self._replay.city(now)

    @property
    def speed(self) -> float:
        """City seconds per wall second."""
        return 1.0 if self._replay is None else self._replay.speed


class FixedClock:
    """A clock that stands still until it is set; for tests and what-ifs."""

    speed = 1.0

    def __init__(self, city: Instant, wall: Instant | None = None) -> None:
        self._city = city
        self._wall = city if wall is None else wall

    def city(self) -> Instant:
        """The city time that was set."""
        return self._city

    def wall(self) -> Instant:
        """The wall time that was set."""
        return self._wall

    def set(self, city: Instant, wall: Instant | None = None) -> None:
        """Move both times; wall follows city unless given."""
        self._city = city
        self._wall = city if wall is None else wall
