"""Replay: eleven measured stations at invented places, in source time, in the units of the kind."""

import numpy as np
import polars as pl
import pytest

from citybrain.sdk import DAY, HOUR, DemoDistrict, Instant, Place
from citybrain.services.livelihood.air.replay import FILE, REPLAY, SOURCES
from citybrain.services.livelihood.air.station import KIND
from tests.services.livelihood.air.places import ROOT

DATA = ROOT / "data"

DISTRICT = DemoDistrict(tuple((f"9901040{no:02}", Place(117.1 + no / 100, 39.1)) for no in range(1, 13)))


@pytest.fixture(scope="module")
def raw() -> pl.DataFrame:
    return pl.read_parquet(DATA / FILE)


def test_eleven_stations_stand_in_the_first_eleven_subdistricts() -> None:
    planted = REPLAY.entities(DISTRICT)
    assert [one.id for one in planted] == [f"air-{no:02}" for no in range(1, 12)]
    assert [one.area for one in planted] == [code for code, _ in DISTRICT.subdistricts[:11]]
    assert (planted[0].title.zh, planted[10].title.zh) == ("一号街监测点", "十一号街监测点")
    assert all("演示数据" in str(one.body["origin_note"]) for one in planted)
    with pytest.raises(ValueError, match="3 subdistricts"):
        REPLAY.entities(DemoDistrict(DISTRICT.subdistricts[:3]))


@pytest.mark.thorough
def test_the_replay_covers_exactly_what_the_file_holds(raw: pl.DataFrame) -> None:
    assert tuple(raw["station"].unique().sort()) == SOURCES
    assert (str(raw["time"].min()), str(raw["time"].max())) == ("2013-03-01 00:00:00", "2016-02-29 23:00:00")
    slices = list(REPLAY.read(DATA, REPLAY.since, REPLAY.until))
    assert sum(len(one.time) for one in slices) == raw.height
    assert slices[0].time[0] == REPLAY.since
    assert slices[-1].time[-1] == REPLAY.until - HOUR


def test_rows_come_in_time_order_and_only_from_the_span_asked_for() -> None:
    since = Instant(REPLAY.since + 40 * DAY + 1)
    until = Instant(since + 35 * DAY)
    times = np.concatenate([one.time for one in REPLAY.read(DATA, since, until)])
    assert (np.diff(times) >= 0).all()
    assert (times >= since).all()
    assert (times < until).all()
    assert len(times) == 35 * 24 * 11
    assert list(REPLAY.read(DATA, REPLAY.until, Instant(REPLAY.until + DAY))) == []


def test_values_are_those_of_the_source_in_the_units_of_the_kind(raw: pl.DataFrame) -> None:
    (slice_,) = REPLAY.read(DATA, REPLAY.since, Instant(REPLAY.since + HOUR))
    assert list(slice_.entity) == list(range(11))
    source = raw.filter(pl.col("time") == pl.col("time").min()).sort("station")
    assert slice_.fields["co"] == pytest.approx(source["CO"].to_numpy() / 1000, nan_ok=True)
    assert slice_.fields["pm25"] == pytest.approx(source["PM2.5"].to_numpy(), nan_ok=True)
    assert source["wd"].to_list()[0] == "NNW"
    assert slice_.fields["wind_direction"][0] == 337.5
    measured = {field.name for field in KIND.fields if field.by.value == "sensor"}
    assert set(slice_.fields) == measured
