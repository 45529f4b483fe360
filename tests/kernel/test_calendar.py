"""Legal time."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.calendar import Allowance, Counting, WorkCalendar, next_local, weekdays_only
from citybrain.kernel.instant import DAY, HOUR, Instant, local, parse

HOLIDAYS = {date(2026, 10, day) for day in range(1, 8)}
EXTRA = {date(2026, 10, 10)}
"""A Saturday that is worked (调休)."""


def works(day: date) -> bool:
    return day in EXTRA or (weekdays_only(day) and day not in HOLIDAYS)


CALENDAR = WorkCalendar(works)
starts = st.integers(parse("2026-09-01T00:00:00Z"), parse("2026-11-30T00:00:00Z")).map(Instant)


@pytest.mark.parametrize(
    ("start", "amount", "counting", "due"),
    [
        ("2026-11-20T17:00:00+08:00", 2, "hours", "2026-11-20T19:00:00+08:00"),
        ("2026-11-20T17:00:00+08:00", 2, "working_hours", "2026-11-23T10:00:00+08:00"),
        ("2026-11-22T12:00:00+08:00", 4, "working_hours", "2026-11-23T12:30:00+08:00"),
        ("2026-11-20T06:00:00+08:00", 1, "working_hours", "2026-11-20T09:30:00+08:00"),
        ("2026-11-20T08:30:00+08:00", 9, "working_hours", "2026-11-20T17:30:00+08:00"),
        ("2026-11-20T12:00:00+08:00", 1, "working_days", "2026-11-23T17:30:00+08:00"),
        ("2026-09-30T12:00:00+08:00", 3, "working_days", "2026-10-10T17:30:00+08:00"),
        ("2026-11-21T12:00:00+08:00", 5, "working_days", "2026-11-27T17:30:00+08:00"),
    ],
)
def test_when_a_promised_time_ends(start: str, amount: int, counting: Counting, due: str) -> None:
    assert CALENDAR.due(parse(start), Allowance(amount, counting)) == parse(due)


@given(starts, st.integers(1, 60))
def test_working_hours_promised_are_the_working_hours_that_pass(start: Instant, hours: int) -> None:
    due = CALENDAR.due(start, Allowance(hours, "working_hours"))

    assert CALENDAR.worked(start, due) == hours * HOUR


@given(starts, st.integers(0, 20 * DAY), st.integers(0, 20 * DAY))
def test_working_time_of_two_parts_adds_up(start: Instant, first: int, second: int) -> None:
    middle, end = Instant(start + first), Instant(start + first + second)

    assert CALENDAR.worked(start, middle) + CALENDAR.worked(middle, end) == CALENDAR.worked(start, end)


@given(starts, st.integers(1, 20))
def test_a_working_day_promise_ends_at_the_close_of_a_working_day(start: Instant, days: int) -> None:
    due = local(CALENDAR.due(start, Allowance(days, "working_days")))

    assert (due.hour, due.minute) == (17, 30)
    assert works(due.date())


@given(starts)
def test_the_next_six_in_the_morning_is_within_a_day(start: Instant) -> None:
    found = next_local(6, 0, start)

    assert start < found <= start + DAY
    assert (local(found).hour, local(found).minute, local(found).second) == (6, 0, 0)
