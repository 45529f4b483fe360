"""The air quality index against the standard's table, exact fractions, and what was published."""

import math
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from citybrain.services.livelihood.air import aqi
from citybrain.services.livelihood.air.scale import Edition, Floats, Period, Pollutant, edition_on
from tests.services.livelihood.air.places import shared_file

OLD, NEW = Edition.HJ_2012, Edition.HJ_2026
P, T = Pollutant, Period
STEPS = (0, 50, 100, 150, 200, 300, 400, 500)
# The standard's table row by row, written out a second time: SO2 day, SO2 1 h, NO2 day, NO2 1 h, CO day, CO 1 h, O3 8 h, O3 1 h, PM10, PM2.5.
ROWS_2026 = (
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    (50, 150, 40, 100, 2, 5, 100, 160, 50, 35),
    (150, 500, 80, 200, 4, 10, 160, 200, 120, 60),
    (475, 650, 180, 700, 14, 35, 215, 300, 250, 115),
    (800, 800, 280, 1200, 24, 60, 265, 400, 350, 150),
    (1600, None, 565, 2340, 36, 90, 800, 800, 420, 250),
    (2100, None, 750, 3090, 48, 120, None, 1000, 500, 350),
    (2620, None, 940, 3840, 60, 150, None, 1200, 600, 500),
)
COLUMNS = (
    (P.SO2, T.DAY), (P.SO2, T.HOUR), (P.NO2, T.DAY), (P.NO2, T.HOUR), (P.CO, T.DAY),
    (P.CO, T.HOUR), (P.O3, T.EIGHT_HOURS), (P.O3, T.HOUR), (P.PM10, T.DAY), (P.PM25, T.DAY),
)  # fmt: skip


def table(pollutant: Pollutant, period: Period, edition: Edition) -> list[int]:
    column = [row[COLUMNS.index((pollutant, period))] for row in ROWS_2026]
    if edition is OLD and pollutant in (P.PM10, P.PM25):
        column[2] = 150 if pollutant is P.PM10 else 75
    return [point for point in column if point is not None]


def exact(points: list[int], concentration: Fraction) -> int:
    """The formula of §4.2 in exact fractions, rounded up."""
    for low, high, at, to in zip(points, points[1:], STEPS, STEPS[1:], strict=False):
        if concentration <= high:
            return math.ceil(Fraction(to - at, high - low) * (concentration - low) + at)
    raise AssertionError


def one(pollutant: Pollutant, concentration: float, period: Period, edition: Edition = NEW) -> float:
    return float(aqi.iaqi(pollutant, np.array([concentration]), period, edition)[0])


@pytest.mark.parametrize("edition", [OLD, NEW])
@pytest.mark.parametrize(("pollutant", "period"), COLUMNS)
def test_every_concentration_of_the_table_has_the_sub_index_of_exact_fractions(
    edition: Edition, pollutant: Pollutant, period: Period
) -> None:
    points = table(pollutant, period, edition)
    per_unit = 10 if pollutant is P.CO else 1
    units = range(points[-1] * per_unit + 1)
    given_values = np.array([unit / per_unit for unit in units])
    expected = [exact(points, Fraction(unit, per_unit)) for unit in units]
    assert aqi.iaqi(pollutant, given_values, period, edition).tolist() == expected


@pytest.mark.parametrize(
    ("pollutant", "period", "concentration", "expected"),
    [
        (P.PM25, T.DAY, 35, 50), (P.PM25, T.DAY, 36, 52), (P.PM25, T.DAY, 60, 100), (P.PM25, T.DAY, 61, 101),
        (P.PM25, T.DAY, 75, 114), (P.PM25, T.DAY, 120, 158), (P.PM25, T.DAY, 500, 500), (P.PM25, T.HOUR, 61, 101),
        (P.PM10, T.DAY, 120, 100), (P.PM10, T.DAY, 121, 101), (P.PM10, T.DAY, 150, 112), (P.PM10, T.HOUR, 121, 101),
        (P.SO2, T.DAY, 51, 51), (P.SO2, T.DAY, 150, 100), (P.SO2, T.DAY, 151, 101), (P.SO2, T.HOUR, 801, 200),
        (P.NO2, T.DAY, 81, 101), (P.NO2, T.HOUR, 201, 101), (P.CO, T.DAY, 4.1, 101), (P.CO, T.HOUR, 10.1, 101),
        (P.O3, T.EIGHT_HOURS, 161, 101), (P.O3, T.EIGHT_HOURS, 216, 151), (P.O3, T.EIGHT_HOURS, 801, 300),
        (P.O3, T.HOUR, 201, 101), (P.O3, T.HOUR, 1200, 500),
    ],
)  # fmt: skip
def test_the_vectors_of_2026_hold(pollutant: Pollutant, period: Period, concentration: float, expected: int) -> None:
    assert one(pollutant, concentration, period) == expected


