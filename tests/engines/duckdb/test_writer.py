"""The writer of the series store: what waits together is acknowledged at once, before it is stored, and readable all the same."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from citybrain.engines.duckdb import DuckFile, DuckSeries, commit, storing
from citybrain.engines.duckdb.journal import Journal
from citybrain.engines.duckdb.ring import Ring
from citybrain.engines.duckdb.writer import Writer
from citybrain.kernel.errors import BusyError
from citybrain.kernel.observations import Batch
from tests.engines.duckdb.world import START, Row, batch, scanned


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many batches each write to the journal held; the writes are real."""
    seen: list[int] = []
    write = Journal.write

    def counted(self: Journal, batches: Sequence[Batch]) -> int:
        seen.append(len(batches))
        return write(self, batches)

    monkeypatch.setattr(Journal, "write", counted)
    return seen


@contextmanager
def nothing_stored(writer: Writer) -> Iterator[None]:
    """Keep the tables as they are for a block: a job holds the thread that writes them."""
    begun, go = threading.Event(), threading.Event()
    job = threading.Thread(target=writer.run, args=(lambda _: begun.set(), go.wait))
    job.start()
    begun.wait()
    try:
        yield
    finally:
        go.set()
        job.join()


def emptied(writer: Writer) -> None:
    """Wait until nothing waits for the tables."""
    until = time.monotonic() + 60
    while writer._storer.waiting:
        assert time.monotonic() < until
        time.sleep(0.01)


async def test_batches_that_wait_together_are_one_write_and_are_answered_in_their_order(
    duck_file: DuckFile, groups: list[int]
) -> None:
    writer = Writer(duck_file, Ring(1000), 10_000)
    with writer.state.lock:
        first = writer.put(batch("b0", [(1, START, 2.5)]))
        await asyncio.sleep(0.05)
        waiting = [writer.put(batch(f"b{number}", [(number + 1, START, 2.5)])) for number in range(1, 6)]
    receipts = await asyncio.gather(first, *waiting)
    writer.close()
    assert groups == [1, 5]
    assert [receipt.last_seq for receipt in receipts] == [1, 2, 3, 4, 5, 6]


async def test_nobody_waits_for_the_tables_and_a_reader_sees_all_that_was_acknowledged(duck_file: DuckFile) -> None:
    series = DuckSeries(duck_file)
    rows: list[Row] = [(stream, START, 1.5 * stream) for stream in range(50)]
    with nothing_stored(series._writer):
        receipt = await asyncio.wait_for(series.append(batch("a", rows)), 10)
        again = await asyncio.wait_for(series.append(batch("a", rows)), 10)
        assert (receipt.last_seq, receipt.repeated, again.last_seq, again.repeated) == (50, False, 50, True)
        assert series.after(0, 100).num_rows == 50, "followers read what is in memory"
        reading = asyncio.create_task(asyncio.to_thread(scanned, series, range(50), START, START + 1))
        await asyncio.sleep(0.1)
        assert not reading.done(), "a reader waits for the tables"
    assert await reading == rows
    series.close()


async def test_what_is_only_in_the_journal_is_there_after_a_kill_under_the_same_numbers(tmp_path: Path) -> None:
    """A copy of the folder, taken while nothing reaches the tables, is what a killed program leaves behind."""
    file = DuckFile(tmp_path / "live")
    series = DuckSeries(file)
    await series.append(batch("stored", [(1, START, 1.0)]))
    assert scanned(series, [1], START, START + 1) == [(1, START, 1.0)]
    with nothing_stored(series._writer):
        for number in range(2, 5):
            await series.append(batch(f"b{number}", [(number, START, float(number))], door=f"door{number}", late=number))
        shutil.copytree(tmp_path / "live", tmp_path / "killed")
    accounts = series.doors()
    series.close()
    file.close()
    for _ in range(2):
        found = DuckFile(tmp_path / "killed")
        again = DuckSeries(found)
        assert scanned(again, range(9), START, START + 1) == [(number, START, float(number)) for number in range(1, 5)]
        assert again.after(0, 10)["seq"].to_pylist() == [1, 2, 3, 4]
        assert again.doors() == accounts
        receipt = await again.append(batch("b3", [(3, START, 3.0)]))
        assert (receipt.repeated, receipt.last_seq, receipt.refused) == (True, 3, 3)
        again.close()
        found.close()


async def test_little_is_stored_soon_and_much_at_once(duck_file: DuckFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a delay of an hour only the number of rows can bring them into the tables without a reader."""
    monkeypatch.setattr(storing, "_SOON", 3_600)
    monkeypatch.setattr(storing, "STORE_ROWS", 100)
    series = DuckSeries(duck_file)
    await series.append(batch("few", [(1, START, 2.5)]))
    assert series._writer._storer.waiting == 1
    await series.append(batch("many", [(stream, START, 2.5) for stream in range(2, 102)]))
    await asyncio.to_thread(emptied, series._writer)
    with duck_file.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM series.obs").fetchone() == (101,)
    series.close()


async def test_senders_are_told_to_come_back_while_too_much_waits_for_the_tables(duck_file: DuckFile) -> None:
    series = DuckSeries(duck_file, pending_rows=100)
    with nothing_stored(series._writer):
        await series.append(batch("a", [(stream, START, 2.5) for stream in range(90)]))
        with pytest.raises(BusyError):
            await series.append(batch("b", [(stream, START, 2.5) for stream in range(20)]))
    assert scanned(series, [1], START, START + 1) == [(1, START, 2.5)]
    await series.append(batch("b", [(stream, START + 1, 2.5) for stream in range(20)]))
    series.close()


async def test_what_cannot_be_stored_is_said_to_readers_and_stays_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB fails from now on: senders are served, readers are told, also after the end, and the next start has it all."""
    file = DuckFile(tmp_path / "s")
    series = DuckSeries(file)
    with monkeypatch.context() as broken:
        broken.setattr(commit, "store", fails)
        receipt = await series.append(batch("a", [(1, START, 2.5)]))
        assert receipt.last_seq == 1
        for _ in range(2):
            with pytest.raises(BusyError):
                await asyncio.wait_for(asyncio.to_thread(scanned, series, [1], START, START + 1), 60)
            series.close()
    file.close()
    again = DuckFile(tmp_path / "s")
    assert scanned(DuckSeries(again), [1], START, START + 1) == [(1, START, 2.5)]


def fails(*_: object) -> None:
    """A store that is broken."""
    message = "broken"
    raise duckdb.IOException(message)


async def test_on_a_slow_disk_nobody_is_answered_before_it_has_written_and_those_who_wait_share_a_write(
    duck_file: DuckFile, groups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    written, slow = 0, os.fdatasync

    def sync(file: int) -> None:
        nonlocal written
        time.sleep(0.1)
        slow(file)
        written += 1

    monkeypatch.setattr(os, "fdatasync", sync)
    writer = Writer(duck_file, Ring(1000), 10_000)
    before = written

    async def sent(number: int) -> int:
        receipt = await writer.put(batch(f"b{number}", [(number + 1, START, 2.5)]))
        assert written > before, "acknowledged before it was durable"
        return receipt.last_seq

    seqs = await asyncio.gather(*(sent(number) for number in range(50)))
    writer.close()
    assert sorted(seqs) == list(range(1, 51))
    assert sum(groups) == 50
    assert len(groups) <= 5
