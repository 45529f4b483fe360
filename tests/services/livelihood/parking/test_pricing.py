"""Price advice: monotone in price, towards the band, one step at a time, and none where it is not robust."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.services.livelihood.parking.pricing import Aim, answered, choose, judge

AIM = Aim(60.0, 85.0, (-100.0, -50.0, 50.0, 100.0), 50.0, (-0.2, -0.4, -0.6))
levels, prices = st.floats(1, 100), st.floats(50, 1000)


@given(levels, prices, prices, prices, st.sampled_from(AIM.elasticities))
def test_a_higher_price_never_brings_more_cars(level: float, now: float, one: float, other: float, elasticity: float) -> None:
    low, high = sorted((one, other))
    assert answered(level, now, high, elasticity) <= answered(level, now, low, elasticity)


@given(levels, levels, prices, st.sampled_from(AIM.elasticities))
def test_the_fuller_a_lot_the_higher_the_step(one: float, other: float, now: float, elasticity: float) -> None:
    low, high = sorted((one, other))
    assert choose(low, now, AIM, elasticity).step <= choose(high, now, AIM, elasticity).step


@given(levels, prices, st.sampled_from(AIM.elasticities))
def test_a_step_never_leaves_more_outside_the_band_than_none_and_never_goes_below_the_least_price(
    level: float, now: float, elasticity: float
) -> None:
    found = choose(level, now, AIM, elasticity)
    outside = max(AIM.low - level, level - AIM.high, 0.0)
    assert max(AIM.low - found.occupancy, found.occupancy - AIM.high, 0.0) <= outside + 1e-6
    assert found.step == 0 or now + found.step >= AIM.least


def test_within_the_band_the_price_stays() -> None:
    assert judge((70.0, 75.0), 300.0, AIM).step == 0


def test_above_the_band_the_smallest_of_the_steps_under_the_elasticities_is_advised() -> None:
    found = judge((90.0, 88.0), 300.0, AIM)
    assert [choice.step for choice in found.choices] == [100.0, 50.0, 50.0]
    assert found.step == 50.0


def test_two_weeks_that_point_to_different_sides_get_no_advice() -> None:
    assert judge((95.0, 50.0), 300.0, AIM).step is None
    assert judge((88.0, 80.0), 300.0, AIM).step is None


def test_a_step_down_that_the_least_price_forbids_is_not_advised() -> None:
    assert judge((30.0, 30.0), 60.0, AIM).step == 0


def test_the_occupancy_at_a_price_is_that_of_a_constant_elasticity() -> None:
    assert answered(80.0, 300.0, 400.0, -0.4) == pytest.approx(80.0 * (4 / 3) ** -0.4)
    assert answered(99.0, 300.0, 100.0, -0.6) == 100.0
