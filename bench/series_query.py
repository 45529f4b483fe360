"""Queries over a week of 10,000 streams at one value a minute (100 million rows): one stream's week by hours, and the rest.

Run: ``python -m bench.series_query [--rows 100800000]``. The days are built one by one with ``import_segment`` in a temporary
folder that is deleted afterwards. Each query is asked five times; the median is printed, and the first as the cold one.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import pyarrow as pa

from bench import machine, program, sensorthings
from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Duration, Instant, parse
from citybrain.kernel.observations import SeriesQuery

_START = parse("2026-11-14T16:00:00Z")
_DAYS, _MINUTES = 7, 1440


def day(number: int, streams: int) -> pa.Table:
    """One day of history, sorted by stream and time."""
    chance = np.random.default_rng(number)
    times = _START + number * DAY + np.arange(_MINUTES, dtype=np.int64) * MINUTE
    rows = streams * _MINUTES
    return pa.table(
        {
            "stream_no": np.repeat(np.arange(1, streams + 1, dtype=np.int32), _MINUTES),
            "time": np.tile(times, streams),
            "value": chance.integers(0, 5000, rows) / 100,
        }
    )


def build(series: DuckSeries, streams: int) -> None:
    """Import the week and say how long it took."""
    start = time.perf_counter()
    rows = sum(series.import_segment(f"day {number}", day(number, streams), "bench", _START) for number in range(_DAYS))
    seconds = time.perf_counter() - start
    print(f"built {rows:,} rows in {seconds:.0f} s ({rows / seconds / 1e6:.2f} M rows/s, with making them up)")


def ask(name: str, work: Callable[[], pa.Table]) -> None:
    """Print the median and the first time of a question."""
    times: list[float] = []
    for _ in range(5):
        start = time.perf_counter()
        found = work()
        times.append((time.perf_counter() - start) * 1e3)
    print(f"{name:<58} median {median(times):8.1f} ms  first {times[0]:8.1f} ms  {found.num_rows:>7} rows out")


def questions(series: DuckSeries, streams: int) -> None:
    """Ask everything."""
    end = Instant(_START + _DAYS * DAY)
    one, some = (streams // 2,), tuple(range(1, streams + 1, max(1, streams // 50)))

    def scan(which: tuple[int, ...], since: int, bucket: Duration | None) -> Callable[[], pa.Table]:
        return lambda: series.scan(SeriesQuery(which, Instant(since), end, bucket))

    ask("one stream, 7 days, 1 h buckets (target 50 ms)", scan(one, _START, HOUR))
    ask("one stream, last day, 1 h buckets", scan(one, end - DAY, HOUR))
    ask("one stream, 7 days, every row", scan(one, _START, None))
    ask("50 streams, 7 days, 1 h buckets", scan(some, _START, HOUR))
    ask("all streams, last day, 1 h buckets", scan(tuple(range(1, streams + 1)), end - DAY, HOUR))
    ask("latest of every stream, rebuilt from the file (target 20 ms)", series.latest)
    late = np.linspace(_START, end - MINUTE, 1000).astype(np.int64) // MINUTE * MINUTE
    which = np.arange(1000, dtype=np.int32) % streams + 1
    ask("what is known at 1,000 late places", lambda: pa.table({"value": series.known(which, late)}))


def week(streams: int) -> list[str]:
    """The lines of the report: a week of so many streams asked for in the store, and over SensorThings from the program on it."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        # The program registers the streams.
        program.start(state).stop()
        file = DuckFile(state / "series")
        series = DuckSeries(file)
        for number in range(_DAYS):
            series.import_segment(f"day {number}", day(number, streams), "bench", _START)
        end = Instant(_START + _DAYS * DAY)
        one = _median(series, SeriesQuery((streams // 2,), Instant(_START), end, HOUR))
        every = _median(series, SeriesQuery(tuple(range(1, streams + 1)), Instant(end - DAY), end, HOUR))
        series.close()
        file.close()
        with program.running(state) as running:
            over = sensorthings.asked(running)
    rows = streams * _MINUTES * _DAYS
    return [
        f"| one stream's week in 1-hour buckets out of {rows:,} rows | p50 {one:.1f} ms | under 30 ms |",
        f"| a day of all {streams:,} streams in 1-hour buckets out of {rows:,} rows | p50 {every:.0f} ms | under 600 ms |",
        f"| SensorThings over {rows:,} rows: 100 Things with Datastreams and their latest Observation "
        f"| p50 {over.expanded:.0f} ms | under 100 ms |",
        f"| 100 Observations of a Datastream / with $count | p50 {over.plain:.0f} / {over.counted:.0f} ms "
        "| counting takes no longer than the page |",
        f"| $count of all {rows:,} Observations | p50 {over.everything:.0f} ms | |",
    ]


def _median(series: DuckSeries, query: SeriesQuery) -> float:
    spent = []
    for _ in range(7):
        began = time.perf_counter()
        series.scan(query)
        spent.append((time.perf_counter() - began) * 1000)
    return median(spent)


def main() -> None:
    """Build, ask, delete."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=10_000 * _MINUTES * _DAYS)
    streams = max(1, options.parse_args().rows // (_MINUTES * _DAYS))
    print(machine.about(0))
    with tempfile.TemporaryDirectory() as folder:
        file = DuckFile(Path(folder))
        series = DuckSeries(file)
        build(series, streams)
        questions(series, streams)
        size = sum(part.stat().st_size for part in file.closed.iterdir()) / 1e6
        print(f"{streams} streams, {size:.0f} MB of Parquet, {psutil.Process().memory_info().rss / 1e6:.0f} MB resident")
        series.close()
        file.close()


if __name__ == "__main__":
    main()
