"""Corrections of several streams that are one act: all of them or none, after a kill and beside what comes in too."""

import itertools
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import pytest
from msgspec import json

from citybrain.brain.observe import CORRECTION, Act, Coming, Correction, Corrections, Wanted, read_rows, setting, strike
from citybrain.brain.observe import corrected as store
from citybrain.brain.observe.intake import Revision
from citybrain.kernel.errors import BadInputError, StaleError, StorageFullError
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.observations import Batch, Receipt
from citybrain.kernel.text import same
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, balanced, made, read
from tests.brain.observe.test_corrected import PowerCutError, cut, started

OTHER = "p2.level"
AT = Instant(START - MINUTE)
BOTH = {LEVEL: {-1: (1.5, CORRECTION)}, OTHER: {-1: (2.5, CORRECTION)}}
NEITHER = {LEVEL: {-1: (1.0, "test")}, OTHER: {-1: (2.0, "test")}}
CUTS: Mapping[str, tuple[Callable[[World], object], str, bool]] = {
    "before the record": (lambda _: store, "record", False),
    "before the rows": (lambda world: world.series, "append", True),
    "after the rows": (lambda world: world.latest, "feed", True),
    "before they are told to stand": (lambda _: store, "become", True),
}


@pytest.fixture
def corrections(world: World) -> Corrections:
    return made(world)


async def filled(world: World) -> None:
    await world.send((LEVEL, -1, 1.0), (OTHER, -1, 2.0))


def wanted(world: World, corrections: Corrections) -> list[Wanted]:
    """Half a unit more for both, the second stream first."""
    listed = [(OTHER, setting(AT, 2.5)), (LEVEL, setting(AT, 1.5))]
    streams = [(world.registry.stream(name), change) for name, change in listed]
    return [Wanted(stream, change, corrections.preview(stream, change).seen) for stream, change in streams]


def stands(world: World) -> Mapping[str, Mapping[int, tuple[float, str]]]:
    return {name: read(world, name) for name in (LEVEL, OTHER)}


def of(world: World, corrections: Corrections) -> list[Correction]:
    return [one for name in (LEVEL, OTHER) for one in corrections.of(world.registry.stream(name))]


async def test_each_is_a_correction_of_its_own_and_is_taken_back_by_itself(world: World, corrections: Corrections) -> None:
    await filled(world)
    before = world.series.last_seq()
    first, second = await corrections.together(wanted(world, corrections), "officer", "单位错误")
    assert stands(world) == BOTH
    assert world.series.last_seq() == before + 2
    assert [(one.no, one.state, one.rows) for one in (first, second)] == [(1, "standing", 1), (2, "standing", 1)]
    await corrections.end(world.registry.stream(OTHER), second.no, "officer", "原来没有错")
    assert {name: found[-1][0] for name, found in stands(world).items()} == {LEVEL: 1.5, OTHER: 2.0}
    assert balanced(world)


