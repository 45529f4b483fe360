"""What is computed from a reading is no sounder than that reading: a sensor that died must not be calm one field further."""

from citybrain.brain.observe import Latest
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.kernel.things import Life, Stream
from tests.brain.observe.conftest import World


def told(world: World, stream: Stream) -> tuple[Life, str]:
    reading = world.latest.of(stream.no)
    assert reading is not None
    return reading.life, world.latest.why(stream, reading.life, reading.time, reading.value)[1].en


async def derive(world: World) -> Stream:
    deriver = world.deriver()
    while await deriver.run_once():
        pass
    return world.registry.stream("p1.load")


async def test_what_is_computed_from_a_value_that_stands_still_is_stuck_and_says_by_what(world: World) -> None:
    for minute in range(-70, 1, 5):
        await world.send(("p1.level", minute, 4.0))
    load = await derive(world)
    life, why = told(world, load)
    assert life is Life.STUCK
    assert why.startswith("computed from Level: has stood at 4 for longer than")
    lives = dict(zip(*(world.latest.table()[name].to_pylist() for name in ("stream_no", "life")), strict=True))
    assert lives[load.no] == "stuck"

    await world.send(("p1.level", 1, 4.5))
    assert told(world, await derive(world))[0] is Life.LIVE


async def test_what_is_computed_from_a_contradicted_value_is_contradicted_too(world: World) -> None:
    await world.send(("p1.level", -1, 2.0), ("p1.level", 0, 4.0))
    load, level = await derive(world), world.registry.stream("p1.level")
    assert told(world, load)[0] is Life.LIVE
    world.latest.doubt(level.no, Life.CONTRADICTED, Instant(0), Text("偏离", "is eight times its neighbours"))
    assert told(world, load) == (Life.CONTRADICTED, "computed from Level: is eight times its neighbours")
    world.latest.clear(level.no)
    assert told(world, load)[0] is Life.LIVE


async def test_what_is_late_or_was_never_there_is_not_handed_on(world: World) -> None:
    """A derivation leaves out what is not there, by its own rule; its value has a time of its own to be late by."""
    await world.send(("p1.level", 0, 4.0))
    load = await derive(world)
    alone = Latest(world.registry, world.series, world.clock)
    assert world.latest.of(load.no) == alone.of(load.no)
