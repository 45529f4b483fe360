"""Features look back only, and a window of hours gives what the whole history gives."""

import numpy as np

from citybrain.sdk import HOUR, History, Instant
from citybrain.services.livelihood.air import features
from tests.services.livelihood.air.places import SPLIT


def test_the_window_of_one_forecast_gives_the_features_of_the_whole_record(beijing: History) -> None:
    long = features.record(beijing, "pm25", Instant(SPLIT - 900 * HOUR), SPLIT)
    short = features.record(beijing, "pm25", Instant(SPLIT - features.WINDOW * HOUR), SPLIT)
    for station in (0, 10):
        whole, part = features.features(long, station)[-1], features.features(short, station)[-1]
        assert np.allclose(whole, part, rtol=1e-8, atol=1e-8, equal_nan=True)
        assert np.isfinite(part).all()


def test_no_feature_changes_when_later_hours_do(beijing: History) -> None:
    known = features.record(beijing, "pm25", Instant(SPLIT - 300 * HOUR), SPLIT)
    before = features.features(known, 2)[:200]
    known.level[200:] = 9.0
    for values in known.weather.values():
        values[200:] = 9.0
    assert np.array_equal(features.features(known, 2)[:200], before, equal_nan=True)


def test_the_first_feature_is_the_last_known_value(beijing: History) -> None:
    known = features.record(beijing, "pm25", Instant(SPLIT - 300 * HOUR), SPLIT)
    known.level[100:110, 0] = np.nan
    own = features.features(known, 0)[:, 0]
    assert own[105] == known.level[99, 0]
    assert np.isnan(own[106:110]).all()
