"""Deleting what was kept long enough: what is due is gone, all else is to the bit as before, and a record proves what went."""

import asyncio
import hashlib
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.engines.duckdb import Deletion, DuckFile, DuckSeries, Due, deleting, deletions, segments
from citybrain.kernel.instant import DAY, HOUR, Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.engines.duckdb import deleter
from tests.engines.duckdb.world import START, Row, batch, run, scanned, table

AIR, WATER = (1, 2), (5,)
WHOLE = (START - 9 * DAY, START + 9 * DAY)
WALL = Instant(START + 30 * DAY)


def due(before: int, streams: Sequence[int] = AIR) -> Due:
    return Due("air_station", 7, Instant(before), np.array(streams, np.int32), WALL)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[DuckFile, DuckSeries]]:
    file = DuckFile(folder)
    series = DuckSeries(file)
    try:
        yield file, series
    finally:
        series.close()
        file.close()


def three_days(series: DuckSeries) -> list[Row]:
    """Hourly rows of two air streams and one of water over three days, closed; and one row of a day that is still open."""
    rows = [(no, START + day * DAY + hour * HOUR, no + hour / 7) for no in (*AIR, *WATER) for day in range(3) for hour in range(24)]
    run(series.append(batch("air", [row for row in rows if row[0] in AIR], "mqtt")))
    run(series.append(batch("water", [row for row in rows if row[0] in WATER])))
    series.close_days(Instant(START + 3 * DAY))
    run(series.append(batch("open", [(1, START + 3 * DAY, 1.0)])))
    return sorted([*rows, (1, START + 3 * DAY, 1.0)])


def everything(series: DuckSeries, streams: Sequence[int] = (*AIR, *WATER)) -> pa.Table:
    return series.scan(SeriesQuery(tuple(streams), Instant(WHOLE[0]), Instant(WHOLE[1])))


def files(file: DuckFile) -> set[str]:
    return {path.name for path in file.closed.iterdir()}


def named(file: DuckFile) -> set[str]:
    with file.cursor() as cursor:
        return {segment.path for segment in segments.every(cursor)}


def test_what_is_due_is_gone_and_everything_else_is_to_the_bit_as_before(series: DuckSeries, duck_file: DuckFile) -> None:
    rows, water = three_days(series), everything(series, WATER)
    done = series.delete([due(START + 2 * DAY)])
    assert scanned(series, (*AIR, *WATER), *WHOLE) == [row for row in rows if row[0] in WATER or row[1] >= START + 2 * DAY]
    assert everything(series, WATER) == water
    assert [(one.rows, one.streams, one.first) for one in done] == [(48, 2, START), (48, 2, START + DAY)]
    assert done[0].doors == {"mqtt": 48}
    seen = series.scan(SeriesQuery(AIR, Instant(WHOLE[0]), Instant(START + 2 * DAY), Duration(HOUR)))
    assert seen.num_rows == 0, "buckets over deleted days are empty"
    with duck_file.cursor() as cursor:
        view = cursor.execute("SELECT count(*) FROM observation").fetchone()
    assert view == (len(rows) - 96,)


def test_the_same_again_deletes_nothing_more(series: DuckSeries, duck_file: DuckFile) -> None:
    three_days(series)
    first = list(series.delete([due(START + 2 * DAY)]))
    kept = named(duck_file)
    assert list(series.delete([due(START + 2 * DAY)])) == []
    assert named(duck_file) == kept
    assert list(series.deletions()) == first


def test_two_kinds_that_lie_in_one_file_go_each_with_a_record(series: DuckSeries) -> None:
    three_days(series)
    done = series.delete([due(START + DAY), due(START + DAY, WATER)._replace(kind="water", days=3)])
    assert [(one.kind, one.days, one.rows) for one in done] == [("air_station", 7, 48), ("water", 3, 24)]
    assert scanned(series, (*AIR, *WATER), WHOLE[0], START + DAY) == []


def test_no_streams_or_nothing_old_enough_leaves_every_file_as_it_is(series: DuckSeries, duck_file: DuckFile) -> None:
    three_days(series)
    kept = named(duck_file)
    assert list(series.delete([due(START), due(START + 9 * DAY, ())])) == []
    assert named(duck_file) == kept


