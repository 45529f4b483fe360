"""History of another process, much of it read by Spark (here by Sail) and little of it by its owner: one answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pyarrow as pa
import pytest

from citybrain.app.history import HistorySeries
from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.engines.flight import Answers, Calls, RemoteSeries, series_answers
from citybrain.engines.objects import ObjectStore
from citybrain.engines.spark import SparkSeries
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines import servers
from tests.engines.duckdb.world import START, batch

pytestmark = pytest.mark.slow
STREAMS = tuple(range(1, 11))


@dataclass
class World:
    own: DuckSeries
    asked: HistorySeries
    counted: list[SeriesQuery]
    """What Spark was asked."""
    sail: Popen[bytes]


class Counting:
    """Spark, noting what it is asked."""

    def __init__(self, spark: SparkSeries, counted: list[SeriesQuery]) -> None:
        self._spark = spark
        self._counted = counted

    def scan(self, query: SeriesQuery) -> pa.Table:
        self._counted.append(query)
        return self._spark.scan(query)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    archive = (tmp_path / "archive").as_uri()
    file = DuckFile(tmp_path / "s")
    own = DuckSeries(file, store=ObjectStore(archive))
    for day in range(12):
        rows = [(no, START + day * DAY + hour * HOUR, float(no * day + hour)) for no in STREAMS for hour in range(24)]
        await own.append(batch(f"day{day}", rows))
    await own.append(batch("late", [(3, START + 2 * HOUR, 99.0)]))
    await asyncio.to_thread(own.close_days, Instant(START + 10 * DAY))
    await asyncio.to_thread(own.ship)
    answers = Answers("grpc://127.0.0.1:0", "s", series_answers(own, asyncio.get_running_loop()))
    calls = Calls(f"grpc://127.0.0.1:{answers.port}", "s")
    counted: list[SeriesQuery] = []
    with servers.sail() as (address, process):
        spark = SparkSeries(address, ObjectStore(archive), RemoteSeries(calls))
        yield World(own, HistorySeries(calls, Counting(spark, counted)), counted, process)
        await asyncio.to_thread(spark.close)
    calls.close()
    answers.close()
    own.close()
    file.close()


async def test_each_question_goes_to_who_answers_it_sooner_and_all_answers_are_the_owners(world: World) -> None:
    whole = Instant(START), Instant(START + 12 * DAY)
    much = [SeriesQuery(STREAMS, *whole, HOUR), SeriesQuery(STREAMS, *whole, DAY), SeriesQuery(STREAMS, *whole)]
    little = [SeriesQuery(STREAMS[:4], *whole, HOUR), SeriesQuery(STREAMS, Instant(START + 11 * DAY), Instant(START + 12 * DAY))]
    for query in (*much, *little):
        found, wanted = await asyncio.to_thread(world.asked.scan, query), world.own.scan(query)
        assert found.equals(wanted)
    assert world.counted == much


async def test_without_spark_their_owner_answers(world: World) -> None:
    world.sail.kill()
    query = SeriesQuery(STREAMS, Instant(START), Instant(START + 12 * DAY), HOUR)
    assert (await asyncio.to_thread(world.asked.scan, query)).equals(world.own.scan(query))
    assert world.counted == [query]
