"""The places that a thing had, kept in the store."""

from dataclasses import replace

from citybrain.brain.observe import Gathering, MadeThing, Registry, Stood
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json
from tests.brain import tiny
from tests.brain.observe.conftest import World
from tests.brain.observe.test_gathering import making_of, spot, thing

HERE: dict[str, Json] = {"name": "here"}


def later(world: World) -> Instant:
    world.clock.set(Instant(world.clock.city() + MINUTE))
    return world.clock.city()


def test_the_first_move_keeps_both_places_and_the_next_one_more(world: World) -> None:
    making, begun = making_of(world), world.clock.city()
    key = thing(making, "gauge")
    assert world.registry.moved(key) is None
    first = later(world)
    making.move(key, spot(117.2))
    second = later(world)
    making.move(key, spot(117.3))
    places = (
        Stood(key, begun, Place(117.1, 39.1), HERE),
        Stood(key, first, Place(117.2, 39.1), HERE),
        Stood(key, second, Place(117.3, 39.1), HERE),
    )
    for registry in (world.registry, Registry(world.transactions, (tiny.PACK,), world.areas)):
        assert registry.moved(key) == places[2]
        assert registry.places(key, 0, 10) == places
        assert registry.places(key, first, 1) == places[1:2]


def test_of_two_places_at_one_instant_the_later_one_is_kept(world: World) -> None:
    making = making_of(world)
    key = thing(making, "gauge")
    making.move(key, spot(117.2))
    making.move(key, spot(117.3))
    assert world.registry.places(key, 0, 10) == (Stood(key, world.clock.city(), Place(117.3, 39.1), HERE),)


def test_to_stand_in_the_same_place_is_no_move(world: World) -> None:
    making = making_of(world)
    key = thing(making, "gauge")
    later(world)
    making.move(key, spot(117.1))
    making.rename(key, "Other", MadeThing(key, "Other", {}, HERE))
    assert world.registry.moved(key) is None


def test_a_move_that_is_taken_back_was_none(world: World) -> None:
    making = making_of(world)
    key = thing(making, "gauge")
    later(world)
    gathering = Gathering(world.registry)
    apart = making.apart(gathering)
    apart.move(key, spot(117.2))
    later(world)
    apart.move(key, spot(117.3))
    assert gathering.moved(key) == Stood(key, world.clock.city(), Place(117.3, 39.1), HERE)
    making.enter(gathering)
    assert len(world.registry.places(key, 0, 10)) == 3
    making.take_back(gathering)
    assert world.registry.moved(key) is None
    assert world.registry.places(key, 0, 10) == ()


def test_what_is_planted_elsewhere_leaves_its_place(world: World) -> None:
    before = world.registry.entity("p1")
    assert before.place is not None
    at = later(world)
    (one,) = tiny.pumps(1)
    world.registry.plant([replace(one, place=Place(117.3, 39.1))], "test", "demo", at)
    assert [(stood.since, stood.place) for stood in world.registry.places("p1", 0, 10)] == [
        (before.valid_from, before.place),
        (at, Place(117.3, 39.1)),
    ]
    world.registry.plant([replace(one, place=Place(117.3, 39.1))], "test", "demo", later(world))
    assert world.registry.moved("p1") == Stood("p1", at, Place(117.3, 39.1))
