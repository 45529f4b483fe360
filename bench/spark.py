"""The history on Spark: the same week of data, asked of DuckDB alone and through Spark Connect over shipped files.

Run: ``python -m bench.spark [--streams 10000] [--url sc://host:port]``. Without a URL Sail is started on loopback and stands in for Spark:
on one machine this measures what the way through Spark costs, not what a cluster gains. Answers are compared.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from bench import machine
from bench.program import free_port
from bench.series_query import day
from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.engines.objects import ObjectStore
from citybrain.engines.spark import SparkSeries
from citybrain.kernel.instant import DAY, HOUR, Instant, parse
from citybrain.kernel.observations import SeriesQuery

_START = parse("2026-11-14T16:00:00Z")
_DAYS = 7
_TRIES = 3


@contextmanager
def sail() -> Iterator[str]:
    """A Sail server of its own on loopback."""
    port = free_port()
    command = [sys.executable, "-m", "pysail", "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(500):
                with socket.socket() as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.02)
            yield f"sc://127.0.0.1:{port}"
        finally:
            process.kill()


def measure(streams: int, url: str | None = None) -> list[str]:
    """The lines of the report: shipping a week, everybody's day and one stream's week in hours, alone and through Spark."""
    with tempfile.TemporaryDirectory() as folder:
        file = DuckFile(Path(folder) / "series")
        store = ObjectStore((Path(folder) / "objects").as_uri())
        series = DuckSeries(file, store=store)
        rows = sum(series.import_segment(f"day {number}", day(number, streams), "bench", _START) for number in range(_DAYS))
        began = time.perf_counter()
        series.ship()
        shipped = time.perf_counter() - began
        size = sum(store.names().values()) / 1e6
        if url is None:
            with sail() as own:
                lines = _asked(own, store, series, streams, "Sail")
        else:
            lines = _asked(url, store, series, streams, "Spark")
        series.close()
        file.close()
    return [f"| shipping a week of {rows:,} rows ({size:.0f} MB) to a folder | {shipped:.1f} s | |", *lines]


def _asked(url: str, store: ObjectStore, series: DuckSeries, streams: int, name: str) -> list[str]:
    reader = SparkSeries(url, store, series, patience=600)
    end = Instant(_START + _DAYS * DAY)
    questions = (
        (
            f"a day of all {streams:,} streams in 1-hour buckets",
            SeriesQuery(tuple(range(1, streams + 1)), Instant(end - DAY), end, HOUR),
        ),
        (f"a week of all {streams:,} streams in 1-hour buckets", SeriesQuery(tuple(range(1, streams + 1)), _START, end, HOUR)),
        ("one stream's week in 1-hour buckets", SeriesQuery((streams // 2,), _START, end, HOUR)),
        ("one stream's week, every row", SeriesQuery((streams // 2,), _START, end)),
    )
    lines = []
    for what, query in questions:
        here, alone = _median(partial(series.scan, query))
        there, found = _median(partial(reader.scan, query))
        _compare(alone, found)
        lines.append(
            f"| {what}, {found.num_rows:,} rows out | DuckDB alone {here:,.0f} ms, through {name} {there:,.0f} ms ({there / here:.1f} times) | |"
        )
    reader.close()
    return lines


def _median(work: Callable[[], pa.Table]) -> tuple[float, pa.Table]:
    spent = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        found = work()
        spent.append((time.perf_counter() - began) * 1000)
    return median(spent), found


def _compare(alone: pa.Table, found: pa.Table) -> None:
    """Raise RuntimeError unless both are equal, means but for the order of adding."""
    exact = [name for name in alone.column_names if name != "mean"]
    equal = found.select(exact).equals(alone.select(exact))
    if not equal or ("mean" in alone.column_names and not np.allclose(found["mean"], alone["mean"], rtol=1e-12, atol=0)):
        message = "The answers differ."
        raise RuntimeError(message)


def main() -> None:
    """Command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--streams", type=int, default=10_000)
    ask.add_argument("--url", help="a Spark Connect server on this machine instead of Sail")
    given = ask.parse_args()
    print(machine.about(0))
    print("\n".join(measure(given.streams, given.url)))


if __name__ == "__main__":
    main()
