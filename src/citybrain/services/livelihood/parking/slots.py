"""What is known of each hour of a lot when a forecast is issued: last week's same slot, and how this week has differed so far.

history (t, e) → truth, baseline and features (t, e, k) for one horizon. Pure; hours from the issue on are not looked at.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from citybrain.sdk import HOUR, SHANGHAI, History, Instant

Floats: TypeAlias = NDArray[np.float64]
HORIZONS = 24
WEEK, DAY = 7 * 24, 24
FEATURES = 6
_EAST = round(SHANGHAI.utcoffset(None).total_seconds()) // 3600


@dataclass(frozen=True, slots=True)
class Seen:
    """Whole hours (t,) since 1970 without a gap, and the field of each lot (t, e) in its unit, NaN where nobody knows."""

    hours: NDArray[np.int64]
    values: Floats

    @property
    def days(self) -> NDArray[np.int64]:
        """The local day of each hour, counted since 1970."""
        return (self.hours + _EAST) // DAY


def seen(history: History, field: str, ahead: int = 0) -> Seen:
    """The history of a field; ``ahead`` empty hours are put behind it for what is to come."""
    hours = np.asarray(history.times, np.int64) // HOUR
    whole = np.arange(hours[0], hours[-1] + 1 + ahead, dtype=np.int64)
    values = np.full((len(whole), len(history.entities)), np.nan)
    values[hours - hours[0]] = history.fields[field]
    return Seen(whole, values)


def before(record: Seen, until: Instant) -> Seen:
    """The hours before an instant."""
    count = int(np.searchsorted(record.hours, until // HOUR))
    return Seen(record.hours[:count], record.values[:count])


def earlier(values: Floats, hours: int) -> Floats:
    """The values of so many hours ago (t, e), NaN before the beginning."""
    moved = np.full_like(values, np.nan)
    if hours < len(values):
        moved[hours:] = values[: len(values) - hours]
    return moved


def last_week(record: Seen) -> Floats:
    """The baseline (t, e): the same slot last week, or the week before where that is unknown."""
    one = earlier(record.values, WEEK)
    return np.where(np.isnan(one), earlier(record.values, 2 * WEEK), one)


def features(record: Seen, horizon: int) -> Floats:
    """Features (t, e, FEATURES) of each hour, known ``horizon`` hours before its end; NaN where the baseline is unknown.

    How much the newest known hour of today and the two before it differ from last week, how much the last known day did, and how
    the baseline stands to the week before it and to the half of a full lot.
    """
    base = last_week(record)
    change = record.values - base
    newest = earlier(_carried(change, record.days), horizon)
    same_day = earlier(record.days[:, None].astype(np.float64), horizon) == record.days[:, None]
    today = np.where(same_day & ~np.isnan(newest), newest, 0.0)
    slope = np.where(same_day, _known(newest - earlier(_carried(change, record.days), horizon + 1)), 0.0)
    trend = _known(base - earlier(record.values, 2 * WEEK))
    columns = (today, slope, _yesterday(record, change, horizon), trend, (base - 50.0) / 50.0, np.ones_like(base))
    stacked = np.stack(columns, axis=-1)
    stacked[np.isnan(base)] = np.nan
    return stacked


def _carried(change: Floats, days: NDArray[np.int64]) -> Floats:
    """Each hour's newest known value of the same day (t, e)."""
    place = np.where(np.isnan(change), -1, np.arange(len(change))[:, None])
    latest = np.maximum.accumulate(place, axis=0)
    fits = (latest >= 0) & (days[np.maximum(latest, 0)] == days[:, None])
    return np.where(fits, np.take_along_axis(change, np.maximum(latest, 0), axis=0), np.nan)


def _yesterday(record: Seen, change: Floats, horizon: int) -> Floats:
    """The mean change (t, e) of the last day that was over when the forecast was issued."""
    first = record.days[0]
    total = np.zeros((int(record.days[-1] - first) + 2, change.shape[1]))
    count = np.zeros_like(total)
    np.add.at(total, record.days - first, _known(change))
    np.add.at(count, record.days - first, ~np.isnan(change))
    means = np.where(count > 0, total / np.maximum(count, 1.0), 0.0)
    issued = record.hours - horizon + 1
    day = np.maximum((issued + _EAST) // DAY - 1 - first, -1)
    return np.where(day[:, None] >= 0, means[np.maximum(day, 0)], 0.0)


def _known(values: Floats) -> Floats:
    return np.nan_to_num(values, nan=0.0)
