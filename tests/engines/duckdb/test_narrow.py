"""A law: what is read out of single row groups is what DuckDB reads out of whole files."""

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.engines.duckdb import DuckFile, DuckSeries, narrow, segments
from citybrain.engines.duckdb.tables import STORED
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb.world import START, batch, run, table

_STREAMS, _HOURS, _FILES = 12, 9, 3


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckSeries]:
    """Three closed files of many small row groups, the last two of one day, and hot rows beside them."""
    file = DuckFile(tmp_path_factory.mktemp("narrow"))
    found = DuckSeries(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "_GROUP", 7)
        for number in range(_FILES):
            begin = START + min(number, 1) * DAY
            rows = [
                (no, begin + hour * HOUR + no, no + hour / 8 + number) for no in range(1, _STREAMS, 2) for hour in range(_HOURS)
            ]
            found.import_segment(f"file {number}", table(rows), "history", START)
    run(found.append(batch("hot", [(no, START + DAY + HOUR + no, 99.0) for no in range(1, _STREAMS)])))
    yield found
    found.close()
    file.close()


@pytest.mark.thorough
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    streams=st.sets(st.integers(1, _STREAMS), min_size=1, max_size=10),
    since=st.integers(-1, 40),
    hours=st.integers(1, 50),
    bucket=st.sampled_from([None, HOUR, DAY]),
    marks=st.booleans(),
)
def test_row_groups_give_what_whole_files_give(
    series: DuckSeries, *, streams: set[int], since: int, hours: int, bucket: Duration | None, marks: bool
) -> None:
    begin = Instant(START + since * HOUR + 5)
    query = SeriesQuery(tuple(streams), begin, Instant(begin + hours * HOUR), bucket, marks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(narrow, "_FILES", 0)
        whole = series.scan(query)
    assert series.scan(query).equals(whole)


def test_a_file_that_takes_the_name_of_another_is_looked_at_anew(tmp_path: Path) -> None:
    file = DuckFile(tmp_path)
    query = SeriesQuery((1,), START, Instant(START + DAY))

    def read(values: list[float]) -> list[float]:
        rows = [(1, START + place * MINUTE, value) for place, value in enumerate(values)]
        columns = {"seq": list(range(len(rows))), "stream_no": [1] * len(rows), "door": [0] * len(rows)}
        columns |= {"time": [row[1] for row in rows], "received": [row[1] for row in rows]}
        stored = pa.table({**columns, "value": values}).select(STORED.names).cast(STORED)
        written = segments.write(file.closed, "day.parquet", "day", 0, [stored])
        # Clocks of file systems may be coarser than two writes.
        os.utime(file.closed / "day.parquet", ns=(len(values), len(values)))
        with file.cursor() as cursor:
            name = narrow.source(cursor, [written], file.closed, query, STORED.names, "closed_rows")
            return [value for (value,) in cursor.execute(f"SELECT value FROM {name} ORDER BY seq").fetchall()]

    assert read([1.0, 2.0]) == [1.0, 2.0]
    assert read([3.0, 4.0, 5.0]) == [3.0, 4.0, 5.0]
    file.close()


def test_many_streams_are_left_to_duckdb(series: DuckSeries) -> None:
    few, many = (SeriesQuery(tuple(range(1, last)), START, Instant(START + 2 * DAY), HOUR) for last in (3, _STREAMS))
    narrow._footer.cache_clear()
    series.scan(many)
    assert narrow._footer.cache_info().currsize == 0
    series.scan(few)
    assert narrow._footer.cache_info().currsize == _FILES
