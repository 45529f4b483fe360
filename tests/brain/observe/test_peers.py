"""Streams held against their neighbours: which stays and leaps are told, and which say nothing."""

import numpy as np
import pytest

from citybrain.brain.observe import peers
from citybrain.kernel.observations import Floats

FLOOR = peers.floor("ratio", 2.0)
SIZE = (11, peers.WEEK + peers.RECENT)
HIGHEST = 0.2
"""How far above the middle neighbour the highest ones stand, but for a share of them."""


def usual() -> Floats:
    """How eleven streams stand to their neighbours on eight usual days."""
    residual: Floats = np.random.default_rng(4).normal(0, 0.15, SIZE)
    return residual


def found(residual: Floats, highest: float = HIGHEST) -> peers.Found:
    none = np.full(len(residual), np.nan)
    stood = peers.Stood(residual, residual[:, peers.WEEK :] - highest)
    return peers.contradicted(stood, np.zeros(residual.shape, np.bool_), FLOOR, none, none)


def named(residual: Floats, highest: float = HIGHEST) -> bool:
    """Whether the first of the streams is named; none of the others may be."""
    beyond = found(residual, highest).beyond
    assert not beyond[1:].any()
    return bool(beyond[0])


@pytest.mark.parametrize(("factor", "wanted"), [(4.0, True), (1 / 4, False), (1.0, False), (1000.0, True), (1 / 1000, True)])
def test_a_stream_that_is_often_far_below_is_still_known_to_stand_above(factor: float, *, wanted: bool) -> None:
    residual = usual()
    residual[0, : peers.WEEK : 10] -= 2.5
    residual[0, peers.WEEK :] += float(np.log(factor))
    assert named(residual) is wanted


@pytest.mark.parametrize(("hours", "wanted"), [(0, True), (16, False)])
def test_a_stay_that_began_with_a_leap_is_surer_than_one_that_came_step_by_step(hours: int, *, wanted: bool) -> None:
    residual = usual()
    residual[0, : peers.WEEK : 10] += 1.2
    residual[0, peers.WEEK :] += 1.4
    rising = residual[0, peers.WEEK - hours : peers.WEEK]
    rising += np.linspace(0, 1.4, hours)
    assert named(residual) is wanted


@pytest.mark.parametrize(("highest", "wanted"), [(0.2, True), (1.2, False)])
def test_a_rise_says_little_while_the_highest_neighbours_stand_nearly_as_high(highest: float, *, wanted: bool) -> None:
    residual = usual()
    residual[0, peers.WEEK :] += 1.4
    assert named(residual, highest) is wanted


@pytest.mark.parametrize(("usual_hours", "wanted"), [(4, True), (6, False)])
def test_a_fall_must_last_in_four_hours_of_five(usual_hours: int, *, wanted: bool) -> None:
    residual = usual()
    residual[0, peers.WEEK : peers.WEEK + peers.RECENT - usual_hours] -= 2.0
    assert named(residual) is wanted


@pytest.mark.parametrize(("hours", "wanted"), [(23, False), (24, True)])
def test_before_a_day_of_the_week_is_known_nothing_is_judged(hours: int, *, wanted: bool) -> None:
    residual = usual()
    residual[0, : peers.WEEK - hours] = np.nan
    residual[0, peers.WEEK :] += float(np.log(1000))
    assert named(residual) is wanted
    assert np.isfinite(found(residual).centre[0]) == wanted


def test_a_stay_is_told_from_the_hour_of_its_leap() -> None:
    residual = usual()
    residual[0, -20:] += float(np.log(8))
    seen = found(residual)
    assert seen.beyond[0]
    assert seen.ago[0] == 20
    assert float(seen.departure[0]) == pytest.approx(np.log(8), abs=0.2)


def test_two_neighbours_that_run_wild_hide_no_rise() -> None:
    level: Floats = np.random.default_rng(5).normal(3, 0.15, (9, SIZE[1]))
    level[:3, peers.WEEK :] += np.array([[np.log(8)], [np.log(1000)], [np.log(1000)]])
    near, out = peers.neighbours([None] * 9), np.zeros(level.shape, np.bool_)
    stood = peers.stood(level, out, near)
    assert np.median(stood.over[0]) > np.log(8) - 0.5
    none = np.full(9, np.nan)
    beyond = peers.contradicted(stood, out, FLOOR, none, none).beyond
    assert beyond.tolist() == [True] * 3 + [False] * 6
