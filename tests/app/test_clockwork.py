"""A demo's city time."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from citybrain.app.clockwork import DemoClock, banner, demo_replay, read_replay, shift_days, source_end, write_replay
from citybrain.kernel.clock import FixedClock, Replay
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, parse, rfc3339

NOON = parse("2026-11-22T12:00:00+08:00")
SIX = parse("2026-11-22T06:00:00+08:00")


def never(replay: Replay) -> Instant:
    return Instant(replay.anchor_city + 10_000 * DAY)


def test_beijing_air_of_2013_to_2017_is_shown_in_its_season() -> None:
    shift = shift_days(date(2026, 11, 22), date(2013, 3, 1), date(2017, 3, 1))

    assert date(2026, 11, 22) - timedelta(days=shift) == date(2015, 11, 22)
    assert shift == 574 * 7


days = st.dates(date(2000, 1, 1), date(2040, 1, 1))


@given(days, days, st.integers(14, 6000))
def test_a_shift_keeps_weekdays_and_leaves_room_on_both_sides(today: date, since: date, length: int) -> None:
    until = since + timedelta(days=length)

    shown = today - timedelta(days=shift_days(today, since, until))

    assert shown.weekday() == today.weekday()
    assert since <= shown <= until - timedelta(days=7)
    if length >= 400 + 7 + 7:
        assert since + timedelta(days=400) <= shown


@given(days, days, st.integers(400 + 7 + 367, 6000))
def test_with_a_year_to_choose_from_the_season_fits_to_four_days(today: date, since: date, length: int) -> None:
    shown = today - timedelta(days=shift_days(today, since, since + timedelta(days=length)))

    apart = (today - shown).days % 365.2425
    assert min(apart, 365.2425 - apart) <= 4


@given(days, days, st.integers(1, 13))
def test_a_source_under_two_weeks_may_be_too_short_and_says_so(today: date, since: date, length: int) -> None:
    until = since + timedelta(days=length)
    fitting = [day for day in range(length - 6) if (since + timedelta(days=day)).weekday() == today.weekday()]
    assume(not fitting)

    with pytest.raises(ValueError, match="two weeks"):
        shift_days(today, since, until)


def test_a_demo_starts_at_six_in_the_morning_at_sixty_times() -> None:
    replay = demo_replay(None, NOON, never)

    assert replay.city(NOON) == SIX
    assert replay.city(Instant(NOON + MINUTE)) == SIX + HOUR


def test_a_restart_goes_on_where_city_time_would_be() -> None:
    kept = demo_replay(None, NOON, never)

    assert demo_replay(kept, Instant(NOON + 5 * HOUR), never) is kept


def test_a_wall_clock_set_back_begins_anew() -> None:
    kept = demo_replay(None, NOON, never)

    assert demo_replay(kept, Instant(NOON - HOUR), never).city(Instant(NOON - HOUR)) == SIX


def test_when_the_source_runs_out_the_demo_begins_again_at_six() -> None:
    wall = [NOON]
    kept: list[Replay] = []
    clock = DemoClock(lambda: wall[0], None, lambda _replay: Instant(SIX + 2 * HOUR), kept.append)

    wall[0] = Instant(NOON + 119 * 1_000_000)
    before = clock.city()
    wall[0] = Instant(NOON + 2 * MINUTE)
    after = clock.city()

    assert before == SIX + 119 * MINUTE
    assert after == SIX
    assert [replay.anchor_wall for replay in kept] == [NOON, NOON + 2 * MINUTE]
    assert clock.replay == kept[-1]


def test_a_shifted_source_ends_later_by_the_shift() -> None:
    assert rfc3339(source_end(parse("2017-03-01T00:00:00Z"), 7)) == "2017-03-08T00:00:00Z"


def test_a_replay_is_kept_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "var" / "replay.json"
    replay = Replay(Instant(1), Instant(2), 60.0)

    assert read_replay(file) is None
    write_replay(file, replay)
    assert read_replay(file) == replay
    assert [path.name for path in file.parent.iterdir()] == ["replay.json"]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]"])
def test_a_broken_file_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "replay.json"
    file.write_bytes(content)

    with pytest.raises(BadInputError, match="Delete it"):
        read_replay(file)


def test_the_banner_says_demo_time_and_speed() -> None:
    clock = FixedClock(parse("2026-11-22T15:30:00+08:00"))

    assert banner(clock).zh == "演示数据 · 城市时间 2026年11月22日 星期日 15:30 · 1 倍速"
    assert banner(clock).en == "Demo data · city time Sunday 22 November 2026 15:30 · 1× speed"
