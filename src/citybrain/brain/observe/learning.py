"""What a stream could promise, learned from what it has sent: a proposal that a person confirms, changes or leaves. Pure.

How far it can be trusted is shown beside it: the same is learned from the older two thirds alone and held against the newest third,
a time that it does not know.
"""

import math
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from citybrain.kernel.instant import DAY, HOUR, MINUTE, SECOND, Duration, Instant, local_date, midnight
from citybrain.kernel.observations import Floats, Ints
from citybrain.kernel.things import Contract

FEWEST: Final = 150
"""Readings below which nothing is learned."""
SHORTEST: Final = 2 * DAY
"""City time below which nothing is learned: a day and its night must have been seen twice."""
_TAUGHT: Final = 2 / 3
_MISSES: Final = 3
"""Readings that may be missing before a stream is late."""
_STILL: Final = 3
"""A value stands still too long after so many times its longest stand."""
_STANDING: Final = 0.1
"""Of its time: what has stood still so long is a state (a door, a pump), of which standing still says nothing."""
_OPEN: Final = 18 * HOUR
"""What reports in no more of the day than this has a night in which it is closed, not silent."""
_PAUSE: Final = 5
"""Intervals in a row without a reading that are a pause."""
_RARE: Final = 0.01
"""Outages are rarer than that; what pauses more often sends in bursts."""
_BEYOND: Final = 1e4
"""So many times the middle value no quantity goes: a flood is a hundred times the water of a dry day."""
_GREATEST: Final = 1e14
"""No quantity of a city is beyond it."""
_ROUND: Final = tuple(n * SECOND for n in (1, 2, 5, 10, 15, 20, 30)) + tuple(
    n * size for size, counts in ((MINUTE, (1, 2, 3, 5, 6, 10, 12, 15, 20, 30)), (HOUR, (1, 2, 3, 4, 6, 8, 12, 24))) for n in counts
)
"""Intervals at which instruments report."""


class Broken(msgspec.Struct, frozen=True):
    """How often a promise would have been broken in so many readings that it was not learned from."""

    readings: int
    late: int
    stuck: int
    out_of_range: int


class Learned(msgspec.Struct, frozen=True):
    """A contract and what it rests on: readings, their span, usual and longest interval (µs), extremes, and how such a one was kept."""

    contract: Contract
    readings: int
    since: Instant
    until: Instant
    usual: Duration
    longest: Duration
    lowest: float
    highest: float
    broken: Broken


def learn(time: Ints, value: Floats, *, below_nothing: bool) -> Learned | None:
    """What readings (n,) in the order of their time promise; None where there are too few of them, or of too short a time.

    ``below_nothing`` says whether the quantity may be negative though none was seen, as a temperature in summer.
    """
    if len(time) < FEWEST or time[-1] - time[0] < SHORTEST:
        return None
    taught = int(len(time) * _TAUGHT)
    tried = _contract(time[:taught], value[:taught], below_nothing=below_nothing)
    gaps = np.diff(time)
    return Learned(
        _contract(time, value, below_nothing=below_nothing),
        len(time),
        Instant(int(time[0])),
        Instant(int(time[-1])),
        Duration(int(np.median(gaps))),
        Duration(int(gaps.max())),
        float(value.min()),
        float(value.max()),
        broken(tried, time[taught - 1 :], value[taught - 1 :]),
    )


def broken(contract: Contract, time: Ints, value: Floats) -> Broken:
    """How often readings after the first (n,) break a contract: silences, stands and values that it would name, each once."""
    gaps = _gaps(time, by_day=contract.opens is not None)
    late = 0 if contract.silent_after is None else int((gaps > contract.silent_after).sum())
    stuck = 0 if contract.stuck_after is None else int((stands(time, value) >= contract.stuck_after).sum())
    low, high = -math.inf if contract.low is None else contract.low, math.inf if contract.high is None else contract.high
    return Broken(len(time) - 1, late, stuck, int(((value[1:] < low) | (value[1:] > high)).sum()))


