"""How good the forecast is on a year it has not seen: the promise, in numbers."""

import numpy as np
import pytest

from citybrain.sdk import HOUR, History, Instant
from citybrain.services.livelihood.air import forecast, judging
from tests.services.livelihood.air.places import END, SPLIT


@pytest.fixture(scope="module")
def report(model: forecast.Model, beijing: History) -> judging.Report:
    return judging.judge(model, beijing, SPLIT, END)


@pytest.mark.parametrize(("horizon", "expected"), [(1, 9.69), (6, 29.62), (24, 51.15)])
def test_persistence_on_the_unseen_year_is_as_the_catalogue_says(beijing: History, horizon: int, expected: float) -> None:
    assert round(judging.persistence_error(beijing, "pm25", horizon, SPLIT, END), 2) == expected


@pytest.mark.parametrize(("horizon", "gain"), [(1, 0.05), (6, 0.10), (12, 0.05), (24, 0.04)])
def test_the_forecast_beats_persistence_on_the_unseen_year(report: judging.Report, horizon: int, gain: float) -> None:
    assert report.error[horizon - 1] < (1 - gain) * report.persistence[horizon - 1]
    assert report.error[horizon - 1] < report.seasonal[horizon - 1]


def test_between_three_quarters_and_seven_eighths_of_the_truth_lie_in_the_band_at_every_horizon(report: judging.Report) -> None:
    assert ((report.coverage > 0.75) & (report.coverage < 0.875)).all()


def test_nearly_every_hour_is_judged(report: judging.Report) -> None:
    hours = (END - SPLIT) // HOUR * 11
    assert (report.cases > 0.95 * hours).all()


def test_a_judged_forecast_is_the_one_that_was_issued(model: forecast.Model, beijing: History) -> None:
    since = Instant(SPLIT + 2_000 * HOUR)
    at = [Instant(since - 1 * HOUR)]
    found = [forecast.predict(model, beijing, entity, at[0]) for entity in range(11)]
    came = beijing.fields["pm25"][(since - beijing.times[0]) // HOUR]
    errors = [abs(one.mean[0] - came[at]) for at, one in enumerate(found) if isinstance(one, forecast.Forecast)]
    judged = judging.judge(model, beijing, since, Instant(since + HOUR))
    assert judged.cases[0] == np.isfinite(errors).sum()
    assert judged.error[0] == pytest.approx(np.nanmean(errors), rel=1e-6)


def test_a_model_is_not_judged_on_what_it_has_learnt(model: forecast.Model, beijing: History) -> None:
    with pytest.raises(ValueError, match="has learnt from this time"):
        judging.judge(model, beijing, Instant(SPLIT - HOUR), END)


def test_the_seasonal_mean_is_that_of_the_month_and_the_hour(beijing: History) -> None:
    usual = judging.seasonal_mean(beijing, "o3", SPLIT)
    july_afternoon, january_night = usual[6, 15], usual[0, 3]
    assert usual.shape == (12, 24, 11)
    assert (july_afternoon > 3 * january_night).all()
    march = beijing.fields["o3"][: 31 * 24, 0].reshape(31, 24)[:, 5]
    again = beijing.fields["o3"][365 * 24 : 396 * 24, 0].reshape(31, 24)[:, 5]
    assert usual[2, 5, 0] == pytest.approx(np.nanmean(np.concatenate([march, again])))
