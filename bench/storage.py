"""The series store over a day: closing 14 million rows while 100,000 observations a second come in, and what an observation takes.

Run: ``python -m bench.storage [--streams 10000]``. One value a minute and stream, received as it was observed (fixed cadence), then
the same day with times and receipts that jitter. The store works in this process, as it does in the program.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil

from bench import machine
from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.kernel.instant import DAY, MINUTE, SECOND, Instant, parse
from citybrain.kernel.observations import Batch

_DAY = parse("2026-11-19T16:00:00Z")
_MINUTES = 1440
_RATE = 100_000
"""Observations a second that come in while the day is closed."""


def batches(streams: int, seed: int, *, jitter: bool) -> Iterator[Batch]:
    """A day of one value a minute and stream; each batch is a minute of all of them."""
    chance, numbers = np.random.default_rng(seed), np.arange(1, streams + 1, dtype=np.int32)
    level = chance.uniform(0, 500, streams)
    for minute in range(_MINUTES):
        level = np.clip(level + chance.normal(0, 2, streams), 0, 800)
        at = _DAY + minute * MINUTE
        times = at + chance.integers(0, 20 * SECOND, streams) if jitter else np.full(streams, at)
        received = at + (int(chance.integers(0, 5 * SECOND)) if jitter else 0)
        yield Batch(f"{minute}", "bench", Instant(received), numbers, times.astype(np.int64), np.round(level, 1), {})


async def closed(folder: Path, streams: int, seed: int, *, jitter: bool) -> tuple[float, float, int, int]:
    """Append a day, close it while more comes in; seconds, bytes a row, rows a second meanwhile, peak megabytes."""
    file = DuckFile(folder)
    series = DuckSeries(file)
    for batch in batches(streams, seed, jitter=jitter):
        await series.append(batch)
    taken, going = 0, True
    peak, here = 0, psutil.Process()

    async def flood() -> None:
        nonlocal taken, peak
        numbers, began = np.arange(1, 10_001, dtype=np.int32), time.perf_counter()
        while going:
            at = Instant(_DAY + DAY + taken)
            await series.append(Batch(f"more {taken}", "bench", at, numbers, np.full(10_000, at), np.zeros(10_000), {}))
            taken += 10_000
            peak = max(peak, here.memory_info().rss)
            await asyncio.sleep(max(0.0, began + taken / _RATE - time.perf_counter()))

    flooding = asyncio.create_task(flood())
    began = time.perf_counter()
    rows = await asyncio.to_thread(series.close_days, Instant(_DAY + DAY))
    took = time.perf_counter() - began
    going = False
    await flooding
    size = sum(part.stat().st_size for part in file.closed.iterdir())
    series.close()
    file.close()
    if rows != streams * _MINUTES:
        message = f"{rows} rows were closed, not {streams * _MINUTES}"
        raise RuntimeError(message)
    return took, size / rows, round(taken / took), round(peak / 1e6)


def _closed(streams: int, seed: int, *, jitter: bool) -> tuple[float, float, int, int]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(closed(Path(folder), streams, seed, jitter=jitter))


def measure(streams: int, seed: int) -> list[str]:
    """The lines of the report."""
    lines = []
    for jitter, named, target in ((False, "fixed cadence", 3), (True, "jitter and time of receipt", 8)):
        # In a process of its own: what was measured before it in this one is not its memory.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            took, size, rate, peak = alone.submit(partial(_closed, streams, seed, jitter=jitter)).result()
        lines.append(
            f"| closing a day of {streams * _MINUTES:,} rows ({named}) while {rate:,} obs/s come in "
            f"| {took:.1f} s, peak {peak} MB | under 20 s at 100,000 obs/s |"
        )
        lines.append(f"| Parquet of that day, an observation | {size:.2f} bytes | at most {target} bytes |")
    return lines


def main() -> None:
    """Command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--streams", type=int, default=10_000)
    ask.add_argument("--seed", type=int, default=7)
    given = ask.parse_args()
    print(machine.about(given.seed))
    print("\n".join(measure(given.streams, given.seed)))


if __name__ == "__main__":
    main()
