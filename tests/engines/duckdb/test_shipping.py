"""Shipping: the store holds exactly the closed files, whatever happens on the way; nothing local is touched."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from citybrain.engines.duckdb import DuckFile, DuckSeries, Due
from citybrain.engines.objects import ObjectStore
from citybrain.kernel.errors import BusyError, ConflictError
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb import shipper
from tests.engines.duckdb.stories import owner
from tests.engines.duckdb.world import START, batch, run, table

ROOT = Path(__file__).parents[3]
WHOLE = SeriesQuery((1, 2), Instant(START - DAY), Instant(START + 9 * DAY))


def three_days(series: DuckSeries) -> None:
    """Three closed days, and one that is open."""
    run(series.append(batch("a", [(no, START + day * DAY, float(day)) for no in (1, 2) for day in range(4)])))
    series.close_days(Instant(START + 3 * DAY))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_store_holds_exactly_the_closed_files_and_a_second_time_nothing_is_sent(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, _):
        three_days(series)
        series.import_segment("i", table([(1, START - DAY, 1.0)]), "history", START)
        assert series.ship() == 4
        assert files(tmp_path / "objects") == files(tmp_path / "series" / "closed")
        assert series.ship() == 0


def test_a_day_that_is_closed_again_replaces_its_file(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, _):
        three_days(series)
        series.ship()
        run(series.append(batch("late", [(1, START, 9.0)])))
        series.close_days(Instant(START + DAY))
        assert series.ship() == 2, "one is sent, one removed"
        series.close_days(Instant(START))
        assert files(tmp_path / "objects") == files(tmp_path / "series" / "closed")


def test_a_deletion_is_not_certified_before_the_store_is_without_the_rows(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        three_days(series)
        series.ship()
        (done,) = series.delete([Due("kind", 7, Instant(START + HOUR), np.array([1], np.int32), START)])
        series.close_days(Instant(START))
        assert not (tmp_path / "series" / "closed" / done.file).exists()
        assert done.file in store.names()
        assert series.gone() == []
        series.ship()
        assert done.file not in store.names()
        assert [one.id for one in series.gone()] == [done.id]


def test_what_another_store_may_hold_is_not_certified_either(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, _):
        three_days(series)
        series.ship()
    file = DuckFile(tmp_path / "series")
    series = DuckSeries(file, store=ObjectStore((tmp_path / "elsewhere").as_uri()))
    assert series.split(WHOLE).files == (), "what is there is not here"
    assert series.ship() == 3
    series.delete([Due("kind", 7, Instant(START + HOUR), np.array([1], np.int32), START)])
    series.close_days(Instant(START))
    series.ship()
    assert series.gone() == []
    series.close()
    file.close()


def test_a_file_that_is_lost_or_broken_in_the_store_is_sent_again(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        three_days(series)
        series.ship()
        lost, broken, _ = sorted(store.names())
        store.remove(lost)
        (tmp_path / "objects" / broken).write_bytes(b"half")
        assert series.ship() == 2
        assert files(tmp_path / "objects") == files(tmp_path / "series" / "closed")


def test_files_of_somebody_else_are_left_alone_and_what_was_left_half_written_goes(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        three_days(series)
        series.ship()
        mine = set(store.names())
        for name in ("notes.txt", "day.parquet", "day020777-000000000009.parquet.part", "day020777-000000000009.parquet"):
            (tmp_path / "objects" / name).write_bytes(b"x")
        assert series.ship() == 2
        assert set(store.names()) - mine == {"notes.txt", "day.parquet"}


def test_nothing_is_done_to_a_store_that_holds_the_files_of_another(tmp_path: Path) -> None:
    with owner(tmp_path / "theirs") as (series, store):
        three_days(series)
        series.ship()
        theirs = files(tmp_path / "theirs" / "objects")
        file = DuckFile(tmp_path / "mine")
        other = DuckSeries(file, store=store)
        run(other.append(batch("b", [(1, START + day * DAY, 7.0) for day in range(9)])))
        other.close_days(Instant(START + 8 * DAY))
        for use in (other.claim, other.ship):
            with pytest.raises(ConflictError, match="3 closed files of another district"):
                use()
        assert files(tmp_path / "theirs" / "objects") == theirs
        for name in theirs:
            store.remove(name)
        assert other.ship() == len(files(tmp_path / "mine" / "closed"))
        other.claim()
        other.close()
        file.close()


def test_one_that_forgot_what_it_sent_knows_its_own_files_again(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, store):
        three_days(series)
        series.ship()
        for name in [*store.names()][1:]:
            store.remove(name)
        with series._file.cursor() as cursor:
            cursor.execute("DELETE FROM series.shipped")
        assert series.ship() == 3


def test_a_store_that_does_not_answer_says_so_and_the_rest_goes_when_it_is_back(tmp_path: Path) -> None:
    with owner(tmp_path) as (series, _):
        three_days(series)
        (tmp_path / "objects").write_bytes(b"no folder")
        with pytest.raises(BusyError, match="object store"):
            series.ship()
        assert series.split(WHOLE).files == ()
        (tmp_path / "objects").unlink()
        assert series.ship() == 3
        assert len(series.split(WHOLE).files) == 3


@pytest.mark.thorough
@pytest.mark.parametrize(("how", "whole"), [("before", 1), ("after", 1), ("removed", 3)])
def test_a_kill_on_the_way_leaves_nothing_that_the_next_time_does_not_mend(tmp_path: Path, how: str, whole: int) -> None:
    with owner(tmp_path) as (series, _):
        three_days(series)
        if how == "removed":
            series.ship()
            run(series.append(batch("late", [(1, START, 9.0)])))
            series.close_days(Instant(START + DAY))
        before = series.scan(WHOLE)
    command = [sys.executable, "-m", shipper.__name__, str(tmp_path), how]
    killed = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with owner(tmp_path) as (series, _):
        assert len(series.split(WHOLE).files) == whole, "only what is known to be whole is named"
        series.ship()
        assert files(tmp_path / "objects") == files(tmp_path / "series" / "closed")
        assert len(series.split(WHOLE).files) == 3
        assert series.scan(WHOLE) == before
