"""The transport problem: no plan of a small problem is cheaper than the one found, and none breaks a limit."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.services.livelihood.parking.transport import FAR, Whole, transport

PENALTY = 50


def cost_of(supply: Whole, cost: Whole, flow: Whole) -> int:
    return int((flow * np.where(flow > 0, cost, 0)).sum() + PENALTY * (supply.sum() - flow.sum()))


def cheapest(supply: Whole, room: Whole, cost: Whole) -> int:
    """The least cost of all plans, one by one."""
    cells = [range(min(int(supply[i]), int(room[j])) + 1 if cost[i, j] < FAR else 1) for i, j in np.ndindex(cost.shape)]
    plans = (np.array(cell, np.int64).reshape(cost.shape) for cell in product(*cells))
    return min(cost_of(supply, cost, one) for one in plans if (one.sum(0) <= room).all() and (one.sum(1) <= supply).all())


small = st.integers(0, 3)
price = st.one_of(st.integers(0, 80), st.just(FAR))


@settings(max_examples=150, deadline=None)
@given(st.tuples(small, small), st.tuples(small, small, small), st.lists(price, min_size=6, max_size=6))
def test_no_plan_is_cheaper_than_the_one_that_is_found(
    supply: tuple[int, int], room: tuple[int, int, int], prices: list[int]
) -> None:
    given_, places, cost = np.array(supply), np.array(room), np.array(prices, np.int64).reshape(2, 3)
    flow = transport(given_, places, cost, PENALTY)
    assert (flow >= 0).all()
    assert (flow.sum(1) <= given_).all()
    assert (flow.sum(0) <= places).all()
    assert not flow[cost >= PENALTY].any()
    assert cost_of(given_, cost, flow) == cheapest(given_, places, cost)


def test_a_near_place_is_left_to_whoever_has_no_other() -> None:
    """Greedy by distance gives the first giver the near place and leaves the second without."""
    cost = np.array([[10, 20], [10, FAR]], np.int64)
    assert transport(np.array([2, 2]), np.array([2, 2]), cost, PENALTY).tolist() == [[0, 2], [2, 0]]


def test_what_costs_as_much_as_staying_stays() -> None:
    assert transport(np.array([2]), np.array([2]), np.array([[PENALTY]]), PENALTY).tolist() == [[0]]


def test_a_district_of_lots_is_solved_whole() -> None:
    rng = np.random.default_rng(5)
    supply, room = rng.integers(0, 60, 60), rng.integers(0, 60, 120)
    cost = rng.integers(0, 2000, (60, 120))
    flow = transport(supply, room, cost, 1500)
    assert flow.sum() == min(supply.sum(), room.sum())
