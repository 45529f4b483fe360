"""Batches for the tests of the series store, and a plain Python model of what it holds."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa

from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.observations import Batch, SeriesQuery
from citybrain.kernel.ports import Series

START = parse("2026-11-19T16:00:00Z")
"""Midnight in the district at the beginning of 2026-11-20."""
T = TypeVar("T")
Row = tuple[int, int, float]
"""Stream, time, value."""


def batch(name: str, rows: Sequence[Row], door: str = "http", received: int = START, **more: int) -> Batch:
    """A batch of rows; ``more`` are refused rows by reason."""
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Batch(
        name,
        door,
        Instant(received),
        np.array(columns[0], dtype=np.int32),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.float64),
        more,
    )


def run(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end."""
    return asyncio.run(work)


def table(rows: Sequence[Row]) -> pa.Table:
    """History as ``import_segment`` takes it."""
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table(
        {
            "stream_no": pa.array(columns[0], pa.int32()),
            "time": pa.array(columns[1], pa.int64()),
            "value": pa.array(columns[2], pa.float64()),
        }
    )


def scanned(series: Series, streams: Sequence[int], since: int, until: int, *, marks: bool = False) -> list[Row]:
    """What a scan without buckets gives, as plain rows."""
    found = series.scan(SeriesQuery(tuple(streams), Instant(since), Instant(until), marks=marks))
    return list(zip(*(found.column(name).to_pylist() for name in ("stream_no", "time", "value")), strict=True))
