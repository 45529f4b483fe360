"""Allocation: margins by the forecast's quantiles, limits kept, and never worse than doing nothing or than the simple rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.services.livelihood.parking import allocation
from citybrain.services.livelihood.parking.allocation import Floats, Hour, Terms

TERMS = Terms(full=95.0, walk=800.0, overflow=1500.0, opening=300.0, detour=1.3, need=0.9, room=0.9)
COUNT = 5
counts = st.lists(st.integers(0, 40), min_size=COUNT, max_size=COUNT)


def line(metres: float) -> Floats:
    """Walks between lots in a row, so many metres apart."""
    at = np.arange(COUNT) * metres
    return np.asarray(np.abs(at[:, None] - at))


@settings(max_examples=100, deadline=None)
@given(counts, counts, counts, st.floats(50, 900))
def test_a_plan_keeps_every_limit_and_is_no_worse_than_nothing_or_the_simple_rule(
    surplus: list[int], room: list[int], closed: list[int], metres: float
) -> None:
    too_many = np.array(surplus)
    hour = Hour(too_many, np.where(too_many > 0, 0, np.array(room)), np.array(closed))
    walk = line(metres)
    plan, simple, advised = (way(hour, walk, TERMS) for way in (allocation.best, allocation.nearest, allocation.advised))
    for one in (plan, simple, advised):
        assert (one.sent.sum(axis=0) <= hour.room + one.opened).all()
        assert (one.opened <= hour.closed).all()
        assert (one.sent.sum(axis=1) + one.left == hour.surplus).all()
        assert (one.left >= 0).all()
        assert not one.sent[walk > TERMS.walk].any()
    assert plan.cost <= advised.cost <= simple.cost <= allocation.idle(hour, TERMS)
    assert not simple.opened.any()


def test_an_owner_beside_the_full_lot_is_asked_before_a_long_walk_and_after_a_short_one() -> None:
    hour = Hour(np.array([4, 0, 0, 0, 0]), np.array([0, 9, 0, 0, 0]), np.array([9, 0, 0, 0, 0]))
    far, near = allocation.best(hour, line(500), TERMS), allocation.best(hour, line(100), TERMS)
    assert (int(far.opened[0]), int(far.sent[0, 1]), far.metres) == (4, 0, 0)
    assert (int(near.opened.sum()), int(near.sent[0, 1]), near.metres) == (0, 4, 400)


def test_a_quantile_lies_straight_between_the_edges_and_never_beyond() -> None:
    low, middle, high = np.array([10.0]), np.array([50.0]), np.array([90.0])
    found = [float(allocation.level(low, middle, high, share)[0]) for share in (0.0, 0.1, 0.3, 0.5, 0.9, 1.0)]
    assert found == pytest.approx([10.0, 10.0, 30.0, 50.0, 90.0, 90.0])


def test_surplus_and_room_are_whole_berths_on_the_safe_side_and_none_where_nobody_knows() -> None:
    taken, berths = np.array([95.0, 96.0, 94.0, np.nan]), np.array([150.0, 150.0, 150.0, 150.0])
    assert allocation.surplus_of(taken, berths, 95.0).tolist() == [0, 2, 0, 0]
    assert allocation.room_of(taken, berths, 95.0).tolist() == [0, 0, 1, 0]


def test_a_walk_is_the_great_circle_times_the_detour() -> None:
    """A hundredth of a degree of latitude is 1,112 m."""
    walk = allocation.walking(np.array([117.1, 117.1]), np.array([39.10, 39.11]), 1.3)
    assert walk[0, 1] == pytest.approx(1.3 * 1111.95, abs=0.5)
    assert walk[0, 0] == 0
