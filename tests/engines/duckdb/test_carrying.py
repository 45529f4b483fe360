"""Facts go into a folder of their own and leave the observations where they are; a copy that came along leaves the disk."""

import hashlib
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from citybrain.engines.duckdb import DuckFacts, DuckFile, DuckSeries, carry, carrying, clear, forget, lay
from citybrain.kernel.errors import ConflictError, StorageFullError
from citybrain.kernel.instant import DAY, Instant
from tests.engines.duckdb.world import START, batch

CLOSED, HOT = Instant(START), Instant(START + DAY)


class PowerCutError(Exception):
    """The machine is gone at this point."""


@pytest.fixture
async def both(tmp_path: Path) -> Path:
    """A folder as one process has it: a closed day, hot rows, a journal, and facts."""
    file = DuckFile(tmp_path / "series")
    series, facts = DuckSeries(file), DuckFacts(file)
    await series.append(batch("a", [(1, CLOSED, 1.0), (2, CLOSED, 2.0)]))
    series.close_days(HOT)
    await series.append(batch("b", [(1, HOT, 3.0)]))
    facts.append("case_moved", pa.table({"case": ["c1", "c2"], "hours": [0.5, None], "n": pa.array([1, 2], pa.int32())}), 7)
    facts.append("alert_told", pa.table({"alert": ["x"], "real": [True], "at": pa.array([START], pa.int64())}), 9)
    series.close()
    file.close()
    return tmp_path / "series"


def facts_of(folder: Path) -> tuple[object, ...]:
    """All that is asked of facts, and their types."""
    file = DuckFile(folder)
    facts = DuckFacts(file)
    tables = [facts.query(f"SELECT * FROM {name} ORDER BY 1", {}) for name in ("case_moved", "alert_told")]
    positions = facts.position("case_moved"), facts.position("alert_told")
    file.close()
    return *((table.schema, table.to_pylist()) for table in tables), *positions


def observed(folder: Path) -> int:
    """Rows of observations, in whatever form, in a folder; a closed or a journal file counts as one."""
    file = DuckFile(folder)
    with file.cursor() as cursor:
        counts = [
            cursor.execute(f"SELECT count(*) FROM series.{name}").fetchone()
            for name in ("obs", "closed_latest", "segment", "batch")
        ]
    file.close()
    files = [path for name in ("closed", "journal") for path in (folder / name).rglob("*")]
    return sum(int(found[0]) for found in counts if found is not None) + len(files)


async def test_facts_are_carried_as_they_are_and_observations_are_not(both: Path, tmp_path: Path) -> None:
    told = facts_of(both)
    assert carry(both, tmp_path / "worker" / "facts") == 3
    assert facts_of(tmp_path / "worker" / "facts") == told
    assert (observed(both) > 0, observed(tmp_path / "worker" / "facts")) == (True, 0)
    with pytest.raises(ConflictError, match="there already"):
        carry(both, tmp_path / "worker" / "facts")


@pytest.mark.thorough
async def test_a_copy_that_came_along_leaves_the_disk_once_and_is_told_until_it_is_on_record(both: Path, tmp_path: Path) -> None:
    folder = tmp_path / "worker" / "facts"
    shutil.copytree(both, folder)
    (folder / "journal" / "000000009.journal").write_bytes(b"what a kill left")
    told, parquet = facts_of(folder), next((folder / "closed").iterdir())
    digest = hashlib.sha256(parquet.read_bytes()).hexdigest()
    cleared = clear(folder)
    assert cleared is not None
    assert (cleared.rows, cleared.first, cleared.last) == (3, CLOSED, HOT)
    assert cleared.files[f"closed/{parquet.name}"] == digest
    assert "journal/000000009.journal" in cleared.files
    assert (facts_of(folder), observed(folder)) == (told, 0)
    assert clear(folder) == cleared
    forget(folder)
    assert clear(folder) is None
    assert sorted(path.name for path in folder.parent.iterdir()) == ["facts"]


async def test_a_disk_that_is_full_meanwhile_changes_nothing(both: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "worker" / "facts"
    shutil.copytree(both, folder)
    told = facts_of(folder)

    def full(*_: object) -> int:
        message = "IO Error: No space left on device"
        raise duckdb.IOException(message)

    with monkeypatch.context() as patch:
        patch.setattr(carrying, "number", full)
        for act in (lambda: clear(folder), lambda: carry(both, tmp_path / "worker" / "others")):
            with pytest.raises(StorageFullError):
                act()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["facts"]
    assert facts_of(folder) == told


async def test_a_worker_of_its_own_facts_has_nothing_to_clear(tmp_path: Path) -> None:
    assert clear(tmp_path / "facts") is None
    file = DuckFile(tmp_path / "facts")
    DuckFacts(file).append("case_moved", pa.table({"case": ["c1"]}), 1)
    file.close()
    before = (tmp_path / "facts" / "city.duckdb").stat().st_ino
    assert clear(tmp_path / "facts") is None
    assert (tmp_path / "facts" / "city.duckdb").stat().st_ino == before


@pytest.mark.thorough
@pytest.mark.parametrize("step", range(7))
async def test_a_kill_before_any_step_on_the_disk_leaves_the_facts_and_the_next_start_goes_on(
    both: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    folder = tmp_path / "worker" / "facts"
    shutil.copytree(both, folder)
    told, steps = facts_of(folder), count()

    def cutting(real: Callable[..., object]) -> Callable[..., object]:
        def act(*given: object, **more: object) -> object:
            if next(steps) == step:
                raise PowerCutError
            return real(*given, **more)

        return act

    with monkeypatch.context() as patch:
        for owner, name in ((carrying, "sync"), (Path, "rename"), (shutil, "rmtree")):
            patch.setattr(owner, name, cutting(getattr(owner, name)))
        with pytest.raises(PowerCutError):
            clear(folder)
    cleared = clear(folder)
    assert cleared is not None
    assert cleared.rows == 3
    assert (facts_of(folder), observed(folder)) == (told, 0)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["facts", "facts.cleared"]


async def test_facts_that_are_laid_into_a_folder_take_the_place_of_those_that_lay_there(both: Path) -> None:
    before = observed(both)
    moved = pa.table({"case": ["c1", "c2", "c3"], "hours": [0.5, None, 2.0], "n": pa.array([1, 2, 3], pa.int32())})
    lay(both, [("case_moved", moved, 8), ("alert_told", pa.table({"alert": ["y"]}), 3)])
    _, rows, _, alerts, *positions = (part for one in facts_of(both) for part in (one if isinstance(one, tuple) else (one,)))
    assert (rows, alerts, positions) == (moved.to_pylist(), [{"alert": "y"}], [8, 3])
    assert observed(both) == before