def test_the_digest_is_that_of_the_rows_as_a_copy_still_holds_them(series: DuckSeries, duck_file: DuckFile, tmp_path: Path) -> None:
    three_days(series)
    with duck_file.cursor() as cursor:
        first = next(segment for segment in segments.every(cursor) if segment.day is not None)
    copy = tmp_path / "copy.parquet"
    copy.write_bytes((duck_file.closed / first.path).read_bytes())
    (record,) = series.delete([due(START + DAY)])
    assert record.file == first.path
    kept = [row for row in pq.read_table(copy).to_pylist() if row["stream_no"] in AIR]
    names = ("seq", "stream_no", "time", "value", "received", "door")
    assert (
        record.digest
        == hashlib.sha256(b"".join(struct.pack("<qiqdqi", *(row[name] for name in names)) for row in kept)).hexdigest()
    )
    changed = [row | {"value": row["value"] + 1e-9} for row in kept]
    assert record.digest != hashlib.sha256(deletions.lines(pa.Table.from_pylist(changed))).hexdigest()


def test_a_deletion_waits_for_its_file_to_leave_the_disk_before_it_is_certified(series: DuckSeries, duck_file: DuckFile) -> None:
    three_days(series)
    before = files(duck_file)
    (record,) = series.delete([due(START + DAY)])
    assert record.file in files(duck_file), "whoever reads it may finish"
    assert list(series.gone()) == []
    series.close_days(Instant(START))
    assert record.file not in files(duck_file)
    assert len(files(duck_file)) == len(before)
    assert list(series.gone()) == [record]
    series.certify(record.id, Instant(WALL + HOUR))
    assert list(series.gone()) == []
    assert [one.erased for one in series.deletions()] == [WALL + HOUR]