def stands(time: Ints, value: Floats) -> Ints:
    """How long each run of equal values lasted, from its first reading to its last (µs)."""
    begins = np.flatnonzero(np.r_[True, value[1:] != value[:-1]])
    ends = np.r_[begins[1:] - 1, len(time) - 1]
    lasted: Ints = time[ends] - time[begins]
    return lasted


def _contract(time: Ints, value: Floats, *, below_nothing: bool) -> Contract:
    hours = _hours(time)
    gaps = _gaps(time, by_day=hours is not None)
    longest = int(np.quantile(gaps, 0.995))
    every = _rounded(int(np.median(gaps)))
    regular = _regular(gaps, every)
    # One reading in two hundred may have come later than the silence that is proposed, none of them much.
    silent = max(_MISSES * every, int(longest * 1.5))
    low, high = _range(value, below_nothing=below_nothing)
    stuck = _stuck(time, value, every if regular else max(every, longest))
    return Contract(every if regular else None, _rounded_up(silent), stuck, low, high, *(hours or (None, None)))


def _regular(gaps: Ints, every: int) -> bool:
    """Whether readings come at an interval: not in bursts with long pauses, nor whenever something happens.

    A reading that went missing leaves a gap of a whole number of intervals.
    """
    times = np.maximum(np.rint(gaps / every), 1)
    fits = np.abs(gaps - times * every) <= every / 4
    bursts = (times > _PAUSE).mean() > _RARE and len(gaps) < times.sum() / 2
    return bool(fits.mean() >= 1 / 2 and not bursts)


def _of_day(time: Ints) -> Ints:
    """The local time of the day of each instant (µs)."""
    passed: Ints = (time - midnight(local_date(Instant(int(time[0]))))) % DAY
    return passed


def _hours(time: Ints) -> tuple[int, int] | None:
    """The minutes of the local day between which all readings came, where that is not most of the day."""
    seen = _of_day(time)
    opens, closes = int(seen.min()) // MINUTE, -(-int(seen.max()) // MINUTE)
    return (opens, closes) if (closes - opens) * MINUTE <= _OPEN else None


def _gaps(time: Ints, *, by_day: bool) -> Ints:
    """The intervals between readings, where there is a night those within one day alone."""
    gaps = np.diff(time)
    inside = gaps[np.diff(_of_day(time)) == gaps] if by_day else gaps
    return inside if len(inside) else gaps


def _stuck(time: Ints, value: Floats, every: int) -> Duration | None:
    longest = int(stands(time, value).max())
    if longest > _STANDING * (time[-1] - time[0]):
        return None
    return _rounded_up(max(_STILL * longest, 6 * every))


def _range(value: Floats, *, below_nothing: bool) -> tuple[float | None, float | None]:
    """What was seen and as much again on either side, for a season is not a year; what was never below nothing stays so.

    Numbers that cannot be true are left out, and where nothing else is left no range is learned.
    """
    sizes = np.sort(np.abs(value[value != 0]))
    reach = _GREATEST if not len(sizes) else min(float(sizes[(len(sizes) - 1) // 2]) * _BEYOND, _GREATEST)
    value = value[np.abs(value) <= reach]
    if not len(value):
        return None, None
    low, high = float(value.min()), float(value.max())
    room = (high - low) or abs(high) or 1.0
    down, up = _outward(low - room, math.floor), _outward(high + room, math.ceil)
    return (max(0.0, down) if low >= 0 and not below_nothing else down), (min(0.0, up) if high <= 0 else up)


def _outward(limit: float, towards: Callable[[float], int]) -> float:
    """A limit of two digits, no nearer than it was."""
    if not limit:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(limit))) - 1)
    return float(f"{towards(limit / step) * step:.6g}")


def _rounded(interval: int) -> Duration:
    """The interval at which instruments report that is within a tenth of what was seen, or what was seen."""
    nearest = min(_ROUND, key=lambda usual: abs(usual - interval))
    return Duration(nearest if abs(nearest - interval) <= interval / 10 else interval)


def _rounded_up(span: int) -> Duration:
    """A span in whole minutes, or seconds where it is shorter than one."""
    size = MINUTE if span >= MINUTE else SECOND
    return Duration(-(-span // size) * size)
