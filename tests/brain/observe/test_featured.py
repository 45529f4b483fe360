"""What observations are about, kept beside them."""

import numpy as np
import pytest

from citybrain.brain.observe import About, EndedError, Featured, Gathering, Making, Registry, Spot, beside
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json
from tests.brain.observe.conftest import World


def about(stream: int, time: int, feature: str | None = "pond") -> About:
    return About(stream, Instant(time), feature, None)


def features(found: dict[str, About]) -> dict[str, str | None]:
    return {key: one.feature for key, one in found.items()}


def test_what_is_kept_is_listed_by_time_and_stream_and_found_by_its_observation(world: World) -> None:
    featured = Featured(world.transactions)
    assert featured.streams() == frozenset()
    before = featured.put([about(1, 20), about(2, 10), about(1, 10), about(2, 30, "spring")])
    assert before == (about(1, 20, None), about(2, 10, None), about(1, 10, None), about(2, 30, None))
    newest = featured.listed("pond", None, 10, descending=True)
    assert newest == (about(1, 20), about(1, 10), about(2, 10))
    assert featured.listed("pond", None, 10, descending=False) == (about(1, 10), about(2, 10), about(1, 20))
    for descending in (True, False):
        whole, seen = featured.listed("pond", None, 10, descending=descending), list[About]()
        while page := featured.listed("pond", seen[-1] if seen else None, 1, descending=descending):
            seen += page
        assert tuple(seen) == whole
    assert features(featured.of([1, 2], 10, 20)) == {"1.10": "pond", "1.20": "pond", "2.10": "pond"}
    assert features(featured.of([2], 11, 30)) == {"2.30": "spring"}


def test_what_is_said_anew_replaces_what_was_and_can_be_put_back(world: World) -> None:
    featured = Featured(world.transactions)
    featured.put([about(1, 10)])
    before = featured.put([about(1, 10, "spring"), about(1, 11)])
    assert features(featured.of([1], 0, 99)) == {"1.10": "spring", "1.11": "pond"}
    featured.put(before)
    assert features(featured.of([1], 0, 99)) == {"1.10": "pond"}
    featured.put([about(1, 10, None)])
    assert featured.listed("pond", None, 1, descending=True) == ()


def test_another_process_knows_of_the_streams(world: World) -> None:
    here, there = Featured(world.transactions), Featured(world.transactions)
    here.put([about(1, 10)])
    assert here.streams() == there.streams() == {1}
    there.put([about(2, 10)])
    here.put([about(3, 10)])
    assert here.streams() == there.streams() == {1, 2, 3}
    assert Featured(world.transactions).streams() == {1, 2, 3}


def test_what_deleted_observations_were_about_is_forgotten_with_them(world: World) -> None:
    featured = Featured(world.transactions)
    featured.put([about(1, 10), about(1, 20), about(2, 10)])
    assert featured.forget(np.array([1, 3], np.int32), Instant(20)) == 1
    assert featured.listed("pond", None, 9, descending=False) == (about(2, 10), about(1, 20))


def test_what_was_set_aside_is_put_back_unless_something_else_is_said_or_it_was_kept_long_enough(world: World) -> None:
    featured = Featured(world.transactions)
    featured.put([about(1, 10), about(1, 11), about(1, 12), about(2, 11)])
    with world.transactions.begin() as tx:
        beside.lay_aside(tx.connection, 7, 1, (10, 12))
    assert features(featured.of([1, 2], 0, 99)) == {"2.11": "pond"}
    assert Featured(world.transactions).streams() == {1, 2}, "it may come back"
    featured.put([about(1, 11, "spring")])
    assert featured.forget(np.array([1], np.int32), Instant(11)) == 1
    with world.transactions.begin() as tx:
        beside.put_back(tx.connection, 7, {10, 11, 12})
        beside.put_back(tx.connection, 7, {10, 11, 12})
    assert features(featured.of([1], 0, 99)) == {"1.11": "spring", "1.12": "pond"}


def spot(name: str, description: str = "Behind the mill") -> Spot:
    drawn: Json = {"type": "Point", "coordinates": [117.1, 39.1]}
    return Spot(Place(117.1, 39.1), {"name": name, "description": description, "properties": {}, "location": drawn})


def test_who_describes_the_same_means_the_same(world: World) -> None:
    making = Making(world.registry, world.areas, world.clock)
    assert making.described("", spot("Pond")) is None
    keys = [making.describe("", spot("Pond")), making.describe("", spot("Pond", "Drained")), making.describe("p-7", spot("Pond"))]
    assert (keys[0], keys[1].startswith("pond-"), keys[2]) == ("pond", True, "p-7")
    found = [
        making.described("", spot("Pond")),
        making.described("", spot("Pond", "Drained")),
        making.described("p-7", spot("Pond")),
    ]
    assert found == keys
    assert making.described("p-7", spot("Pond", "Drained")) is None
    making.redraw("pond", spot("Pond", "Filled in"))
    assert making.described("", spot("Pond")) is None
    assert making.describe("", spot("Pond")).startswith("pond-")
    making.end_feature("p-7")
    assert making.described("p-7", spot("Pond")) is None


def test_nothing_is_about_a_feature_that_is_not_there_or_has_ended(world: World) -> None:
    featured, making = Featured(world.transactions), Making(world.registry, world.areas, world.clock)
    making.describe("", spot("Pond"))
    making.describe("", spot("Spring"))
    assert featured.keep([about(1, 10), about(1, 11, None)]) == (about(1, 10, None), about(1, 11, None))
    making.end_feature("spring")
    for feature in ("none", "spring"):
        with pytest.raises(EndedError):
            featured.keep([about(1, 12), about(1, 13, feature)])
    assert features(featured.of([1], 0, 99)) == {"1.10": "pond"}
    other = Featured(world.transactions)
    assert other.known().hosts == frozenset()
    featured.keep([about(1, 14, "p1")])
    assert featured.known() == other.known()
    assert (other.known().hosts, other.about(("p1",))) == (frozenset({"p1"}), frozenset({1})), "where a thing stands"
    assert featured.put([about(1, 13, "spring")]) == (about(1, 13, None),)


def test_what_is_kept_of_one_observation_twice_is_what_was_said_last(world: World) -> None:
    featured = Featured(world.transactions)
    many = [about(2, time, f"f{time % 3}") for time in range(1200)]
    assert featured.put([about(1, 10), about(1, 10, "spring"), *many])[0] == about(1, 10, None)
    assert featured.put([about(1, 10, None), *many])[0] == about(1, 10, "spring")
    assert featured.of([1], 0, 99) == {}
    assert len(featured.of([2], 0, 9999)) == 1200


def test_a_feature_that_another_s_observations_are_about_is_not_taken_back(world: World) -> None:
    featured, making = Featured(world.transactions), Making(world.registry, world.areas, world.clock)
    gathering = Gathering(world.registry)
    for name in ("Pond", "Spring", "Brook"):
        making.apart(gathering).describe("", spot(name))
    making.enter(gathering)
    featured.keep([about(1, 10), about(1, 11, "brook")])
    with world.transactions.begin() as tx:
        beside.lay_aside(tx.connection, 7, 1, (11, 11))
    making.take_back(gathering)
    for registry in (world.registry, Registry(world.transactions, (), world.areas)):
        assert registry.entity("pond").title.en == "Pond"
        assert registry.entity("brook").title.en == "Brook", "what was struck out may come back"
        assert registry.made.things["pond"].located == spot("Pond").words
        with pytest.raises(NotFoundError):
            registry.entity("spring")
        assert "spring" not in registry.made.things
