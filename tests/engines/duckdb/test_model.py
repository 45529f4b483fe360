"""A law: whatever comes, in whatever order, scans equal a plain Python model."""

import asyncio
import itertools
import math
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.engines.duckdb import DuckFacts, DuckFile, DuckSeries
from citybrain.kernel.instant import DAY, HOUR, Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb.world import START, Row, batch, scanned, table

SLOTS = [START - DAY, START - 1, START, START + HOUR, START + DAY - 1, START + DAY, START + 2 * DAY + 7]
STREAMS = (1, 2, 5)
rows = st.lists(st.tuples(st.sampled_from(STREAMS), st.sampled_from(SLOTS), st.integers(-9, 9).map(float)), max_size=6)
Action = tuple[str, list[Row]]
steps: st.SearchStrategy[Action] = st.one_of(
    st.tuples(st.just("append"), rows),
    st.tuples(st.just("correction"), rows),
    st.tuples(st.just("struck"), rows.map(lambda some: [(stream, time, math.inf) for stream, time, _ in some])),
    st.tuples(st.just("import"), rows),
    st.tuples(st.just("close"), st.sampled_from([START, START + DAY, START + 9 * DAY]).map(lambda time: [(0, time, 0.0)])),
    st.tuples(st.just("reopen"), st.just([])),
)


class Model:
    """Each stream and time with its newest value; what was imported never wins over what was observed.

    What was struck out is infinite, and is in no answer but those to questions for marks.
    """

    def __init__(self) -> None:
        self.observed: dict[tuple[int, int], float] = {}
        self.imported: dict[tuple[int, int], float] = {}
        self.corrected: set[tuple[int, int]] = set()

    def whole(self) -> list[Row]:
        return [(stream, time, value) for (stream, time), value in sorted((self.imported | self.observed).items())]

    def rows(self) -> list[Row]:
        return [row for row in self.whole() if row[2] < math.inf]

    def marked(self, size: int) -> list[tuple[int, int, float | None, int, int, int]]:
        """Of each bucket its greatest value, and how many readings stand, are corrected and are struck out."""
        result = []
        for (stream, start), group in itertools.groupby(self.whole(), lambda row: (row[0], bucket_start(row[1], size))):
            held = list(group)
            stands = [row for row in held if row[2] < math.inf]
            high = max((value for _, _, value in stands), default=None)
            corrected = sum((row[0], row[1]) in self.corrected for row in stands)
            result.append((stream, start, high, len(stands), corrected, len(held) - len(stands)))
        return result

    def buckets(self, size: int) -> list[tuple[int, int, float, float, float, int]]:
        result = []
        for (stream, start), group in itertools.groupby(self.rows(), lambda row: (row[0], bucket_start(row[1], size))):
            values = [value for _, _, value in group]
            result.append((stream, start, sum(values) / len(values), min(values), max(values), len(values)))
        return result


def bucket_start(time: int, size: int) -> int:
    return (time + 8 * HOUR) // size * size - 8 * HOUR


def check(file: DuckFile, series: DuckSeries, model: Model) -> None:
    whole = (START - 9 * DAY, START + 9 * DAY)
    assert scanned(series, STREAMS, *whole) == model.rows()
    for size in (HOUR, DAY):
        found = series.scan(SeriesQuery(STREAMS, Instant(whole[0]), Instant(whole[1]), Duration(size)))
        assert list(zip(*found.to_pydict().values(), strict=True)) == model.buckets(size)
        found = series.scan(SeriesQuery(STREAMS, Instant(whole[0]), Instant(whole[1]), Duration(size), marks=True))
        wanted = ("stream_no", "time", "high", "count", "corrected", "struck")
        assert list(zip(*(found[name].to_pylist() for name in wanted), strict=True)) == model.marked(size)
    assert scanned(series, STREAMS, *whole, marks=True) == model.whole()
    part = [row for row in model.rows() if row[0] == 2 and START <= row[1] < START + DAY]
    assert scanned(series, [2], START, START + DAY) == part
    known = series.known(
        np.array([row[0] for row in model.whole()], np.int32), np.array([row[1] for row in model.whole()], np.int64)
    )
    assert known.tolist() == [value for _, _, value in model.whole()]
    assert DuckFacts(file).query("SELECT stream_no, time, value FROM observation ORDER BY 1, 2", {}).to_pylist() == [
        {"stream_no": stream, "time": time, "value": value} for stream, time, value in model.rows()
    ]
    last = {stream: (stream, time, value) for stream, time, value in model.rows()}
    latest = series.latest()
    assert list(zip(*(latest[name].to_pylist() for name in ("stream_no", "time", "value")), strict=True)) == list(last.values())
    assert series.latest(streams=(2, 9)).equals(
        latest.filter(pa.array([no == 2 for no in latest["stream_no"].to_pylist()], pa.bool_()))
    )


async def play(folder: Path, story: list[Action]) -> None:
    file, model = DuckFile(folder), Model()
    series = DuckSeries(file, ring_rows=4)
    for number, (step, found) in enumerate(story):
        keyed = {(stream, time): value for stream, time, value in found}
        if step in ("append", "correction", "struck"):
            await series.append(batch(f"b{number}", found, "http" if step == "append" else step))
            model.observed |= keyed
            model.corrected -= keyed.keys()
            model.corrected |= keyed.keys() if step == "correction" else set()
        elif step == "import":
            series.import_segment(f"i{number}", table(found), "history", START)
            model.imported |= keyed
        elif step == "close":
            series.close_days(Instant(found[0][1]))
        else:
            series.close()
            file.close()
            file = DuckFile(folder)
            series = DuckSeries(file, ring_rows=4)
        check(file, series, model)
    series.close()
    file.close()


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=st.lists(steps, min_size=2, max_size=8))
def test_scans_equal_a_plain_model(story: list[Action]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder) / "series", story))
