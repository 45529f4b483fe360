"""What the series store promises to those who append, follow and read."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.engines.space import FreeSpace
from citybrain.kernel.errors import BusyError, StorageFullError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant
from citybrain.kernel.observations import ROWS, DoorAccount, Receipt
from tests.engines.duckdb.world import START, Row, batch, scanned, table


async def test_a_receipt_counts_stored_duplicate_and_refused(series: DuckSeries) -> None:
    receipt = await series.append(batch("a", [(1, START, 2.5), (2, START, 3.5)], unknown_stream=3))
    assert receipt == Receipt("a", stored=2, duplicate=0, refused=3, last_seq=2)
    assert series.last_seq() == 2


async def test_a_repeated_batch_gives_the_first_receipt_and_is_stored_once(series: DuckSeries) -> None:
    first = await series.append(batch("a", [(1, START, 2.5)], late=1))
    await series.append(batch("b", [(1, START + 1, 2.5)]))
    again = await series.append(batch("a", [(1, START, 2.5)], late=1))
    assert again == Receipt("a", first.stored, first.duplicate, first.refused, first.last_seq, repeated=True)
    assert series.last_seq() == 2
    assert series.doors() == (DoorAccount("http", 3, 2, 0, {"late": 1}, START),)


async def test_the_same_batch_twice_in_one_commit_is_stored_once(series: DuckSeries) -> None:
    receipts = await asyncio.gather(*(series.append(batch("a", [(1, START, 2.5)])) for _ in range(5)))
    assert sorted(receipt.repeated for receipt in receipts) == [False, True, True, True, True]
    assert scanned(series, [1], START, START + DAY) == [(1, START, 2.5)]


async def test_the_ledger_of_every_door_adds_up_and_survives_a_restart(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "s")
    series = DuckSeries(file)
    for number in range(30):
        refused = {"late": 1} if number % 3 == 0 else {}
        received = START + number * HOUR  # more than a day, so that old batches are folded into the door table
        await series.append(batch(f"b{number}", [(1, START + number, 1.0)], f"door{number % 2}", received, **refused))
    before = series.doors()
    series.close()
    file.close()
    file = DuckFile(tmp_path / "s")
    series = DuckSeries(file)
    expected = (
        DoorAccount("door0", 20, 15, 0, {"late": 5}, Instant(START + 28 * HOUR)),
        DoorAccount("door1", 20, 15, 0, {"late": 5}, Instant(START + 29 * HOUR)),
    )
    assert before == expected
    assert tuple(sorted(series.doors(), key=lambda door: door.door)) == expected
    assert (await series.append(batch("b29", []))).repeated
    assert not (await series.append(batch("b0", []))).repeated
    series.close()
    file.close()


async def test_followers_get_every_row_once_in_order_from_memory_and_from_the_file(duck_file: DuckFile) -> None:
    series = DuckSeries(duck_file, ring_rows=10)
    for number in range(20):
        await series.append(batch(f"b{number}", [(stream, START + number, float(number)) for stream in range(3)]))
    for limit in (1, 7, 1000):
        seen: list[int] = []
        while (found := series.after(seen[-1] if seen else 0, limit)).num_rows:
            assert found.schema == ROWS
            seen += found.column("seq").to_numpy().tolist()
            assert seen[-1] % 3 == 0, "a commit is not cut in two"
        assert seen == list(range(1, 61))
    series.close()


async def test_followers_also_get_rows_of_days_that_were_closed_meanwhile(duck_file: DuckFile) -> None:
    series = DuckSeries(duck_file, ring_rows=1)
    await series.append(batch("a", [(1, START, 1.0), (1, START, 2.0), (2, START, 3.0)]))
    await series.append(batch("b", [(1, START + DAY, 4.0)]))
    await series.append(batch("c", [(1, START + DAY, 5.0)]))
    series.close_days(Instant(START + DAY))
    found = series.after(0, 1000)
    assert list(zip(found["seq"].to_pylist(), found["value"].to_pylist(), strict=True)) == [(2, 2.0), (3, 3.0), (4, 4.0), (5, 5.0)]
    series.close()


async def test_the_newest_revision_is_what_is_known_and_the_latest_names_its_door(series: DuckSeries) -> None:
    await series.append(batch("a", [(1, START, 1.0), (1, START + MINUTE, 2.0)]))
    await series.append(batch("b", [(1, START, 9.0)]))
    for _ in range(2):
        known = series.known(np.array([1, 1, 2], np.int32), np.array([START, START + 1, START]))
        assert known.tolist()[:1] == [9.0]
        assert np.isnan(known[1:]).all()
        assert series.latest().select(["stream_no", "time", "value", "door"]).to_pylist() == [
            {"stream_no": 1, "time": START + MINUTE, "value": 2.0, "door": "http"}
        ]
        series.close_days(Instant(START + DAY))


async def test_late_rows_of_a_closed_day_count_at_once_and_are_merged_at_the_next_close(
    series: DuckSeries, duck_file: DuckFile
) -> None:
    await series.append(batch("a", [(1, START, 1.0), (2, START, 1.0)]))
    assert series.close_days(Instant(START + DAY)) == 2
    await series.append(batch("b", [(1, START, 7.0), (1, START + HOUR, 8.0)]))
    expected: list[Row] = [(1, START, 7.0), (1, START + HOUR, 8.0), (2, START, 1.0)]
    assert scanned(series, [1, 2], START, START + DAY) == expected
    assert series.close_days(Instant(START + DAY)) == 3
    assert scanned(series, [1, 2], START, START + DAY) == expected
    assert series.close_days(Instant(START + DAY)) == 0
    assert len(list(duck_file.closed.iterdir())) == 1, "the file that was replaced is gone"


async def test_a_day_that_has_not_ended_stays_open(series: DuckSeries, duck_file: DuckFile) -> None:
    await series.append(batch("a", [(1, START + DAY - 1, 1.0)]))
    assert series.close_days(Instant(START + DAY - 1)) == 0
    assert list(duck_file.closed.iterdir()) == []
    assert series.close_days(Instant(START + DAY)) == 1


async def test_history_is_read_like_observations_but_never_followed(series: DuckSeries) -> None:
    await series.append(batch("a", [(1, START, 5.0)]))
    rows: list[Row] = [(1, START, 1.0), (1, START - DAY, 2.0), (1, START - DAY, 3.0)]
    assert series.import_segment("air 2026-11", table(rows), "history", START) == 2
    assert series.import_segment("air 2026-11", table(rows), "history", START) == 0
    assert scanned(series, [1], START - DAY, START + DAY) == [(1, START - DAY, 3.0), (1, START, 5.0)]
    assert series.after(0, 100)["seq"].to_pylist() == [1]
    assert series.last_seq() == 1
    assert series.doors()[1] == DoorAccount("history", 3, 2, 1, {}, START)


async def test_a_full_queue_says_busy_and_stores_what_it_took(duck_file: DuckFile) -> None:
    series = DuckSeries(duck_file, pending_rows=100)
    rows: list[Row] = [(1, START + n, 1.0) for n in range(60)]
    answers = await asyncio.gather(*(series.append(batch(f"b{n}", rows)) for n in range(50)), return_exceptions=True)
    taken = [answer for answer in answers if isinstance(answer, Receipt)]
    assert any(isinstance(answer, BusyError) for answer in answers)
    assert series.last_seq() == 60 * len(taken) > 0
    series.close()


async def test_below_the_low_water_mark_nothing_is_taken(tmp_path: Path) -> None:
    room = [1_000]
    file = DuckFile(tmp_path / "s", space=FreeSpace(tmp_path, 500, lambda _: room[0]))
    series = DuckSeries(file)
    await series.append(batch("a", [(1, START, 1.0)]))
    room[0] = 499
    with pytest.raises(StorageFullError):
        await series.append(batch("b", [(1, START, 2.0)]))
    with pytest.raises(StorageFullError):
        series.import_segment("history", table([(1, START, 1.0)]), "history", START)
    room[0] = 500
    await series.append(batch("b", [(1, START, 2.0)]))
    assert series.last_seq() == 2
    series.close()
    file.close()


async def test_a_batch_of_unlike_lengths_is_refused(series: DuckSeries) -> None:
    good = batch("a", [(1, START, 1.0)])
    with pytest.raises(ValueError, match="unlike"):
        await series.append(type(good)("a", "http", START, good.stream_no, good.time[:0], good.value, {}))


async def test_orphan_files_are_swept_at_start(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "s")
    series = DuckSeries(file)
    await series.append(batch("a", [(1, START, 1.0)]))
    series.close_days(Instant(START + DAY))
    series.close()
    file.close()
    (tmp_path / "s" / "closed" / "day020777-000000000009.parquet.part").write_bytes(b"half")
    (tmp_path / "s" / "closed" / "day020777-000000000009.parquet").write_bytes(b"never entered")
    file = DuckFile(tmp_path / "s")
    series = DuckSeries(file)
    assert len(list(file.closed.iterdir())) == 1
    assert scanned(series, [1], START, START + 1) == [(1, START, 1.0)]
    series.close()
    file.close()


async def test_the_writer_outlives_a_batch_that_cannot_be_stored(series: DuckSeries) -> None:
    bad = batch("bad", [(1, START, 1.0)])
    object.__setattr__(bad, "value", np.array(["not a number"]))
    with pytest.raises(ValueError, match="not a number"):
        await series.append(bad)
    assert (await series.append(batch("good", [(1, START, 1.0)]))).last_seq == 1


async def test_a_closed_day_keeps_its_file_when_closing_finds_the_disk_full(tmp_path: Path) -> None:
    room = [1_000]
    file = DuckFile(tmp_path / "s", space=FreeSpace(tmp_path, 500, lambda _: room[0]))
    series = DuckSeries(file)
    await series.append(batch("a", [(1, START, 1.0)]))
    room[0] = 499
    with pytest.raises(StorageFullError):
        series.close_days(Instant(START + DAY))
    assert scanned(series, [1], START, START + 1) == [(1, START, 1.0)]
    room[0] = 500
    assert series.close_days(Instant(START + DAY)) == 1
    series.close()
    file.close()
