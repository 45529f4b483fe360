"""The air quality index (AQI) to HJ 633-2012 and HJ 633-2026: concentrations in, sub-indices, index and primary pollutants out.

Arrays (…, 6) follow the order of Pollutant; SO2 NO2 O3 PM10 PM2.5 in µg/m³, CO in mg/m³; NaN is a missing value and, in a
result, the standard's ``NA``. Sub-indices are computed in whole numbers, so no float error reaches the rounding up.
"""

from dataclasses import dataclass

import numpy as np

from citybrain.services.livelihood.air import means
from citybrain.services.livelihood.air.practice import PRACTICE, Practice
from citybrain.services.livelihood.air.scale import STEPS, Edition, Flags, Floats, Period, Pollutant, Whole, breakpoints

ALL = frozenset(Pollutant)
MISSING_FLOOR_2026 = 100
"""HJ 633-2026 §5.3: with a pollutant missing, the index of the others is published only above 100."""


@dataclass(frozen=True, slots=True)
class Index:
    """Result of n readings: aqi (n,) with NaN for NA, sub-indices (n, 6), primary pollutants (n, 6), ties together."""

    edition: Edition
    aqi: Floats
    iaqi: Floats
    primary: Flags

    def primaries(self, row: int) -> tuple[Pollutant, ...]:
        """The primary pollutants (首要污染物) of one reading; none at an AQI of 50 or less."""
        return tuple(pollutant for pollutant in Pollutant if self.primary[row, pollutant])


def rounded(pollutant: Pollutant, concentration: Floats) -> Floats:
    """Concentration rounded half to even (GB/T 8170): whole µg/m³, CO to 0.1 mg/m³ (HJ 633-2026 §4.2).

    HJ 633-2012 gives no rule; the same is used for it. What is negative or not finite is NaN.
    """
    return _units(pollutant, concentration) / _per_unit(pollutant)


def iaqi(pollutant: Pollutant, concentration: Floats, period: Period, edition: Edition, practice: Practice = PRACTICE) -> Floats:
    """Sub-index (分指数) of one pollutant, any shape; whole numbers as floats, NaN for a missing concentration.

    Above the last breakpoint: SO2 1 h > 800 is 200 and O3 8 h > 800 is 300 in 2026 (table 3 notes b, c), NaN in 2012 (the
    24 h or 1 h value stands instead); all others stay at the cap, which is practice and not text.
    Raises ValueError where the edition has no sub-index for the period.
    """
    points = breakpoints(pollutant, period, edition)
    units = _units(pollutant, np.asarray(concentration, dtype=np.float64))
    known = ~np.isnan(units)
    whole = np.where(known, np.minimum(units, float(points[-1])), 0.0).astype(np.int64)
    index = _between(points, whole).astype(np.float64)
    return np.where(known, np.where(units > points[-1], _beyond(points, edition, practice), index), np.nan)


def combine(sub: Floats, edition: Edition, planned: frozenset[Pollutant] = ALL, practice: Practice = PRACTICE) -> Index:
    """The index of sub-indices (n, 6): their maximum; pollutants not ``planned`` do not block publication (§5.3)."""
    largest = np.where(np.isnan(sub), -1.0, sub).max(axis=1)
    expected = np.array([pollutant in planned for pollutant in Pollutant])
    missing = (np.isnan(sub) & expected).any(axis=1)
    floor = MISSING_FLOOR_2026 if edition is Edition.HJ_2026 else practice.floor_2012
    published = (largest >= 0) & (~missing | (largest > floor))
    least = 1.0 if edition is Edition.HJ_2026 else 0.0
    aqi = np.where(published, np.maximum(largest, least), np.nan)
    primary = (sub == largest[:, None]) & (aqi > 50)[:, None]
    return Index(edition, aqi, sub, primary)


