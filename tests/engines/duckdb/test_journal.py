"""The journal: whole groups or none, whatever was torn off its end."""

import errno
import os
import random
import resource
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.engines.duckdb.journal import AHEAD, FULL, Journal
from citybrain.kernel.observations import Batch
from tests.engines.duckdb.test_full_disk import files_end_at
from tests.engines.duckdb.world import START, batch

CALLS = ("pwrite", "fsync", "fdatasync", "ftruncate")


def one(number: int, rows: int = 3) -> Batch:
    return batch(f"b{number}", [(stream, START + number, stream / 7) for stream in range(rows)], late=number % 2)


def same(found: Batch, sent: Batch) -> bool:
    return (
        (found.id, found.door, found.received, found.duplicate) == (sent.id, sent.door, sent.received, sent.duplicate)
        and dict(found.refused) == dict(sent.refused)
        and np.array_equal(found.stream_no, sent.stream_no)
        and np.array_equal(found.time, sent.time)
        and np.array_equal(found.value, sent.value)
    )


@settings(max_examples=40, deadline=None)
@given(
    groups=st.lists(st.integers(1, 3), min_size=1, max_size=6),
    cut=st.floats(0, 1),
    spoilt=st.booleans(),
)
def test_a_torn_or_spoilt_end_costs_whole_groups_and_only_the_last_ones(groups: list[int], cut: float, *, spoilt: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal, ends = Journal(Path(folder), 0), []
        for number, size in enumerate(groups):
            assert journal.write([one(10 * number + place) for place in range(size)]) == number + 1
            (path,) = Path(folder).iterdir()
            ends.append(journal.parts()[0][1])
        journal.close()
        keep = round(cut * ends[-1])
        written = bytearray(path.read_bytes())
        if spoilt and keep < len(written):
            written[keep] ^= 0xFF
        else:
            written = written[:keep]
        path.write_bytes(written)
        found = Journal(Path(folder), 0).left
    whole = sum(end <= keep for end in ends)
    assert [group.number for group in found] == list(range(1, whole + 1))
    for group, (number, size) in zip(found, enumerate(groups), strict=False):
        assert all(same(got, one(10 * number + place)) for place, got in enumerate(group.batches))
        assert len(group.batches) == size


def test_files_go_once_their_last_group_is_stored_and_numbers_go_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 0, full=100)
    for number in range(4):
        journal.write([one(number)])
    assert len(list(tmp_path.iterdir())) == 4
    journal.forget(2)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["000000003.journal", "000000004.journal"]
    journal.close()
    again = Journal(tmp_path, 3)
    assert [group.number for group in again.left] == [4]
    assert again.write([one(9)]) == 5
    again.close()
    again.forget(5)
    assert not list(tmp_path.iterdir())
    assert Journal(tmp_path, 5).write([one(10)]) == 6


def test_small_groups_go_over_zeros_that_are_on_the_disk_and_the_file_ends_with_the_last(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 0)
    journal.write([one(0)])
    (path,) = tmp_path.iterdir()
    (_, size) = journal.parts()[0]
    assert path.stat().st_size == AHEAD
    assert not any(path.read_bytes()[size:])
    journal.write([one(1)])
    assert path.stat().st_size == AHEAD
    # Killed now: what follows the last group is nobody's.
    assert [group.number for group in Journal(tmp_path, 0).left] == [1, 2]
    journal.write([one(2, rows=AHEAD // 20)])
    (_, size) = journal.parts()[0]
    assert path.stat().st_size == size > AHEAD
    journal.write([one(3)])
    (_, size) = journal.parts()[0]
    assert path.stat().st_size > size
    journal.close()
    assert path.stat().st_size == size
    assert [group.number for group in Journal(tmp_path, 0).left] == [1, 2, 3, 4]


def fill(journal: Journal) -> None:
    """Write small groups, more than a thousand bytes of them."""
    for number in range(1, 100):
        journal.write([one(number)])


def test_where_there_is_no_room_for_zeros_groups_are_written_as_long_as_they_fit(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 0)
    with files_end_at(1000):
        assert journal.write([one(0)]) == 1
        (path,) = tmp_path.iterdir()
        assert 0 < path.stat().st_size < 1000
        with pytest.raises(OSError, match="File too large"):
            fill(journal)
    kept = path.stat().st_size
    assert kept == journal.parts()[0][1]
    found = [group.number for group in Journal(tmp_path, 0).left]
    assert found == list(range(1, len(found) + 1))
    assert journal.write([one(200)]) == len(found) + 1


def test_what_a_full_disk_cut_short_is_taken_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 0)
    journal.write([one(0)])
    (path,) = tmp_path.iterdir()
    (_, size) = journal.parts()[0]
    with files_end_at(AHEAD + 50), pytest.raises(OSError, match="File too large"):
        journal.write([one(1, rows=AHEAD // 10)])
    assert path.stat().st_size == size
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != AHEAD + 50
    assert journal.write([one(2)]) == 2
    journal.close()
    assert [group.batches[0].id for group in Journal(tmp_path, 0).left] == ["b0", "b2"]


def test_nothing_is_written_to_a_file_whose_name_may_not_be_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[list[str]] = []

    def fails_once(folder: Path) -> None:
        synced.append(sorted(path.name for path in folder.iterdir()))
        if len(synced) == 1:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("citybrain.engines.duckdb.journal.sync", fails_once)
    journal = Journal(tmp_path, 0)
    with pytest.raises(OSError, match="Input/output error"):
        journal.write([one(0)])
    assert journal.write([one(1)]) == 1
    assert synced == [["000000001.journal"], ["000000001.journal", "000000002.journal"]]
    assert (tmp_path / "000000001.journal").stat().st_size == 0
    assert [group.batches[0].id for group in Journal(tmp_path, 0).left] == ["b1"]


@settings(max_examples=60, deadline=None)
@given(
    chance=st.randoms(use_true_random=False),
    failing=st.sets(st.sampled_from(CALLS), min_size=1),
    full=st.sampled_from([3000, FULL]),
)
def test_a_disk_that_fails_now_and_then_costs_no_group_that_was_acknowledged(
    chance: random.Random, failing: set[str], full: int
) -> None:
    """Each call of the file system fails by chance, a write after part of it; a kill at the end."""

    def flaky(call: str, real: Callable[..., int | None]) -> Callable[..., int | None]:
        def made(handle: int, *more: object) -> int | None:
            if chance.random() < 0.2:
                if more and isinstance(more[0], memoryview):
                    real(handle, more[0][: chance.randrange(len(more[0]))], *more[1:])
                raise OSError(errno.EIO, call)
            return real(handle, *more)

        return made

    acknowledged = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder), 0, full)
        with pytest.MonkeyPatch.context() as patched:
            for call in failing:
                patched.setattr(os, call, flaky(call, getattr(os, call)))
            for number in range(20):
                with suppress(OSError):
                    group = journal.write([one(number, rows=chance.choice((3, 3, 30, 600)))])
                    acknowledged.append((group, f"b{number}"))
        found = [(group.number, group.batches[0].id) for group in Journal(Path(folder), 0).left]
    assert set(acknowledged) <= set(found)
    assert [number for number, _ in found] == sorted({number for number, _ in found})
    if "ftruncate" not in failing:
        assert found == acknowledged
