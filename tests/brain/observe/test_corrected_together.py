"""Corrections of several streams that are one act: all of them or none, after a kill and beside what comes in too."""

from collections.abc import Callable, Mapping

import pytest

from citybrain.brain.observe import CORRECTION, Correction, Corrections, Wanted, setting, strike
from citybrain.brain.observe import corrected as store
from citybrain.kernel.errors import BadInputError, StaleError, StorageFullError
from citybrain.kernel.instant import MINUTE, Instant
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
