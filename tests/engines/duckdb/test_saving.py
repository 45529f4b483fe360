"""A copy made while the store goes on is what the store was when it was taken hold of, to the row and to the account."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from citybrain.engines.duckdb import DuckFacts, DuckFile, DuckSeries
from citybrain.engines.duckdb.saving import Saving
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.observations import DoorAccount, SeriesQuery
from tests.engines.duckdb.world import START, batch, run

STREAMS = tuple(range(1, 9))


def said(series: DuckSeries) -> tuple[pa.Table, Sequence[DoorAccount], int, pa.Table]:
    """All that is asked of a store."""
    everything = series.scan(SeriesQuery(STREAMS, Instant(START - DAY), Instant(START + 9 * DAY)))
    return everything, series.doors(), series.last_seq(), series.latest()


def days(series: DuckSeries) -> None:
    """Two closed days, a reading that came late to one of them and one that was revised, and an open day."""
    for day in range(2):
        run(series.append(batch(f"day {day}", [(no, START + day * DAY + no * HOUR, float(day)) for no in STREAMS])))
    series.close_days(Instant(START + 2 * DAY))
    run(series.append(batch("late", [(1, START + 30 * HOUR, 7.0), (2, START + 2 * HOUR, 8.0)], "mqtt")))
    run(series.append(batch("open", [(no, START + 2 * DAY, float(no)) for no in STREAMS])))


def test_the_copy_is_what_stood_when_it_was_taken_hold_of(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "series")
    series, facts = DuckSeries(file), DuckFacts(file)
    days(series)
    facts.append("told", pa.table({"alert": ["x"]}), 4)
    before = said(series)
    held = series.hold()
    run(series.append(batch("after", [(3, START + 2 * DAY + HOUR, 1.0), (1, START + 2 * DAY, 99.0)])))
    facts.append("told", pa.table({"alert": ["y"]}), 5)
    series.close_days(Instant(START + 3 * DAY))
    series.close_days(Instant(START + 3 * DAY))
    held.write(tmp_path / "copy")
    held.close()
    assert said(series) != before
    series.close()
    file.close()
    copy = DuckFile(tmp_path / "copy")
    again, known = DuckSeries(copy), DuckFacts(copy)
    assert said(again) == before
    assert (known.query("SELECT * FROM told", {}).to_pylist(), known.position("told")) == ([{"alert": "x"}], 4)
    assert run(again.append(batch("open", [(1, START + 2 * DAY, 1.0)]))).repeated, "what was sent before is known"
    again.close_days(Instant(START + 3 * DAY))
    assert said(again)[0].column("value") == before[0].column("value")
    again.close()
    copy.close()
    assert not (tmp_path / "series" / "saving").exists()


async def test_what_is_acknowledged_and_not_yet_in_the_tables_is_in_the_copy(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "series")
    series = DuckSeries(file)
    for turn in range(40):
        await series.append(batch(f"{turn}", [(no, START + turn, float(turn)) for no in STREAMS]))
        if turn % 8 == 3:
            held = series.hold()
            more = asyncio.create_task(series.append(batch(f"more {turn}", [(1, START + DAY + turn, 0.0)])))
            held.write(tmp_path / f"copy-{turn}")
            held.close()
            await more
            copy = DuckFile(tmp_path / f"copy-{turn}")
            again = DuckSeries(copy)
            # Two rows a hold that came before: they were acknowledged.
            expected = (turn + 1) * len(STREAMS) + turn // 8
            assert (again.last_seq(), said(again)[0].num_rows) == (expected, expected)
            again.close()
            copy.close()
    series.close()
    file.close()


def test_what_a_kill_left_is_taken_away_and_two_copies_follow_one_another(tmp_path: Path) -> None:
    left = tmp_path / "series" / "saving" / "closed"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"half")
    file = DuckFile(tmp_path / "series")
    series = DuckSeries(file)
    assert not left.exists()
    days(series)
    for name in ("one", "two"):
        held = series.hold()
        held.write(tmp_path / name)
        held.close()
    names = [{path.name for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert names == [{"city.duckdb", "closed", "journal"}] * 2
    series.close()
    file.close()


def test_after_a_copy_that_failed_the_store_goes_on_and_the_next_is_whole(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "series")
    series = DuckSeries(file)
    days(series)
    (tmp_path / "there").mkdir()
    held = series.hold()
    with pytest.raises(FileExistsError):
        held.write(tmp_path / "there")
    held.close()
    assert run(series.append(batch("on", [(1, START + 2 * DAY + 1, 1.0)]))).stored == 1
    before = said(series)
    held = series.hold()
    held.write(tmp_path / "now")
    held.close()
    series.close()
    file.close()
    copy = DuckFile(tmp_path / "now")
    again = DuckSeries(copy)
    assert said(again) == before
    again.close()
    copy.close()


def test_a_journal_that_is_forgotten_while_a_copy_begins_is_in_its_tables(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "series")
    series = DuckSeries(file)
    days(series)
    before = said(series)  # a reader settles: all of it is in the tables
    held = Saving(file, [(file.folder / "journal" / "000000999.journal", 100)])
    held.write(tmp_path / "copy")
    held.close()
    series.close()
    file.close()
    copy = DuckFile(tmp_path / "copy")
    again = DuckSeries(copy)
    assert said(again) == before
    again.close()
    copy.close()
