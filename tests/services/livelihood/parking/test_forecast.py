"""The parking forecast: judged on unseen time against the same slot last week, and honest where that is as good."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from citybrain.kernel.instant import DAY, HOUR, Instant, local, parse
from citybrain.kernel.pack import History
from citybrain.services.livelihood.parking import forecast, learning, slots
from citybrain.services.livelihood.parking.rules import FULL_ABOVE
from citybrain.services.livelihood.parking.source import FILE, hourly

SPLIT = parse("2016-11-21T00:00:00+08:00")


@lru_cache(maxsize=1)
def known() -> History:
    return hourly(Path(__file__).parents[4] / "data" / FILE)


@lru_cache(maxsize=1)
def model() -> forecast.Model:
    return forecast.fit(known(), SPLIT)


def judged(horizon: int) -> tuple[slots.Floats, slots.Floats, slots.Floats]:
    """What was said, the baseline and what came, on the hours from the split on."""
    part, record = model().ahead[horizon - 1], slots.seen(known(), "occupancy")
    said, base = forecast.middle(part, record), slots.last_week(record)
    rows = (record.hours >= SPLIT // HOUR)[:, None] & ~np.isnan(said) & ~np.isnan(record.values)
    return said[rows], base[rows], record.values[rows]


@pytest.mark.parametrize("horizon", [1, 2, 3, 4])
def test_its_error_is_a_tenth_under_the_same_slot_last_week_on_unseen_time(horizon: int) -> None:
    said, base, came = judged(horizon)
    assert len(came) > 2_900
    assert np.abs(said - came).mean() < 0.9 * np.abs(base - came).mean()


def test_a_day_ahead_the_same_slot_last_week_serves_and_the_skill_says_so() -> None:
    last = model().skill()[-1]
    assert (last.horizon, last.serves) == (24, "baseline")
    said, base, _ = judged(24)
    assert np.array_equal(said, base)
    assert all(one.error < one.baseline for one in model().skill() if one.serves == "model")


def test_a_chance_that_is_said_comes_as_often_as_it_says_on_unseen_time() -> None:
    said, came = [], []
    for horizon in range(1, 25):
        level, _, truth = judged(horizon)
        said.append(model().ahead[horizon - 1].errors.chance(level))
        came.append(truth <= FULL_ABOVE)
    chances, room = np.concatenate(said), np.concatenate(came)
    steps = learning.reliability(chances, room)
    assert sum(step.cases for step in steps) == len(chances)
    assert max(abs(step.said - step.came) for step in steps) < 0.1
    brier, always = np.mean((chances - room) ** 2), room.mean() * (1 - room.mean())
    assert brier < 0.75 * always


def test_the_reliability_it_shows_was_measured_on_weeks_it_had_not_learnt() -> None:
    steps = model().reliability()
    assert [step.low for step in steps] == sorted(step.low for step in steps)
    assert max(abs(step.said - step.came) for step in steps if step.cases > 500) < 0.1


def test_hours_from_the_issue_on_are_not_looked_at() -> None:
    at = parse("2016-11-23T10:00:00+08:00")
    held = known()
    later = held.times >= at
    blind = History(held.times, held.entities, {"occupancy": np.where(later[:, None], np.nan, held.fields["occupancy"])})
    assert model().predict(held, 4, at) == model().predict(blind, 4, at)


def test_it_speaks_of_open_hours_alone_with_a_band_and_a_chance() -> None:
    points = model().predict(known(), 4, parse("2016-11-23T10:00:00+08:00"))
    hours = [local(point.time).hour for point in points]
    assert hours == [10, 11, 12, 13, 14, 15, 16, 8, 9]
    assert all(0 <= point.low <= point.mean <= point.high <= 100 for point in points)
    assert all(point.chance is not None and 0 < point.chance < 1 for point in points)


def test_a_lot_without_a_week_before_gets_no_forecast() -> None:
    held = known()
    empty = History(held.times, held.entities, {"occupancy": np.full_like(held.fields["occupancy"], np.nan)})
    assert model().predict(empty, 0, SPLIT) == ()
    assert model().predict(held, 0, Instant(SPLIT + 400 * DAY)) == ()


def test_three_weeks_are_too_few_to_learn_from() -> None:
    with pytest.raises(ValueError, match="3 whole weeks are too few"):
        forecast.fit(known(), Instant(known().times[0] + 21 * DAY))
