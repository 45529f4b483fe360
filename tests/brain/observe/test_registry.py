"""The register of things and areas."""

from dataclasses import replace

import msgspec
import pytest
import shapely

from citybrain.brain.observe import AreaBook, Registry, Runs
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.instant import MINUTE
from citybrain.kernel.places import Area, AreaLevel, Place
from citybrain.kernel.text import same
from tests.brain import tiny
from tests.brain.observe.conftest import World


def box(code: str, level: AreaLevel, west: float, east: float) -> Area:
    outline = shapely.to_wkb(shapely.box(west, 39.0, east, 39.2))
    return Area(code, level, same(code), code[:-3] or None, outline, "generated")


def test_streams_keep_their_numbers_and_contracts_over_a_restart(world: World) -> None:
    assert [stream.id for stream in world.registry.streams()] == [
        f"p{pump}.{field}" for pump in (1, 2) for field in ("level", "flow", "load")
    ]
    assert world.registry.stream("p1.level").contract.silent_after == 10 * MINUTE
    again = Registry(world.transactions, (tiny.PACK,), world.areas)
    assert again.streams() == world.registry.streams()
    assert again.entities("pump") == world.registry.entities("pump")


def test_planting_again_changes_nothing_and_a_change_makes_a_version(world: World) -> None:
    before = world.registry.entity("p1")
    world.registry.plant(tiny.pumps(2), "test", "demo", world.clock.city())
    assert world.registry.entity("p1") == before
    moved = replace(tiny.pumps(1)[0], body={"capacity": 120.0})
    world.registry.plant((moved,), "test", "demo", world.clock.city())
    assert (world.registry.entity("p1").version, world.registry.entity("p1").body) == (2, {"capacity": 120.0})
    assert len(world.registry.streams()) == 6


def test_what_is_not_there_is_named(world: World) -> None:
    with pytest.raises(NotFoundError, match="p9"):
        world.registry.entity("p9")
    with pytest.raises(NotFoundError, match=r"p1\.depth"):
        world.registry.stream("p1.depth")
    with pytest.raises(BadInputError, match="lamp"):
        world.registry.plant((replace(tiny.pumps(1)[0], kind="lamp"),), "test", "demo", world.clock.city())


def test_the_smallest_area_that_holds_a_place_wins(world: World) -> None:
    world.areas.put((box("120104", "district", 117.0, 117.3), box("120104001", "subdistrict", 117.0, 117.1)))
    assert world.areas.area_of(Place(117.05, 39.1)) == "120104001"
    assert world.areas.area_of(Place(117.2, 39.1)) == "120104"
    assert world.areas.area_of(Place(118.0, 39.1)) is None
    assert AreaBook(world.transactions).all() == world.areas.all()
    world.registry.plant(tiny.pumps(3), "test", "demo", world.clock.city())
    assert world.registry.entity("p3").area == "120104"


def test_an_area_whose_code_does_not_fit_its_level_is_refused(world: World) -> None:
    with pytest.raises(BadInputError):
        world.areas.put((box("120104001", "district", 117.0, 117.1),))


def test_a_list_of_streams_that_comes_again_is_known_until_the_register_changes(world: World) -> None:
    wanted = [f"p{number}.level" for number in (1, 9, 2)]
    first = world.registry.numbered(wanted)
    assert first.tolist() == [world.registry.stream("p1.level").no, 0, world.registry.stream("p2.level").no]
    assert world.registry.numbered(list(wanted)) is first
    assert world.registry.numbered(["p1.level", "p2.level", "p2.level"]).tolist() != first.tolist(), "same ends, same length"
    assert world.registry.numbered([]).tolist() == []
    assert world.registry.numbered(Runs(["p2.level", "nobody", "p1.level"], [2, 1, 0])).tolist() == [first[2], first[2], 0]
    world.registry.plant(tiny.pumps(9), "test", "demo", world.clock.city())
    assert world.registry.numbered(wanted).tolist() == [world.registry.stream(name).no for name in wanted]


def test_what_another_process_enters_is_seen_when_it_is_looked_for_and_told(world: World) -> None:
    other = Registry(world.transactions, (tiny.PACK,), world.areas)
    told: list[object] = []
    other.on_change(told.extend)
    assert not other.renew()
    world.registry.plant(tiny.pumps(3), "test", "demo", world.clock.city())
    assert other.renew()
    assert other.streams() == world.registry.streams()
    assert {getattr(noun, "id", None) for noun in told} == {"p3", "p3.level", "p3.flow", "p3.load"}
    assert not other.renew()


def test_a_change_on_top_of_one_that_was_not_seen_yet_holds_both(world: World) -> None:
    other = Registry(world.transactions, (tiny.PACK,), world.areas)
    renamed = msgspec.structs.replace(world.registry.entity("p1"), title=same("one"), version=2)
    moved = msgspec.structs.replace(other.entity("p2"), title=same("two"), version=2)
    world.registry.change((renamed,), (), ())
    other.change((moved,), (), ())
    assert (other.entity("p1").title, other.entity("p2").title) == (same("one"), same("two"))
    assert world.registry.renew()
    assert world.registry.entity("p2").title == same("two")


async def test_a_stream_entered_elsewhere_a_moment_ago_takes_readings(world: World) -> None:
    other = Registry(world.transactions, (tiny.PACK,), world.areas)
    world.intake.renewed_by(world.registry.renew)
    other.plant(tiny.pumps(3), "test", "demo", world.clock.city())
    assert (await world.send(("p3.level", 0, 1.0), ("p9.level", 0, 1.0))).stored == 1
    assert world.registry.stream("p3.level").no == 7
