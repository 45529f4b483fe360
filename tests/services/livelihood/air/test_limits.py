"""Ambient limits by date, and what is over them."""

import math
from datetime import date

import numpy as np

from citybrain.services.livelihood.air import limits
from citybrain.services.livelihood.air.scale import Pollutant


def test_limits_tighten_on_1_march_2026_and_on_1_january_2031() -> None:
    pm25 = [limits.limits_on(day).day[Pollutant.PM25] for day in (date(2026, 2, 28), date(2026, 3, 1), date(2031, 1, 1))]
    assert pm25 == [75, 60, 50]
    assert limits.limits_on(date(2030, 12, 31)).day == (150, 80, 4, 160, 120, 60)


def test_a_day_is_over_the_limit_only_when_its_rounded_value_is_above_it() -> None:
    means = np.array([[150.5, 80.0, 4.05, 161.0, math.nan, 60.4], [151.0, 0.0, 4.06, 160.5, 120.6, 61.0]])
    found = limits.check(means, date(2026, 5, 1))
    assert found.over.tolist() == [[False, False, False, True, False, False], [True, False, True, False, True, True]]
    assert np.isnan(found.ratio[0, Pollutant.PM10])
    assert found.ratio[1, Pollutant.PM25] == 61 / 60
