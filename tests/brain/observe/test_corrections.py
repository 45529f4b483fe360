"""Corrections: shown before they are made, all or nothing, told from what was measured, and taken back."""

import asyncio

import numpy as np
import pytest
from sqlalchemy import Connection

from citybrain.brain.observe import (
    CORRECTION,
    RESTORED,
    Change,
    Corrections,
    Signed,
)
from citybrain.brain.observe import corrected as store
from citybrain.brain.observe.revising import MOST, Plan
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError, NotFoundError, StaleError
from citybrain.kernel.instant import DAY, MINUTE, Instant
from citybrain.kernel.observations import Batch, Receipt, SeriesQuery
from citybrain.kernel.things import Stream
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, balanced, correct, made, one_at, read, span


@pytest.fixture
def corrections(world: World) -> Corrections:
    return made(world)


async def test_a_span_in_the_wrong_unit_is_shown_corrected_and_told_from_what_was_measured(
    world: World, corrections: Corrections
) -> None:
    await world.send(*((LEVEL, -minute, 100.0 + minute) for minute in range(10)))
    shown = corrections.preview(world.registry.stream(LEVEL), span(-5, -2, 0.01))
    assert (shown.rows, shown.unchanged, shown.corrected, shown.outside) == (4, 0, 0, 0)
    assert (shown.first.before, shown.first.after, shown.last.before, shown.last.after) == (105.0, 1.05, 102.0, 1.02)
    assert (shown.before, shown.after) == ((102.0, 105.0), (1.02, 1.05))
    assert all(door == "test" for _, door in read(world).values()), "a preview writes nothing"
    done = await correct(world, corrections, span(-5, -2, 0.01))
    assert (done.rows, done.by, done.why, done.state) == (4, "officer", "单位错误", "standing")
    seen = read(world)
    assert seen[-5] == (1.05, CORRECTION)
    assert seen[-6] == (106.0, "test")
    first = corrections.kept(done.no)[0]
    assert (first.measured, first.door, first.before, first.after) == (105.0, "test", 105.0, 1.05)
    assert balanced(world)


async def test_a_correction_of_the_newest_reading_is_the_latest_value_at_once(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -1, 2.0), (LEVEL, 0, 900.0))
    await correct(world, corrections, one_at(0, 9.0))
    reading = world.latest.of(world.registry.stream(LEVEL).no)
    assert reading is not None
    assert reading.value == 9.0
    world.latest.rebuild(world.series)
    reading = world.latest.of(world.registry.stream(LEVEL).no)
    assert reading is not None
    assert reading.value == 9.0


async def test_taking_back_gives_what_was_measured_and_every_ledger_balances(world: World, corrections: Corrections) -> None:
    await world.send(*((LEVEL, -minute, 100.0 + minute) for minute in range(5)))
    done = await correct(world, corrections, span(-3, -1, 0.01))
    back = await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "原来没有错")
    assert back.ended is not None
    assert (back.state, back.ended.by, back.ended.why, back.ended.restored) == ("ended", "officer", "原来没有错", 3)
    assert read(world) == {
        0: (100.0, "test"),
        -1: (101.0, RESTORED),
        -2: (102.0, RESTORED),
        -3: (103.0, RESTORED),
        -4: (104.0, "test"),
    }
    assert {door.door: door.stored for door in world.series.doors()} == {"test": 5, CORRECTION: 3, RESTORED: 3}
    assert balanced(world)
    with pytest.raises(ConflictError):
        await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "再来一次")
    with pytest.raises(NotFoundError):
        await corrections.end(world.registry.stream("p2.level"), done.no, "officer", "别的监测项")


async def test_a_reading_that_is_sent_again_does_not_undo_its_correction_but_a_new_one_does(
    world: World, corrections: Corrections
) -> None:
    await world.send((LEVEL, -2, 100.0), (LEVEL, -1, 101.0))
    done = await correct(world, corrections, span(-2, -1, 0.01))
    again = await world.send((LEVEL, -2, 100.0), (LEVEL, -1, 101.0))
    assert (again.stored, again.duplicate) == (0, 2)
    assert read(world)[-2] == (1.0, CORRECTION)
    assert (await world.send((LEVEL, -2, 7.0))).stored == 1
    assert read(world) == {-2: (7.0, "test"), -1: (1.01, CORRECTION)}
    assert (await world.send((LEVEL, -2, 100.0))).stored == 1, "the correction stands there no more"
    back = await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "原来没有错")
    assert back.ended is not None
    assert back.ended.restored == 1
    assert read(world) == {-2: (100.0, "test"), -1: (101.0, RESTORED)}