def hourly(hours: Floats, edition: Edition, planned: frozenset[Pollutant] = ALL, practice: Practice = PRACTICE) -> Index:
    """Real-time report (实时报) of every hour of one station's consecutive hourly means (n, 6).

    2026: six 1 h items, PM by the daily table. 2012: PM by 24 h moving means, O3 the larger of 1 h and 8 h moving mean, SO2 over
    800 by its 24 h moving mean; so the first rows need earlier hours before them.
    """
    if edition is Edition.HJ_2026:
        return combine(_each(hours, edition, practice), edition, planned, practice)
    day = means.moving(hours, 24, practice.moving_hours)
    sub = np.full(hours.shape, np.nan)
    for pollutant in (Pollutant.SO2, Pollutant.NO2, Pollutant.CO, Pollutant.O3):
        sub[:, pollutant] = iaqi(pollutant, hours[:, pollutant], Period.HOUR, edition, practice)
    for pollutant in (Pollutant.PM10, Pollutant.PM25):
        sub[:, pollutant] = iaqi(pollutant, day[:, pollutant], Period.DAY, edition, practice)
    sulphur = iaqi(Pollutant.SO2, day[:, Pollutant.SO2], Period.DAY, edition, practice)
    over = hours[:, Pollutant.SO2] > 800
    sub[over, Pollutant.SO2] = sulphur[over]
    eight = means.moving(hours[:, [Pollutant.O3]], 8, means.EIGHT_HOURS_NEED)[:, 0]
    sub[:, Pollutant.O3] = np.fmax(sub[:, Pollutant.O3], iaqi(Pollutant.O3, eight, Period.EIGHT_HOURS, edition, practice))
    return combine(sub, edition, planned, practice)


def released(now: Floats, edition: Edition, planned: frozenset[Pollutant] = ALL, practice: Practice = PRACTICE) -> Index:
    """The index of single hours (n, 6) as the national hourly release computes it: six 1 h items, PM by the daily table.

    In 2026 this is the standard; for 2012 it is the practice observed in public releases of 2020, not the text.
    """
    return combine(_each(now, edition, practice), edition, planned, practice)


def daily(hours: Floats, edition: Edition, planned: frozenset[Pollutant] = ALL, practice: Practice = PRACTICE) -> Index:
    """Daily report (日报) of natural days, hourly means (24, 6) or (days, 24, 6); days with too few hours are missing.

    Six items in 2026; in 2012 the larger of O3's 8 h and 1 h sub-index, since both are items of the report.
    """
    day = means.daily_means(hours, practice)
    sub = np.full(day.shape, np.nan)
    for pollutant in Pollutant:
        period = Period.EIGHT_HOURS if pollutant is Pollutant.O3 else Period.DAY
        sub[:, pollutant] = iaqi(pollutant, day[:, pollutant], period, edition, practice)
    if edition is Edition.HJ_2012:
        hour = iaqi(Pollutant.O3, means.largest_hour(hours, practice), Period.HOUR, edition, practice)
        sub[:, Pollutant.O3] = np.fmax(sub[:, Pollutant.O3], hour)
    return combine(sub, edition, planned, practice)


def _each(now: Floats, edition: Edition, practice: Practice) -> Floats:
    matter = (Pollutant.PM10, Pollutant.PM25)
    columns = [
        iaqi(pollutant, now[:, pollutant], Period.DAY if pollutant in matter else Period.HOUR, edition, practice)
        for pollutant in Pollutant
    ]
    return np.stack(columns, axis=1)


def _per_unit(pollutant: Pollutant) -> float:
    return 10.0 if pollutant is Pollutant.CO else 1.0


def _units(pollutant: Pollutant, concentration: Floats) -> Floats:
    valid = np.isfinite(concentration) & (concentration >= 0)
    # A mean of decimals is a hair off its true value: six decimals restore the tie before it is rounded half to even.
    return np.rint(np.round(np.where(valid, concentration, np.nan) * _per_unit(pollutant), 6))


def _between(points: Whole, units: Whole) -> Whole:
    upper = np.clip(np.searchsorted(points, units, side="left"), 1, len(points) - 1)
    rise, run = STEPS[upper] - STEPS[upper - 1], points[upper] - points[upper - 1]
    return np.asarray(STEPS[upper - 1] - (-rise * (units - points[upper - 1])) // run, dtype=np.int64)


def _beyond(points: Whole, edition: Edition, practice: Practice) -> float:
    if len(points) == len(STEPS):
        return float(practice.cap)
    return float(STEPS[len(points) - 1]) if edition is Edition.HJ_2026 else np.nan
