"""The scale of the air quality index (空气质量指数): pollutants, editions of HJ 633 and their breakpoints.

HJ 633-2026 table 3 and HJ 633-2012 table 1, both read in the official text.
"""

from datetime import date
from enum import Enum, IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Whole: TypeAlias = NDArray[np.int64]


class Pollutant(IntEnum):
    """The six pollutants in the order of the standard's table: the order of every array (…, 6) here."""

    SO2 = 0
    NO2 = 1
    CO = 2
    O3 = 3
    PM10 = 4
    PM25 = 5


FIELDS = ("so2", "no2", "co", "o3", "pm10", "pm25")
"""Field names in the same order. CO is in mg/m³, the others in µg/m³."""


class Period(Enum):
    """Over which time a concentration is averaged: 1 hour, 8 hours (moving mean), 24 hours."""

    HOUR = "1h"
    EIGHT_HOURS = "8h"
    DAY = "24h"


class Edition(Enum):
    """An edition of HJ 633."""

    HJ_2012 = "HJ 633-2012"
    HJ_2026 = "HJ 633-2026"


NEW_EDITION_FROM = date(2026, 3, 1)
"""GB 3095-2026, HJ 633-2026 and HJ 663-2026 hold from this day (Asia/Shanghai)."""


def edition_on(day: date) -> Edition:
    """The edition in force on the district's calendar date of the observation."""
    return Edition.HJ_2026 if day >= NEW_EDITION_FROM else Edition.HJ_2012


STEPS: Whole = np.array((0, 50, 100, 150, 200, 300, 400, 500), dtype=np.int64)
"""The sub-index (IAQI) at each breakpoint."""

_P = Pollutant
_COMMON: dict[tuple[Pollutant, Period], tuple[int, ...]] = {
    (_P.SO2, Period.DAY): (0, 50, 150, 475, 800, 1600, 2100, 2620),
    (_P.SO2, Period.HOUR): (0, 150, 500, 650, 800),
    (_P.NO2, Period.DAY): (0, 40, 80, 180, 280, 565, 750, 940),
    (_P.NO2, Period.HOUR): (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    (_P.CO, Period.DAY): (0, 20, 40, 140, 240, 360, 480, 600),
    (_P.CO, Period.HOUR): (0, 50, 100, 350, 600, 900, 1200, 1500),
    (_P.O3, Period.EIGHT_HOURS): (0, 100, 160, 215, 265, 800),
    (_P.O3, Period.HOUR): (0, 160, 200, 300, 400, 800, 1000, 1200),
}
_PM: dict[Edition, dict[Pollutant, tuple[int, ...]]] = {
    Edition.HJ_2012: {_P.PM10: (0, 50, 150, 250, 350, 420, 500, 600), _P.PM25: (0, 35, 75, 115, 150, 250, 350, 500)},
    Edition.HJ_2026: {_P.PM10: (0, 50, 120, 250, 350, 420, 500, 600), _P.PM25: (0, 35, 60, 115, 150, 250, 350, 500)},
}


def breakpoints(pollutant: Pollutant, period: Period, edition: Edition) -> Whole:
    """Breakpoints in whole µg/m³, for CO in tenths of mg/m³: as many of STEPS as the standard gives.

    Raises ValueError where the edition has no sub-index: an 8 h mean other than O3, a 24 h mean of O3, a 1 h mean of
    PM in 2012. In 2026 the 1 h mean of PM uses the daily table (HJ 633-2026 §4.3).
    """
    shared = _COMMON.get((pollutant, period))
    if shared is not None:
        return np.array(shared, dtype=np.int64)
    matter = _PM[edition].get(pollutant)
    periods = (Period.DAY,) if edition is Edition.HJ_2012 else (Period.DAY, Period.HOUR)
    if matter is not None and period in periods:
        return np.array(matter, dtype=np.int64)
    raise ValueError(f"{edition.value} has no sub-index for {pollutant.name} over {period.value}. Use a period of its table.")
