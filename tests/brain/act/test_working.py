"""Deadlines by the legal calendar of 2026, the district's own days on top."""

from datetime import date

import pytest

from citybrain.brain.act import Working
from citybrain.brain.act.working import published, works
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.instant import parse


def test_national_day_is_off_and_the_saturday_made_up_for_it_is_worked() -> None:
    assert not works(date(2026, 10, 1), {})
    assert works(date(2026, 10, 10), {})
    assert not works(date(2026, 10, 17), {})
    assert not works(date(2026, 10, 10), {date(2026, 10, 10): False})


@pytest.mark.usefixtures("units")
def test_working_days_step_over_the_holiday_and_count_the_day_made_up(transactions: SqlTransactions) -> None:
    working = Working(transactions)
    start = parse("2026-09-30T02:00:00Z")
    assert working.due(start, Allowance(1, "working_days")) == parse("2026-10-08T09:30:00Z")
    assert working.due(start, Allowance(3, "working_days")) == parse("2026-10-10T09:30:00Z")
    assert working.due(start, Allowance(24, "hours")) == parse("2026-10-01T02:00:00Z")


@pytest.mark.usefixtures("units")
def test_a_district_may_change_a_day(transactions: SqlTransactions) -> None:
    working = Working(transactions)
    working.change(date(2026, 11, 23), open_that_day=False, why="停水")
    assert working.due(parse("2026-11-20T02:00:00Z"), Allowance(1, "working_days")) == parse("2026-11-24T09:30:00Z")
    working.change(date(2026, 11, 23), open_that_day=True, why="恢复")
    assert working.due(parse("2026-11-20T02:00:00Z"), Allowance(1, "working_days")) == parse("2026-11-23T09:30:00Z")


@pytest.mark.usefixtures("units")
def test_beyond_the_published_years_weekdays_count_and_it_is_said(transactions: SqlTransactions) -> None:
    working = Working(transactions)
    assert not published(2050)
    assert works(date(2050, 10, 3), {})
    doubt = working.doubt(parse("2050-10-03T00:00:00Z"))
    assert doubt is not None
    assert "2050" in doubt.zh
    assert working.doubt(parse("2026-10-03T00:00:00Z")) is None
