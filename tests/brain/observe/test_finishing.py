"""Acts and what is said anew with them under a kill: a start finishes all of it, or undoes all of it."""

import itertools
import json
from collections.abc import Sequence

import pytest
from msgspec import json as encoded

from citybrain.brain.observe import CORRECTION, About, Act, Anew, Coming, Corrections, Saying, Wanted, read_rows, setting, strike
from citybrain.brain.observe import restated as records
from citybrain.brain.observe.intake import Revision
from citybrain.kernel.errors import ConflictError, StaleError, StorageFullError
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.observations import Batch, Receipt
from citybrain.kernel.text import same
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, balanced, made, read
from tests.brain.observe.test_corrected import PowerCutError, started

OTHER, WHY = "p2.level", "记错了泵站"
AT = Instant(START - MINUTE)
MEASURED = {LEVEL: {-1: (1.0, "test")}, OTHER: {}}
MOVED = {LEVEL: {}, OTHER: {-1: (1.5, CORRECTION)}}


def told(world: World, stream: str, mark: str | None = None, **words: object) -> About:
    return About(world.registry.stream(stream).no, AT, None, json.dumps(words) if words else None, mark)


async def filled(world: World, corrections: Corrections) -> tuple[list[Act], list[Saying]]:
    """A reading that says something, and what moves it to the other stream with another value and other words."""
    await world.send((LEVEL, -1, 1.0))
    seen = told(world, LEVEL, depth=1)
    corrections.featured.put([seen])
    here, there = (world.registry.stream(name) for name in (LEVEL, OTHER))
    struck = Wanted(here, strike(AT), corrections.preview(here, strike(AT)).seen)
    acts = [Act([corrections.addition(there, setting(AT, 1.5))], WHY), Act([struck], WHY)]
    return acts, [Saying(Anew(seen, told(world, OTHER, "Datastream,parameters", depth=2)), WHY)]


def stands(world: World) -> dict[str, dict[int, tuple[float, str]]]:
    return {name: read(world, name) for name in (LEVEL, OTHER)}


def words(corrections: Corrections) -> list[About]:
    """What is beside readings by now."""
    return sorted(corrections.featured.of([1, 2, 3, 4, 5, 6], 0, 2**62).values())


def settled(world: World) -> bool:
    with world.transactions.read() as connection:
        return records.unsettled(connection) == ()


@pytest.mark.parametrize("before", range(3))
async def test_a_kill_leaves_an_observation_moved_with_its_words_or_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    corrections = made(world)
    acts, saying = await filled(world, corrections)
    append, count = world.series.append, itertools.count()

    async def cut_at(batch: Batch) -> Receipt:
        if next(count) == before:
            raise PowerCutError
        return await append(batch)

    with monkeypatch.context() as patch:
        patch.setattr(world.series, "append", cut_at)
        if before < 2:
            with pytest.raises(PowerCutError):
                await corrections.acts(acts, "officer", None, saying)
        else:
            await corrections.acts(acts, "officer", None, saying)
    again = made(started(world))
    # What was recorded goes on.
    await again.finish()
    assert (stands(world), words(again)) == (MOVED, [told(world, OTHER, "Datastream,parameters", depth=2)])
    assert (again.verify(), again.featured.verify(), settled(world), balanced(world)) == (2, 1, True, True)
    assert await again.finish() == 0
    ended = await again.end(world.registry.stream(LEVEL), 2, "officer", "原来没有错")
    assert ended.state == "ended"
    assert words(again)[0] == told(world, LEVEL, depth=1), "what was beside it stands beside it again"


async def test_what_was_recorded_and_fits_no_more_at_the_start_is_undone_with_its_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    corrections = made(world)
    acts, saying = await filled(world, corrections)

    async def cut(_: Batch) -> Receipt:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(world.series, "append", cut)
        with pytest.raises(PowerCutError):
            await corrections.acts(acts, "officer", None, saying)
    again = made(started(world))
    assert words(again) == [told(world, OTHER, "Datastream,parameters", depth=2)], "on its way"
    await world.send((OTHER, -1, 9.0))
    await again.finish()
    assert stands(world) == MEASURED | {OTHER: {-1: (9.0, "test")}}
    assert (words(again), settled(world)) == ([told(world, LEVEL, depth=1)], True)
    assert [again.of(world.registry.stream(name)) for name in (LEVEL, OTHER)] == [(), ()]
    assert again.restated(world.registry.stream(LEVEL)) == ()


@pytest.mark.parametrize("full", [False, True])
async def test_what_is_refused_leaves_readings_and_words_as_they_were(
    world: World, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    corrections = made(world)
    acts, saying = await filled(world, corrections)

    async def refuse(_: Batch) -> Receipt:
        raise StorageFullError(same("full"))

    with monkeypatch.context() as patch:
        if full:
            patch.setattr(world.series, "append", refuse)
        else:
            await world.send((OTHER, -1, 9.0))
        with pytest.raises(StorageFullError if full else ConflictError):
            await corrections.acts(acts, "officer", None, saying)
    assert stands(world) == MEASURED | ({} if full else {OTHER: {-1: (9.0, "test")}})
    assert (words(corrections), settled(world)) == ([told(world, LEVEL, depth=1)], True)


async def test_what_somebody_says_meanwhile_keeps_readings_as_they_were_too(world: World) -> None:
    corrections = made(world)
    acts, saying = await filled(world, corrections)
    corrections.featured.put([told(world, LEVEL, depth=7)])
    with pytest.raises(StaleError):
        await corrections.acts(acts, "officer", None, saying)
    assert (stands(world), words(corrections)) == (MEASURED, [told(world, LEVEL, depth=7)])
    assert corrections.of(world.registry.stream(LEVEL)) == ()


@pytest.mark.parametrize("comes", [False, True])
async def test_words_that_wait_for_observations_stand_or_fall_with_these(
    world: World, monkeypatch: pytest.MonkeyPatch, *, comes: bool
) -> None:
    corrections = made(world)
    await filled(world, corrections)
    seen = told(world, LEVEL, depth=1)
    anew = told(world, LEVEL, "parameters", depth=2)
    rows = read_rows(encoded.encode([{"stream": OTHER, "time": rfc3339(AT), "value": 4.0}]))
    part, name = (records, "settle") if comes else (world.series, "append")

    def cut(*_: object, **__: object) -> Sequence[None]:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(part, name, cut)
        with pytest.raises(PowerCutError):
            await corrections.acts([], "officer", Coming(rows, "test"), [Saying(Anew(seen, anew), WHY)])
    again = made(started(world))
    assert await again.finish() == 1
    assert words(again) == [anew if comes else seen]
    assert (stands(world)[OTHER], settled(world)) == ({-1: (4.0, "test")} if comes else {}, True)


async def test_a_place_that_is_filled_while_observations_come_in_is_set_over_what_came(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    corrections = made(world)
    acts, saying = await filled(world, corrections)
    rows = read_rows(encoded.encode([{"stream": "p1.flow", "time": rfc3339(AT), "value": 4.0}]))
    revise = world.intake.revise

    async def meanwhile(revision: Revision, door: str, key: str) -> None:
        monkeypatch.undo()
        await world.send((OTHER, -1, 9.0))
        await revise(revision, door, key)

    monkeypatch.setattr(world.intake, "revise", meanwhile)
    await corrections.acts(acts, "officer", Coming(rows, "test"), saying)
    assert (stands(world), words(corrections)) == (MOVED, [told(world, OTHER, "Datastream,parameters", depth=2)])
    assert corrections.verify() == 2
