"""What came through each door is told apart for good, in whatever company the doors were first used."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from citybrain.engines.duckdb import DuckFile, DuckSeries, commit
from citybrain.engines.duckdb.ledger import RecentKeys
from citybrain.engines.duckdb.state import State
from tests.engines.duckdb.world import START, batch, run

GROUPS = st.lists(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4), max_size=6)

MET = [["a"], ["a", "b"], ["c"]]
"""A new door beside one that is known, and then another."""


@given(GROUPS)
@example(MET)
def test_no_two_doors_share_a_number(groups: list[list[str]]) -> None:
    state = State(0, {}, RecentKeys(np.zeros(0, np.int64), 0), frozenset())
    for turn, doors in enumerate(groups):
        batches = [batch(f"{turn} {place}", [(1, START + turn, 1.0)], door) for place, door in enumerate(doors)]
        planned = commit.plan(state, batches, lambda _: {})
        state.remember(state.last_seq + planned.columns.rows, planned.doors, planned.keys, START)
        state.open("import")
    numbers = Counter(door.no for door in state.doors.values())
    assert set(numbers.values()) <= {1}
    assert {name: door.account.stored for name, door in state.doors.items() if door.account.stored} == Counter(
        door for doors in groups for door in doors
    )


@pytest.mark.thorough
@settings(max_examples=10, deadline=None)
@given(GROUPS)
@example(MET)
def test_accounts_are_the_same_once_the_file_is_opened_anew(groups: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = DuckFile(Path(folder))
        series = DuckSeries(file)

        async def send() -> None:
            for turn, doors in enumerate(groups):
                # With the lock held they wait together, and become one group.
                with series._writer.state.lock:
                    waiting = [
                        series._writer.put(batch(f"{turn} {place}", [(place, START + turn, 1.0)], door))
                        for place, door in enumerate(doors)
                    ]
                for one in waiting:
                    await one

        run(send())
        before = {one.door: one for one in series.doors()}
        series.close()
        file.close()
        file = DuckFile(Path(folder))
        again = DuckSeries(file)
        assert {one.door: one for one in again.doors()} == before
        again.close()
        file.close()
