"""Bands around a forecast from its own errors on hours it had not learnt from (split conformal prediction).

Errors are taken in cube roots, per horizon and per fifth of the forecast level, since high air is also uncertain air.
"""

from dataclasses import dataclass

import numpy as np

from citybrain.services.livelihood.air.scale import Floats

SHARES = (0.1, 0.5, 0.9)
"""Lower edge, middle, upper edge, symmetric: four fifths of the truth should lie inside."""
_PARTS = 5


@dataclass(frozen=True, slots=True)
class Bands:
    """Of one horizon: inner edges (4,) between fifths of the forecast level, and what to add for SHARES (5, 3)."""

    edges: Floats
    offsets: Floats

    def around(self, level: Floats) -> Floats:
        """Low, middle and high (n, 3) in concentrations around forecast levels (n,) in cube roots."""
        part = np.searchsorted(self.edges, level, side="right")
        return np.maximum(level[:, None] + self.offsets[part], 0.0) ** 3


def calibrate(level: Floats, truth: Floats) -> Bands:
    """Bands of forecasts (n,) and what came (n,), both in cube roots, without NaN."""
    edges = np.quantile(level, np.arange(1, _PARTS) / _PARTS)
    part = np.searchsorted(edges, level, side="right")
    error = truth - level
    return Bands(edges, np.stack([_offsets(error[part == number], error) for number in range(_PARTS)]))


def _offsets(errors: Floats, every: Floats) -> Floats:
    held = errors if len(errors) else every
    count = len(held)
    reach = min(1.0, float(np.ceil((count + 1) * SHARES[2])) / count)
    low = np.quantile(held, 1 - reach, method="lower")
    high = np.quantile(held, reach, method="higher")
    return np.array([low, np.quantile(held, SHARES[1]), high])
