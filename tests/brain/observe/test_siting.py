"""Locations at which any number of things stand: one truth for the place, its things and their past, whatever is done in whatever order."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from citybrain.brain.observe import LOCATION, Gathering, MadeThing, Making, Registry, Spot, siting
from citybrain.brain.observe.store import ENTITY
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.places import Place
from tests.brain import tiny
from tests.brain.observe import corrector, mover
from tests.brain.observe.conftest import World
from tests.brain.observe.test_gathering import making_of
from tests.killed import killed_after

KILLS = 3


def spot(lon: float, asked: str = "") -> Spot:
    """A place on the parallel of 39.1 degrees."""
    return Spot(Place(lon, 39.1), {"name": "Here", "location": {"type": "Point", "coordinates": [lon, 39.1]}}, asked)


def sound(world: World) -> None:
    """The register in memory, the store, and what each of them says of things and Locations agree."""
    again = Registry(world.transactions, (tiny.PACK,), world.areas)
    registry = world.registry
    assert again.made.things == registry.made.things
    assert {key: set(guests) for key, guests in again.made.guests.items() if guests} == {
        key: set(guests) for key, guests in registry.made.guests.items() if guests
    }
    for kind in ("thing", LOCATION):
        assert again.entities(kind) == registry.entities(kind)
    with world.transactions.read() as connection:
        named = {row.id: row.location for row in connection.execute(select(ENTITY.c.id, ENTITY.c.location))}
    for thing in registry.entities("thing"):
        said = registry.made.things[thing.id]
        assert named[thing.id] == (None if said.owning else said.locations[0])
        assert thing.area == world.areas.area_of(thing.place) if thing.place is not None else thing.area is None
        spots = [_where(registry, one) for one in said.locations if one != thing.id]
        if not said.owning:
            assert (thing.place, said.located) == spots[0], "all points: the first that it names"
        elif thing.place is None:
            assert said.located is None
            assert said.locations == ()
        last = registry.moved(thing.id)
        assert thing.place is None or last is None or last.place == thing.place


def _where(registry: Registry, location: str) -> tuple[Place | None, Mapping[str, object] | None]:
    entity, said = registry.entity(location), registry.made.things[location]
    assert entity.valid_to is None
    assert entity.kind == LOCATION or said.owning
    return entity.place, said.located


ACTS: tuple[Callable[[Making, str, str, float], object], ...] = (
    lambda making, one, two, _: making.move(one, two),
    lambda making, one, _, lon: making.move(one, spot(lon)),
    lambda making, one, two, lon: making.move(one, spot(lon), two),
    lambda making, one, _, __: making.move(one),
    lambda making, one, two, _: making.join(one, two),
    lambda making, one, two, _: making.leave(one, two),
    lambda making, _, two, lon: making.redraw_location(two, spot(lon)),
    lambda making, _, two, __: making.end_location(two),
    lambda making, one, _, __: making.end_thing(one),
    lambda making, one, two, lon: making.recall(one, making._clock.city(), two, spot(lon)),
    lambda making, one, two, _: making.rename(one, "Other", MadeThing(one, "Other", {}), (two,)),
    lambda making, _, two, lon: making.locate(spot(lon, two)),
)
KEYS = ("a", "b", "pier", "quay")


@pytest.mark.thorough
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(KEYS[:2]), st.sampled_from(KEYS), st.integers(1, 9)), max_size=12))
def test_whatever_is_done_every_thing_stands_where_its_locations_are(
    world: World, acts: list[tuple[Callable[[Making, str, str, float], object], str, str, int]]
) -> None:
    making, registry = making_of(world), world.registry
    run = len(registry.made.things)
    keys = {key: f"{key}-{run}" for key in KEYS}
    for key in KEYS[2:]:
        making.locate(spot(117.1, keys[key]))
    for key in KEYS[:2]:
        making.thing(key, MadeThing(keys[key], "", {}), (spot(117.1),), ())
    for act, one, two, number in acts:
        world.clock.set(Instant(world.clock.city() + MINUTE))
        with suppress(ConflictError, NotFoundError):
            act(making, keys[one], keys[two], 117 + number / 100)
    sound(world)


def test_what_was_tried_and_is_taken_back_leaves_things_and_locations_as_they_were(world: World) -> None:
    making = making_of(world)
    making.locate(spot(117.1, "pier"))
    for key in ("a", "b"):
        making.thing(key, MadeThing(key, "", {}), ("pier",), ())
    before = world.registry.made.things
    gathering = Gathering(world.registry)
    apart = making.apart(gathering)
    apart.locate(spot(117.12, "quay"))
    apart.join("a", "quay")
    apart.redraw_location("pier", spot(117.15))
    assert {gathering.entity(key).place for key in ("a", "b")} == {Place(117.15, 39.1)}
    making.enter(gathering)
    sound(world)
    making.thing("c", MadeThing("c", "", {}), ("quay",), ())
    making.take_back(gathering)
    # Somebody else stands there by now.
    assert world.registry.made.things["c"].locations == ("quay",)
    assert {key: world.registry.made.things[key] for key in before} == before
    sound(world)


def test_a_full_location_takes_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siting, "MOST", 2)
    making = making_of(world)
    making.locate(spot(117.1, "pier"))
    for key in ("a", "b"):
        making.thing(key, MadeThing(key, "", {}), ("pier",), ())
    with pytest.raises(ConflictError, match="no more can"):
        making.thing("c", MadeThing("c", "", {}), ("pier",), ())
    making.move("a", "pier", spot(117.2))
    making.end_thing("a")
    making.thing("c", MadeThing("c", "", {}), ("pier",), ())
    sound(world)


@pytest.mark.kill
def test_three_kills_leave_a_location_and_all_that_stand_at_it_in_one_place(tmp_path: Path) -> None:
    chance = random.Random(5)
    for run in range(KILLS):
        killed_after(mover, tmp_path, run, chance.uniform(0.5, 2.0))
    told = [int(line) for line in (tmp_path / "acknowledged").read_text().split()]
    with corrector.opened(tmp_path) as (world, _):
        registry = world.registry
        place = registry.entity(mover.PIER).place
        assert place in [mover.spot(turn).place for turn in (told[-1], told[-1] + 1)]
        guests = [one for one in registry.entities("thing") if registry.made.things[one.id].locations == (mover.PIER,)]
        assert len(guests) == mover.GUESTS
        for guest in guests:
            last = registry.moved(guest.id)
            assert last is not None
            assert (guest.place, last.place) == (place, place)
            assert len(registry.places(guest.id, 0, 100_000)) == len(registry.places("gauge-0", 0, 100_000))
        sound(world)
