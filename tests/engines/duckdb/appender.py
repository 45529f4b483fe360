"""A program that appends batches until it is killed; each acknowledged batch stands in a file, synced, before the next."""

import asyncio
import itertools
import os
import sys
from pathlib import Path

from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.kernel.instant import DAY, HOUR, Instant
from tests.engines.duckdb.world import START, batch

ROWS = 50


async def append(folder: Path, run: int) -> None:
    series = DuckSeries(DuckFile(folder / "series"))
    numbers = itertools.count()

    async def send(acknowledged: int) -> None:
        for number in numbers:
            time = START + run * DAY + number
            await series.append(batch(f"{run}-{number}", [(stream, time, float(number)) for stream in range(ROWS)]))
            os.write(acknowledged, f"{run} {number}\n".encode())
            os.fsync(acknowledged)

    async def close_days() -> None:
        while True:
            await asyncio.to_thread(series.close_days, Instant(START + run * DAY + HOUR))
            await asyncio.sleep(0.05)

    file = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    # The test waits for it.
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(close_days(), *(send(file) for _ in range(4)))


if __name__ == "__main__":
    asyncio.run(append(Path(sys.argv[1]), int(sys.argv[2])))
