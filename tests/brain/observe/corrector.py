"""A program that corrects, strikes out and takes back spans until it is killed; what is acknowledged stands in a file, synced.

One stream, ``SPANS`` spans of ``EACH`` minutes; minute n, from 1, was measured as n. At each turn a span that bears nothing is doubled or struck
out, one that does is given back.
"""

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citybrain.brain.observe import AreaBook, Change, Corrections, Intake, Latest, Registry
from citybrain.brain.observe.store import create
from citybrain.engines import transactions as engine_tables
from citybrain.engines.bus import LocalBus
from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.engines.sqlite import open_sqlite
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import DAY, MINUTE, Instant
from tests.brain import tiny
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, correct, made

SPANS, EACH = 12, 25


@contextmanager
def opened(folder: Path) -> Iterator[tuple[World, Corrections]]:
    """Observe over the files of a folder, made where there are none."""
    new = not (folder / "city.sqlite").exists()
    transactions, file = open_sqlite(folder / "city.sqlite"), DuckFile(folder / "series")
    series, clock = DuckSeries(file), FixedClock(Instant(START))
    if new:
        with transactions.begin() as tx:
            engine_tables.create(tx.connection)
            create(tx.connection)
    areas = AreaBook(transactions)
    registry = Registry(transactions, (tiny.PACK,), areas)
    if new:
        registry.plant(tiny.pumps(1), "test", "demo", clock.city())
    latest = Latest(registry, series, clock)
    intake = Intake(registry, series, latest, clock, LocalBus())
    world = World(transactions, series, clock, areas, registry, latest, intake)
    yield world, made(world)
    series.close()
    file.close()
    transactions.close()


def change(number: int, *, strikes: bool) -> Change:
    """What is done to a span."""
    since, until = (Instant(START - DAY + ((number + more) * EACH + 1) * MINUTE) for more in (0, 1))
    return Change(since, until, strikes=True) if strikes else Change(since, until, 2.0)


async def go_on(folder: Path, run: int) -> None:
    chance, bears = random.Random(run), dict[int, int]()
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with opened(folder) as (world, corrections):
        await world.send(*((LEVEL, minute - 24 * 60, float(minute)) for minute in range(1, SPANS * EACH + 1)), key="measured")
        await corrections.finish()
        stream = world.registry.stream(LEVEL)
        for one in corrections.of(stream):
            if one.state == "standing":
                bears[(one.change.since - START + DAY) // (EACH * MINUTE)] = one.no
        # The test waits for it.
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            number = chance.randrange(SPANS)
            if number in bears:
                told = await corrections.end(stream, bears.pop(number), "officer", "原来没有错")
            else:
                told = await correct(world, corrections, change(number, strikes=chance.random() < 0.5))
                bears[number] = told.no
            os.write(acknowledged, f"{run} {told.no} {told.state}\n".encode())
            os.fsync(acknowledged)
            if chance.random() < 0.1:
                await asyncio.to_thread(world.series.close_days, Instant(START + DAY))


if __name__ == "__main__":
    asyncio.run(go_on(Path(sys.argv[1]), int(sys.argv[2])))