def test_in_2012_pm_reaches_100_later_and_gases_over_the_table_leave_the_index_to_the_other_period() -> None:
    assert [one(P.PM25, 75, T.DAY, OLD), one(P.PM10, 150, T.DAY, OLD)] == [100, 100]
    assert math.isnan(one(P.SO2, 801, T.HOUR, OLD))
    assert math.isnan(one(P.O3, 801, T.EIGHT_HOURS, OLD))


def test_the_table_follows_the_date_of_the_observation() -> None:
    assert edition_on(date(2026, 2, 28)) is OLD
    assert edition_on(date(2026, 3, 1)) is NEW


@pytest.mark.parametrize(
    ("pollutant", "period", "edition"), [(P.PM25, T.HOUR, OLD), (P.PM10, T.EIGHT_HOURS, NEW), (P.O3, T.DAY, NEW)]
)
def test_a_period_without_a_sub_index_is_refused(pollutant: Pollutant, period: Period, edition: Edition) -> None:
    with pytest.raises(ValueError, match="has no sub-index"):
        aqi.iaqi(pollutant, np.array([1.0]), period, edition)


def test_concentrations_are_rounded_half_to_even_before_the_table() -> None:
    assert [one(P.PM25, 60.5, T.DAY), one(P.PM25, 61.5, T.DAY)] == [100, 102]
    assert aqi.rounded(P.CO, np.array([0.35, 0.45, 4.05, 4.15])).tolist() == [0.4, 0.4, 4.0, 4.2]


@given(tenths=st.lists(st.integers(0, 900), min_size=20, max_size=24))
def test_a_mean_of_decimals_is_rounded_like_the_decimal_it_is(tenths: list[int]) -> None:
    mean = np.mean(np.array(tenths) / 10)
    true = (Decimal(sum(tenths)) / Decimal(10 * len(tenths))).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    assert aqi.rounded(P.CO, np.array([mean]))[0] == float(true)


def test_over_the_last_breakpoint_the_index_stays_at_the_cap() -> None:
    assert [one(P.PM25, 900, T.DAY), one(P.PM10, 1e300, T.DAY), one(P.O3, 1500, T.HOUR)] == [500, 500, 500]


@given(
    st.sampled_from(COLUMNS),
    st.sampled_from([OLD, NEW]),
    arrays.arrays(np.float64, 30, elements=st.floats(0, 700)),
)
def test_more_of_a_pollutant_never_lowers_its_sub_index(column: tuple[Pollutant, Period], edition: Edition, values: Floats) -> None:
    index = aqi.iaqi(column[0], np.sort(values), column[1], edition)
    assert (np.diff(index) >= 0).all()


READINGS = arrays.arrays(np.float64, (12, 6), elements=st.one_of(st.floats(-5, 700), st.just(math.nan), st.just(math.inf)))


@given(READINGS, st.sampled_from([OLD, NEW]))
def test_the_index_is_its_largest_sub_index_or_not_there(readings: Floats, edition: Edition) -> None:
    index = aqi.released(readings, edition)
    for row in range(len(readings)):
        known = index.iaqi[row][~np.isnan(index.iaqi[row])]
        if math.isnan(index.aqi[row]):
            assert index.primaries(row) == ()
            assert edition is NEW or not len(known)
            continue
        assert index.aqi[row] == max(known.max(), 1.0 if edition is NEW else 0.0)
        assert all(index.iaqi[row, pollutant] == index.aqi[row] for pollutant in index.primaries(row))
        assert bool(index.primaries(row)) == (index.aqi[row] > 50)


def reading(**values: float) -> Floats:
    clean = {"so2": 3.0, "no2": 10.0, "co": 0.3, "o3": 20.0, "pm10": 10.0, "pm25": 5.0}
    return np.array([list((clean | values).values())])


def test_pollutants_with_the_same_largest_sub_index_are_primary_together() -> None:
    index = aqi.released(reading(pm10=120, pm25=60), NEW)
    assert index.aqi.tolist() == [100]
    assert index.primaries(0) == (P.PM10, P.PM25)


def test_clean_air_has_no_primary_pollutant_and_in_2026_an_index_of_at_least_1() -> None:
    assert aqi.released(reading(pm25=35), NEW).primaries(0) == ()
    assert aqi.released(np.zeros((1, 6)), NEW).aqi.tolist() == [1]
    assert aqi.released(np.zeros((1, 6)), OLD).aqi.tolist() == [0]


