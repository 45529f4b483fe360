"""The writer of the series store: what waits together is one commit, and nobody alone is made to wait."""

import asyncio
import threading
from collections.abc import Sequence

import duckdb
import pytest

from citybrain.engines.duckdb import commit
from citybrain.engines.duckdb import writer as writers
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.ring import Ring
from citybrain.engines.duckdb.state import State
from citybrain.engines.duckdb.writer import Writer
from citybrain.kernel.observations import Batch
from tests.engines.duckdb.world import START, batch


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many batches each commit held; the commits are real."""
    seen: list[int] = []
    write = commit.write

    def counted(cursor: duckdb.DuckDBPyConnection, state: State, batches: Sequence[Batch]) -> commit.Written:
        seen.append(len(batches))
        return write(cursor, state, batches)

    monkeypatch.setattr(commit, "write", counted)
    return seen


async def test_batches_that_wait_together_are_one_commit_and_are_answered_in_their_order(
    duck_file: DuckFile, groups: list[int]
) -> None:
    """Five batches behind a job: one commit, sequence numbers without a gap."""
    writer, go = Writer(duck_file, Ring(1000), 10_000), threading.Event()
    job = asyncio.create_task(asyncio.to_thread(writer.run, lambda _: None, go.wait))
    await asyncio.sleep(0.05)
    waiting = [writer.put(batch(f"b{number}", [(number + 1, START, 2.5)])) for number in range(5)]
    go.set()
    receipts = await asyncio.gather(*waiting)
    await job
    writer.close()
    assert groups == [5]
    assert [receipt.last_seq for receipt in receipts] == [1, 2, 3, 4, 5]


async def test_one_sender_after_another_is_never_made_to_wait_for_company(
    duck_file: DuckFile, groups: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender that waits for each answer has no company: with a linger of ten minutes it would never see the second."""
    monkeypatch.setattr(writers, "_LINGER", 600)
    writer = Writer(duck_file, Ring(1000), 10_000)
    for number in range(4):
        await asyncio.wait_for(writer.put(batch(f"b{number}", [(1, START + number, 2.5)])), 60)
    writer.close()
    assert groups == [1, 1, 1, 1]
