"""What of a chart's values its axis shows: one reading that cannot be true must not flatten all the others. Pure."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

_BEYOND: Final = 1e4
"""So many times the middle value, where nothing was promised: a flood is a hundred times the water of a dry day."""
_MOST: Final = 1e300
"""No axis goes further: sums of greater numbers have no end."""


class Window(NamedTuple):
    """Ends within which values stand where they are; what lies outside is drawn at the nearer end."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value is shown where it is."""
        return self.low <= value <= self.high

    def kept(self, value: float) -> float:
        """The value, or the end that it is beyond."""
        return min(max(value, self.low), self.high)


def window(values: Sequence[float], promised: tuple[float, float] | None) -> Window:
    """The range that was promised and as much again on either side, unless most values lie outside; else by the values alone."""
    if promised is not None:
        low, high = promised
        found = Window(max(2 * low - high, -_MOST), min(2 * high - low, _MOST))
        if 2 * sum(map(found.holds, values)) >= len(values):
            return found
    sizes = sorted(abs(value) for value in values if value)
    reach = min(_BEYOND * sizes[(len(sizes) - 1) // 2], _MOST) if sizes else 0.0
    return Window(-reach, reach)


def decimals(values: Sequence[float], most: int = 6) -> int:
    """Decimals that tell values apart by three digits; none where all are whole."""
    if all(value == math.floor(value) for value in values):
        return 0
    greatest = max(map(abs, values))
    return min(max(2 - math.floor(math.log10(greatest)), 1), most)
