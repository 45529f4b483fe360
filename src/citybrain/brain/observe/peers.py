"""Streams held against their neighbours: how they stood, contradiction and drift on whole arrays. Pure.

hourly means (n, t) → how each stood to the middle and to the highest of its neighbours → contradicted (a leap, a rise or a fall, against
median and reach of its own week before) or drifting (slope of three weeks of daily medians). With too few neighbours or too little
history nothing is judged. What the bounds cost in misses and false names: docs/explanation/neighbours.md.

Sources: Hampel, The influence curve and its role in robust estimation, 1974 (median and MAD); Sen, Estimates of the regression
coefficient based on Kendall's tau, 1968, and Mann, Nonparametric tests against trend, 1945 (drift); Morton, 1966 (order of places).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.observations import Floats
from citybrain.kernel.places import Place

NEIGHBOURS = 12
FEWEST = 4
"""Neighbours that must have reported in an hour for their median to mean anything."""
RECENT, WEEK = 24, 168
"""Hours that are judged, and hours before them that they are judged by."""
DAYS = 21
"""Days over which a drift is looked for."""
SUDDEN = 3
"""Hours after which a leap that no measurement makes is told."""
KNOWN_HOURS = 24
"""Hours of the week before that must be known."""
_SHARE = 0.2
"""Share of the recent hours that may disagree with the others about a fall, and of the neighbours that may stand higher at a rise."""
_EITHER, _ONE_WAY = 0.98, 0.95
"""The quantiles of a stream's own departures in its week that are its reach: for a leap either way, for a stay upwards and downwards
apart, since what comes and goes with the wind is mostly on one side."""
_RISE, _FALL, _LED = 1.5, 1.7, 0.25
"""So many times its reach and half the floor a stay must be, in which the leap that it began with counts by such a part: as many sound
feeds of two years are named above as below."""
_BEGAN, _MOST = 6, 4.0
"""The first hours of the recent ones in which that leap is looked for, and the floors of it that count at most."""
_LEAP, _DRIFTED = 4.0, 6.0
"""Reaches (or floors, if those are more) from which a departure is a sudden leap, and robust deviations from which it is a drift."""
_TREND = 0.75
"""How far pairs of days must agree on the way a drift goes (Mann's statistic, from 0 to 1)."""
_PART = 0.6
"""The part of what is never doubted that a drift may be: it is slow, and so surer."""
_NORMAL = 1.4826
"""MAD of a normal distribution to its standard deviation."""
_LEAST = 1e-9
_CHUNK = 2_000
"""Streams looked at together: it bounds the memory."""

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of n streams (n,), each by the centre and scale of how it stood to its neighbours before.

    ``departure`` from there is NaN where nothing is judged; ``times`` is how many times its bound that is (0 where it is none),
    ``ago`` for how many hours (or days).
    """

    departure: Floats
    centre: Floats
    scale: Floats
    times: Floats
    ago: Whole

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """Which of them are beyond their bounds."""
        return self.times > 1


@dataclass(frozen=True, slots=True)
class Stood:
    """How n streams stood to their neighbours: to the middle one (n, WEEK + RECENT), and to the highest but a share of them (n, RECENT)."""

    middle: Floats
    over: Floats


def neighbours(places: Sequence[Place | None]) -> Whole:
    """The streams each of n streams is held against (n, k), as indices, -1 for none.

    All others where there are few; else those that stand next to it along a z-order curve of their places, itself left out.
    """
    count = len(places)
    if count <= 2 * NEIGHBOURS:
        grid = np.tile(np.arange(count), (count, 1))
        return np.where(grid == np.arange(count)[:, None], -1, grid)
    order = np.argsort([_morton(place) for place in places], kind="stable")
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    half = NEIGHBOURS // 2
    begin = np.clip(rank - half, 0, count - NEIGHBOURS - 1)
    near = order[begin[:, None] + np.arange(NEIGHBOURS + 1)]
    return np.where(near == np.arange(count)[:, None], -1, near)


def levels(values: Floats, agrees: str) -> Floats:
    """Values as they are compared: themselves, or their logarithms for ``ratio`` (NaN for what has none)."""
    return values if agrees == "difference" else np.log(np.where(values > 0, values, np.nan))


def floor(agrees: str, within: float) -> float:
    """What is never doubted of a departure, as levels are compared."""
    return within if agrees == "difference" else float(np.log(within))


def stood(level: Floats, out: NDArray[np.bool_], near: Whole) -> Stood:
    """How n streams stood to their neighbours at the hours of their levels (n, WEEK + RECENT), the newest last.

    A neighbour counts by how far it is from where it stood over the week before, so that the median does not leap when one falls
    silent or runs wild; ``out`` are the hours that were in doubt, in which a stream is nobody's neighbour.
    """
    middle, over = np.empty_like(level), np.empty((len(level), level.shape[1] - WEEK))
    clean = np.where(out, np.nan, level)
    habit = np.empty(len(level))
    for part in _parts(len(level)):
        rough = clean[part, :WEEK] - _beside(clean[:, :WEEK], near[part])[0]
        habit[part] = _median(rough, 1)
    usual = clean - np.where(np.isfinite(habit), habit, np.nan)[:, None]
    for part in _parts(len(level)):
        half, most = _beside(usual, near[part])
        middle[part], over[part] = level[part] - half, (level[part] - most)[:, WEEK:]
    return Stood(middle, over)


def _parts(count: int) -> Iterator[slice]:
    for begin in range(0, count, _CHUNK):
        yield slice(begin, min(count, begin + _CHUNK))


def _beside(level: Floats, near: Whole) -> tuple[Floats, Floats]:
    """What half of the neighbours of some streams are below (n, t), and what all but a share of them are; NaN where too few are known."""
    beside = np.sort(np.where((near >= 0)[:, :, None], level[near], np.nan), axis=1)
    known = np.isfinite(beside).sum(axis=1)
    most = np.floor((1 - _SHARE) * np.maximum(known - 1, 0)).astype(np.int64)
    upper = np.take_along_axis(beside, most[:, None], 1)[:, 0]
    return np.where(known >= FEWEST, _half(beside, 1), np.nan), np.where(known >= FEWEST, upper, np.nan)


def contradicted(stood: Stood, out: NDArray[np.bool_], floor: float, centre: Floats, scale: Floats) -> Found:
    """Which of n streams contradict their neighbours, by how they stood at the hours (n, WEEK + RECENT), the newest last.

    ``centre`` and ``scale`` (n,) hold for streams that are in doubt already, NaN for those that are judged by their own week before,
    without the hours that are ``out``.
    """
    before, recent = np.where(out, np.nan, stood.middle)[:, :WEEK], stood.middle[:, WEEK:]
    enough = np.isfinite(before).sum(axis=1) >= KNOWN_HOURS
    own = np.where(enough, _median(before, 1), np.nan)
    past = np.where(enough[:, None], before - own[:, None], np.nan)
    centre = np.where(np.isfinite(centre), centre, own)
    away = recent - centre[:, None]
    either = _quantile(np.abs(past), _EITHER)
    either = np.maximum(np.maximum(either, _middle(either)), _LEAST)
    fast = _beyond(away[:, -SUDDEN:], 0.0, SUDDEN)
    leap = np.abs(fast) / (_LEAP * np.maximum(np.where(np.isfinite(scale), scale, either), floor))
    stay, reach = _stay(stood.over - centre[:, None], away, past)
    sure, size = np.where(stay > 0, _RISE, _FALL), np.where(stay > 0, _median(away, 1), np.abs(stay))
    led = _LED * np.clip(_began(stood.middle, np.sign(stay)), 0, _MOST * floor)
    lasting = np.where(size > floor, (np.abs(stay) + led) / (sure * (reach + floor / 2)), 0.0)
    is_leap = leap > 1
    departure = np.where(is_leap, _median(away[:, -SUDDEN:], 1), np.where(np.isfinite(stay), _median(away, 1), np.nan))
    scale = np.where(np.isfinite(scale), scale, np.where(is_leap, either, sure * reach))
    least = np.maximum(np.minimum(scale, np.abs(departure) / 2), floor)
    begun = np.argmax(away * np.sign(departure)[:, None] > least[:, None], axis=1)
    return Found(departure, centre, scale, np.nan_to_num(np.fmax(leap, lasting)), RECENT - begun)


def _stay(over: Floats, away: Floats, past: Floats) -> tuple[Floats, Floats]:
    """How far n streams stayed away over the recent hours, and the reach of that side: of their own and of the middle of their group.

    A rise is held against the highest neighbours, for half of the hours: when these disagree, as a front passes, it says little.
    A fall must last in four hours of five: with clean air a station stands at the bottom of its range for half a day.
    """
    rise, fall = _median(over, 1), _beyond(away, _SHARE, RECENT // 2)
    stay = np.where((rise > 0) & np.isfinite(fall), rise, np.minimum(fall, 0.0))
    above, below = _quantile(past, _ONE_WAY), _quantile(-past, _ONE_WAY)
    reach = np.where(stay > 0, (above + _middle(above)) / 2, (below + _middle(below)) / 2)
    return stay, np.maximum(reach, _LEAST)


def _began(middle: Floats, way: Floats) -> Floats:
    """The greatest leap one way (n,) by which n stays began, from three hours to the next three."""
    leaps = [
        way * (_median(middle[:, hour : hour + SUDDEN], 1) - _median(middle[:, hour - SUDDEN : hour], 1))
        for hour in range(WEEK, WEEK + _BEGAN)
    ]
    most: Floats = np.nan_to_num(np.fmax.reduce(leaps))
    return most


def agrees_again(residual: Floats, floor: float, centre: Floats, scale: Floats) -> NDArray[np.bool_]:
    """Which of n doubted streams (n, …) have stood near their old centre for half the recent hours."""
    recent = residual[:, -RECENT // 2 :]
    bound = np.maximum(scale, floor) / 2
    known = np.isfinite(recent).sum(axis=1) >= RECENT // 4
    near: NDArray[np.bool_] = known & (np.abs(_median(recent - centre[:, None], 1)) < bound)
    return near


def drifting(daily: Floats, floor: float) -> Found:
    """Which of n streams drift away from their neighbours, from daily medians of residuals (n, DAYS), the newest last.

    A drift is a slope (Theil-Sen) that over the span goes beyond the scatter about it, with the days agreeing on its way.
    """
    enough = np.isfinite(daily).sum(axis=1) >= DAYS * 3 // 4
    first, second = np.triu_indices(DAYS, 1)
    rise = daily[:, second] - daily[:, first]
    slope = np.where(enough, _median(rise / (second - first), 1), np.nan)
    level = daily - slope[:, None] * np.arange(DAYS)
    middle = _median(level, 1)
    spread = np.where(enough, _NORMAL * _median(np.abs(level - middle[:, None]), 1), np.nan)
    scale = np.maximum(np.maximum(spread, _middle(spread)), _LEAST)
    with np.errstate(invalid="ignore"):
        known = np.isfinite(rise)
        agreed = np.abs(np.where(known, np.sign(rise), 0).sum(axis=1)) / np.maximum(known.sum(axis=1), 1)
    departure = slope * (DAYS - 1)
    times = np.abs(departure) / np.maximum(_DRIFTED * scale, _PART * floor)
    centre = np.where(enough, _median(daily[:, : DAYS // 3], 1), np.nan)
    return Found(departure, centre, scale, np.where(enough & (agreed > _TREND), times, 0.0), np.full(len(daily), DAYS))


def returned(daily: Floats, floor: float, centre: Floats, scale: Floats) -> NDArray[np.bool_]:
    """Which of n drifting streams (n, …) stood near their old centre on the last three days."""
    bound = np.maximum(_DRIFTED * scale, _PART * floor) / 2
    back: NDArray[np.bool_] = np.abs(_median(daily[:, -3:] - centre[:, None], 1)) < bound
    return back


def middle(residual: Floats) -> Floats:
    """The median of n residuals (n, t) over their hours, where half of them are known."""
    enough = np.isfinite(residual).sum(axis=1) * 2 >= residual.shape[1]
    result: Floats = np.where(enough, _median(residual, 1), np.nan)
    return result


def _beyond(away: Floats, share: float, fewest: int) -> Floats:
    """The departure (n,) that all but a share of the hours go beyond on one side; 0 for none, NaN for too few hours."""
    ordered = np.sort(away, axis=1)
    known = np.isfinite(away).sum(axis=1)
    row, skip = np.arange(len(away)), np.floor(share * known).astype(np.int64)
    last = np.maximum(known - 1, 0)
    least, most = ordered[row, np.minimum(skip, last)], ordered[row, np.maximum(last - skip, 0)]
    found = np.where(least > 0, least, np.where(most < 0, most, 0.0))
    result: Floats = np.where(known >= fewest, found, np.nan)
    return result


def _median(values: Floats, axis: int) -> Floats:
    """The median over an axis of what is known; NaN for nothing. Sorting puts NaN last."""
    return _half(np.sort(values, axis=axis), axis)


def _half(ordered: Floats, axis: int) -> Floats:
    """The median over an axis of what is in order, NaN last."""
    known = np.isfinite(ordered).sum(axis=axis, keepdims=True)
    low, high = np.maximum((known - 1) // 2, 0), np.maximum(known // 2, 0)
    high = np.minimum(high, ordered.shape[axis] - 1)
    middle = (np.take_along_axis(ordered, low, axis) + np.take_along_axis(ordered, high, axis)) / 2
    result: Floats = np.where(known > 0, middle, np.nan).squeeze(axis)
    return result


def _quantile(values: Floats, share: float) -> Floats:
    """The quantile (n,) of what is known of values (n, t), the next one up; NaN for nothing."""
    known = np.isfinite(values).sum(axis=1)
    place = np.maximum(np.ceil(share * known).astype(np.int64) - 1, 0)
    result: Floats = np.sort(values, axis=1)[np.arange(len(values)), place]
    return result


def _middle(spread: Floats) -> float:
    known = spread[np.isfinite(spread)]
    return float(np.median(known)) if len(known) else np.nan


def _morton(place: Place | None) -> int:
    if place is None:
        return -1
    column, row = int((place.lon + 180) / 360 * 2**26), int((place.lat + 90) / 180 * 2**26)
    return sum(((column >> bit & 1) << 2 * bit) | ((row >> bit & 1) << 2 * bit + 1) for bit in range(26))
