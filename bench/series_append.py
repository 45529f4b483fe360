"""How fast the series store takes batches durably, beside raw DuckDB in the same run.

Run: ``python -m bench.series_append [--batches 400]``. Each sender waits for its receipt before it sends again.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
import pyarrow as pa

from bench import machine
from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.engines.duckdb.tables import COLUMNS, STORED
from citybrain.kernel.instant import SECOND, Instant, parse
from citybrain.kernel.observations import Batch

_START = parse("2026-11-22T07:00:00Z")


def batch(number: int, rows: int) -> Batch:
    """A batch of one value of each of many streams."""
    chance = np.random.default_rng(number)
    time_us = Instant(_START + number * SECOND)
    streams = np.arange(rows, dtype=np.int32)
    return Batch(
        f"bench-{rows}-{number}", "bench", time_us, streams, np.full(rows, time_us), chance.integers(0, 5000, rows) / 100, {}
    )


async def appended(series: DuckSeries, batches: list[Batch], senders: int) -> list[float]:
    """Send all batches with so many senders at once; the waiting time of each, in s."""
    waits: list[float] = []
    left = iter(batches)

    async def send() -> None:
        for one in left:
            start = time.perf_counter()
            await series.append(one)
            waits.append(time.perf_counter() - start)

    await asyncio.gather(*(send() for _ in range(senders)))
    return waits


def raw(folder: Path, batches: list[Batch]) -> None:
    """The same rows through DuckDB alone: one INSERT and COMMIT for each batch, with a batch id."""
    cursor = duckdb.connect(str(folder / "raw.duckdb"), config={"threads": 2, "memory_limit": "256MB"})
    cursor.execute("CREATE TABLE obs(seq BIGINT, stream_no INTEGER, time BIGINT, value DOUBLE, received BIGINT, door INTEGER)")
    cursor.execute("CREATE TABLE batch(id VARCHAR)")
    for one in batches:
        n = len(one.time)
        columns = [np.arange(n), one.stream_no, one.time, one.value, np.full(n, one.received), np.zeros(n, np.int32)]
        cursor.execute("BEGIN")
        cursor.register("incoming", pa.table(columns, schema=STORED))
        cursor.execute(f"INSERT INTO obs SELECT {COLUMNS} FROM incoming")
        cursor.execute("INSERT INTO batch VALUES (?)", [one.id])
        cursor.execute("COMMIT")
    cursor.close()


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(rows: int, count: int) -> None:
    """Print one table for a size of batch."""
    batches = [batch(number, rows) for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        seconds = timed(lambda: raw(Path(folder), batches))
    print(f"{rows:>6} rows  raw DuckDB   {count / seconds:7.0f} commits/s  {count * rows / seconds / 1e6:5.2f} M rows/s")
    base = count * rows / seconds
    for senders in (1, 8, 32):
        with tempfile.TemporaryDirectory() as folder:
            file = DuckFile(Path(folder))
            series = DuckSeries(file)
            waits: list[float] = []
            seconds = timed(lambda: waits.extend(asyncio.run(appended(series, batches, senders))))  # noqa: B023 (run at once)
            assert series.last_seq() == count * rows
            series.close()
            file.close()
        rate = count * rows / seconds
        tail = np.quantile(waits, 0.99) * 1e3
        print(
            f"{rows:>6} rows  {senders:>2} senders   {count / seconds:7.0f} batches/s  {rate / 1e6:5.2f} M rows/s  "
            f"{rate / base:4.2f} of raw  p50 {median(waits) * 1e3:5.1f} ms  p99 {tail:5.1f} ms"
        )


def main() -> None:
    """Measure both sizes of batch."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--batches", type=int, default=400)
    count: int = options.parse_args().batches
    print(machine.about(0))
    for rows in (1_000, 10_000):
        measure(rows, count)


if __name__ == "__main__":
    main()