async def test_a_value_that_is_the_same_by_chance_is_not_taken_for_the_corrected_one(
    world: World, corrections: Corrections
) -> None:
    await world.send((LEVEL, -1, 1.0))
    await correct(world, corrections, one_at(-1, 2.0))
    for value in (3.0, 2.0, 1.0):
        assert (await world.send((LEVEL, -1, value))).stored == 1
    assert read(world) == {-1: (1.0, "test")}


async def test_taking_back_leaves_a_newer_correction_that_set_the_same(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -1, 1.0))
    older = await correct(world, corrections, one_at(-1, 2.0))
    await world.send((LEVEL, -1, 3.0))
    newer = await correct(world, corrections, one_at(-1, 2.0))
    stream = world.registry.stream(LEVEL)
    back = await corrections.end(stream, older.no, "officer", "原来没有错")
    assert back.ended is not None
    assert back.ended.restored == 0
    assert read(world) == {-1: (2.0, CORRECTION)}
    await corrections.end(stream, newer.no, "officer", "原来没有错")
    assert read(world) == {-1: (3.0, RESTORED)}


async def test_one_correction_on_another_is_taken_back_first_and_gives_the_one_below(
    world: World, corrections: Corrections
) -> None:
    await world.send(*((LEVEL, -minute, 100.0 * minute) for minute in range(1, 4)))
    below = await correct(world, corrections, span(-3, -1, 0.01))
    above = await correct(world, corrections, one_at(-2, 1.5))
    (kept,) = corrections.kept(above.no)
    assert (kept.measured, kept.door, kept.before, kept.after) == (200.0, "test", 2.0, 1.5)
    stream = world.registry.stream(LEVEL)
    with pytest.raises(ConflictError) as refused:
        await corrections.end(stream, below.no, "officer", "原来没有错")
    assert refused.value.fields["over"] == above.no
    await corrections.end(stream, above.no, "officer", "原来没有错")
    assert read(world) == {-3: (3.0, CORRECTION), -2: (2.0, CORRECTION), -1: (1.0, CORRECTION)}
    await corrections.end(stream, below.no, "officer", "原来没有错")
    assert read(world) == {-3: (300.0, RESTORED), -2: (200.0, RESTORED), -1: (100.0, RESTORED)}
    assert [one.no for one in corrections.of(stream)] == [above.no, below.no]


async def test_what_changed_since_the_preview_is_not_overwritten(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -3, 100.0), (LEVEL, -1, 101.0))
    stream, change = world.registry.stream(LEVEL), span(-3, -1, 0.01)
    shown = corrections.preview(stream, change)
    await world.send((LEVEL, -2, 55.0))
    with pytest.raises(StaleError):
        await corrections.correct(stream, change, shown.seen, "officer", "单位错误")
    assert corrections.of(stream) == ()
    assert [door for _, door in read(world).values()] == ["test"] * 3


async def test_a_reading_that_comes_beside_a_correction_is_not_overwritten_either(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.send((LEVEL, -1, 101.0))
    stream, change = world.registry.stream(LEVEL), span(-1, -1, 0.01)
    shown, record = corrections.preview(stream, change), store.record

    def slow(connection: Connection, whose: Stream, plan: Plan, key: str, signed: Signed) -> int:
        asyncio.run_coroutine_threadsafe(world.send((LEVEL, -1, 55.0)), loop).result()
        return record(connection, whose, plan, key, signed)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(store, "record", slow)
    with pytest.raises(StaleError):
        await corrections.correct(stream, change, shown.seen, "officer", "单位错误")
    assert corrections.of(stream) == ()
    assert read(world) == {-1: (55.0, "test")}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (span(-1, -2, 0.01), "since"),
        (span(-5, 5, 0.01), "until"),
        (span(-5, -1, 0.0, 3.0), "factor"),
        (span(-5, -1), "factor"),
        (span(-5, -1, float("nan")), "factor"),
        (span(-5, -1, 1.0, float("inf")), "offset"),
        (span(-5, -1, 1e300, 0.0), "factor"),
        (span(-60, -50, 0.01), "since"),
        (one_at(-1, 1e300), "offset"),
        (one_at(-2, float("nan")), "offset"),
    ],
)
async def test_what_cannot_be_corrected_is_refused_with_its_field(
    world: World, corrections: Corrections, change: Change, field: str
) -> None:
    await world.send((LEVEL, -1, 1e300))
    with pytest.raises(BadInputError) as refused:
        corrections.preview(world.registry.stream(LEVEL), change)
    assert refused.value.fields["field"] == field


async def test_a_reason_is_asked_for(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -1, 101.0))
    stream, change = world.registry.stream(LEVEL), span(-1, -1, 0.01)
    with pytest.raises(BadInputError) as refused:
        await corrections.correct(stream, change, corrections.preview(stream, change).seen, "officer", " 错 ")
    assert refused.value.fields["field"] == "why"


