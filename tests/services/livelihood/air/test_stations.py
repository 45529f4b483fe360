"""The shipped extract: its span, its units, its gaps; points and their area."""

import math
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from citybrain.sdk import HOUR, History, Instant, midnight
from citybrain.services.livelihood.air import stations
from tests.services.livelihood.air.places import EXTRACT, START


def test_the_extract_holds_three_years_of_eleven_stations_without_a_missing_hour(beijing: History) -> None:
    assert EXTRACT.stat().st_size < 6_000_000
    assert beijing.fields["pm25"].shape == (26_304, 11)
    assert set(np.diff(beijing.times).tolist()) == {HOUR}
    assert np.isnan(beijing.fields["pm25"]).sum() == 6_001


def test_wall_clock_becomes_utc(beijing: History) -> None:
    assert datetime.fromtimestamp(int(beijing.times[0]) / 1e6, UTC) == datetime(2013, 2, 28, 16, tzinfo=UTC)


def test_co_is_read_in_milligrams_and_wind_in_degrees(beijing: History) -> None:
    raw = pl.read_parquet(EXTRACT).filter(pl.col("station") == "Tiantan").row(0, named=True)
    column = beijing.entities.index("Tiantan")
    assert beijing.fields["co"][0, column] == pytest.approx(raw["CO"] / 1000)
    assert 0.5 < np.nanmedian(beijing.fields["co"]) < 1.5
    assert raw["wd"] == "NNW"
    assert beijing.fields["wind_direction"][0, column] == 337.5


def test_only_the_hours_asked_for_are_read() -> None:
    rows = stations.read(EXTRACT, midnight(date(2014, 1, 1)), Instant(midnight(date(2014, 1, 1)) + 2 * HOUR))
    assert (len(rows), rows["time"].n_unique(), rows["station"].n_unique()) == (22, 2, 11)


def test_hours_that_are_not_in_the_rows_are_gaps_in_the_history() -> None:
    rows = stations.read(EXTRACT, START, Instant(START + 10 * HOUR)).filter(pl.col("time") != START + 4 * HOUR)
    found = stations.history(rows)
    assert found.fields["temperature"].shape == (10, 11)
    assert np.isnan(found.fields["temperature"][4]).all()
    assert not np.isnan(found.fields["temperature"][5]).any()


def test_an_area_has_a_mean_only_while_three_quarters_of_its_stations_report() -> None:
    points = np.repeat(np.array([[10.0], [20.0], [30.0], [math.nan]]), 6, axis=1)
    assert stations.area_mean(points).tolist() == [20.0] * 6
    points[2] = -1
    assert np.isnan(stations.area_mean(points)).all()
