"""The second judge: four months of 33 car parks of Dresden, sent as changes alone; it is on the building machine and not shipped."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from citybrain.kernel.instant import HOUR, MINUTE, parse
from citybrain.kernel.pack import History
from citybrain.services.livelihood.parking import forecast, slots
from citybrain.services.livelihood.parking.changes import Readings, gaps, restated, sound

FOLDER = Path(__file__).parents[5] / "shared" / "data" / "parking_germany"
FEED = FOLDER / "parking_germany_2026-05_2026-08.parquet"
SPLIT = parse("2026-08-01T00:00:00+02:00")
ONE_SOURCE = np.zeros(33, np.int32)
pytestmark = [pytest.mark.skipif(not FEED.exists(), reason="the shared data is not on this machine"), pytest.mark.timeout(120)]


@lru_cache(maxsize=1)
def feed() -> tuple[Readings, slots.Floats]:
    """The changes of Dresden's lots, and the capacity of each lot as its operator states it."""
    places = pl.read_csv(FOLDER / "places.csv").filter(pl.col("city_name") == "Dresden").sort("place_id")
    names = places["place_id"].to_list()
    rows = pl.read_parquet(FEED).with_columns(pl.col("place_id").cast(pl.String)).filter(pl.col("place_id").is_in(names))
    rows = rows.sort("timestamp", "place_id")
    lots = np.searchsorted(np.array(names), rows["place_id"].to_numpy().astype(str)).astype(np.int32)
    times = rows["timestamp"].dt.epoch("us").to_numpy()
    return Readings(lots, times, rows["free"].to_numpy().astype(np.float64)), places["num_all"].to_numpy()


@lru_cache(maxsize=1)
def known() -> Readings:
    return restated(feed()[0], ONE_SOURCE)


def test_lots_that_rest_are_told_from_a_source_that_is_down() -> None:
    """Judged by themselves the lots would look silent for an hour thousands of times; their source was so six times."""
    changes, _ = feed()
    alone = gaps(changes, np.arange(33, dtype=np.int32), 60 * MINUTE)
    together = gaps(changes, ONE_SOURCE, 60 * MINUTE)
    assert len(together) == 6
    assert len(alone) > 1_000


def test_a_cut_of_the_feed_leaves_no_reading_where_nobody_knows() -> None:
    changes, _ = feed()
    since, until = parse("2026-06-10T09:00:00Z"), parse("2026-06-10T12:00:00Z")
    outside = (changes.time < since) | (changes.time >= until)
    cut = Readings(changes.lot[outside], changes.time[outside], changes.free[outside])
    whole, left = known(), restated(cut, ONE_SOURCE)
    assert int(((whole.time >= since) & (whole.time < until)).sum()) > 33 * 20
    assert int(((left.time >= since) & (left.time < until)).sum()) == 0
    assert [gap for gap in gaps(cut, ONE_SOURCE, 60 * MINUTE) if gap.since >= since - HOUR and gap.until <= until + HOUR]


def test_counts_above_the_stated_capacity_are_faults_and_no_facts() -> None:
    changes, capacity = feed()
    free = sound(changes.free, capacity[changes.lot])
    above, below = changes.free > capacity[changes.lot], changes.free < 0
    assert int(np.isnan(free).sum()) == int((above | below).sum())
    assert 0 < np.isnan(free).mean() < 0.2


def test_the_forecast_beats_the_same_slot_last_week_on_unseen_weeks_of_another_country() -> None:
    history = by_hour()
    model = forecast.fit(history, SPLIT)
    record = slots.seen(history, "occupancy")
    later = (record.hours >= SPLIT // HOUR)[:, None]
    for horizon in (1, 3):
        said, base = forecast.middle(model.ahead[horizon - 1], record), slots.last_week(record)
        rows = later & ~np.isnan(said) & ~np.isnan(record.values)
        error, plain = (float(np.abs(one[rows] - record.values[rows]).mean()) for one in (said, base))
        assert error < 0.9 * plain


def by_hour() -> History:
    """Mean occupancy (%) of each lot by hour, from the readings that the changes stand for."""
    _, capacity = feed()
    found = known()
    free = sound(found.free, capacity[found.lot])
    good = ~np.isnan(free)
    first = int(found.time.min() // HOUR)
    hour = (found.time[good] // HOUR - first).astype(np.int64)
    total = np.zeros((int(found.time.max() // HOUR) - first + 1, len(capacity)))
    count = np.zeros_like(total)
    np.add.at(total, (hour, found.lot[good]), 100 - 100 * free[good] / capacity[found.lot[good]])
    np.add.at(count, (hour, found.lot[good]), 1.0)
    times = (np.arange(len(total), dtype=np.int64) + first) * HOUR
    means = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return History(times, tuple(f"lot-{lot}" for lot in range(len(capacity))), {"occupancy": means})
