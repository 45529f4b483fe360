"""The pack: its index agrees with the standard's functions, its contracts with real hours, its figures with a plain count."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from citybrain.brain.observe.life import ORDER, contracts, lives
from citybrain.brain.see import STREAM, IbisTables
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.kernel.instant import MINUTE, Duration, duration, parse
from citybrain.kernel.places import Area
from citybrain.kernel.things import Contract, Life
from citybrain.sdk import DAY, HOUR, Field, Instant, Text, midnight
from citybrain.services.livelihood.air import PACK, aqi
from citybrain.services.livelihood.air.replay import FILE
from citybrain.services.livelihood.air.scale import FIELDS, Edition
from citybrain.services.livelihood.air.station import KIND, index, primary
from citybrain.services.livelihood.air.stations import WEATHER
from tests.services.livelihood.air.places import ROOT, shared_file

DATA = ROOT / "data"
NOW = parse("2026-11-22T07:00:00Z")
SOURCE_COLUMNS = {
    "pm25": "PM2.5", "pm10": "PM10", "so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3",
    "temperature": "TEMP", "dew_point": "DEWP", "pressure": "PRES", "wind_speed": "WSPM",
}  # fmt: skip


def inputs(hours: int, **changed: float) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    calm = dict.fromkeys(FIELDS, 10.0) | {"co": 0.5} | changed
    return {name: np.full(hours, value) for name, value in calm.items()}


def test_the_index_of_an_hour_follows_the_edition_of_its_local_date() -> None:
    """PM2.5 of 61 µg/m³ is 101 by HJ 633-2026 and 83 by HJ 633-2012, once there are 20 of the 24 hours before."""
    change = midnight(date(2026, 3, 1))
    times = change + np.arange(-30, 3, dtype=np.int64) * HOUR
    found = index(times, inputs(33, pm25=61.0))
    assert found[29] == 83
    assert list(found[30:]) == [101, 101, 101]
    assert list(found[17:21]) == [5, 5, 83, 83]


def test_hours_that_are_missing_are_not_bridged() -> None:
    times = NOW + np.array([0, 1, 5], dtype=np.int64) * HOUR
    found = index(times, inputs(3, pm25=115.0) | {"co": np.array([0.5, np.nan, 0.5])})
    assert list(found) == [150, 150, 150]
    low = index(times, inputs(3) | {"co": np.array([0.5, np.nan, 0.5])})
    assert list(np.isnan(low)) == [False, True, False]
    assert len(index(np.empty(0, np.int64), inputs(0))) == 0


def test_several_readings_of_one_hour_are_each_by_itself_whichever_are_computed_together() -> None:
    times = NOW + np.array([1, 2, 62], dtype=np.int64) * MINUTE
    said = inputs(3) | {"pm25": np.array([12.0, 187.5, 115.0])}
    apart = [index(times[[row]], {name: column[[row]] for name, column in said.items()})[0] for row in range(3)]
    assert list(index(times, said)) == apart
    assert len(set(apart)) == 3


def test_the_index_of_real_hours_is_the_standards_hourly_report() -> None:
    rows = pl.read_parquet(DATA / FILE).filter(pl.col("station") == "Guanyuan").sort("time").head(24 * 60)
    columns = {name: rows[SOURCE_COLUMNS[name]].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in FIELDS}
    columns["co"] = columns["co"] / 1000
    times = midnight(date(2013, 3, 1)) + np.arange(rows.height, dtype=np.int64) * HOUR
    wanted = aqi.hourly(np.stack([columns[name] for name in FIELDS], axis=1), Edition.HJ_2012).aqi
    assert np.array_equal(index(times, columns), wanted, equal_nan=True)


def test_the_primary_pollutant_is_named_only_above_50() -> None:
    calm = dict.fromkeys(FIELDS, 10.0) | {"co": 0.5}
    assert primary(calm) is None
    assert primary(calm | {"pm25": 130.0}) == Text("首要污染物：PM2.5", "Primary pollutant: PM2.5")
    assert primary({}) is None


@pytest.mark.parametrize("field", [field for field in KIND.fields if field.stuck_after], ids=lambda field: field.name)
def test_no_real_station_is_called_stuck_but_one_across_a_gap(field: Field) -> None:
    """Three years of eleven stations, nulls skipped: the longest time a value stood still is below what the kind allows."""
    column = SOURCE_COLUMNS[field.name]
    rows = pl.read_parquet(DATA / FILE, columns=["station", "time", column]).drop_nulls().sort("station", "time")
    turns = (pl.col(column) != pl.col(column).shift(1).over("station")).fill_null(value=True).cum_sum().over("station")
    stood = rows.with_columns(turn=turns).group_by("station", "turn").agg(span=pl.col("time").max() - pl.col("time").min())
    longest = stood["span"].dt.total_microseconds()
    assert int((longest >= duration(str(field.stuck_after))).sum()) == (1 if field.name == "co" else 0)


def test_every_frozen_name_of_tianjin_is_found_and_no_living_one() -> None:
    hours = pl.read_csv(shared_file("data/air_tianjin/tianjin_stations_hourly_2020.csv")).with_columns(
        pl.col("time").str.to_datetime()
    )
    labels = dict(pl.read_csv(shared_file("data/air_tianjin/station_status_labels.csv")).select("WatchPoint", "status").iter_rows())
    columns = {"pm25": "PM2.5", "pm10": "PM10", "so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3_1h"}
    found = {str(name): verdict(rows.sort("time"), columns) for (name,), rows in hours.group_by("WatchPoint")}
    judged = {name: found[name] for name in labels}
    assert judged == labels
    assert sorted(judged.values()).count("frozen") == 9


def verdict(rows: pl.DataFrame, columns: dict[str, str]) -> str:
    """What observe would call a name at the end: frozen when any pollutant is stuck."""
    seen = [stuck_at_the_end(rows.select("time", column).drop_nulls(), KIND.field(name)) for name, column in columns.items()]
    if all(life is Life.NEVER for life in seen):
        return "never_reported"
    return "frozen" if Life.STUCK in seen else "live"


def stuck_at_the_end(rows: pl.DataFrame, field: Field) -> Life:
    if not rows.height:
        return Life.NEVER
    times = rows["time"].dt.timestamp("us").to_numpy()
    values = rows[rows.columns[1]].cast(pl.Float64).to_numpy()
    turns = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    promised = Contract(stuck_after=duration(str(field.stuck_after)), silent_after=Duration(3 * DAY))
    last = np.array([times[-1]], np.int64)
    code = lives(contracts((promised,)), last, values[-1:], np.array([times[turns[-1]]], np.int64), Instant(int(last[0])))
    return ORDER[int(code[0])]


def station(no: int, life: str, value: float | None, field: str = "aqi", time: int = NOW) -> dict[str, object]:
    return {
        "stream": f"air-{no:02}.{field}", "entity": f"air-{no:02}", "kind": KIND.name, "field": field, "area": f"9901040{no:02}",
        "unit": "{index}", "value": value, "time": time, "received": time, "life": life, "origin": "demo",
    }  # fmt: skip


def figures(tmp_path: Path, name: str, rows: list[dict[str, object]]) -> dict[str | None, dict[str, object]]:
    areas = tuple(
        Area(f"9901040{no:02}", "subdistrict", Text(f"{no}号街", f"No. {no}"), None, b"", "generated") for no in range(1, 4)
    )
    file = DuckFile(tmp_path)
    tables = IbisTables(DuckFacts(file), lambda: pa.Table.from_pylist(rows, schema=STREAM), lambda: areas, NOW)
    one = next(one for one in PACK.indicators if one.name == name)
    found = {row["area"]: row for row in tables.run(one.measure(tables)).to_pylist()}
    file.close()
    return found


def test_the_mean_index_counts_live_stations_and_names_the_rest(tmp_path: Path) -> None:
    dead = NOW - 4 * HOUR
    found = figures(tmp_path, "air_aqi_mean", [station(1, "live", 80.0), station(2, "late", 300.0, time=dead)])
    assert [(area, row["value"], row["unknown"]) for area, row in sorted(found.items(), key=lambda item: item[0] or "")] == [
        (None, 80.0, 1),
        ("990104001", 80.0, 0),
        ("990104002", None, 1),
        ("990104003", None, 0),
    ]
    assert found["990104003"]["reason_zh"] == "无监测站"
    assert found["990104002"]["reason_zh"] is None
    assert (found["990104002"]["silent_since"], found[None]["as_of"]) == (dead, NOW)


def test_a_station_is_live_when_its_six_pollutants_are(tmp_path: Path) -> None:
    whole = [station(1, "live", 1.0, field) for field in FIELDS]
    broken = [station(2, "stuck" if field == "so2" else "live", 1.0, field) for field in FIELDS]
    found = figures(tmp_path, "air_stations_live", [*whole, *broken, station(1, "late", None, "temperature")])
    assert (found[None]["value"], found[None]["unknown"]) == (50.0, 1)
    assert (found["990104002"]["value"], found["990104003"]["value"]) == (0.0, None)
    assert found["990104003"]["reason_zh"] == "无监测站"


def test_levels_cover_the_scale_without_a_hole() -> None:
    (board,) = PACK.boards
    words = {value: level.title.zh for value in range(501) if (level := board.level(value)) is not None}
    assert len(words) == 501
    assert [words[value] for value in (50, 51, 100, 101, 151, 201, 301)] == [
        "优",
        "良",
        "良",
        "轻度污染",
        "中度污染",
        "重度污染",
        "严重污染",
    ]
    assert board.limit is not None
    assert board.limit[0] == 60


def test_lasting_pollution_opens_a_case_for_the_environment_office() -> None:
    (rule,) = [rule for rule in PACK.rules if rule.opens is not None]
    assert rule.opens is not None
    assert (rule.name, rule.lasting, rule.opens.duty, rule.opens.allowance.amount) == ("aqi_lasting", "PT1H", "environment", 4)
    assert {parameter.mark for parameter in PACK.parameters if parameter.name == "air_check_hours"} == {"local"}


def test_the_forecast_names_fields_that_are_measured() -> None:
    (forecast,) = PACK.forecasts
    assert set(forecast.inputs) == {"pm25", *WEATHER}
