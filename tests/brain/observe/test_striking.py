"""What a person strikes out: left out by every reader and said to be, kept beside, and back when that is taken back."""

import asyncio
import math

import numpy as np
import pyarrow as pa
import pytest

from citybrain.brain.observe import CORRECTION, NOTHING, RESTORED, STRUCK, Change, Corrections, Following, Latest, missing
from citybrain.brain.observe.intake import Intake
from citybrain.engines.bus import LocalBus
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, balanced, correct, made, one_at, read, span, strike


@pytest.fixture
def corrections(world: World) -> Corrections:
    return made(world)


def latest(world: World) -> float | None:
    reading = world.latest.of(world.registry.stream(LEVEL).no)
    return None if reading is None else reading.value


async def test_what_is_struck_out_is_left_out_counted_kept_and_stands_again_when_that_is_taken_back(
    world: World, corrections: Corrections
) -> None:
    await world.send(*((LEVEL, -minute, 100.0 + minute) for minute in range(5)))
    stream = world.registry.stream(LEVEL)
    shown = corrections.preview(stream, strike(-3, -2))
    assert (shown.rows, shown.outside, shown.first.before, shown.first.after) == (2, 0, 103.0, NOTHING)
    done = await correct(world, corrections, strike(-3, -2))
    assert (done.change.strikes, done.change.factor, done.change.offset) == (True, 1.0, 0.0)
    assert read(world) == {0: (100.0, "test"), -1: (101.0, "test"), -4: (104.0, "test")}
    whole = SeriesQuery((stream.no,), Instant(0), Instant(2**62), DAY, marks=True)
    assert world.series.scan(whole).select(["count", "corrected", "struck"]).to_pylist() == [
        {"count": 3, "corrected": 0, "struck": 2}
    ]
    assert [(one.measured, one.door, one.after) for one in corrections.kept(done.no)] == [
        (103.0, "test", math.inf),
        (102.0, "test", math.inf),
    ]
    at = frozenset(Instant(START + minute * MINUTE) for minute in (-3, -2))
    assert corrections.struck(stream, Instant(START - HOUR), Instant(START + 1)) == at
    assert corrections.standing(stream, Instant(START - HOUR), Instant(START + 1)) == frozenset()
    back = await corrections.end(stream, done.no, "officer", "原来没有错")
    assert back.ended is not None
    assert back.ended.restored == 2
    assert (read(world)[-3], read(world)[-2]) == ((103.0, RESTORED), (102.0, RESTORED))
    assert {door.door: door.stored for door in world.series.doors()} == {"test": 5, STRUCK: 2, RESTORED: 2}
    assert balanced(world)


async def test_the_latest_value_is_then_the_one_before_here_in_another_process_and_after_a_start(
    world: World, corrections: Corrections
) -> None:
    await world.send((LEVEL, -2, 2.0), (LEVEL, -1, 3.0))
    other = Latest(world.registry, world.series, world.clock)
    following = Following(other, world.series, world.series.last_seq())
    await world.send((LEVEL, 0, 900.0))
    done = await correct(world, corrections, strike(-1, 0))
    assert latest(world) == 2.0
    await following.run_once()
    reading = other.of(world.registry.stream(LEVEL).no)
    assert reading is not None
    assert (reading.value, reading.time) == (2.0, START - 2 * MINUTE)
    world.latest.rebuild(world.series)
    assert latest(world) == 2.0
    await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "原来没有错")
    assert latest(world) == 900.0
    await following.run_once()
    reading = other.of(world.registry.stream(LEVEL).no)
    assert reading is not None
    assert reading.value == 900.0


async def test_a_reading_that_comes_while_the_latest_value_goes_back_is_the_latest(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.send((LEVEL, -2, 2.0), (LEVEL, -1, 900.0))
    loop, stored, asked = asyncio.get_running_loop(), world.series.latest, list[tuple[int, ...] | None]()

    def slow(at_most: int | None = None, streams: tuple[int, ...] | None = None) -> pa.Table:
        found = stored(at_most, streams)
        asked.append(streams)
        if len(asked) == 1:
            asyncio.run_coroutine_threadsafe(world.send((LEVEL, 0, 5.0)), loop).result()
        return found

    monkeypatch.setattr(world.series, "latest", slow)
    await correct(world, corrections, strike(-1, -1))
    assert (latest(world), len(asked)) == (5.0, 2)


async def test_a_stream_of_which_all_is_struck_out_never_reported(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -1, 2.0))
    await correct(world, corrections, strike(-1, -1))
    assert latest(world) is None
    assert read(world) == {}


