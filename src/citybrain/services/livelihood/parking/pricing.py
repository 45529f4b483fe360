"""Which price would bring a lot's occupancy into the band that is aimed at: one step from a short list, under several elasticities. Pure.

occupancy × (price ÷ price now) ^ elasticity; a step is advised only where it has the same sign under every elasticity and every week.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Aim:
    """The band of occupancy in %, the steps (分 an hour) that may be tried, the lowest price, and the elasticities: low, middle, high (negative)."""

    low: float
    high: float
    steps: tuple[float, ...]
    least: float
    elasticities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A step and the occupancy in % that is expected of it."""

    step: float
    occupancy: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is chosen under each elasticity at the expected demand, and whether a step may be advised: ``step`` is 0 where it stays, None where not robust.

    A robust step is the smallest of those chosen: the dearer mistake is to go too far.
    """

    choices: tuple[Choice, ...]
    step: float | None


def answered(occupancy: float, now: float, price: float, elasticity: float) -> float:
    """The occupancy in % that a price brings, at most 100; ``now`` and ``price`` are above 0."""
    return float(min(100.0, occupancy * (price / now) ** elasticity))


def choose(occupancy: float, now: float, aim: Aim, elasticity: float) -> Choice:
    """The step that leaves the least outside the band; of equals the smallest, and of those down before up."""
    steps = [step for step in sorted({0.0, *aim.steps}, key=lambda step: (abs(step), step)) if step == 0 or now + step >= aim.least]
    reached = [Choice(step, answered(occupancy, now, now + step, elasticity)) for step in steps]
    return min(reached, key=lambda choice: round(max(aim.low - choice.occupancy, choice.occupancy - aim.high, 0.0), 6))


def judge(weeks: Sequence[float], now: float, aim: Aim) -> Verdict:
    """The verdict over the occupancy of several weeks (their mean is what is expected): robust where all signs are the same."""
    expected = float(np.mean(weeks))
    choices = tuple(choose(expected, now, aim, elasticity) for elasticity in aim.elasticities)
    tried = [choose(week, now, aim, elasticity) for week in (*weeks, expected) for elasticity in aim.elasticities]
    signs = {float(np.sign(choice.step)) for choice in tried}
    return Verdict(choices, min((choice.step for choice in choices), key=abs) if len(signs) == 1 else None)
