"""The latest values of 10,000 streams with their life: from memory, and as one answer of the API."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from bench import ingest, machine, pack, program, wire
from citybrain.app.city import build
from citybrain.app.settings import load
from citybrain.app.stores import opened
from citybrain.app.walltime import wall
from citybrain.kernel.clock import RunningClock

TURNS = 50


def memory(each: int) -> float:
    """Median milliseconds of Latest.table over all streams of so many entities a kind, once each has a value."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(Path("/nonexistent"), {"state": folder, "district": "990101"})
        with opened(settings, upgrade=True) as stores:
            city = build(settings, stores, (pack.PACK,), RunningClock(wall))
            city.registry.plant(pack.entities(each), "bench", "generated", city.clock.city())
            streams = len(city.registry.streams())
            numbers = np.arange(1, streams + 1, dtype=np.int32)
            now = city.clock.city()
            city.latest.feed(numbers, np.full(streams, now, np.int64), np.linspace(0, 800, streams), now, "bench")
            return _median(city.latest.table)


def api() -> float:
    """Median milliseconds of GET /api/v1/observe/latest, 10,000 rows of JSON."""
    with tempfile.TemporaryDirectory() as folder, program.running(Path(folder)) as running:
        asyncio.run(_fill(running.target))
        return _median(lambda: running.get("/api/v1/observe/latest"), 10)


async def _fill(target: wire.Target) -> None:
    instant = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()).encode()
    async with await wire.Connection.to(target) as connection:
        for body in ingest.templates(7):
            await connection.post("/api/v1/observe/observations", body.replace(ingest.MARK, instant))


def _median(work: Callable[[], object], turns: int = TURNS) -> float:
    spent = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1000)
    return median(spent)


def measure() -> list[str]:
    """The lines of the report."""
    return [
        f"| latest values of 10,000 streams, in memory | p50 {memory(pack.ENTITIES):.1f} ms | under 20 ms |",
        f"| latest values of 100,000 streams, in memory | p50 {memory(10 * pack.ENTITIES):.1f} ms | under 150 ms |",
        f"| latest values of 10,000 streams, GET /api/v1/observe/latest | p50 {api():.1f} ms | under 20 ms |",
    ]


def main() -> None:
    """Print the figures."""
    print(machine.about(7))
    print("\n".join(measure()))


if __name__ == "__main__":
    main()
