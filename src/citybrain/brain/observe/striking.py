"""What a person struck out: a revision of infinite value, by a door of its own. No measurement has such a value: it is refused.

The store leaves it out of what it is asked for (see SeriesQuery); who follows the sequence is told of it as of any other revision.
"""

import asyncio
import math
from typing import Final

from citybrain.brain.observe.latest import Latest
from citybrain.kernel.observations import Numbers
from citybrain.kernel.ports import Series

STRUCK: Final = "struck"
"""The door of what strikes out a reading."""
NOTHING: Final = math.inf
"""What stands in the place of a reading that was struck out."""


async def renew(latest: Latest, series: Series, struck: Numbers) -> None:
    """Let the latest values of streams (n,) whose newest readings were struck out be the newest that stand."""
    while len(struck):
        marks = latest.marks(struck)
        rows = await asyncio.to_thread(series.latest, None, tuple(struck.tolist()))
        # What was written meanwhile may be newer than what was read.
        struck = latest.go_back(struck, marks, rows)
