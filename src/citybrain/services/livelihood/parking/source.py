"""Two months of 29 car parks in Birmingham, cleaned and replayed at invented places of the demo district."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import cos, pi, radians, sin
from pathlib import Path

import numpy as np
import polars as pl

from citybrain.sdk import HOUR, SHANGHAI, DemoDistrict, History, Instant, Place, Planted, Replay, Slice, Text, midnight
from citybrain.services.livelihood.parking.lots import LOT, occupancy
from citybrain.services.livelihood.parking.rules import SAMPLE_PRICE

FILE = Path("parking") / "birmingham_2016.parquet"
"""Below the data folder that is handed in."""
LOTS = 29
SINCE, UNTIL = midnight(date(2016, 10, 4)), midnight(date(2016, 12, 3))
ORIGIN = Text(
    "伯明翰29个停车场2016年10月至12月的实测占用数（UCI 482，开放政府许可），移到示意街道并平移日期",
    "Measured occupancy of 29 car parks in Birmingham, October to December 2016 (UCI 482, Open Government Licence), at invented places, shifted in date",
)
_TYPES = ("roadside", "under_bridge", "public", "stacked")
SHARED = 12
"""Berths that each demo lot lets others share: invented."""
_RING = 0.0025
"""Degrees around a subdistrict's inner point at which its lots are placed."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Rows by time and lot (columns time in µs UTC, lot, capacity, occupied), and how many of each fault were found.

    Duplicates are dropped. Negative and overfull counts stay in: the stream's range and the derived fields name them.
    """

    rows: pl.DataFrame
    duplicates: int
    negative: int
    above: int


def clean(raw: pl.DataFrame) -> Cleaned:
    """Rows of the source as they were published, cleaned; a time with blanks around it is read all the same."""
    wall = pl.col("LastUpdated").str.strip_chars().str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us")
    east = round(SHANGHAI.utcoffset(None).total_seconds() * 1e6)
    read = raw.select(
        time=wall.cast(pl.Int64) - east,
        lot="SystemCodeNumber",
        capacity=pl.col("Capacity").cast(pl.Float64),
        occupied=pl.col("Occupancy").cast(pl.Float64),
    )
    whole = read.unique(maintain_order=True).sort("time", "lot")
    return Cleaned(
        whole,
        read.height - whole.height,
        read.filter(pl.col("occupied") < 0).height,
        read.filter(pl.col("occupied") > pl.col("capacity")).height,
    )


@lru_cache(maxsize=2)
def rows(path: Path) -> pl.DataFrame:
    """The cleaned rows of the extract; small, so they are kept."""
    return clean(pl.read_parquet(path)).rows


def hourly(path: Path, since: Instant = SINCE, until: Instant = UNTIL) -> History:
    """Mean occupancy (%) of each lot by hour, as the district's own history would hold it; NaN where no sound count is known."""
    table = rows(path).filter(pl.col("time").is_between(since, until, closed="left"))
    codes = table["lot"].unique().sort().to_numpy()
    full = occupancy(table["time"].to_numpy(), {name: table[name].to_numpy() for name in ("capacity", "occupied")})
    place = (table["time"].to_numpy() - since) // HOUR, np.searchsorted(codes, table["lot"].to_numpy())
    times = np.arange(since, until, HOUR, dtype=np.int64)
    total, count = np.zeros((len(times), len(codes))), np.zeros((len(times), len(codes)))
    known = ~np.isnan(full)
    np.add.at(total, (place[0][known], place[1][known]), full[known])
    np.add.at(count, (place[0][known], place[1][known]), 1.0)
    means = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return History(times, tuple(f"lot-{number + 1:02}" for number in range(len(codes))), {"occupancy": means})


def entities(district: DemoDistrict) -> tuple[Planted, ...]:
    """The lots, in turn around the inner points of the subdistricts."""
    streets = district.subdistricts
    return tuple(
        Planted(
            f"lot-{number + 1:02}",
            LOT,
            Text(f"{number + 1}号停车场", f"Car park {number + 1}"),
            _around(streets[number % len(streets)][1], number),
            streets[number % len(streets)][0],
            {
                "type": _TYPES[number % len(_TYPES)],
                "shared": SHARED,
                "price": SAMPLE_PRICE,
                "origin_note": "演示数据：伯明翰停车场实测，位置、类型和价格为示意",
            },
        )
        for number in range(LOTS)
    )


def read(folder: Path, since: Instant, until: Instant) -> Iterator[Slice]:
    """Rows with ``since <= time < until`` in time order."""
    table = rows(folder / FILE)
    codes = table["lot"].unique().sort().to_numpy()
    low, high = np.searchsorted(table["time"].to_numpy(), [since, until])
    part = table.slice(int(low), int(high - low))
    if part.height:
        lots = np.searchsorted(codes, part["lot"].to_numpy()).astype(np.int32)
        yield Slice(
            lots, part["time"].to_numpy(), {"capacity": part["capacity"].to_numpy(), "occupied": part["occupied"].to_numpy()}
        )


def _around(place: Place, number: int) -> Place:
    angle = 2 * pi * number * 0.381966
    return Place(round(place.lon + _RING * cos(angle) / cos(radians(place.lat)), 6), round(place.lat + _RING * sin(angle), 6))


REPLAY = Replay(ORIGIN, SINCE, UNTIL, entities, read, "PT30M")
