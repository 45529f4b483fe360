"""Changes that are tried apart, entered together, and taken back together."""

import pytest

from citybrain.brain.observe import (
    Beside,
    Draft,
    Gathering,
    MadeGroup,
    MadeProperty,
    MadeSensor,
    MadeStream,
    MadeThing,
    MadeUnit,
    Making,
    MovedError,
    Registry,
    Spot,
)
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.places import Place
from citybrain.kernel.things import Contract
from tests.brain import tiny
from tests.brain.observe.conftest import World


def draft(name: str, sensor: str | None = None) -> Draft:
    """A stream of a property and a sensor of its own."""
    words = MadeStream("", name, "", "", MadeUnit(None, "m", None), {})
    return Draft(words, sensor or MadeSensor("", f"{name} sensor", "", "", "", {}), MadeProperty("", name, "", "", {}), Contract())


def spot(lon: float) -> Spot:
    return Spot(Place(lon, 39.1), {"name": "here"})


def thing(making: Making, name: str, *drafts: Draft) -> str:
    return making.thing(name, MadeThing("", name, {}), (spot(117.1),), drafts).id


def making_of(world: World) -> Making:
    return Making(world.registry, world.areas, world.clock)


def stored(world: World) -> tuple[object, ...]:
    """What stands in the store; the register in memory says the same."""
    again = Registry(world.transactions, (tiny.PACK,), world.areas)
    for one in (world.registry, again):
        assert one.stream_numbers() == {stream.id: stream.no for stream in one.present()}
    assert (again.streams(), again.made, again.entities("thing")) == (
        world.registry.streams(),
        world.registry.made,
        world.registry.entities("thing"),
    )
    return again.made, [msg.id for msg in again.entities("thing")], dict(again.stream_numbers())


def test_what_is_tried_is_seen_there_alone_until_it_is_entered(world: World) -> None:
    making, told = making_of(world), list[int]()
    gathering = Gathering(world.registry)
    world.registry.on_change(lambda nouns: told.append(len(nouns)))
    apart = making.apart(gathering)
    key = thing(apart, "gauge", draft("level"))
    (more,) = apart.streams(key, (draft("salt", "level-sensor"),))
    assert [stream.id for stream in gathering.streams_of(key)] == ["gauge.level", "gauge.salt"]
    with pytest.raises(NotFoundError):
        world.registry.entity(key)
    assert stored(world)[1] == []
    assert told == []
    making.enter(gathering)
    assert stored(world)[1:] == (["gauge"], dict(gathering.stream_numbers()))
    assert world.registry.stream(more.id) == more
    # One entity, two streams; the thing, two properties, a sensor and two streams described.
    assert told == [9]


def test_an_id_that_is_given_back_and_taken_again_is_the_second_ones(world: World) -> None:
    making = making_of(world)
    key = thing(making, "gauge", draft("level"))
    gathering = Gathering(world.registry)
    apart = making.apart(gathering)
    apart.end_stream("gauge.level")
    (again,) = apart.streams(key, (Draft(draft("level").words, "level-sensor", "level", Contract()),))
    brief = apart.streams(key, (draft("salt"),))[0]
    apart.end_stream(brief.id)
    making.enter(gathering)
    assert again.id == "gauge.level"
    assert world.registry.stream("gauge.level").no == again.no
    assert [stream.id for stream in world.registry.streams_of(key)] == ["gauge.level"]
    stored(world)


def test_what_stands_on_what_is_no_longer_so_is_not_entered(world: World) -> None:
    making = making_of(world)
    gathering = Gathering(world.registry)
    thing(making.apart(gathering), "gauge", draft("level"))
    thing(making, "other")
    before = stored(world)
    with pytest.raises(MovedError):
        making.enter(gathering)
    assert stored(world) == before


def test_what_another_process_has_changed_since_is_seen_before_it_is_undone(world: World) -> None:
    making, other = making_of(world), Registry(world.transactions, (), world.areas)
    gathering = Gathering(world.registry)
    thing(making.apart(gathering), "gauge", draft("level"))
    thing(Making(other, world.areas, world.clock), "other")
    with pytest.raises(MovedError):
        making.enter(gathering)
    assert (world.registry.renew(), [one.id for one in world.registry.entities("thing")]) == (True, ["other"])
    again = Gathering(world.registry)
    thing(making.apart(again), "gauge", draft("level"))
    making.enter(again)
    assert stored(world)


def test_what_was_entered_is_taken_back_as_if_it_had_not_been(world: World) -> None:
    making = making_of(world)
    key = thing(making, "gauge", draft("level"))
    before = stored(world)
    gathering = Gathering(world.registry)
    apart = making.apart(gathering)
    apart.rename(key, "Renamed", MadeThing(key, "Renamed", {}), (spot(117.15),))
    apart.end_stream("gauge.level")
    apart.streams(key, (Draft(draft("level").words, "level-sensor", "level", Contract()), draft("salt")))
    thing(apart, "other", draft("load"))
    making.enter(gathering)
    entered = len(world.registry.streams())
    making.take_back(gathering)
    assert stored(world) == before
    entity = world.registry.entity(key)
    assert (entity.title.zh, entity.place) == ("gauge", Place(117.1, 39.1))
    assert len(world.registry.streams()) == entered
    assert thing(making, "other", draft("salt")) == "other"
    assert world.registry.stream_numbers()["other.salt"] == entered + 1


def test_a_group_is_entered_with_its_streams_taken_back_with_them_and_ended_once(world: World) -> None:
    making = making_of(world)
    key = thing(making, "gauge", draft("level"))
    before = stored(world)
    gathering = Gathering(world.registry)
    apart = making.apart(gathering)
    beside = Beside(MadeGroup("", "", (), "Both", "", {}), (draft("salt"), draft("load")))
    group = apart.group(key, beside)
    assert gathering.made.groups_of(key, gathering.streams()) == (group,)
    assert world.registry.made.groups == {}
    making.enter(gathering)
    assert world.registry.made.groups_of(key, world.registry.streams()) == (group,)
    making.take_back(gathering)
    assert stored(world) == before
    again = making.group(key, beside)
    assert (again.id, [world.registry.streams()[no - 1].id for no in again.streams]) == (group.id, ["gauge.salt", "gauge.load"])
    making.end_group(again)
    for change in (making.end_group, lambda words: making.regroup(words, None)):
        with pytest.raises(NotFoundError):
            change(again)
    assert [stream.id for stream in world.registry.streams_of(key)] == ["gauge.level"]
    stored(world)


def test_what_others_name_by_then_is_kept(world: World) -> None:
    making = making_of(world)
    gathering = Gathering(world.registry)
    thing(making.apart(gathering), "gauge", draft("level"))
    making.enter(gathering)
    thing(making, "other", Draft(draft("level").words, "level-sensor", "level", Contract()))
    making.take_back(gathering)
    made = world.registry.made
    assert (list(made.sensors), list(made.properties), list(made.things)) == (["level-sensor"], ["level"], ["other"])
    stored(world)