async def test_too_many_at_once_and_readings_past_their_days_are_refused(world: World) -> None:
    stream = world.registry.stream(LEVEL)
    times = START - np.arange(MOST + 1, dtype=np.int64)[::-1] * 1_000
    await world.intake.take_columns(np.full(MOST + 1, stream.no, np.int32), times, np.ones(MOST + 1), "test", None)
    corrections = made(world, {"pump": 3})
    with pytest.raises(BadInputError) as refused:
        corrections.preview(stream, span(-60, 0, 2.0))
    assert refused.value.fields["field"] == "until"
    with pytest.raises(BadInputError) as refused:
        corrections.preview(stream, Change(Instant(START - 9 * DAY), Instant(START - 8 * DAY), 2.0))
    assert refused.value.fields["field"] == "since"


@pytest.mark.slow
async def test_a_hundred_thousand_are_corrected_and_taken_back_at_once(world: World, corrections: Corrections) -> None:
    stream = world.registry.stream(LEVEL)
    times = START - np.arange(MOST, dtype=np.int64)[::-1] * 1_000
    await world.intake.take_columns(np.full(MOST, stream.no, np.int32), times, np.arange(1.0, MOST + 1), "test", None)
    done = await correct(world, corrections, span(-60, 0, 2.0))
    assert done.rows == MOST
    back = await corrections.end(stream, done.no, "officer", "原来没有错")
    assert back.ended is not None
    assert back.ended.restored == MOST
    assert (
        world.series.scan(SeriesQuery((stream.no,), Instant(0), Instant(2**62)))["value"].to_pylist()
        == (np.arange(MOST) + 1.0).tolist()
    )


async def test_what_is_computed_is_corrected_where_it_comes_from(world: World, corrections: Corrections) -> None:
    await world.intake.take_columns(
        np.array([world.registry.stream(LEVEL).no], np.int32), np.array([START], np.int64), np.array([3.0]), "derived", None
    )
    with pytest.raises(BadInputError, match="computed"):
        corrections.preview(world.registry.stream(LEVEL), one_at(0, 2.0))


async def test_closed_days_are_corrected_and_what_was_measured_outlives_the_merging(world: World, corrections: Corrections) -> None:
    await world.send(*((LEVEL, -minute, 100.0) for minute in range(3)))
    world.series.close_days(Instant(START + 2 * DAY))
    done = await correct(world, corrections, span(-2, -1, 0.01))
    world.series.close_days(Instant(START + 2 * DAY))
    assert read(world) == {0: (100.0, "test"), -1: (1.0, CORRECTION), -2: (1.0, CORRECTION)}
    await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "原来没有错")
    world.series.close_days(Instant(START + 2 * DAY))
    assert read(world) == {0: (100.0, "test"), -1: (100.0, RESTORED), -2: (100.0, RESTORED)}


async def test_a_store_that_takes_nothing_leaves_no_correction(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.send((LEVEL, -1, 101.0))

    async def full(*_: object) -> None:
        raise BusyError(BusyError.title, retry_after=1)

    with monkeypatch.context() as patch:
        patch.setattr(world.series, "append", full)
        with pytest.raises(BusyError):
            await correct(world, corrections, span(-1, -1, 0.01))
    assert corrections.of(world.registry.stream(LEVEL)) == ()
    done = await correct(world, corrections, span(-1, -1, 0.01))
    with monkeypatch.context() as patch:
        patch.setattr(world.series, "append", full)
        with pytest.raises(BusyError):
            await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "原来没有错")
    assert await corrections.finish() == 1
    assert read(world) == {-1: (101.0, RESTORED)}


async def test_who_goes_away_meanwhile_stops_nothing(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.send((LEVEL, -1, 101.0))
    begun, append = asyncio.Event(), world.series.append

    async def slow(batch: Batch) -> Receipt:
        begun.set()
        await asyncio.sleep(0.01)
        return await append(batch)

    monkeypatch.setattr(world.series, "append", slow)
    asked = asyncio.ensure_future(correct(world, corrections, span(-1, -1, 0.01)))
    await begun.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await corrections.finish() == 0
    assert [one.state for one in corrections.of(world.registry.stream(LEVEL))] == ["standing"]
    assert read(world) == {-1: (1.01, CORRECTION)}


async def test_what_is_kept_goes_with_the_readings_and_who_did_it_stays(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -2, 100.0), (LEVEL, -1, 101.0))
    stream = world.registry.stream(LEVEL)
    done = await correct(world, corrections, span(-2, -1, 0.01))
    assert corrections.forget(np.array([stream.no], np.int32), Instant(START - MINUTE)) == 1
    assert [one.measured for one in corrections.kept(done.no)] == [101.0]
    await corrections.end(stream, done.no, "officer", "原来没有错")
    assert read(world) == {-2: (1.0, CORRECTION), -1: (101.0, RESTORED)}
    assert [one.why for one in corrections.of(stream)] == ["单位错误"]