@pytest.mark.parametrize("moment", CUTS)
async def test_a_kill_leaves_all_of_them_or_none(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    part, name, done = CUTS[moment]
    await filled(world)
    with monkeypatch.context() as patch:
        patch.setattr(part(world), name, cut)
        with pytest.raises(PowerCutError):
            await corrections.together(wanted(world, corrections), "officer", "单位错误")
    again = made(started(world))
    await again.finish()
    assert stands(world) == (BOTH if done else NEITHER)
    assert [one.state for one in of(world, again)] == (["standing"] * 2 if done else [])
    assert {door.door: door.stored for door in world.series.doors()}.get(CORRECTION, 0) == 2 * done
    assert balanced(world)
    assert await again.finish() == 0


async def test_one_that_was_read_anew_keeps_the_other_from_being_corrected(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(world)
    seen = wanted(world, corrections)
    await world.send((OTHER, -1, 7.0))
    with pytest.raises(StaleError):
        await corrections.together(seen, "officer", "单位错误")
    seen = wanted(world, corrections)
    with monkeypatch.context() as patch:
        patch.setattr(world.series, "append", cut)
        with pytest.raises(PowerCutError):
            await corrections.together(seen, "officer", "单位错误")
    await started(world).send((OTHER, -1, 8.0))
    again = made(world)
    await again.finish()
    assert stands(world) == {LEVEL: {-1: (1.0, "test")}, OTHER: {-1: (8.0, "test")}}
    assert of(world, again) == []


async def test_a_full_store_keeps_all_from_being_corrected(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: object) -> None:
        raise StorageFullError(same("full"))

    await filled(world)
    with monkeypatch.context() as patch:
        patch.setattr(world.series, "append", full)
        with pytest.raises(StorageFullError):
            await corrections.together(wanted(world, corrections), "officer", "单位错误")
    assert (stands(world), of(world, corrections)) == (NEITHER, [])


async def test_where_one_may_not_be_corrected_none_is(world: World, corrections: Corrections) -> None:
    await filled(world)
    good, _ = wanted(world, corrections)
    nothing = Wanted(world.registry.stream(LEVEL), strike(Instant(AT - MINUTE)), "")
    with pytest.raises(BadInputError):
        await corrections.together([Wanted(good.stream, strike(AT), good.seen), nothing], "officer", "单位错误")
    assert (stands(world), of(world, corrections)) == (NEITHER, [])


SET, COMING = "一起成败", ("p1.level", 0, 3.0)


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("comes", [True, False])
async def test_a_kill_leaves_acts_that_belong_together_and_what_comes_with_them_whole(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch, before: int, *, comes: bool
) -> None:
    await filled(world)
    one, two = (wanted(world, corrections)[place] for place in (0, 1))
    struck = Wanted(two.stream, strike(AT), corrections.preview(two.stream, strike(AT)).seen)
    acts = [Act([one], SET), Act([struck], SET)]
    rows = read_rows(json.encode([{"stream": COMING[0], "time": rfc3339(Instant(START)), "value": COMING[2]}]))
    append, count = world.series.append, itertools.count()

    async def cut_at(batch: Batch) -> Receipt:
        if next(count) == before:
            raise PowerCutError
        return await append(batch)

    whole = before > 1 + comes
    with monkeypatch.context() as patch:
        patch.setattr(world.series, "append", cut_at)
        with nullcontext() if whole else pytest.raises(PowerCutError):
            await corrections.acts(acts, "officer", Coming(rows, "test") if comes else None)
    again = made(started(world))
    await again.finish()
    # What was recorded before the first of it stood goes on, unless observations were to come first that never did.
    done = before > 0 or not comes
    assert read(world, OTHER) == {-1: (2.5, CORRECTION) if done else (2.0, "test")}
    kept = {0: (3.0, "test")} if comes and before > 0 else {}
    assert read(world) == kept | ({} if done else {-1: (1.0, "test")})
    assert [found.state for found in of(world, again)] == ["standing"] * 2 * done
    assert balanced(world)


async def test_what_is_read_anew_between_two_acts_is_corrected_as_it_is_by_then(
    world: World, corrections: Corrections, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(world)
    one, two = wanted(world, corrections)
    struck = Wanted(one.stream, strike(AT), corrections.preview(one.stream, strike(AT)).seen)
    revise, count = world.intake.revise, itertools.count()

    async def meanwhile(revision: Revision, door: str, key: str) -> None:
        if next(count) == 1:
            await world.send((OTHER, -1, 7.0))
        await revise(revision, door, key)

    monkeypatch.setattr(world.intake, "revise", meanwhile)
    first, second = await corrections.acts([Act([two], SET), Act([struck], SET)], "officer")
    assert [one.state for one in (*first, *second)] == ["standing", "standing"]
    assert stands(world) == {LEVEL: {-1: (1.5, CORRECTION)}, OTHER: {}}
    assert await corrections.finish() == 0
