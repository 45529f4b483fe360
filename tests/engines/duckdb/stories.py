"""Stories of a series whose closed files are shipped: what comes, closes, is deleted and is sent, in any order."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
from hypothesis import strategies as st

from citybrain.engines.duckdb import DuckFile, DuckSeries, Due
from citybrain.engines.objects import ObjectStore
from citybrain.kernel.instant import DAY, HOUR, Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb.world import START, Row, batch, table

STREAMS = (1, 2, 5)
_SLOTS = [START - DAY, START - 1, START, START + HOUR, START + DAY - 1, START + DAY, START + 2 * DAY + 7]
_rows = st.lists(
    st.tuples(st.sampled_from(STREAMS), st.sampled_from(_SLOTS), st.integers(-9, 9).map(float)), min_size=1, max_size=6
)
_one = st.tuples(st.sampled_from(STREAMS), st.sampled_from([START, START + DAY, START + 9 * DAY]), st.just(0.0)).map(
    lambda row: [row]
)
Step: TypeAlias = tuple[str, list[Row]]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.sampled_from(["append", "append", "import", "correction", "struck"]), _rows),
    st.tuples(st.sampled_from(["close", "close", "delete", "ship", "ship"]), _one),
)
STORIES = st.lists(STEPS, min_size=4, max_size=14)
QUESTIONS = [
    SeriesQuery(streams, Instant(since), Instant(until), size, marks)
    for streams, since, until in ((STREAMS, START - 9 * DAY, START + 9 * DAY), ((1, 5), START - 1, START + DAY))
    for size in (None, HOUR, DAY, Duration(7 * DAY))
    for marks in (False, True)
]


@contextmanager
def owner(folder: Path) -> Iterator[tuple[DuckSeries, ObjectStore]]:
    """An empty series that ships to a folder."""
    store = ObjectStore((folder / "objects").as_uri())
    file = DuckFile(folder / "series")
    series = DuckSeries(file, store=store)
    yield series, store
    series.close()
    file.close()


async def play(series: DuckSeries, story: Sequence[Step]) -> None:
    """Carry out a story."""
    for number, (step, rows) in enumerate(story):
        stream, time, _ = rows[0]
        if step in ("append", "correction"):
            await series.append(batch(f"b{number}", rows, step))
        elif step == "struck":
            await series.append(batch(f"b{number}", [(no, at, math.inf) for no, at, _ in rows], step))
        elif step == "import":
            series.import_segment(f"i{number}", table(rows), "history", START)
        elif step == "close":
            series.close_days(Instant(time))
        elif step == "delete":
            series.delete([Due("kind", 7, Instant(time), np.array([stream], np.int32), START)])
        else:
            series.ship()