def test_with_a_pollutant_missing_only_an_index_over_100_is_published() -> None:
    assert np.isnan(aqi.released(reading(co=math.nan, pm25=60), NEW).aqi[0])
    assert aqi.released(reading(co=math.nan, pm25=61), NEW).aqi.tolist() == [101]


def test_a_pollutant_outside_the_monitoring_plan_does_not_block_publication() -> None:
    index = aqi.released(reading(co=math.nan, pm25=60), NEW, aqi.ALL - {P.CO})
    assert index.aqi.tolist() == [100]


def test_nothing_measured_gives_no_index() -> None:
    assert np.isnan(aqi.released(np.full((1, 6), math.nan), OLD).aqi[0])


def test_the_real_time_report_of_2012_uses_moving_means_and_that_of_2026_the_hour() -> None:
    hours = np.repeat(reading(), 48, axis=0)
    hours[-1, P.PM25] = 5 + 24 * 70
    assert aqi.hourly(hours, NEW).aqi[-1] == 500
    assert aqi.hourly(hours, OLD).aqi[-1] == 100  # 24 h mean 75 µg/m³
    hours[-1] = reading(so2=900)[0]
    assert aqi.hourly(hours, OLD).iaqi[-1, P.SO2] == 40  # 24 h mean 40.375 µg/m³
    assert aqi.hourly(hours, NEW).iaqi[-1, P.SO2] == 200


def test_the_real_time_report_of_2012_counts_the_8_hour_mean_of_ozone() -> None:
    hours = np.repeat(reading(o3=150), 24, axis=0)
    hours[-1, P.O3] = 100
    assert aqi.hourly(hours, OLD).iaqi[-1, P.O3] == 87  # 8 h mean 143.75 → 144; the hour alone would be 32
    assert aqi.hourly(hours, NEW).iaqi[-1, P.O3] == 32


def test_a_day_uses_daily_means_and_the_largest_8_hour_mean_of_ozone() -> None:
    hours = np.repeat(reading(pm25=40), 24, axis=0)
    hours[10:18, P.O3] = 161
    index = aqi.daily(hours, NEW)
    assert index.iaqi.tolist() == [[3, 13, 8, 101, 10, 60]]
    assert index.primaries(0) == (P.O3,)
    hours[12, P.O3] = 500
    assert aqi.daily(hours, OLD).iaqi[0, P.O3] == 225  # O3 1 h 500 is over O3 8 h 203: both are items in 2012


def test_a_day_with_fewer_than_20_hours_of_a_pollutant_has_no_mean_of_it() -> None:
    hours = np.repeat(reading(pm25=200), 24, axis=0)
    hours[:4, P.PM25] = math.nan
    assert aqi.daily(hours, NEW).iaqi[0, P.PM25] == 250
    hours[4, P.PM25] = math.nan
    assert np.isnan(aqi.daily(hours, NEW).iaqi[0, P.PM25])
    assert np.isnan(aqi.daily(hours, NEW).aqi[0])


def test_many_days_at_once_give_what_each_day_gives() -> None:
    hours = np.random.default_rng(7).uniform(0, 300, (5, 24, 6))
    hours[hours < 20] = math.nan
    together = aqi.daily(hours, NEW)
    assert np.array_equal(together.iaqi, np.concatenate([aqi.daily(day, NEW).iaqi for day in hours]), equal_nan=True)


def test_a_day_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="24 hours of 6 pollutants"):
        aqi.daily(np.zeros((23, 6)), NEW)


def test_the_index_of_every_live_station_in_tianjin_is_the_published_one() -> None:
    readings = pl.read_csv(shared_file("data/air_tianjin/tianjin_stations_hourly_2020.csv"), infer_schema_length=None)
    labels = pl.read_csv(shared_file("data/air_tianjin/station_status_labels.csv"))
    live = labels.filter(pl.col("status") == "live")["WatchPoint"].to_list()
    rows = readings.filter(pl.col("WatchPoint").is_in(live) & pl.col("AQI").is_not_null())
    values = rows.select(pl.col("SO2", "NO2", "CO", "O3_1h", "PM10", "PM2.5").cast(pl.Float64).fill_null(math.nan)).to_numpy()
    index = aqi.released(values, OLD)
    assert len(rows) > 1_000
    assert np.array_equal(index.aqi, rows["AQI"].cast(pl.Float64).to_numpy())
    named = rows["PrimaryPollution"].fill_null("").str.contains("细颗粒物", literal=True).to_numpy()
    assert np.array_equal(index.primary[:, P.PM25], named)
