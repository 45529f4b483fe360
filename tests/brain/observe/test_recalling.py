"""The past of a thing's place written, set to another time, and struck out by hand."""

from collections.abc import Callable
from contextlib import suppress
from itertools import permutations

import pytest

from citybrain.brain.observe import Gathering, Making, Registry, Stood
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.places import Place
from tests.brain import tiny
from tests.brain.observe.conftest import World
from tests.brain.observe.test_gathering import making_of, spot, thing
from tests.brain.observe.test_placed import HERE, later


def ago(world: World, minutes: int) -> Instant:
    return Instant(world.clock.city() - minutes * MINUTE)


def lons(registry: Registry, key: str) -> list[float]:
    return [stood.place.lon for stood in registry.places(key, 0, 100)]


def sound(world: World, key: str) -> None:
    """The last place is where the thing stands, no two are of one instant or one id, and the store says what memory says."""
    again = Registry(world.transactions, (tiny.PACK,), world.areas)
    known, place = again.places(key, 0, 100), world.registry.entity(key).place
    assert world.registry.moved(key) == again.moved(key) == (known[-1] if known else None)
    assert len({stood.since for stood in known}) == len({stood.id for stood in known}) == len(known)
    assert place == again.entity(key).place
    if known and place is not None:
        assert known[-1].place == place
    assert [again.place(key, stood.key) for stood in known] == list(known)


def test_an_earlier_place_is_kept_beside_the_present_one_and_a_later_one_is_a_move(world: World) -> None:
    making, begun = making_of(world), world.clock.city()
    key = thing(making, "gauge")
    past = making.recall(key, ago(world, 60), spot(117.05))
    assert past == Stood(key, ago(world, 60), Place(117.05, 39.1), HERE)
    assert world.registry.places(key, 0, 10) == (past, Stood(key, begun, Place(117.1, 39.1), HERE))
    assert world.registry.entity(key).place == Place(117.1, 39.1)
    later(world)
    at = later(world)
    moved = making.recall(key, ago(world, 1), spot(117.2))
    assert (moved.since, world.registry.entity(key).place) == (at - MINUTE, Place(117.2, 39.1))
    assert world.registry.made.things[key].located == HERE
    assert lons(world.registry, key) == [117.05, 117.1, 117.2]
    sound(world, key)


def test_what_is_still_to_come_or_known_already_is_refused(world: World) -> None:
    making = making_of(world)
    key = thing(making, "gauge")
    with pytest.raises(BadInputError, match="still to come"):
        making.recall(key, Instant(world.clock.city() + 1), spot(117.2))
    with pytest.raises(ConflictError, match="known already"):
        making.recall(key, world.clock.city(), spot(117.2))
    making.recall(key, ago(world, 5), spot(117.2))
    with pytest.raises(ConflictError, match="known already"):
        making.recall(key, ago(world, 5), spot(117.3))
    with pytest.raises(ConflictError):
        making.recall("p1", ago(world, 5), spot(117.2))
    assert lons(world.registry, key) == [117.2, 117.1]


def test_another_time_leaves_the_id_and_gives_the_old_time_to_another_place(world: World) -> None:
    making = making_of(world)
    key = thing(making, "gauge")
    one = making.recall(key, ago(world, 60), spot(117.01))
    making.retime(key, one.key, ago(world, 50))
    other = making.recall(key, one.since, spot(117.02))
    assert (world.registry.place(key, one.key), other.id == one.id) == (
        Stood(key, ago(world, 50), Place(117.01, 39.1), HERE, one.since),
        False,
    )
    assert lons(world.registry, key) == [117.02, 117.01, 117.1]
    sound(world, key)


def test_the_place_where_a_thing_stands_stays_the_last_one(world: World) -> None:
    making, begun = making_of(world), world.clock.city()
    key = thing(making, "gauge")
    past = making.recall(key, ago(world, 60), spot(117.01))
    later(world)
    making.retime(key, begun, world.clock.city())
    assert world.registry.moved(key) == Stood(key, world.clock.city(), Place(117.1, 39.1), HERE, begun)
    making.retime(key, begun, ago(world, 30))
    for name, since in ((begun, ago(world, 70)), (past.key, ago(world, 10))):
        with pytest.raises(ConflictError, match="would stand elsewhere"):
            making.retime(key, name, since)
    making.move(key)
    making.forget(key, begun)
    assert lons(world.registry, key) == [117.01]
    making.forget(key, past.key)
    assert world.registry.moved(key) is None
    with pytest.raises(NotFoundError):
        making.forget(key, past.key)
    sound(world, key)


