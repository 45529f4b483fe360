"""A law: files of the object store and the rest of a split come to what the owner answers alone, whatever was shipped by then."""

import asyncio
import math
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from citybrain.engines.duckdb import DuckSeries, split
from citybrain.engines.duckdb.revision import newest_rows
from citybrain.engines.duckdb.split import TOTALS, Split
from citybrain.engines.duckdb.tables import STORED
from citybrain.kernel.instant import DAY, HOUR, Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb.stories import QUESTIONS, STORIES, Step, owner, play
from tests.engines.duckdb.world import START, batch, table


def stored(folder: Path, names: Iterable[str], query: SeriesQuery) -> pa.Table:
    """The rows of files that a query asks for."""
    found = pa.concat_tables([STORED.empty_table(), *(pq.read_table(folder / name).cast(STORED) for name in names)])
    rows = [row for row in found.to_pylist() if row["stream_no"] in query.streams and query.since <= row["time"] < query.until]
    return pa.Table.from_pylist(rows, schema=STORED)


def totals(part: Split, folder: Path, query: SeriesQuery, size: Duration) -> pa.Table:
    """What another engine is to make of the files of a split and of the rows beside them."""
    mixed = newest_rows(pa.concat_tables([stored(folder, part.mixed, query), part.hot]))
    groups: dict[tuple[int, int], list[tuple[float, str]]] = defaultdict(list)
    for row in [*stored(folder, part.clean, query).to_pylist(), *mixed.to_pylist()]:
        groups[row["stream_no"], (row["time"] + 8 * HOUR) // size * size - 8 * HOUR].append((row["value"], part.doors[row["door"]]))
    found = []
    for key, held in groups.items():
        values = [value for value, _ in held if value < math.inf]
        marks = (sum(value < math.inf and door == "correction" for value, door in held), len(held) - len(values))
        if values or query.marks:
            figures = (sum(values), min(values, default=None), max(values, default=None), len(values))
            found.append((*key, *figures, *(marks if query.marks else (0, 0))))
    return pa.Table.from_pylist([dict(zip(TOTALS.names, line, strict=True)) for line in found], schema=TOTALS)


def answer(series: DuckSeries, folder: Path, query: SeriesQuery) -> pa.Table:
    part = series.split(query)
    if query.bucket is None:
        return split.rows(part, stored(folder, part.files, query), marks=query.marks)
    return split.buckets(part, totals(part, folder, query, query.bucket), marks=query.marks)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=STORIES)
def test_a_split_comes_to_what_the_owner_answers_alone(story: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, owner(Path(folder)) as (series, _):
        asyncio.run(play(series, story))
        for query in QUESTIONS:
            assert answer(series, Path(folder) / "objects", query).equals(series.scan(query))


async def test_what_is_not_shipped_yet_is_summed_up_by_the_owner_and_what_is_shipped_is_not_sent(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        await series.append(batch("a", [(1, START, 1.0), (1, START + 1, 3.0), (1, START + DAY, 2.0)]))
        series.close_days(Instant(START + DAY))
        query = SeriesQuery((1,), START, Instant(START + 2 * DAY), DAY)
        before = series.split(query)
        assert before.files == ()
        assert before.totals.select(["time", "total", "count"]).sort_by("time").to_pydict() == {
            "time": [START, START + DAY],
            "total": [4.0, 2.0],
            "count": [2, 1],
        }
        series.ship()
        after = series.split(query)
        assert after.clean == tuple(store.names())
        assert after.mixed == ()
        assert after.hot.num_rows == 0
        assert after.totals["time"].to_pylist() == [START + DAY]


async def test_late_rows_go_beside_the_file_whose_day_they_are_of_and_no_other(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        await series.append(batch("a", [(1, START, 1.0), (1, START + DAY, 2.0)]))
        series.close_days(Instant(START + 2 * DAY))
        series.ship()
        await series.append(batch("late", [(1, START + DAY, 9.0), (1, START + DAY + 1, 9.0)]))
        first, second = sorted(store.names())
        part = series.split(SeriesQuery((1,), START, Instant(START + 2 * DAY), HOUR))
        assert (part.clean, part.mixed) == ((first,), (second,))
        assert part.hot["time"].to_pylist() == [START + DAY, START + DAY + 1]
        assert part.totals.num_rows == 0


def test_the_latest_needs_a_file_only_where_closed_days_are_too_new(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        series.import_segment("i", table([(1, START, 1.0)]), "history", START)
        asyncio.run(play(series, [("append", [(1, START + 1, 2.0)]), ("append", [(1, START + 2, 3.0)])]))
        series.close_days(Instant(START + DAY))
        series.ship()
        assert series.split_latest().files == ()
        assert series.split_latest(2).files == ()
        assert set(series.split_latest(1).files) == set(store.names())


def test_a_series_without_a_store_has_all_in_the_rest(series: DuckSeries) -> None:
    series.import_segment("i", table([(1, START, 1.0)]), "history", START)
    assert series.ship() == 0
    part = series.split(SeriesQuery((1,), START, Instant(START + 1)))
    assert part.files == ()
    assert part.hot["value"].to_pylist() == [1.0]
    assert part.doors == {0: "history"}


def test_a_question_for_nothing_is_split_into_nothing(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, _):
        series.import_segment("i", table([(1, START, 1.0)]), "history", START)
        series.ship()
        for query in (SeriesQuery((), START, Instant(START + 1)), SeriesQuery((1,), START, START, HOUR)):
            part = series.split(query)
            assert part.files == ()
            assert part.hot.num_rows == part.totals.num_rows == 0
