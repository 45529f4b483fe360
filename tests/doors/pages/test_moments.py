"""Views are made once a caller while nothing is written, and never kept longer than a second of the wall."""

import threading
from concurrent.futures import ThreadPoolExecutor

from citybrain.doors.pages.moments import Moments
from citybrain.kernel.access import ANYONE, Caller
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import SECOND, Instant, parse

NOW = parse("2026-11-28T07:00:00Z")
LEADER = Caller("1", "Lin", frozenset({"leader"}))


class _Counted:
    """Makes a new view each time it is asked."""

    def __init__(self) -> None:
        self.made = 0
        self.stands = 0

    def __call__(self) -> str:
        self.made += 1
        return f"view {self.made}"


def test_a_view_is_made_once_a_caller_until_something_is_written() -> None:
    made, clock = _Counted(), FixedClock(NOW)
    moments = Moments[str](clock, lambda: made.stands)
    assert [moments.of(LEADER, made), moments.of(LEADER, made), moments.of(ANYONE, made)] == ["view 1", "view 1", "view 2"]
    made.stands += 1
    assert moments.of(LEADER, made) == "view 3"


def test_a_view_lasts_a_second_and_not_beyond_a_clock_set_back() -> None:
    made, clock = _Counted(), FixedClock(NOW)
    moments = Moments[str](clock, lambda: 0)
    moments.of(LEADER, made)
    clock.set(Instant(NOW + SECOND - 1))
    assert moments.of(LEADER, made) == "view 1"
    clock.set(Instant(NOW + SECOND))
    assert moments.of(LEADER, made) == "view 2"
    clock.set(NOW)
    assert moments.of(LEADER, made) == "view 3"


def test_somebody_with_other_roles_is_another_caller() -> None:
    made = _Counted()
    moments = Moments[str](FixedClock(NOW), lambda: 0)
    moments.of(LEADER, made)
    assert moments.of(Caller("1", "Lin", frozenset({"leader", "admin"})), made) == "view 2"


def test_many_who_come_at_once_wait_for_one_view() -> None:
    made, begun = _Counted(), threading.Event()
    moments = Moments[str](FixedClock(NOW), lambda: 0)

    def slowly() -> str:
        begun.wait(1)
        return made()

    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(moments.of, LEADER, slowly) for _ in range(8)]
        begun.set()
        assert {one.result() for one in found} == {"view 1"}


def test_what_is_written_while_a_view_is_made_is_seen_by_the_next() -> None:
    made = _Counted()
    moments = Moments[str](FixedClock(NOW), lambda: made.stands)

    def written_meanwhile() -> str:
        made.stands += 1
        return made()

    moments.of(LEADER, written_meanwhile)
    assert moments.of(LEADER, made) == "view 2"
