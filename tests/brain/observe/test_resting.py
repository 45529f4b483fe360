"""What a figure was made of when it was made, and what has become of it: against a model that looked each minute."""

import random

import pytest

from citybrain.brain.observe import Corrections, Rested
from citybrain.kernel.errors import CityError
from citybrain.kernel.instant import DAY, MINUTE, Instant
from citybrain.kernel.observations import SeriesQuery
from tests.brain import tiny
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, correct, made, one_at, strike


def at(minute: int) -> Instant:
    return Instant(START + minute * MINUTE)


def now(world: World, minute: int, ahead: int = 0) -> None:
    """Let it be so many minutes after 15:00, the wall clock apart from the city's."""
    world.clock.set(at(minute), Instant(at(minute) - ahead))


def newest(world: World) -> tuple[int, float, bool]:
    """The latest reading as a figure would find it: its minute, its value, and whether a person set it."""
    rows = world.series.scan(SeriesQuery((world.registry.stream(LEVEL).no,), Instant(0), Instant(2**62))).to_pylist()
    return (rows[-1]["time"], rows[-1]["value"], rows[-1]["door"] == "correction") if rows else (0, 0.0, False)


@pytest.fixture
def corrections(world: World) -> Corrections:
    return made(world)


async def test_a_figure_says_what_was_corrected_before_it_was_made_and_what_has_changed_since(
    world: World, corrections: Corrections
) -> None:
    await world.send((LEVEL, 0, 100.0))
    now(world, 1)
    await correct(world, corrections, one_at(0, 7.0))
    assert corrections.rested([LEVEL], [at(0), at(1), at(5)]) == [Rested(0, 1), Rested(1, 0), Rested(1, 0)]
    now(world, 3)
    await correct(world, corrections, strike(0, 0))
    assert corrections.rested([LEVEL], [at(0), at(2), at(5)]) == [Rested(0, 1), Rested(1, 1), Rested(0, 0)]
    now(world, 6)
    for no in (2, 1):
        await corrections.end(world.registry.stream(LEVEL), no, "officer", "原来没有错")
    assert corrections.rested([LEVEL], [at(0), at(2), at(7)]) == [Rested(0, 0), Rested(1, 1), Rested(0, 0)]


async def test_it_rested_on_the_reading_that_was_the_latest_then(world: World, corrections: Corrections) -> None:
    await world.send((LEVEL, -9, 91.0), (LEVEL, -5, 95.0))
    now(world, 5)
    await world.send((LEVEL, -3, 97.0))
    now(world, 6)
    await correct(world, corrections, strike(-5, -5))
    assert corrections.rested([LEVEL], [at(0)]) == [Rested(0, 1)], "what came late was not there"
    assert corrections.rested([LEVEL], [at(5), Instant(at(0) + 3 * DAY)]) == [Rested(0, 0), Rested(0, 0)]
    assert corrections.rested(["p2.level", "nothing"], [at(0)]) == [Rested()]
    assert corrections.rested([LEVEL], []) == []


async def test_behind_what_was_computed_stand_the_readings_it_was_computed_from(world: World, corrections: Corrections) -> None:
    load = "p1.load"
    await world.send(*((LEVEL, -minute, 1.0 + minute / 10) for minute in range(9)))
    await world.deriver().run_once()
    assert world.latest.of(world.registry.stream(load).no) is not None
    corrections.computed_by((tiny.PACK,))
    assert corrections.rested([load], [at(0)]) == [Rested(0, 0)]
    now(world, 1)
    await correct(world, corrections, one_at(-3, 7.0))
    await correct(world, corrections, one_at(-8, 7.0))
    await world.deriver().run_once()
    assert corrections.rested([load], [at(0), at(1)]) == [Rested(0, 1), Rested(1, 0)], (
        "what is further back than it looks is no ground of it"
    )
    now(world, 2)
    await correct(world, corrections, strike(-4, -3))
    assert corrections.rested([load, LEVEL], [at(0), at(1), at(2)]) == [Rested(0, 2), Rested(1, 2), Rested(0, 0)]


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ahead", [0, 3 * DAY])
async def test_any_course_of_things_is_told_as_one_who_looked_each_minute(
    world: World, corrections: Corrections, seed: int, ahead: int
) -> None:
    """With a city clock that is ahead of the wall's, as the demo's, at the same pace."""
    pick, seen = random.Random(seed), []
    now(world, 0, ahead)
    await world.send(*((LEVEL, minute - 4, 50.0 + minute) for minute in range(4)))
    stream = world.registry.stream(LEVEL)
    for minute in range(1, 30):
        now(world, minute, ahead)
        seen.append((at(minute - 1), newest(world)))
        first = pick.choice([(int(row["time"]) - START) // MINUTE for row in every(world)][-2:])
        try:
            match pick.randrange(7):
                case 0:
                    await world.send((LEVEL, minute - 1, 60.0 + minute))
                case 1 | 2:
                    await correct(world, corrections, one_at(first, float(pick.randrange(40, 60))))
                case 3 | 4:
                    await correct(world, corrections, strike(first, first))
                case 5 | 6:
                    await corrections.end(
                        stream, pick.choice([one.no for one in corrections.of(stream)] or [1]), "officer", "原来没有错"
                    )
        except CityError:
            continue
    stands = {row["time"]: row["value"] for row in every(world)}
    wanted = [Rested(int(by), int(stands[time] != value)) for _, (time, value, by) in seen]
    assert corrections.rested([LEVEL], [minute for minute, _ in seen]) == wanted
    assert any(one.changed for one in wanted)
    assert any(one.corrected for one in wanted)


def every(world: World) -> list[dict[str, int | float]]:
    no = world.registry.stream(LEVEL).no
    rows: list[dict[str, int | float]] = world.series.scan(SeriesQuery((no,), Instant(0), Instant(2**62), marks=True)).to_pylist()
    return rows