async def test_a_reading_that_is_sent_again_does_not_undo_it_after_a_start_either_but_another_one_does(
    world: World, corrections: Corrections, bus: LocalBus
) -> None:
    await world.send((LEVEL, -2, 100.0), (LEVEL, -1, 101.0))
    await correct(world, corrections, strike(-1, -1))
    assert (await world.send((LEVEL, -1, 101.0))).duplicate == 1
    world.latest = Latest(world.registry, world.series, world.clock)
    world.intake = Intake(world.registry, world.series, world.latest, world.clock, bus)
    made(world)
    assert (await world.send((LEVEL, -1, 101.0))).duplicate == 1
    assert read(world) == {-2: (100.0, "test")}
    assert (await world.send((LEVEL, -1, 7.0))).stored == 1
    assert read(world) == {-2: (100.0, "test"), -1: (7.0, "test")}


async def test_it_holds_over_the_closing_of_days_and_what_comes_late(world: World, corrections: Corrections) -> None:
    await world.send(*((LEVEL, -minute, 100.0) for minute in range(3)))
    world.series.close_days(Instant(START + 2 * DAY))
    done = await correct(world, corrections, strike(-1, 0))
    assert (latest(world), list(read(world))) == (100.0, [-2])
    await world.send((LEVEL, -5, 7.0))
    world.series.close_days(Instant(START + 2 * DAY))
    assert list(read(world)) == [-5, -2]
    world.latest.rebuild(world.series)
    reading = world.latest.of(world.registry.stream(LEVEL).no)
    assert reading is not None
    assert reading.time == START - 2 * MINUTE
    await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "原来没有错")
    world.series.close_days(Instant(START + 2 * DAY))
    assert read(world)[0] == (100.0, RESTORED)


async def test_it_may_rest_on_a_correction_and_gives_that_back(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -2, 200.0), (LEVEL, -1, 100.0))
    below = await correct(world, corrections, one_at(-1, 1.0))
    above = await correct(world, corrections, strike(-2, -1))
    stream = world.registry.stream(LEVEL)
    assert [(one.measured, one.before) for one in corrections.kept(above.no)] == [(200.0, 200.0), (100.0, 1.0)]
    with pytest.raises(ConflictError):
        await corrections.end(stream, below.no, "officer", "原来没有错")
    await corrections.end(stream, above.no, "officer", "原来没有错")
    assert read(world) == {-2: (200.0, RESTORED), -1: (1.0, CORRECTION)}


async def test_what_is_struck_out_cannot_be_corrected_or_struck_out_again(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -1, 100.0))
    await correct(world, corrections, strike(-1, -1))
    stream = world.registry.stream(LEVEL)
    for change in (strike(-1, -1), one_at(-1, 1.0), span(-1, -1, 2.0), Change(Instant(0), Instant(1), 2.0, strikes=True)):
        with pytest.raises(BadInputError):
            corrections.preview(stream, change)


async def test_what_a_kill_left_on_its_way_is_finished(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.send((LEVEL, -1, 100.0))
    with monkeypatch.context() as patch:

        async def killed(*_: object) -> None:
            raise RuntimeError

        patch.setattr(world.intake, "revise", killed)
        with pytest.raises(RuntimeError):
            await correct(world, corrections, strike(-1, -1))
    again = made(world)
    assert await again.finish() == 1
    assert read(world) == {}
    assert [one.state for one in again.of(world.registry.stream(LEVEL))] == ["standing"]


async def test_nobody_else_can_send_what_strikes_out(world: World) -> None:
    no = np.array([world.registry.stream(LEVEL).no], np.int32)
    verdict = await world.intake.take_columns(no, np.array([START], np.int64), np.array([NOTHING]), "test", None)
    assert [refusal.code for refusal in verdict.refused] == ["not_a_number"]


async def test_the_gap_shows_as_a_gap_and_says_how_many_were_struck_out(world: World, corrections: Corrections) -> None:
    await world.send(*((LEVEL, -minute, 100.0) for minute in range(9)))
    await correct(world, corrections, strike(-4, -3))
    (gap,) = missing(world.series, world.registry, LEVEL, Instant(START - HOUR), Instant(START + 1), Instant(START))
    assert (gap.missing, gap.struck, gap.values) == (2, 2, (100.0, 100.0))


async def test_what_was_derived_from_it_alone_goes_with_it_and_comes_back(world: World, corrections: Corrections) -> None:
    deriver = world.deriver()
    await world.send((LEVEL, -2, 4.0), (LEVEL, -1, 6.0))
    while await deriver.run_once():
        pass
    name = next(stream.id for stream in world.registry.streams() if read(world, stream.id) and stream.id != LEVEL)
    before = read(world, name)
    done = await correct(world, corrections, strike(-1, -1))
    while await deriver.run_once():
        pass
    assert list(read(world, name)) == [-2]
    await corrections.end(world.registry.stream(LEVEL), done.no, "officer", "原来没有错")
    while await deriver.run_once():
        pass
    assert read(world, name) == before
