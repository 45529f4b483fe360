"""A program that deletes the rows of two streams day by day until it is killed."""

import sys
from pathlib import Path

import numpy as np

from citybrain.engines.duckdb import DuckFile, DuckSeries, Due
from citybrain.kernel.instant import DAY, Instant
from tests.engines.duckdb.world import START

DAYS = 60
AIR, WATER = (1, 2), (5,)


def due() -> Due:
    """What the program deletes."""
    return Due("air_station", 7, Instant(START + DAYS * DAY), np.array(AIR, np.int32), Instant(START + 99 * DAY))


if __name__ == "__main__":
    DuckSeries(DuckFile(Path(sys.argv[1]))).delete([due()])
