"""Instants and durations."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.instant import DAY, HOUR, Instant, at, duration, local, local_date, midnight, moment, parse, rfc3339

instants = st.integers(0, 4_102_444_800_000_000).map(Instant)


@given(instants)
def test_writing_and_reading_an_instant_gives_it_back(instant: Instant) -> None:
    assert parse(rfc3339(instant)) == instant
    assert at(moment(instant)) == instant


@given(instants)
def test_a_local_day_holds_its_instants(instant: Instant) -> None:
    begin = midnight(local_date(instant))

    assert begin <= instant < begin + DAY


def test_known_instants() -> None:
    assert at(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert parse("2026-11-22T15:30:00+08:00") == parse("2026-11-22T07:30:00Z") == 1_795_332_600_000_000
    assert rfc3339(Instant(1_795_332_600_000_000)) == "2026-11-22T07:30:00Z"
    assert rfc3339(Instant(1)) == "1970-01-01T00:00:00.000001Z"


def test_the_district_is_eight_hours_ahead() -> None:
    assert midnight(date(2026, 11, 22)) == parse("2026-11-21T16:00:00Z")
    assert local(parse("2026-11-21T16:00:00Z")).hour == 0
    assert local_date(Instant(midnight(date(2026, 11, 22)) - 1)) == date(2026, 11, 21)


@pytest.mark.parametrize("text", ["2026-11-22T07:30:00", "2026-11-22", "yesterday", "", "2026-02-30T00:00:00Z"])
def test_a_time_without_offset_or_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


def test_durations_are_read_exactly() -> None:
    assert duration("PT20M") == 20 * 60_000_000
    assert duration("P1DT1H30M") == DAY + HOUR + HOUR // 2
    assert duration("PT0.5S") == 500_000
    assert duration("P0D") == 0


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "20M", "PT20", "P1M", "PT1H ", "-PT1H"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="PT20M"):
        duration(text)