def test_the_ledger_tells_deleted_rows_as_such_and_keeps_them_over_restarts_and_folding(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as (_, series):
        three_days(series)
        series.delete([due(START + 2 * DAY)])
        ledger = series.doors()
    with opened(tmp_path / "s") as (_, series):
        assert series.doors() == ledger
        run(series.append(batch("later", [(1, START + 3 * DAY + 1, 1.0)], received=START + 40 * DAY)))
        series.latest()
    with opened(tmp_path / "s") as (_, series):
        doors = {door.door: door for door in series.doors()}
        assert [(name, door.stored, door.deleted) for name, door in doors.items()] == [("mqtt", 144, 96), ("http", 74, 0)]
        assert all(door.received == door.stored + door.duplicate + sum(door.refused.values()) for door in doors.values())
        left = everything(series)["door"].to_pylist()
        assert {name: left.count(name) for name in doors} == {name: door.stored - door.deleted for name, door in doors.items()}


def test_the_numbers_of_deleted_rows_are_never_given_again(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as (_, series):
        run(series.append(batch("b", [(1, START, 1.0), (2, START, 2.0)])))
        series.close_days(Instant(START + DAY))
        series.delete([due(START + DAY)])
    with opened(tmp_path / "s") as (file, series):
        with file.cursor() as cursor:
            cursor.execute("DELETE FROM series.batch")
        assert series.last_seq() == 2
    with opened(tmp_path / "s") as (_, series):
        assert run(series.append(batch("c", [(5, START + DAY, 3.0)]))).last_seq == 3
        assert series.after(2, 10)["value"].to_pylist() == [3.0]


def test_a_stream_that_was_silent_since_has_no_latest_value_any_more(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as (_, series):
        run(series.append(batch("b", [(1, START, 1.0), (5, START, 2.0)])))
        series.close_days(Instant(START + DAY))
        assert series.latest()["stream_no"].to_pylist() == [1, 5]
        series.delete([due(START + DAY)])
        assert series.latest()["stream_no"].to_pylist() == [5]
    with opened(tmp_path / "s") as (_, series):
        assert series.latest()["stream_no"].to_pylist() == [5]


def test_history_goes_as_well_and_is_not_brought_in_again_under_its_name(series: DuckSeries, duck_file: DuckFile) -> None:
    history = [(no, START - 3 * DAY + hour * HOUR, float(hour)) for no in AIR for hour in range(48)]
    series.import_segment("past", table(history), "history", START)
    (part,) = series.delete([due(START - 2 * DAY)])
    assert part.rows == 48
    assert scanned(series, AIR, *WHOLE) == [row for row in history if row[1] >= START - 2 * DAY]
    (rest,) = series.delete([due(START)])
    assert (rest.rows, named(duck_file)) == (48, set())
    assert series.import_segment("past", table(history), "history", START) == 0
    assert series.import_segment("later", table([(1, START + DAY, 1.0)]), "history", START) == 1
    assert scanned(series, AIR, *WHOLE) == [(1, START + DAY, 1.0)]


def test_late_rows_of_a_deleted_day_are_merged_into_what_is_left_and_go_the_next_time(series: DuckSeries) -> None:
    three_days(series)
    series.delete([due(START + DAY)])
    run(series.append(batch("late", [(1, START + HOUR, 9.0), (5, START + 1, 8.0)])))
    series.close_days(Instant(START + DAY))
    assert len(scanned(series, WATER, START, START + DAY)) == 25
    (again,) = series.delete([due(START + DAY)])
    assert (again.rows, again.first) == (1, START + HOUR)
    assert scanned(series, AIR, START, START + DAY) == []
    assert len(scanned(series, WATER, START, START + DAY)) == 25


class PowerCutError(Exception):
    """The machine is gone at this point."""


def cut_before(work: Callable[..., object]) -> Callable[..., object]:
    def fails(*_: object, **__: object) -> object:
        raise PowerCutError(work)

    return fails


def cut_after(work: Callable[..., object]) -> Callable[..., object]:
    def fails(*given: object, **named: object) -> object:
        work(*given, **named)
        raise PowerCutError(work)

    return fails


STEPS = [
    (segments, "_written"),
    (segments, "sync"),
    (segments, "write"),
    (segments, "register"),
    (deleting, "enter"),
]


@pytest.mark.parametrize("cut", [cut_before, cut_after])
@pytest.mark.parametrize(("module", "step"), STEPS, ids=[step for _, step in STEPS])
def test_cut_off_at_any_step_before_the_commit_all_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, step: str, cut: Callable[..., Callable[..., object]]
) -> None:
    with opened(tmp_path / "s") as (file, series):
        three_days(series)
        before, kept, latest = everything(series), named(file), series.latest()
        with monkeypatch.context() as patch:
            patch.setattr(module, step, cut(getattr(module, step)))
            with pytest.raises(PowerCutError):
                series.delete([due(START + 2 * DAY)])
        assert everything(series) == before
    with opened(tmp_path / "s") as (file, series):
        assert (everything(series), series.latest(), list(series.deletions())) == (before, latest, [])
        assert files(file) == named(file) == kept, "what was begun is swept"
        assert [one.rows for one in series.delete([due(START + 2 * DAY)])] == [48, 48]


def test_cut_off_after_the_first_commit_one_file_is_new_with_its_record_and_the_other_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path / "s") as (_, series):
        three_days(series)
        with monkeypatch.context() as patch:
            patch.setattr(deleting.Deleting, "_named", cut_before(print))
            with pytest.raises(PowerCutError):
                series.delete([due(START + 2 * DAY)])
    with opened(tmp_path / "s") as (file, series):
        (record,) = series.deletions()
        assert len(scanned(series, AIR, START, START + DAY)) == 0
        assert len(scanned(series, AIR, START + DAY, START + 2 * DAY)) == 48
        assert list(series.gone()) == [record], "the start swept the file that was replaced"
        assert files(file) == named(file)
        assert [one.first for one in series.delete([due(START + 2 * DAY)])] == [START + DAY]


def test_a_failing_commit_leaves_the_day_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        message = "no space left on device"
        raise duckdb.IOException(message)

    with opened(tmp_path / "s") as (_, series):
        three_days(series)
        before = everything(series)
        with monkeypatch.context() as patch:
            patch.setattr(deleting, "enter", broken)
            with pytest.raises(Exception, match=r"(?i)space"):
                series.delete([due(START + DAY)])
        assert everything(series) == before
        assert len(series.delete([due(START + DAY)])) == 1


SLOTS = [START - DAY, START, START + HOUR, START + DAY - 1, START + DAY, START + 2 * DAY + 7]
rows_of = st.lists(st.tuples(st.sampled_from((*AIR, *WATER)), st.sampled_from(SLOTS), st.integers(-9, 9).map(float)), max_size=12)
limits = st.sampled_from([START - DAY, START, START + HOUR, START + DAY, START + 3 * DAY])


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seen=rows_of, past=rows_of, late=rows_of, limits=st.tuples(limits, limits), reopened=st.booleans())
def test_rows_kept_are_those_before_less_those_of_the_kind_before_the_day(
    *, seen: list[Row], past: list[Row], late: list[Row], limits: tuple[int, int], reopened: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with opened(Path(folder) / "s") as (_, series):
            series.import_segment("past", table(past), "history", START)
            run(series.append(batch("seen", seen)))
            series.close_days(Instant(START + 9 * DAY))
            run(series.append(batch("late", late)))
            series.close_days(Instant(START + 9 * DAY))
            expected = [row for row in scanned(series, (*AIR, *WATER), *WHOLE) if row[0] in WATER or row[1] >= max(limits)]
            done = [one for limit in limits for one in series.delete([due(limit)])]
            if not reopened:
                check(series, expected, done)
                return
        with opened(Path(folder) / "s") as (_, series):
            check(series, expected, done)


def check(series: DuckSeries, expected: list[Row], done: list[Deletion]) -> None:
    assert scanned(series, (*AIR, *WATER), *WHOLE) == expected
    assert series.latest().num_rows == len({row[0] for row in expected})
    assert sum(door.deleted for door in series.doors()) == sum(one.rows for one in done)
    assert list(series.deletions()) == done
    assert asyncio.run(series.append(batch("next", []))).last_seq == series.last_seq()


@pytest.mark.slow
def test_kills_leave_each_day_whole_or_deleted_with_its_record_and_the_next_run_goes_on(tmp_path: Path) -> None:
    folder, root = tmp_path / "s", Path(__file__).parents[3]
    days = range(deleter.DAYS)
    with opened(folder) as (_, series):
        rows = [(no, START + day * DAY + hour * HOUR, no / 7 + hour) for no in (*AIR, *WATER) for day in days for hour in range(24)]
        run(series.append(batch("b", rows)))
        series.close_days(Instant(START + deleter.DAYS * DAY))
        water = series.scan(SeriesQuery(WATER, Instant(0), Instant(START + 99 * DAY)))
    command = [sys.executable, "-m", deleter.__name__, str(folder)]
    for files_more in (2, 7, 13):
        seen = set((folder / "closed").glob("kept-*"))
        with subprocess.Popen(
            command, cwd=root, env={"PYTHONPATH": f"{root / 'src'}:{root}"}, stdout=subprocess.DEVNULL
        ) as process:
            while len(set((folder / "closed").glob("kept-*")) - seen) < files_more:
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
        with opened(folder) as (file, series):
            left = [len(scanned(series, AIR, START + day * DAY, START + (day + 1) * DAY)) for day in days]
            assert set(left) == {0, 48}, "the kill came in the middle"
            gone = {START + day * DAY for day, count in enumerate(left) if count == 0}
            assert {one.first for one in series.deletions()} == gone
            assert [one.rows for one in series.deletions()] == [48] * len(gone)
            assert sum(door.deleted for door in series.doors()) == 48 * len(gone)
            assert series.scan(SeriesQuery(WATER, Instant(0), Instant(START + 99 * DAY))) == water
            assert files(file) == named(file)
    with opened(folder) as (_, series):
        series.delete([deleter.due()])
        assert len(series.deletions()) == deleter.DAYS
        assert scanned(series, AIR, 0, START + 99 * DAY) == []
