"""Contracts learned from history: what instruments keep is found again, and what the newest third breaks is counted."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe.learning import FEWEST, broken, learn, stands
from citybrain.kernel.instant import DAY, HOUR, MINUTE, SECOND, Duration, Instant, local_date, midnight, parse
from citybrain.kernel.observations import Floats, Ints
from citybrain.kernel.things import Contract

MONDAY = parse("2026-11-02T00:00:00+08:00")


def waves(every: int, count: int, seed: int = 7) -> tuple[Ints, Floats]:
    """A quantity that goes up and down with the day, with some noise, reported at a cadence."""
    time = MONDAY + np.arange(count, dtype=np.int64) * every
    noise = np.random.default_rng(seed).normal(0, 0.5, count)
    return time, 20 + 5 * np.sin(2 * math.pi * (time % DAY) / DAY) + noise


def test_a_cadence_a_silence_and_a_range_are_found() -> None:
    found = learn(*waves(10 * MINUTE, 7 * 144), below_nothing=False)
    assert found is not None
    contract = found.contract
    assert (contract.every, contract.silent_after, contract.opens) == (10 * MINUTE, 30 * MINUTE, None)
    assert contract.low is not None
    assert contract.high is not None
    assert 0 < contract.low < found.lowest
    assert found.highest < contract.high < found.highest + 2 * (found.highest - found.lowest)
    assert (found.broken.readings, found.broken.late, found.broken.out_of_range) == (1008 - 672, 0, 0)


def test_what_may_be_negative_is_not_held_above_nothing() -> None:
    time, value = waves(10 * MINUTE, 7 * 144)
    found = learn(time, value - 14, below_nothing=True)
    assert found is not None
    assert found.contract.low is not None
    assert found.contract.low < 0


def test_a_night_without_readings_is_closed_and_not_silent() -> None:
    time, value = waves(30 * MINUTE, 14 * 48)
    of_day = (time - midnight(local_date(MONDAY))) % DAY
    day = (of_day >= 8 * HOUR) & (of_day <= 16 * HOUR + 30 * MINUTE)
    found = learn(time[day], value[day], below_nothing=False)
    assert found is not None
    assert (found.contract.opens, found.contract.closes) == (8 * 60, 16 * 60 + 30)
    assert found.contract.silent_after == 90 * MINUTE
    assert found.broken.late == 0


def test_a_switch_is_not_stuck_because_it_stands_still() -> None:
    time, _ = waves(10 * MINUTE, 7 * 144)
    found = learn(time, (time // DAY % 2).astype(np.float64), below_nothing=False)
    assert found is not None
    assert found.contract.stuck_after is None


def test_the_newest_third_is_judged_by_what_it_did_not_teach() -> None:
    time, value = waves(10 * MINUTE, 9 * 144)
    value = value.copy()
    value[-30:-1] = 500.0
    kept = np.r_[np.arange(1100), np.arange(1160, len(time))]
    found = learn(time[kept], value[kept], below_nothing=False)
    assert found is not None
    assert (found.broken.late, found.broken.out_of_range) == (1, 29)
    assert found.highest == 500.0


@pytest.mark.parametrize(("every", "count"), [(10 * MINUTE, FEWEST - 1), (SECOND, 3000)])
def test_of_too_little_nothing_is_learned(every: int, count: int) -> None:
    assert learn(*waves(every, count), below_nothing=False) is None


def test_stands_last_from_the_first_reading_of_a_value_to_its_last() -> None:
    time = np.array([0, 10, 20, 30, 40], np.int64)
    assert stands(time, np.array([1.0, 1.0, 2.0, 2.0, 2.0])).tolist() == [10, 20]


_PLAUSIBLE = st.one_of(st.just(0.0), st.floats(1, 1e4), st.floats(-1e4, -1))


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(1, 4 * HOUR), _PLAUSIBLE), min_size=FEWEST, max_size=400))
def test_readings_never_break_the_silence_for_long_nor_the_limits_that_they_taught(steps: list[tuple[int, float]]) -> None:
    time = MONDAY + np.cumsum(np.array([step for step, _ in steps], np.int64))
    value = np.array([value for _, value in steps])
    found = learn(time, value, below_nothing=True)
    if found is None:
        return
    contract = found.contract
    kept = broken(contract, time, value)
    assert kept.out_of_range == 0
    assert kept.stuck == 0
    assert kept.late <= len(time) * 0.01 + 1
    assert contract.silent_after is not None
    assert contract.silent_after >= (contract.every or 0)


def test_nothing_promised_is_never_broken() -> None:
    assert broken(Contract(), np.array([0, DAY], np.int64), np.array([1.0, 1e9])) == broken(
        Contract(every=Duration(1)), np.array([0, Instant(DAY)], np.int64), np.array([1.0, 1e9])
    )


def test_a_number_that_cannot_be_true_widens_no_range() -> None:
    time, value = waves(10 * MINUTE, 7 * 144)
    sound = learn(time, value, below_nothing=False)
    value[[300, 500, 501]] = 1e308, -1e308, 1e9
    found = learn(time, value, below_nothing=False)
    assert found is not None
    assert sound is not None
    assert found.contract.high == sound.contract.high
    assert (found.lowest, found.highest) == (-1e308, 1e308)
    nothing_else = learn(time, np.full(len(time), 1e308), below_nothing=False)
    assert nothing_else is not None
    assert (nothing_else.contract.low, nothing_else.contract.high) == (None, None)


def test_what_comes_in_bursts_promises_no_interval_and_is_late_after_a_long_pause() -> None:
    hours = MONDAY + np.arange(7 * 24, dtype=np.int64) * HOUR
    time = (hours[:, None] + np.arange(10, dtype=np.int64) * SECOND).ravel()
    found = learn(time, np.random.default_rng(1).normal(20, 1, len(time)), below_nothing=False)
    assert found is not None
    assert found.contract.every is None
    assert found.contract.silent_after is not None
    assert HOUR < found.contract.silent_after < 2 * HOUR
    assert found.broken.late == 0


def test_what_comes_whenever_something_happens_promises_no_interval() -> None:
    rng = np.random.default_rng(2)
    time = MONDAY + np.cumsum(rng.exponential(10 * MINUTE, 1500)).astype(np.int64)
    found = learn(time, rng.normal(20, 1, len(time)), below_nothing=False)
    assert found is not None
    assert found.contract.every is None


def test_an_instrument_that_loses_readings_and_was_away_for_days_still_has_its_interval() -> None:
    time, value = waves(10 * MINUTE, 28 * 144)
    kept = np.random.default_rng(3).random(len(time)) > 0.15
    kept[1000:3000] = False
    found = learn(time[kept], value[kept], below_nothing=False)
    assert found is not None
    assert found.contract.every == 10 * MINUTE
