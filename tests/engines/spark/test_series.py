"""The history on Spark: equal tables, whatever was shipped by then; and what is said when a server, a session or a file is gone."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from bench.program import free_port
from bench.series_query import day
from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.engines.duckdb.split import Split
from citybrain.engines.objects import ObjectStore
from citybrain.engines.spark import SparkSeries
from citybrain.kernel.errors import BusyError
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb.stories import QUESTIONS, STORIES, STREAMS, Step, owner, play
from tests.engines.duckdb.world import START, batch, run, table
from tests.engines.servers import sail, spark

WHOLE = SeriesQuery(STREAMS, Instant(START - 9 * DAY), Instant(START + 9 * DAY))
HOURS = SeriesQuery(WHOLE.streams, WHOLE.since, WHOLE.until, HOUR)


@pytest.fixture
def shipped(tmp_path: Path) -> Iterator[tuple[DuckSeries, ObjectStore]]:
    """Two closed days that are shipped, a late row of one of them and a day that is open."""
    with owner(tmp_path) as (series, store):
        run(series.append(batch("a", [(no, START + n * DAY + no, no / 3) for no in STREAMS for n in range(3)])))
        series.close_days(Instant(START + 2 * DAY))
        series.ship()
        run(series.append(batch("late", [(1, START + 1, 9.0)])))
        yield series, store


@pytest.mark.thorough
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(story=STORIES)
def test_spark_and_the_owner_answer_alike(spark_url: str, story: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, owner(Path(folder)) as (series, store):
        asyncio.run(play(series, story))
        reader = SparkSeries(spark_url, store, series)
        for query in QUESTIONS:
            assert reader.scan(query).equals(series.scan(query))
        for upto in (None, 1, 5):
            assert reader.latest(upto).equals(series.latest(upto))
        reader.close()


def test_the_same_day_of_a_thousand_streams_comes_to_the_same_hours(spark_url: str, tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        series.import_segment("day", day(0, 1_000), "bench", START)
        series.ship()
        reader = SparkSeries(spark_url, store, series)
        query = SeriesQuery(tuple(range(1, 1_001, 3)), Instant(0), Instant(START + 9 * DAY), HOUR)
        here, there = series.scan(query), reader.scan(query)
        reader.close()
    assert there.drop_columns("mean").equals(here.drop_columns("mean"))
    assert there["mean"].to_numpy() == pytest.approx(here["mean"].to_numpy(), rel=1e-12), "the order of adding may differ"
    assert here.num_rows == 334 * 24


def test_files_in_a_bucket_are_read_from_there(spark_url: str, bucket: str, tmp_path: Path) -> None:
    store = ObjectStore(bucket)
    file = DuckFile(tmp_path)
    series = DuckSeries(file, store=store)
    series.import_segment("i", table([(1, START, 1.0), (2, START, 2.0)]), "history", START)
    assert series.ship() == 1
    reader = SparkSeries(spark_url, store, series)
    (name,) = store.names()
    (file.closed / name).rename(tmp_path / "aside")
    assert reader.scan(WHOLE)["value"].to_pylist() == [1.0, 2.0]
    assert reader.scan(HOURS)["mean"].to_pylist() == [1.0, 2.0]
    reader.close()
    series.close()
    file.close()


def test_what_no_file_holds_is_answered_without_spark(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        run(series.append(batch("a", [(1, START, 1.0)])))
        reader = SparkSeries(f"sc://127.0.0.1:{free_port()}", store, series)
        assert reader.scan(WHOLE).equals(series.scan(WHOLE))
        assert reader.scan(HOURS).equals(series.scan(HOURS))
        assert reader.latest().equals(series.latest())
        reader.close()


def test_a_server_that_is_not_there_is_said_to_be_unavailable(shipped: tuple[DuckSeries, ObjectStore]) -> None:
    reader = SparkSeries(f"sc://127.0.0.1:{free_port()}", shipped[1], shipped[0])
    for query in (WHOLE, HOURS):
        with pytest.raises(BusyError, match="not available"):
            reader.scan(query)
    reader.close()


@pytest.mark.thorough
def test_a_question_that_takes_too_long_is_stopped_and_the_next_one_is_answered(shipped: tuple[DuckSeries, ObjectStore]) -> None:
    with sail() as (url, server):
        reader = SparkSeries(url, shipped[1], shipped[0], patience=1)
        answered(reader)
        server.send_signal(signal.SIGSTOP)
        with pytest.raises(BusyError, match="took over 1 s"):
            reader.scan(WHOLE)
        server.send_signal(signal.SIGCONT)
        assert answered(reader).equals(shipped[0].scan(WHOLE))
        reader.close()


def answered(reader: SparkSeries) -> pa.Table:
    """All rows, from a reader without patience: a machine that is busy with other tests may take it longer than that at first."""
    until = time.monotonic() + 60
    while True:
        try:
            return reader.scan(WHOLE)
        except BusyError:
            if time.monotonic() > until:
                raise


class Meddling:
    """An owner beside whom something happens after a split was taken."""

    def __init__(self, series: DuckSeries, meanwhile: Callable[[int], object]) -> None:
        self._series = series
        self._meanwhile = meanwhile
        self.asked = 0

    def split(self, query: SeriesQuery) -> Split:
        """A split that is old when it is given."""
        part = self._series.split(query)
        self.asked += 1
        self._meanwhile(self.asked)
        return part

    def split_latest(self, at_most: int | None = None) -> Split:
        """As it is."""
        return self._series.split_latest(at_most)

    def latest(self, at_most: int | None = None, streams: tuple[int, ...] | None = None) -> pa.Table:
        """As it is."""
        return self._series.latest(at_most, streams)


def test_a_session_that_was_lost_is_begun_anew_and_the_question_put_once_more(shipped: tuple[DuckSeries, ObjectStore]) -> None:
    port = free_port()
    with ExitStack() as servers:
        url, first = servers.enter_context(sail(port))

        def restart(time: int) -> None:
            if time == 2:
                first.kill()
                first.wait()
            if time == 3:
                servers.enter_context(sail(port))

        meddling = Meddling(shipped[0], restart)
        reader = SparkSeries(url, shipped[1], meddling)
        for _ in range(2):
            assert reader.scan(WHOLE).equals(shipped[0].scan(WHOLE))
        assert meddling.asked == 3
        reader.close()


@pytest.mark.parametrize("query", [WHOLE, HOURS])
def test_files_that_are_replaced_while_they_are_read_are_asked_for_again(
    spark_url: str, shipped: tuple[DuckSeries, ObjectStore], query: SeriesQuery
) -> None:
    series, store = shipped

    def close_again(time: int) -> None:
        if time == 1:
            series.close_days(Instant(START + DAY))
            series.ship()

    meddling = Meddling(series, close_again)
    reader = SparkSeries(spark_url, store, meddling)
    assert reader.scan(query).equals(series.scan(query)), "and never without the rows of the file that is gone"
    assert meddling.asked == 2
    reader.close()


def test_files_that_go_whenever_they_are_asked_for_are_no_answer(spark_url: str, shipped: tuple[DuckSeries, ObjectStore]) -> None:
    series, store = shipped

    def empty(_: int) -> None:
        for name in store.names():
            store.remove(name)

    reader = SparkSeries(spark_url, store, Meddling(series, empty))
    with pytest.raises(BusyError, match="not available"):
        reader.scan(HOURS)
    reader.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_apache_spark_on_two_executors_answers_alike(tmp_path: Path) -> None:
    home = os.environ.get("SPARK_HOME")
    if home is None:
        pytest.skip("no Apache Spark here (`make spark` brings one); Sail was asked all this")
    story: list[Step] = [
        ("import", [(2, START, 1.0), (5, START - DAY, 2.5)]),
        ("append", [(1, START, 1.0), (2, START, 3.0), (1, START + DAY, 4.0)]),
        ("close", [(0, START + DAY, 0.0)]),
        ("ship", [(0, 0, 0.0)]),
        ("append", [(1, START, 7.0), (5, START + 2 * DAY, 5.0)]),
    ]
    with owner(tmp_path) as (series, store), spark(Path(home)) as url:
        reader = SparkSeries(url, store, series)
        for steps in (story, [("close", [(0, START + 9 * DAY, 0.0)]), ("ship", [(0, 0, 0.0)])]):
            asyncio.run(play(series, steps))
            for query in QUESTIONS[::3]:
                assert reader.scan(query).equals(series.scan(query))
            assert reader.latest(1).equals(series.latest(1))
        series.import_segment("a thousand", day(0, 1_000), "bench", START)
        series.ship()
        many = SeriesQuery(tuple(range(1, 1_001, 3)), Instant(0), Instant(START + 9 * DAY), HOUR)
        here, there = series.scan(many), reader.scan(many)
        assert there.drop_columns("mean").equals(here.drop_columns("mean"))
        assert there["mean"].to_numpy() == pytest.approx(here["mean"].to_numpy(), rel=1e-12)
        reader.close()
