"""Ambient limits of class 2 areas (环境空气质量二级限值) for a day, GB 3095-2012 and GB 3095-2026 tables 1 and 2."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from citybrain.services.livelihood.air.aqi import rounded
from citybrain.services.livelihood.air.scale import Flags, Floats, Pollutant


@dataclass(frozen=True, slots=True)
class Limits:
    """Daily limits (6,) from a date on, in the order of Pollutant; O3 is the largest 8 h mean of the day."""

    name: str
    since: date
    day: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A day against its limits: ratio (n, 6) of rounded value and limit, and what is over (超标); a missing value is NaN and not over."""

    limits: Limits
    ratio: Floats
    over: Flags


EDITIONS = (
    Limits("GB 3095-2012", date.min, (150, 80, 4, 160, 150, 75)),
    Limits("GB 3095-2026, transition", date(2026, 3, 1), (150, 80, 4, 160, 120, 60)),
    Limits("GB 3095-2026", date(2031, 1, 1), (50, 50, 4, 160, 100, 50)),
)


def limits_on(day: date) -> Limits:
    """The limits in force on a calendar date; every day before 2026-03-01 is judged by GB 3095-2012."""
    return [limits for limits in EDITIONS if limits.since <= day][-1]


def check(means: Floats, day: date) -> Check:
    """Daily statistics (n, 6) of days under the same limits, as ``means.daily_means`` gives them; equal to a limit is not over it."""
    limits = limits_on(day)
    values = np.stack([rounded(pollutant, means[:, pollutant]) for pollutant in Pollutant], axis=1)
    ratio = values / np.array(limits.day)
    return Check(limits, ratio, ratio > 1)
