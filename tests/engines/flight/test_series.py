"""The Series port, asked in its own process and from another: the same answers, the same errors."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from pyarrow import flight

from citybrain.engines.duckdb import DuckFile, DuckSeries, Due
from citybrain.engines.flight import Answers, Calls, Kept, RemoteSeries, series_answers
from citybrain.engines.objects import ObjectStore
from citybrain.engines.space import FreeSpace
from citybrain.kernel.errors import BusyError, StorageFullError
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.observations import ROWS, Receipt, SeriesQuery
from tests.engines.duckdb.world import START, batch, scanned

SECRET = "one that both know"


@pytest.fixture(params=["own", "asked"])
async def kept(request: pytest.FixtureRequest, series: DuckSeries) -> AsyncIterator[Kept]:
    """A series store, or one that asks it."""
    if request.param == "own":
        yield series
        return
    with Answers("grpc://127.0.0.1:0", SECRET, series_answers(series, asyncio.get_running_loop())) as answers:
        calls = Calls(f"grpc://127.0.0.1:{answers.port}", SECRET)
        yield RemoteSeries(calls)
        calls.close()


async def test_what_is_appended_is_read_as_rows_buckets_latest_and_in_order(kept: Kept) -> None:
    rows = [(1, START, 2.5), (1, START + HOUR, 4.5), (2, START, 1.0)]
    receipt = await kept.append(batch("a", rows, late=2))
    assert receipt == Receipt("a", stored=3, duplicate=0, refused=2, last_seq=3)
    assert (await kept.append(batch("a", rows, late=2))).repeated
    await kept.append(batch("b", [(1, START, 3.5)], "other"))
    assert scanned(kept, [1, 2], START, START + DAY) == [(1, START, 3.5), (1, START + HOUR, 4.5), (2, START, 1.0)]
    hourly = kept.scan(SeriesQuery((1,), Instant(START), Instant(START + DAY), HOUR))
    assert hourly["mean"].to_pylist() == [3.5, 4.5]
    assert kept.scan(SeriesQuery((), Instant(0), Instant(1))).schema == ROWS
    followed = kept.after(2, 100)
    assert (followed.schema, followed["seq"].to_pylist(), followed["door"].to_pylist()) == (ROWS, [3, 4], ["http", "other"])
    assert set(kept.latest()["value"].to_pylist()) == {1.0, 4.5}
    assert kept.latest(1)["value"].to_pylist() == [2.5]
    known = kept.known(np.array([1, 2, 2], np.int32), np.array([START, START, START + 1]))
    assert known.tolist()[:2] == [3.5, 1.0]
    assert np.isnan(known[2])
    assert kept.last_seq() == 4
    assert [(one.door, one.received, one.stored, one.refused) for one in kept.doors()] == [
        ("http", 5, 3, {"late": 2}),
        ("other", 1, 1, {}),
    ]


async def test_what_was_struck_out_is_in_no_answer_but_those_to_questions_for_marks(kept: Kept) -> None:
    await kept.append(batch("a", [(1, START, 2.5), (1, START + 1, 4.5), (1, START + HOUR, 9.5)]))
    await kept.append(batch("b", [(1, START, 3.5)], "correction"))
    await kept.append(batch("c", [(1, START + 1, math.inf), (1, START + HOUR, math.inf)], "struck"))
    whole = SeriesQuery((1,), Instant(START), Instant(START + DAY), HOUR)
    assert scanned(kept, [1], START, START + DAY) == [(1, START, 3.5)]
    assert kept.scan(whole)["count"].to_pylist() == [1]
    assert kept.latest()["value"].to_pylist() == [3.5]
    assert kept.latest(streams=(1,)).equals(kept.latest())
    assert kept.latest(3)["value"].to_pylist() == [9.5]
    marked = kept.scan(msgspec.structs.replace(whole, marks=True)).to_pydict()
    assert (marked["mean"], marked["count"], marked["corrected"], marked["struck"]) == ([3.5, None], [1, 0], [1, 0], [1, 1])
    assert kept.after(4, 9)["value"].to_pylist() == [math.inf, math.inf]
    assert kept.known(np.array([1, 1], np.int32), np.array([START, START + 1])).tolist() == [3.5, math.inf]


async def test_what_was_deleted_stands_in_the_record(kept: Kept, series: DuckSeries) -> None:
    assert list(kept.deletions()) == []
    await kept.append(batch("a", [(1, START, 2.5)]))
    await asyncio.to_thread(series.close_days, Instant(START + 2 * DAY))
    await asyncio.to_thread(
        series.delete, [Due("pump", 30, Instant(START + DAY), np.array([1], np.int32), Instant(START + 40 * DAY))]
    )
    assert [(one.kind, one.rows) for one in await asyncio.to_thread(kept.deletions)] == [("pump", 1)]


async def test_a_question_is_split_alike_for_whoever_reads_closed_files(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "s")
    series = DuckSeries(file, store=ObjectStore((tmp_path / "archive").as_uri()))
    await series.append(batch("a", [(1, START, 2.5), (1, START + 3 * DAY, 4.5), (2, START + HOUR, 7.5)]))
    await asyncio.to_thread(series.close_days, Instant(START + DAY))
    assert await asyncio.to_thread(series.ship) == 1
    with Answers("grpc://127.0.0.1:0", SECRET, series_answers(series, asyncio.get_running_loop())) as answers:
        remote = RemoteSeries(Calls(f"grpc://127.0.0.1:{answers.port}", SECRET))
        hourly = SeriesQuery((1, 2), Instant(START), Instant(START + 9 * DAY), HOUR)
        for own, asked in (
            (series.split(hourly), remote.split(hourly)),
            (series.split_latest(), remote.split_latest()),
        ):
            assert (asked.clean, asked.mixed, asked.doors) == (own.clean, own.mixed, own.doors)
            assert asked.hot.equals(own.hot)
            assert asked.totals.equals(own.totals)
    series.close()
    file.close()


async def test_an_error_of_the_store_arrives_as_what_it_is(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "s", space=FreeSpace(tmp_path, 2**62))
    series = DuckSeries(file)
    with Answers("grpc://127.0.0.1:0", SECRET, series_answers(series, asyncio.get_running_loop())) as answers:
        remote = RemoteSeries(Calls(f"grpc://127.0.0.1:{answers.port}", SECRET))
        with pytest.raises(StorageFullError) as met:
            await remote.append(batch("a", [(1, START, 2.5)]))
        assert "磁盘" in met.value.what.zh or "空间" in met.value.what.zh
    series.close()
    file.close()


async def test_a_process_that_is_away_is_busy_and_one_without_the_secret_is_not_let_in(series: DuckSeries) -> None:
    answers = Answers("grpc://127.0.0.1:0", SECRET, series_answers(series, asyncio.get_running_loop()))
    address = f"grpc://127.0.0.1:{answers.port}"
    with pytest.raises(flight.FlightUnauthenticatedError):
        RemoteSeries(Calls(address, "a guess")).last_seq()
    calls = Calls(address, SECRET)
    calls.wait("last_seq", 5)
    answers.close()
    with pytest.raises(BusyError, match="does not answer") as met:
        calls.wait("last_seq", 0.3)
    assert met.value.fields["retry_after"] == 2
