"""A program that moves a Location at which many things stand until it is killed; what is acknowledged stands in a file, synced."""

import itertools
import os
import sys
from pathlib import Path

from citybrain.brain.observe import MadeThing, Making, Spot
from citybrain.kernel.instant import SECOND, Instant
from citybrain.kernel.places import Place
from tests.brain.observe import corrector
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import START

PIER, GUESTS = "pier", 40


def spot(turn: int) -> Spot:
    """Where the pier is at a turn."""
    lon = 117 + turn % 100_000 / 100_000
    return Spot(Place(lon, 39.1), {"name": "Pier", "location": {"type": "Point", "coordinates": [lon, 39.1]}}, PIER)


def begun(world: World, making: Making) -> None:
    """The pier and the things at it, where they are not there yet."""
    if "gauge-0" not in world.registry.made.things:
        making.locate(spot(0))
        for number in range(GUESTS):
            making.thing("", MadeThing(f"gauge-{number}", "", {}), (PIER,), ())


def go_on(folder: Path, run: int) -> None:
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with corrector.opened(folder) as (world, _):
        making = Making(world.registry, world.areas, world.clock)
        begun(world, making)
        # The test waits for it.
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for turn in itertools.count(run * 10_000 + 1):
            world.clock.set(Instant(START + turn * SECOND))
            making.redraw_location(PIER, spot(turn))
            os.write(acknowledged, f"{turn}\n".encode())
            os.fsync(acknowledged)


if __name__ == "__main__":
    go_on(Path(sys.argv[1]), int(sys.argv[2]))
