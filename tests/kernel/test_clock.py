"""Clocks."""

from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.clock import FixedClock, Replay, RunningClock
from citybrain.kernel.instant import HOUR, Instant


def test_at_sixty_times_an_hour_passes_in_a_minute() -> None:
    wall = [Instant(0)]
    clock = RunningClock(lambda: wall[0], Replay(Instant(0), Instant(1_000 * HOUR), 60.0))

    wall[0] = Instant(60_000_000)

    assert clock.city() == 1_001 * HOUR
    assert clock.wall() == 60_000_000
    assert clock.speed == 60.0


def test_without_a_replay_city_time_is_wall_time() -> None:
    clock = RunningClock(lambda: Instant(5))

    assert (clock.city(), clock.wall(), clock.speed) == (5, 5, 1.0)


@given(st.integers(0, 10**15), st.integers(0, 10**12), st.sampled_from([1.0, 60.0, 3600.0]))
def test_city_time_never_runs_backwards(anchor: int, later: int, speed: float) -> None:
    replay = Replay(Instant(anchor), Instant(0), speed)

    assert replay.city(Instant(anchor)) == 0
    assert replay.city(Instant(anchor + later + 1)) > replay.city(Instant(anchor + later))


def test_a_fixed_clock_stands_until_it_is_set() -> None:
    clock = FixedClock(Instant(1))
    before = (clock.city(), clock.wall())

    clock.set(Instant(7), Instant(3))

    assert before == (1, 1)
    assert (clock.city(), clock.wall()) == (7, 3)
