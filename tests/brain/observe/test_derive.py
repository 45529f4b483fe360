"""Derived fields follow their inputs."""

from dataclasses import replace

import numpy as np

from citybrain.brain.observe import AreaBook, Registry
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Batch, SeriesQuery
from tests.brain import tiny
from tests.brain.observe.conftest import World


def loads(world: World) -> list[float]:
    no = world.registry.stream("p1.load").no
    rows = world.series.scan(SeriesQuery((no,), Instant(0), Instant(2**61)))
    return [float(value) for value in rows["value"].to_numpy().round(6)]


async def drain(world: World) -> None:
    deriver = world.deriver()
    while await deriver.run_once():
        pass


async def test_a_derived_field_appears_for_each_time_of_its_inputs(world: World) -> None:
    await world.send(("p1.level", -4, 2.0), ("p1.level", -2, 4.0))
    await drain(world)
    assert loads(world) == [2.0, 3.0]
    await world.send(("p1.level", 0, 9.0))
    await drain(world)
    assert loads(world) == [2.0, 3.0, 5.0]


async def test_a_late_input_revises_what_was_derived_after_it(world: World) -> None:
    await world.send(("p1.level", -4, 2.0), ("p1.level", -2, 4.0))
    await drain(world)
    await world.send(("p1.level", -3, 6.0))
    await drain(world)
    assert loads(world) == [2.0, 4.0, 4.0]


async def test_nothing_is_derived_from_a_value_out_of_its_range(world: World) -> None:
    await world.send(("p1.level", -4, 2.0), ("p1.level", -3, 1e6), ("p1.level", -2, 4.0))
    await drain(world)
    assert loads(world) == [2.0, 3.0]
    assert await world.deriver().fill(Instant(0), world.clock.city()) == 2


async def test_what_was_derived_from_a_value_goes_when_that_is_revised_out_of_its_range(world: World) -> None:
    await world.send(("p1.level", -4, 2.0), ("p1.level", -3, 6.0), ("p1.level", -2, 4.0))
    await drain(world)
    assert loads(world) == [2.0, 4.0, 4.0]
    await world.send(("p1.level", -3, 1e6))
    await drain(world)
    assert loads(world) == [2.0, 3.0]


async def test_a_kill_before_the_cursor_moves_doubles_nothing(world: World) -> None:
    await world.send(("p1.level", -4, 2.0), ("p1.level", -2, 4.0))
    await drain(world)
    last = world.series.last_seq()
    with world.transactions.begin() as tx:
        world.transactions.advance(tx.connection, "observe.derive", 0)
    await drain(world)
    assert world.series.last_seq() == last
    derived = next(door for door in world.series.doors() if door.door == "derived")
    assert derived.received == derived.stored + derived.duplicate == 4


async def test_entities_do_not_mix(world: World) -> None:
    await world.send(("p1.level", -1, 2.0), ("p2.level", -1, 8.0))
    await drain(world)
    assert loads(world) == [2.0]


async def test_filling_derives_over_a_span_again(world: World) -> None:
    await world.send(("p1.level", -4, 2.0))
    assert await world.deriver().fill(Instant(0), world.clock.city()) == 1
    assert loads(world) == [2.0]


async def test_from_what_another_process_has_entered_a_moment_ago_and_from_nobody_s_readings_alike(world: World) -> None:
    here = Registry(world.transactions, (tiny.PACK,), AreaBook(world.transactions))
    deriver = replace(world, registry=here).deriver()
    world.registry.plant(tiny.pumps(3), "test", "demo", world.clock.city())
    await world.send(("p3.level", -4, 2.0), ("p1.level", -2, 4.0))
    at = np.array([world.clock.city()], np.int64)
    await world.series.append(Batch("nobody", "test", world.clock.city(), np.array([999], np.int32), at, np.ones(1), {}))
    deriver.renewed_by(here.renew)
    while await deriver.run_once():
        pass
    assert loads(world) == [4.0]
    rows = world.series.scan(SeriesQuery((world.registry.stream("p3.load").no,), Instant(0), Instant(2**61)))
    assert rows["value"].to_pylist() == [2.0]
