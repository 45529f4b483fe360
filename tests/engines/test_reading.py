"""One suite for those who read the series, over DuckDB alone and over Spark on what DuckDB has shipped."""

import numpy as np
import pytest

from citybrain.engines.duckdb import Due
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Duration, Instant
from citybrain.kernel.observations import ROWS
from tests.engines.duckdb.world import START, Row, batch, table
from tests.engines.world import Reading


@pytest.mark.parametrize("closed", [False, True])
async def test_the_newest_revision_wins_in_rows_buckets_and_latest(reading: Reading, *, closed: bool) -> None:
    await reading.owner.append(batch("a", [(1, START, 1.0), (1, START + MINUTE, 2.0)]))
    await reading.owner.append(batch("b", [(1, START, 9.0)]))
    if closed:
        reading.owner.close_days(Instant(START + DAY))
    assert reading.rows([1], START, START + DAY) == [(1, START, 9.0), (1, START + MINUTE, 2.0)]
    assert reading.buckets([1], START, START + DAY, HOUR) == [(1, START, 5.5, 2.0, 9.0, 2)]
    assert reading.latest() == [(1, START + MINUTE, 2.0)]


async def test_rows_come_with_their_sequence_number_receipt_and_door(reading: Reading) -> None:
    await reading.owner.append(batch("a", [(1, START, 1.0)], door="mqtt", received=START + 5))
    reading.owner.close_days(Instant(START + DAY))
    await reading.owner.append(batch("b", [(1, START + DAY, 2.0)], received=START + DAY + 7))
    found = reading.scan([1], START, START + 2 * DAY)
    assert found.schema == ROWS
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        (1, 1, START, 1.0, START + 5, "mqtt"),
        (2, 1, START + DAY, 2.0, START + DAY + 7, "http"),
    ]


async def test_late_rows_of_a_closed_day_count_at_once(reading: Reading) -> None:
    await reading.owner.append(batch("a", [(1, START, 1.0), (2, START, 1.0)]))
    reading.owner.close_days(Instant(START + DAY))
    await reading.owner.append(batch("b", [(1, START, 7.0), (1, START + HOUR, 8.0)]))
    for _ in range(2):
        assert reading.rows([1, 2], START, START + DAY) == [(1, START, 7.0), (1, START + HOUR, 8.0), (2, START, 1.0)]
        assert reading.buckets([1, 2], START, START + DAY, DAY) == [(1, START, 7.5, 7.0, 8.0, 2), (2, START, 1.0, 1.0, 1.0, 1)]
        reading.owner.close_days(Instant(START + DAY))


async def test_a_bucket_of_a_day_begins_at_the_districts_midnight(reading: Reading) -> None:
    await reading.owner.append(batch("a", [(1, START - 1, 1.0), (1, START, 3.0), (1, START + DAY - 1, 5.0)]))
    reading.owner.close_days(Instant(START + DAY))
    assert reading.buckets([1], START - DAY, START + DAY, DAY) == [(1, START - DAY, 1.0, 1.0, 1.0, 1), (1, START, 4.0, 3.0, 5.0, 2)]


async def test_a_bucket_over_closed_and_open_days_is_one(reading: Reading) -> None:
    for day in range(3):
        await reading.owner.append(batch(f"{day}", [(1, START + day * DAY, float(day)), (1, START + day * DAY + HOUR, 10.0)]))
    reading.owner.close_days(Instant(START + 2 * DAY))
    start = START - START % (7 * DAY) - 8 * HOUR
    assert reading.buckets([1], START, START + 3 * DAY, 7 * DAY) == [(1, start, 33 / 6, 0.0, 10.0, 6)]


async def test_what_was_observed_wins_over_history_and_a_later_import_over_an_earlier_one(reading: Reading) -> None:
    await reading.owner.append(batch("a", [(1, START, 5.0)]))
    reading.owner.close_days(Instant(START + DAY))
    reading.owner.import_segment("first", table([(1, START, 1.0), (1, START - DAY, 2.0)]), "history", START)
    reading.owner.import_segment("second", table([(1, START - DAY, 3.0)]), "history", START)
    assert reading.rows([1], START - DAY, START + DAY) == [(1, START - DAY, 3.0), (1, START, 5.0)]
    assert reading.buckets([1], START - DAY, START + DAY, HOUR) == [
        (1, START - DAY, 3.0, 3.0, 3.0, 1),
        (1, START, 5.0, 5.0, 5.0, 1),
    ]
    assert reading.latest() == [(1, START, 5.0)]


async def test_an_import_over_many_days_is_compared_with_each_of_them(reading: Reading) -> None:
    days = (START, START + 2 * DAY, START + 4 * DAY)
    await reading.owner.append(batch("a", [(1, day, 1.0) for day in days]))
    reading.owner.close_days(Instant(START + 9 * DAY))
    reading.owner.import_segment("all", table([(1, day, 5.0) for day in (*days, START + 5 * DAY)]), "history", START)
    expected = [(1, day, 1.0, 1.0, 1.0, 1) for day in days] + [(1, START + 5 * DAY, 5.0, 5.0, 5.0, 1)]
    assert reading.buckets([1], START, START + 9 * DAY, DAY) == expected


async def test_the_latest_can_be_asked_as_of_a_sequence_number(reading: Reading) -> None:
    for number in range(1, 4):
        await reading.owner.append(batch(f"b{number}", [(1, START + number, float(number)), (2, START + DAY + number, 0.0)]))
    for _ in range(2):
        assert reading.latest(3) == [(1, START + 2, 2.0), (2, START + DAY + 1, 0.0)]
        assert reading.latest() == [(1, START + 3, 3.0), (2, START + DAY + 3, 0.0)]
        reading.owner.close_days(Instant(START + DAY))


async def test_what_was_deleted_is_in_no_answer(reading: Reading) -> None:
    await reading.owner.append(batch("a", [(1, START, 1.0), (1, START + HOUR, 2.0), (2, START, 3.0)]))
    reading.owner.close_days(Instant(START + DAY))
    assert len(reading.rows([1, 2], START, START + DAY)) == 3
    reading.owner.delete([Due("kind", 7, Instant(START + HOUR), np.array([1], np.int32), START)])
    assert reading.rows([1, 2], START, START + DAY) == [(1, START + HOUR, 2.0), (2, START, 3.0)]
    assert reading.buckets([1, 2], START, START + DAY, DAY) == [(1, START, 2.0, 2.0, 2.0, 1), (2, START, 3.0, 3.0, 3.0, 1)]


async def test_only_the_streams_and_the_time_that_were_asked_for_are_in_an_answer(reading: Reading) -> None:
    rows: list[Row] = [(stream, START + hour * HOUR, float(stream)) for stream in range(9) for hour in range(24)]
    await reading.owner.append(batch("a", rows))
    reading.owner.close_days(Instant(START + DAY))
    found = reading.rows([7, 2, 2, 5], START + HOUR, START + 3 * HOUR)
    assert found == [(stream, START + hour * HOUR, float(stream)) for stream in (2, 5, 7) for hour in (1, 2)]
    assert reading.scan([], START, START + DAY).num_rows == 0
    assert reading.scan([1], START, START, Duration(HOUR)).num_rows == 0
    assert reading.rows([99], START, START + DAY) == []
