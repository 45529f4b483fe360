"""Opening hours: a source that is closed is neither silent, nor stuck, nor zero."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.detect.frames import Carry, New
from citybrain.brain.observe.declaring import contract_of
from citybrain.brain.observe.life import NEVER, ORDER, contracts, life, lives
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, midnight
from citybrain.kernel.text import same
from citybrain.kernel.things import By, Contract, Field, Life

DAWN = midnight(date(2026, 11, 23))
FIELD = Field(
    "free", same("空余"), By.SENSOR, "{space}", every="PT30M", silent_after="PT90M", range=(0, None), hours=("08:00", "16:30")
)
LOT = contract_of(FIELD)


def at(hours: float) -> Instant:
    return Instant(DAWN + round(hours * HOUR))


@pytest.mark.parametrize(
    ("now", "read", "is_"),
    [
        (16.5, 16.5, Life.LIVE),
        (16.6, 16.5, Life.CLOSED),
        (7.99, -7.5, Life.CLOSED),
        (8.5, -7.5, Life.CLOSED),
        (9.5, -7.5, Life.CLOSED),
        (9.6, -7.5, Life.LATE),
        (8.5, 8.2, Life.LIVE),
        (10.0, 8.4, Life.LATE),
        (31.0, 16.5, Life.CLOSED),
    ],
)
def test_a_car_park_at_an_hour_of_the_day(now: float, read: float, is_: Life) -> None:
    """Open 08:00 to 16:30, a reading due within 90 minutes; -7.5 is yesterday's last reading, at 16:30."""
    assert life(LOT, at(read), 12.0, at(read), at(now)) == is_


def test_one_that_never_reported_is_closed_at_night_and_never_by_day() -> None:
    assert life(LOT, None, 0.0, NEVER, at(3)) == Life.CLOSED
    assert life(LOT, None, 0.0, NEVER, at(12)) == Life.NEVER


@given(st.integers(0, 3 * DAY), st.integers(0, 3 * DAY))
def test_without_hours_nothing_is_ever_closed_and_with_hours_always_outside_them(now: int, read: int) -> None:
    when, seen = Instant(DAWN + max(now, read)), Instant(DAWN + read)
    plain = Contract(LOT.every, LOT.silent_after, LOT.stuck_after, LOT.low, LOT.high)
    codes = lives(contracts((plain, LOT)), np.array([seen] * 2), np.array([5.0] * 2), np.array([seen] * 2), when)
    assert ORDER[codes[0]] != Life.CLOSED
    of_day = (when - DAWN) % DAY
    if of_day < 8 * HOUR or of_day > 16 * HOUR + 30 * MINUTE:
        assert ORDER[codes[1]] == Life.CLOSED


def test_a_rule_sees_no_value_outside_the_hours() -> None:
    carry = Carry((LOT,))
    carry.room(1)
    times = np.array([at(7.9), at(8.1), at(16.4), at(16.6)])
    zeros = np.zeros(4, np.int64)
    moments = carry.take(New(zeros, zeros, times, np.array([1.0, 2.0, 3.0, 4.0]), times))
    assert np.array_equal(moments.fields[:, 0], [np.nan, 2.0, 3.0, np.nan], equal_nan=True)
