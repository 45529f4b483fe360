"""The forecast: what it may know, what it says, and when it keeps silent."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from citybrain.sdk import HOUR, History, Instant, midnight
from citybrain.services.livelihood.air import forecast, learning, stations
from citybrain.services.livelihood.air.ridge import HORIZONS
from citybrain.services.livelihood.air.scale import Floats
from tests.services.livelihood.air.places import EXTRACT, START

AT = Instant(midnight(date(2015, 12, 8)) + 9 * HOUR)


def changed(history: History, field: str, values: Floats) -> History:
    return replace(history, fields={**history.fields, field: values})


def row(history: History, at: Instant) -> int:
    return int((at - history.times[0]) // HOUR)


@pytest.fixture(scope="module")
def few(beijing: History) -> History:
    """Three of the eleven stations, for what shows as well with little to learn from."""
    return History(beijing.times, beijing.entities[:3], {name: values[:, :3] for name, values in beijing.fields.items()})


def said(model: forecast.Model, history: History, entity: int = 0, at: Instant = AT) -> forecast.Forecast:
    found = forecast.predict(model, history, entity, at)
    assert isinstance(found, forecast.Forecast)
    return found


def test_a_forecast_covers_the_next_24_hours_inside_its_band(model: forecast.Model, beijing: History) -> None:
    for entity in range(len(beijing.entities)):
        found = said(model, beijing, entity)
        assert found.times.tolist() == [AT + hours * HOUR for hours in range(1, 25)]
        assert (found.low >= 0).all()
        assert (found.low <= found.mean).all()
        assert (found.mean <= found.high).all()


def test_changing_the_future_does_not_change_the_forecast(model: forecast.Model, beijing: History) -> None:
    now = row(beijing, AT)
    fields = {name: values.copy() for name, values in beijing.fields.items()}
    for values in fields.values():
        values[now + 1 :] = 777.0
    other = said(model, replace(beijing, fields=fields))
    assert np.array_equal(other.mean, said(model, beijing).mean)
    assert np.array_equal(other.high, said(model, beijing).high)


def test_what_came_after_until_is_not_learnt(few: History) -> None:
    until = midnight(date(2013, 9, 1))
    future = few.fields["pm25"].copy()
    future[row(few, until) :] = 500.0
    first, second = forecast.fit(few, until), forecast.fit(changed(few, "pm25", future), until)
    assert first.version == second.version
    assert np.array_equal(first.weights, second.weights)
    assert first.skills == second.skills


def test_the_last_hours_change_the_forecast(model: forecast.Model, beijing: History) -> None:
    values = beijing.fields["pm25"].copy()
    values[row(beijing, AT), 0] += 50
    other = said(model, changed(beijing, "pm25", values))
    assert other.mean[0] > said(model, beijing).mean[0] + 20


def test_a_gap_of_six_hours_is_bridged_and_one_of_seven_is_a_reason_for_silence(model: forecast.Model, beijing: History) -> None:
    values = beijing.fields["pm25"].copy()
    now = row(beijing, AT)
    values[now - 5 : now + 1, 0] = np.nan
    assert isinstance(forecast.predict(model, changed(beijing, "pm25", values), 0, AT), forecast.Forecast)
    values[now - 6, 0] = np.nan
    silent = forecast.predict(model, changed(beijing, "pm25", values), 0, AT)
    assert isinstance(silent, forecast.Silence)
    assert silent.reason.zh == "该站已7小时没有数据（最多容许6小时），不作预报"
    assert model.predict(changed(beijing, "pm25", values), 0, AT) == ()


def test_a_station_that_never_sent_anything_has_a_reason_and_the_others_a_forecast(model: forecast.Model, beijing: History) -> None:
    values = beijing.fields["pm25"].copy()
    values[:, 3] = np.nan
    history = changed(beijing, "pm25", values)
    silent = forecast.predict(model, history, 3, AT)
    assert isinstance(silent, forecast.Silence)
    assert silent.reason.en == "The station has sent nothing for 4 days: no forecast is made"
    assert np.isfinite(said(model, history, 2).mean).all()


def test_without_weather_neighbours_or_older_hours_there_is_still_a_forecast(model: forecast.Model, beijing: History) -> None:
    now = row(beijing, AT)
    alone = History(beijing.times[now - 2 : now + 1], ("one",), {"pm25": beijing.fields["pm25"][now - 2 : now + 1, :1]})
    assert np.isfinite(said(model, alone).mean).all()


def test_a_history_that_ended_yesterday_gives_no_forecast_for_today(model: forecast.Model, beijing: History) -> None:
    now = row(beijing, AT)
    old = History(beijing.times[:now], beijing.entities, {name: values[:now] for name, values in beijing.fields.items()})
    assert isinstance(forecast.predict(model, old, 0, AT), forecast.Forecast)
    assert isinstance(forecast.predict(model, old, 0, Instant(AT + 24 * HOUR)), forecast.Silence)


def test_the_same_history_gives_the_same_model(few: History) -> None:
    until = midnight(date(2013, 9, 1))
    assert forecast.fit(few, until).version == forecast.fit(few, until).version


def test_the_points_are_those_of_the_forecast_and_the_skill_covers_every_horizon(model: forecast.Model, beijing: History) -> None:
    points, found = model.predict(beijing, 4, AT), said(model, beijing, 4)
    assert [point.mean for point in points] == found.mean.tolist()
    assert [point.time for point in points] == found.times.tolist()
    assert [skill.horizon for skill in model.skill()] == list(range(1, HORIZONS + 1))


def test_too_little_history_is_refused_with_what_is_needed() -> None:
    until = Instant(START + 30 * 24 * HOUR)
    with pytest.raises(ValueError, match="too few to learn a forecast from: 1500 over at least 70 days"):
        forecast.fit(stations.history(stations.read(EXTRACT, START, until)), until)


@pytest.mark.thorough
def test_where_persistence_is_better_it_serves_and_says_so() -> None:
    walk = np.abs(100 + np.cumsum(np.random.default_rng(5).normal(size=(120 * 24, 1)), axis=0))
    times = START + np.arange(len(walk), dtype=np.int64) * HOUR
    history = History(times, ("walk",), {"pm25": walk})
    model = forecast.fit(history, Instant(int(times[-1])))
    served = [skill.serves for skill in model.skill()]
    assert "baseline" in served
    assert [skill.serves == "model" for skill in model.skill()] == model.by_model.tolist()
    found = said(model, history, 0, Instant(int(times[-1])))
    at = served.index("baseline")
    assert not found.by_model[at]
    assert found.low[at] < walk[-1, 0] < found.high[at]
    assert learning.ahead_of(walk[:, 0])[0].tolist() == walk[1:25, 0].tolist()
