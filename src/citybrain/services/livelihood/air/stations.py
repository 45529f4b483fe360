"""Readings of stations: the shipped extract into fields with the standard's units, rows into an hourly history, points into an area."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from citybrain.sdk import HOUR, SHANGHAI, History, Instant
from citybrain.services.livelihood.air.practice import PRACTICE, Practice
from citybrain.services.livelihood.air.scale import FIELDS, Floats

WEATHER = ("temperature", "dew_point", "pressure", "rain", "wind_speed", "wind_direction")
"""Weather fields: °C, °C, hPa, mm in the hour, m/s, degrees the wind comes from."""

_COLUMNS = {
    "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3", "PM10": "pm10", "PM2.5": "pm25",
    "TEMP": "temperature", "DEWP": "dew_point", "RAIN": "rain", "WSPM": "wind_speed", "wd": "wind_direction",
    "PRES": "pressure",  # codespell:ignore pres
}  # fmt: skip
_COMPASS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")


def read(path: Path, since: Instant, until: Instant) -> pl.DataFrame:
    """Rows of the shipped extract with ``since <= time < until``, by time and station.

    Columns: time (µs UTC), station, FIELDS and WEATHER as 64-bit floats, null where not measured. The source's wall clock becomes
    UTC, its CO in µg/m³ becomes mg/m³, its compass words become degrees.
    """
    wall = [datetime.fromtimestamp(edge / 1e6, UTC).astimezone(SHANGHAI).replace(tzinfo=None) for edge in (since, until)]
    rows = pl.scan_parquet(path).filter(pl.col("time") >= wall[0], pl.col("time") < wall[1])
    degrees = pl.col("wd").replace_strict({name: 22.5 * at for at, name in enumerate(_COMPASS)}, return_dtype=pl.Float64)
    offset = round(SHANGHAI.utcoffset(None).total_seconds() * 1e6)
    return (
        rows.with_columns(degrees, pl.col("CO") / 1000, pl.col("time").cast(pl.Int64) - offset)
        .select("time", "station", *(pl.col(name).cast(pl.Float64).alias(field) for name, field in _COLUMNS.items()))
        .sort("time", "station")
        .collect()
    )


def history(rows: pl.DataFrame) -> History:
    """Rows as ``read`` gives them, on a full hourly grid: each field (hours, stations) with NaN for what is not there."""
    stations = tuple(rows["station"].unique().sort().to_list())
    hours = rows["time"].to_numpy() // HOUR
    first = int(hours.min())
    times = (first + np.arange(int(hours.max()) - first + 1, dtype=np.int64)) * HOUR
    column = np.searchsorted(np.array(stations), rows["station"].to_numpy())
    fields = {}
    for field in (*FIELDS, *WEATHER):
        grid = np.full((len(times), len(stations)), np.nan)
        grid[hours - first, column] = rows[field].fill_null(np.nan).to_numpy()
        fields[field] = grid
    return History(times, stations, fields)


def area_mean(points: Floats, practice: Practice = PRACTICE) -> Floats:
    """Mean over the last but one axis, points (…, stations, 6) to an area (…, 6); NaN where too few stations report."""
    valid = np.isfinite(points) & (points >= 0)
    count = valid.sum(axis=-2)
    total = np.where(valid, points, 0.0).sum(axis=-2)
    return np.where(count >= practice.area_share * points.shape[-2], total / np.maximum(count, 1), np.nan)
