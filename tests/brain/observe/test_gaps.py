"""Gaps: what was due and did not come is found, estimated by the way that did better on measured stretches, and never stored."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe.gaps import gaps
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Duration, Instant, parse
from citybrain.kernel.observations import Floats, Ints
from citybrain.kernel.things import Contract

MONDAY = parse("2026-11-02T00:00:00+08:00")
HOURLY = Contract(every=Duration(HOUR), silent_after=Duration(3 * HOUR))
EVER = (Instant(0), Instant(2**60))
LONG_AGO = Instant(0)
"""Before all readings: none of them is late."""


def days(count: int, noise: float = 0.2) -> tuple[Ints, Floats]:
    """A course that every day repeats, by the hour."""
    time = MONDAY + np.arange(24 * count, dtype=np.int64) * HOUR
    course = 20 + 8 * np.sin(2 * math.pi * np.arange(24 * count) / 24)
    return time, course + np.random.default_rng(3).normal(0, noise, 24 * count)


def without(time: Ints, value: Floats, begin: int, count: int) -> tuple[Ints, Floats, Floats]:
    """The readings without some of them, and those."""
    kept = np.r_[0:begin, begin + count : len(time)]
    return time[kept], value[kept], value[begin : begin + count]


def test_a_long_gap_follows_the_course_of_the_days_around_and_says_how_well_that_did() -> None:
    time, value, truth = without(*days(20), begin=200, count=12)
    (gap,) = gaps(HOURLY, time, value, *EVER, LONG_AGO)
    assert (gap.since, gap.until, len(gap.times)) == (int(time[199]), int(time[200]), 12)
    assert gap.way == "day"
    assert gap.error is not None
    assert gap.line is not None
    assert gap.error < gap.line
    assert np.abs(np.array(gap.values) - truth).mean() < 0.6


def test_where_days_are_unlike_the_line_serves_and_its_error_is_said() -> None:
    time, _ = days(20)
    value = np.cumsum(np.random.default_rng(5).normal(0, 1, len(time)))
    (gap,) = gaps(HOURLY, *without(time, value, 200, 2)[:2], *EVER, LONG_AGO)
    assert gap.way == "line"
    assert gap.error == gap.line
    assert gap.trials == 20
    assert gap.values == tuple(float(f"{x:.6g}") for x in np.interp([1, 2], [0, 3], [value[199], value[202]]))


def test_a_night_in_which_nothing_is_due_is_no_gap() -> None:
    time, value = days(10)
    hour = np.arange(240) % 24
    open_hours = (hour >= 8) & (hour <= 16)
    shop = Contract(every=Duration(HOUR), opens=8 * 60, closes=16 * 60)
    assert gaps(shop, time[open_hours], value[open_hours], *EVER, LONG_AGO) == ()
    kept = open_hours & ~((np.arange(240) >= 110) & (np.arange(240) < 130))
    (gap,) = gaps(shop, time[kept], value[kept], *EVER, LONG_AGO)
    assert [((at - MONDAY) % DAY) // HOUR for at in gap.times] == [14, 15, 16, 8, 9]


def test_without_a_promised_interval_nothing_was_due() -> None:
    time, value = days(3)
    assert gaps(Contract(silent_after=Duration(HOUR)), time[::5], value[::5], *EVER, LONG_AGO) == ()
    assert gaps(HOURLY, time[:1], value[:1], *EVER, LONG_AGO) == ()


def test_only_gaps_of_the_span_are_told_and_one_without_end_is_not_estimated() -> None:
    time, value = days(60)
    once, rest = without(time, value, 100, 3)[:2], without(time, value, 300, 600)[:2]
    assert gaps(HOURLY, *once, Instant(int(time[200])), EVER[1], LONG_AGO) == ()
    (gap,) = gaps(HOURLY, *rest, *EVER, LONG_AGO)
    assert (gap.missing, gap.times, gap.values, gap.way) == (600, (), (), None)


def test_with_too_few_readings_for_a_trial_the_error_is_not_known() -> None:
    time = np.array([0, HOUR, 4 * HOUR], np.int64)
    (gap,) = gaps(HOURLY, time, np.array([1.0, 2.0, 5.0]), *EVER, LONG_AGO)
    assert (gap.values, gap.error, gap.trials) == ((3.0, 4.0), None, 0)


@given(st.lists(st.booleans(), min_size=30, max_size=120), st.integers(0, 5))
def test_every_reading_that_was_due_is_there_or_in_a_gap_and_none_is_in_both(present: list[bool], noise: int) -> None:
    kept = np.flatnonzero(np.array(present))
    if len(kept) < 2:
        return
    time = MONDAY + np.arange(len(present), dtype=np.int64) * 10 * MINUTE
    value = np.random.default_rng(noise).normal(size=len(present))
    found = gaps(Contract(every=Duration(10 * MINUTE)), time[kept], value[kept], *EVER, LONG_AGO)
    missing = [at for gap in found for at in gap.times]
    assert sorted([*missing, *time[kept].tolist()]) == time[kept[0] : kept[-1] + 1].tolist()
    assert all(len(gap.values) == len(gap.times) for gap in found)


def test_a_stream_that_fell_silent_has_a_gap_without_end() -> None:
    time, value = days(10)
    last = int(time[-1])
    assert gaps(HOURLY, time, value, Instant(MONDAY), EVER[1], Instant(last + 3 * HOUR)) == ()
    (gap,) = gaps(HOURLY, time, value, Instant(MONDAY), EVER[1], Instant(last + 50 * HOUR))
    assert (gap.since, gap.until, gap.missing, gap.values) == (last, None, 49, ())


def test_a_gap_that_began_before_the_span_or_ends_after_it_is_told() -> None:
    time, value = without(*days(20), begin=200, count=48)[:2]
    middle = Instant(int(time[199]) + DAY)
    for span in ((Instant(MONDAY), middle), (middle, EVER[1]), (middle, Instant(middle + HOUR))):
        (gap,) = gaps(HOURLY, time, value, *span, LONG_AGO)
        assert (gap.since, gap.until, gap.missing) == (int(time[199]), int(time[200]), 48)


def test_more_missing_than_can_be_listed_is_counted_to_the_last_one() -> None:
    time, value = np.array([MONDAY, MONDAY + 7 * DAY], np.int64), np.array([1.0, 2.0])
    (gap,) = gaps(Contract(every=Duration(1)), time, value, *EVER, LONG_AGO)
    assert gap.missing == 7 * DAY - 1
    (gap,) = gaps(Contract(every=Duration(1), opens=8 * 60, closes=16 * 60), time, value, *EVER, LONG_AGO)
    assert gap.missing == 7 * (8 * HOUR + 1)


@given(st.integers(0, 1000), st.integers(1, 400), st.integers(1, 90), st.integers(0, 20), st.integers(1, 4))
def test_what_is_counted_is_what_is_listed(begin: int, length: int, every: int, opens: int, hours: int) -> None:
    shop = Contract(every=Duration(every * MINUTE), opens=opens * 60, closes=(opens + hours) * 60)
    start = MONDAY + begin * 7 * MINUTE
    time = np.array([start, start + length * 11 * MINUTE], np.int64)
    for gap in gaps(shop, time, np.array([1.0, 2.0]), *EVER, LONG_AGO):
        assert gap.missing == len(gap.times) or gap.missing > 500
