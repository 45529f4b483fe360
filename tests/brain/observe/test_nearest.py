"""The nearest things with room: true distances, ties by id, and no number where nobody knows."""

from dataclasses import replace

import numpy as np
import pytest

from citybrain.brain.observe import Found, Nearest
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.pack import Nearby, Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from citybrain.kernel.things import Life
from tests.brain import tiny
from tests.brain.observe.conftest import World

LOOK = Nearby("pumps", "pump", same("pumps"), "level", same("m"), "", same("full"))
PACK = replace(tiny.PACK, nearby=(LOOK,))
HERE = Place(117.2, 39.1)
DEGREE = 111_195.08
"""Metres of a degree of latitude on the mean sphere."""


def look(world: World, *places: Place, most: int = 20) -> tuple[Found, ...]:
    planted = [Planted(f"pump-{number}", "pump", same(str(number)), place, "990104", {}) for number, place in enumerate(places, 11)]
    world.registry.plant(planted, "test", "demo", world.clock.city())
    return Nearest((PACK,), world.registry, world.latest).around(LOOK, HERE, most)


def test_the_nearest_come_first_with_the_metres_and_minutes_to_walk(world: World) -> None:
    found = look(world, Place(117.2, 39.11), Place(117.2, 39.101), Place(117.21, 39.1), most=3)
    assert [one.entity.id for one in found] == ["pump-12", "pump-13", "pump-11"]
    assert found[0].metres == pytest.approx(1.3 * 0.001 * DEGREE, rel=1e-4)
    assert found[1].metres == pytest.approx(1.3 * 0.01 * DEGREE * np.cos(np.radians(39.1)), rel=1e-4)
    # 144.6 m at 1.2 m/s are 2.01 minutes, which are told as 3.
    assert found[0].walk == 3 * MINUTE


def test_things_at_the_same_place_come_by_id(world: World) -> None:
    found = look(world, *(Place(117.2, 39.1) for _ in range(12)), most=5)
    assert [one.entity.id for one in found] == [f"pump-{number}" for number in range(11, 16)]


def test_none_that_is_left_out_is_nearer_by_the_sphere(world: World) -> None:
    chance = np.random.default_rng(7)
    places = [Place(*pair) for pair in (HERE_ARRAY + chance.normal(scale=0.05, size=(300, 2))).tolist()]
    found = look(world, *places)
    nearest = sorted(map(far, places))[:20]
    assert [one.metres for one in found] == pytest.approx(nearest, rel=2e-3)


async def test_what_nobody_knows_is_no_number(world: World) -> None:
    assert (await world.send(("p1.level", 0, 4.0))).stored == 1
    world.registry.plant((Planted("p1", "pump", same("1"), HERE, "990104", {}),), "test", "demo", world.clock.city())
    nearest = Nearest((PACK,), world.registry, world.latest)
    first = nearest.around(LOOK, HERE, 1)[0]
    assert (first.entity.id, first.free, first.life) == ("p1", 4.0, Life.LIVE)
    world.clock.set(Instant(world.clock.city() + 11 * MINUTE))
    late = nearest.around(LOOK, HERE, 1)[0]
    assert (late.free, late.life) == (None, Life.LATE)
    never = next(one for one in nearest.signs(LOOK) if one.entity.id == "p2")
    assert (never.free, never.life, never.reading) == (None, Life.NEVER, None)


def test_the_register_is_read_again_when_it_changes(world: World) -> None:
    assert look(world, Place(117.2, 39.11), most=1)[0].entity.id == "pump-11"
    nearest = Nearest((PACK,), world.registry, world.latest)
    nearest.around(LOOK, HERE, 1)
    world.registry.plant((Planted("pump-90", "pump", same("90"), HERE, "990104", {}),), "test", "demo", world.clock.city())
    assert nearest.around(LOOK, HERE, 1)[0].entity.id == "pump-90"


HERE_ARRAY = np.array([HERE.lon, HERE.lat])


def far(place: Place) -> float:
    """Metres to walk, by the haversine of the sphere."""
    lon, lat, to_lon, to_lat = np.radians((HERE.lon, HERE.lat, place.lon, place.lat))
    half = np.sin((to_lat - lat) / 2) ** 2 + np.cos(lat) * np.cos(to_lat) * np.sin((to_lon - lon) / 2) ** 2
    return float(1.3 * 2 * 6_371_008.8 * np.arcsin(np.sqrt(half)))
