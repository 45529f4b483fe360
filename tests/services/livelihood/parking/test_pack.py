"""The parking pack: faults are no facts, closed is not full, and the replay is the published counts."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from citybrain.app.check import check
from citybrain.app.clockwork import shift_days
from citybrain.kernel.instant import DAY, Instant, local, local_date, parse
from citybrain.kernel.pack import DemoDistrict
from citybrain.kernel.places import Place
from citybrain.services.livelihood.parking import PACK, berths
from citybrain.services.livelihood.parking.lots import KIND, free, occupancy
from citybrain.services.livelihood.parking.source import FILE, REPLAY, clean

ROOT = Path(__file__).parents[4]
SHARED = ROOT.parent / "shared" / "data" / "parking_birmingham" / "parking_birmingham.csv.gz"
NAN = np.nan


def test_the_pack_keeps_every_promise() -> None:
    report = check(PACK)
    assert [promise.words.en for promise in report.promises if not promise.ok] == []


def test_free_and_occupancy_are_known_only_where_the_counts_agree() -> None:
    counts = {
        "occupied": np.array([61.0, 577.0, 600.0, -8.0, 0.0, NAN]),
        "capacity": np.array([577.0, 577.0, 577.0, 577.0, 0.0, 577.0]),
    }
    times = np.arange(6)
    assert np.array_equal(free(times, counts), [516.0, 0.0, NAN, NAN, NAN, NAN], equal_nan=True)
    assert occupancy(times, counts) == pytest.approx([100 * 61 / 577, 100.0, NAN, NAN, NAN, NAN], nan_ok=True)


def test_the_words_beside_a_lot_say_how_many_berths_or_nothing() -> None:
    said = berths({"free": 12.0})
    assert said is not None
    assert said.zh == "空余 12 个泊位"
    assert berths({}) is None


def test_cleaning_counts_each_fault_and_reads_a_time_with_a_tab() -> None:
    rows = [("A", 10, 4, "2016-10-04 13:29:45\t"), ("A", 10, 4, "2016-10-04 14:00:00"), ("A", 10, 4, "2016-10-04 14:00:00")]
    rows += [("A", 10, -1, "2016-10-04 14:30:00"), ("A", 10, 11, "2016-10-04 15:00:00")]
    found = clean(pl.DataFrame(rows, schema=["SystemCodeNumber", "Capacity", "Occupancy", "LastUpdated"], orient="row"))
    assert (found.duplicates, found.negative, found.above, found.rows.height) == (1, 1, 1, 4)
    assert found.rows["time"][0] == parse("2016-10-04T13:29:45+08:00")


def test_the_extract_has_the_faults_that_its_source_is_known_for() -> None:
    """205 duplicates, 12 negative and 201 above capacity of 28,494 rows, as the catalogue of the shared data counted them."""
    found = clean(pl.read_parquet(ROOT / "data" / FILE))
    assert found.duplicates + found.rows.height == 28_494
    assert (found.duplicates, found.negative, found.above) == (205, 12, 201)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not on this machine")
def test_the_extract_is_the_source_row_by_row() -> None:
    with gzip.open(SHARED) as file:
        source = pl.read_csv(file.read())
    shipped = pl.read_parquet(ROOT / "data" / FILE)
    columns = source.columns
    assert shipped.sort(columns).rows() == source.sort(columns).rows()


def test_a_day_is_replayed_within_the_hours_in_which_lots_report() -> None:
    since = parse("2016-11-21T00:00:00+08:00")
    pieces = list(REPLAY.read(ROOT / "data", since, Instant(since + DAY)))
    times = np.concatenate([piece.time for piece in pieces])
    assert bool((np.diff(times) >= 0).all())
    assert (local(Instant(int(times[0]))).hour, local(Instant(int(times[-1]))).hour) == (7, 16)
    assert {int(lot) for piece in pieces for lot in piece.entity} <= set(range(29))
    again = np.concatenate([piece.time for piece in REPLAY.read(ROOT / "data", since, Instant(since + DAY))])
    assert np.array_equal(times, again)


def test_the_shift_keeps_the_weekday_and_ends_a_week_before_the_source_does() -> None:
    today = parse("2026-11-23T06:00:00+08:00")
    days = shift_days(local_date(today), local_date(REPLAY.since), local_date(REPLAY.until))
    assert days % 7 == 0
    assert REPLAY.since <= today - days * DAY <= REPLAY.until - 7 * DAY


def test_every_lot_stands_in_a_subdistrict_with_a_type_and_berths_to_share() -> None:
    stage = DemoDistrict(tuple((f"99010400{number}", Place(117.1 + number / 100, 39.1)) for number in range(1, 8)))
    lots = REPLAY.entities(stage)
    types = {word for word, _ in KIND.field("type").choices}
    assert len(lots) == len({lot.id for lot in lots}) == 29
    assert {lot.body["type"] for lot in lots} == types
    assert all(lot.area.startswith("990104") and lot.body["shared"] == 12 for lot in lots)