def test_a_thing_that_never_moved_has_a_first_place_to_set_to_another_time(world: World) -> None:
    making, begun = making_of(world), world.clock.city()
    key = thing(making, "gauge")
    with pytest.raises(NotFoundError):
        making.retime(key, begun - 1, begun)
    making.retime(key, begun, ago(world, 60))
    assert world.registry.places(key, 0, 10) == (Stood(key, ago(world, 60), Place(117.1, 39.1), HERE, begun),)
    sound(world, key)


@pytest.mark.parametrize("moved", [False, True])
def test_since_when_a_thing_stands_somewhere_is_deleted_and_it_goes_on_standing_there(world: World, *, moved: bool) -> None:
    making, now = making_of(world), world.clock.city()
    key = thing(making, "gauge")
    if moved:
        now = later(world)
        making.move(key, spot(117.2))
    before = world.registry.entity(key)
    gathering = Gathering(world.registry)
    making.apart(gathering).forget(key, now)
    making.enter(gathering)
    assert world.registry.entity(key) == before
    last = world.registry.moved(key)
    assert (last is not None and last.struck, last is not None and last.place) == (True, before.place)
    sound(world, key)
    with pytest.raises(NotFoundError):
        making.forget(key, now)
    with pytest.raises(NotFoundError):
        making.rejoin(key, now, "x")
    with pytest.raises(NotFoundError):
        making.retime(key, now, ago(world, 5))
    making.take_back(gathering)
    assert not any(one.struck for one in world.registry.places(key, 0, 10))
    making.forget(key, now)
    # Of that moment something else may be said, and the next move leaves what was deleted where it is.
    again = making.recall(key, now, spot(117.3))
    assert (again.since, world.registry.entity(key).place) == (now, Place(117.3, 39.1))
    making.forget(key, again.key)
    later(world)
    making.move(key, spot(117.4))
    assert [one.place.lon for one in world.registry.places(key, 0, 10) if not one.struck] == ([117.1] if moved else []) + [117.4]
    sound(world, key)


def test_changes_of_the_past_are_tried_apart_and_taken_back(world: World) -> None:
    making, begun = making_of(world), world.clock.city()
    key = thing(making, "gauge")
    past = making.recall(key, ago(world, 60), spot(117.01))
    before = world.registry.places(key, 0, 10)
    gathering = Gathering(world.registry)
    apart = making.apart(gathering)
    apart.retime(key, past.key, ago(world, 50))
    apart.recall(key, ago(world, 40), spot(117.02))
    assert lons(gathering, key) == [117.01, 117.02, 117.1]
    apart.move(key)
    apart.forget(key, begun)
    apart.forget(key, past.key)
    assert lons(gathering, key) == [117.02]
    assert gathering.moved(key) == gathering.last_place(key)
    assert gathering.place(key, past.key) is None
    assert world.registry.places(key, 0, 10) == before
    making.enter(gathering)
    assert lons(world.registry, key) == [117.02]
    sound(world, key)
    making.take_back(gathering)
    assert world.registry.places(key, 0, 10) == before
    sound(world, key)


ACTS: tuple[Callable[[World, Making, str, Instant], object], ...] = (
    lambda world, making, key, _: making.recall(key, ago(world, 20), spot(117.02)),
    lambda _, making, key, __: making.move(key, spot(117.03)),
    lambda world, making, key, begun: making.retime(key, begun, ago(world, 10)),
    lambda _, making, key, begun: making.forget(key, begun),
    lambda _, making, key, __: making.move(key),
)


@pytest.mark.parametrize("order", list(permutations(range(len(ACTS)), 3)))
def test_in_any_order_the_last_place_is_where_the_thing_stands(world: World, order: tuple[int, ...]) -> None:
    making, begun = making_of(world), world.clock.city()
    key = thing(making, "gauge")
    for number in order:
        later(world)
        with suppress(ConflictError, NotFoundError):
            ACTS[number](world, making, key, begun)
        sound(world, key)
