"""Views that many look at within the same second: made once a caller, for as long as nothing is written."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from citybrain.kernel.access import Caller
from citybrain.kernel.clock import Clock
from citybrain.kernel.instant import SECOND, Instant

View = TypeVar("View")
_MOST: Final = 64
"""Callers whose view is kept."""


@dataclass(slots=True)
class _Place(Generic[View]):
    """Where the view of one caller is made; whoever comes meanwhile waits for it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    made: tuple[Hashable, Instant, View] | None = None


class Moments(Generic[View]):
    """One kind of view by caller, handed out again while ``stands`` answers the same, for a second of the wall at most.

    What time alone changes, such as a case that becomes overdue, is a second late.
    """

    def __init__(self, clock: Clock, stands: Callable[[], Hashable]) -> None:
        self._clock = clock
        self._stands = stands
        self._places: OrderedDict[Caller, _Place[View]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, caller: Caller, make: Callable[[], View]) -> View:
        """The view of a caller."""
        place = self._place(caller)
        with place.lock:
            # Taken before the view is made: what is written meanwhile is seen by the next who asks.
            stands, now = self._stands(), self._clock.wall()
            if place.made is not None and place.made[0] == stands and 0 <= now - place.made[1] < SECOND:
                return place.made[2]
            view = make()
            place.made = stands, now, view
            return view

    def _place(self, caller: Caller) -> _Place[View]:
        with self._lock:
            place = self._places.setdefault(caller, _Place())
            self._places.move_to_end(caller)
            if len(self._places) > _MOST:
                self._places.popitem(last=False)
            return place
