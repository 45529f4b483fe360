"""Means of hourly concentrations over hours and days, with the least number of hours each needs (GB 3095-2026 table 4)."""

import numpy as np

from citybrain.services.livelihood.air.practice import PRACTICE, Practice
from citybrain.services.livelihood.air.scale import Floats, Pollutant

DAY_NEEDS = 20
"""Hourly means that a daily mean needs."""
EIGHT_HOURS_NEED = 6
"""Hourly means that an 8 h mean needs."""


def moving(hours: Floats, width: int, least: int) -> Floats:
    """Mean of each hour and the ``width - 1`` before it, (n, k); NaN with fewer than ``least`` valid hours among them."""
    padded = np.concatenate([np.full((width - 1, *hours.shape[1:]), np.nan), hours])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)
    return _mean(windows, -1, least)


def daily_means(hours: Floats, practice: Practice = PRACTICE) -> Floats:
    """Statistics of natural days, hourly means (24, 6) or (days, 24, 6) to (days, 6): daily means, for O3 the largest 8 h mean."""
    days = _days(hours)
    result = _mean(np.moveaxis(days, 1, -1), -1, DAY_NEEDS)
    result[:, Pollutant.O3] = _largest_eight(days[:, :, Pollutant.O3], practice)
    return result


def largest_hour(hours: Floats, practice: Practice = PRACTICE) -> Floats:
    """The largest 1 h mean of O3 of each day (days,); NaN on a day with too few hours."""
    ozone = _days(hours)[:, :, Pollutant.O3]
    enough = (~np.isnan(ozone)).sum(axis=1) >= practice.o3_hours
    return np.where(enough, np.where(np.isnan(ozone), -np.inf, ozone).max(axis=1), np.nan)


def _days(hours: Floats) -> Floats:
    if hours.shape[-2:] != (24, 6):
        raise ValueError(f"A day is 24 hours of 6 pollutants, not {hours.shape}. Give an array (24, 6) or (days, 24, 6).")
    return _valid(hours.reshape(-1, 24, 6))


def _valid(hours: Floats) -> Floats:
    return np.where(np.isfinite(hours) & (hours >= 0), hours, np.nan)


def _largest_eight(ozone: Floats, practice: Practice) -> Floats:
    windows = _mean(np.lib.stride_tricks.sliding_window_view(ozone, 8, axis=1), -1, EIGHT_HOURS_NEED)
    valid = ~np.isnan(windows)
    largest = np.where(valid, windows, -np.inf).max(axis=1)
    counts = (valid.sum(axis=1) >= practice.o3_windows) | (largest > practice.o3_counts_above)
    return np.where(counts & valid.any(axis=1), largest, np.nan)


def _mean(values: Floats, axis: int, least: int) -> Floats:
    valid = np.isfinite(values) & (values >= 0)
    count = valid.sum(axis=axis)
    total = np.where(valid, values, 0.0).sum(axis=axis)
    return np.where(count >= least, total / np.maximum(count, 1), np.nan)
