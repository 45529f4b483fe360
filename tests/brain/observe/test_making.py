"""Things made, changed and ended by two processes over one store, of which each remembers the register by itself."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from citybrain.brain.observe import About, Featured, Links, Making, MovedError, Registry
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.things import Contract
from tests.brain import tiny
from tests.brain.observe.conftest import World
from tests.brain.observe.test_featured import spot
from tests.brain.observe.test_gathering import draft, making_of, stored, thing

Result = TypeVar("Result")


def elsewhere(world: World) -> Making:
    """What another process makes things with."""
    return Making(Registry(world.transactions, (tiny.PACK,), world.areas), world.areas, world.clock)


def while_deciding(making: Making, work: Callable[[Making], Result], *meanwhile: Callable[[], object]) -> tuple[Result, int]:
    """What is decided while another process does something else each time before it is entered, and how often it was worked out."""
    others, count = iter(meanwhile), 0

    def tried(apart: Making, _: Registry) -> Result:
        nonlocal count
        count += 1
        found = work(apart)
        next(others, lambda: None)()
        return found

    return making.decided(tried), count


def test_a_thing_that_ends_takes_along_what_another_process_gave_it_at_that_moment(world: World) -> None:
    here, there = making_of(world), elsewhere(world)
    key = thing(here, "gauge", draft("level"))
    _, tries = while_deciding(
        here,
        lambda making: making.end_thing(key),
        lambda: there.decided(lambda making, _: making.streams(key, (draft("salt"),))),
    )
    assert tries == 2
    mine = [stream for stream in world.registry.streams() if stream.entity == key]
    assert [stream.ended is not None for stream in mine] == [True, True]
    stored(world)


def test_nothing_is_made_of_a_thing_that_another_process_ends_at_that_moment(world: World) -> None:
    here, there = making_of(world), elsewhere(world)
    key = thing(here, "gauge", draft("level"))
    with pytest.raises(NotFoundError):
        while_deciding(
            here,
            lambda making: making.streams(key, (draft("salt"),)),
            lambda: there.decided(lambda making, _: making.end_thing(key)),
        )
    assert [stream.id for stream in world.registry.present() if stream.entity == key] == []
    assert "salt" not in world.registry.made.properties
    stored(world)


def test_of_two_processes_that_ask_for_one_id_at_one_moment_the_second_is_told_that_it_is_taken(world: World) -> None:
    here, there = making_of(world), elsewhere(world)

    def make(making: Making) -> str:
        return making.feature("pond", spot("Pond"))

    with pytest.raises(ConflictError, match="is taken"):
        while_deciding(here, make, lambda: there.decided(lambda making, _: making.feature("pond", spot("Mill pond"))))
    assert world.registry.entity("pond").title.en == "Mill pond"
    stored(world)


def test_who_never_gets_a_turn_is_told_so_with_nothing_entered(world: World) -> None:
    here, there = making_of(world), elsewhere(world)
    others = [lambda: there.decided(lambda making, _: thing(making, "other"))] * 9
    with pytest.raises(MovedError):
        while_deciding(here, lambda making: thing(making, "gauge", draft("level")), *others)
    world.registry.renew()
    stored(world)
    assert "gauge" not in {entity.id for entity in world.registry.entities("thing")}
    key, tries = while_deciding(here, lambda making: thing(making, "gauge", draft("level")), *others[:2])
    assert (key, tries) == ("gauge", 3)
    stored(world)


def test_what_one_process_works_out_on_what_another_has_changed_is_not_entered(world: World) -> None:
    here = making_of(world)
    key = thing(here, "gauge", draft("level"))
    there = elsewhere(world)
    here.streams(key, (draft("depth"),))
    for change in (lambda: there.end_thing(key), lambda: there.streams(key, (draft("salt"),))):
        with pytest.raises(MovedError):
            change()
    assert [stream.id for stream in world.registry.streams_of(key)] == ["gauge.level", "gauge.depth"]
    stored(world)


def test_a_promise_is_of_the_stream_as_another_process_has_left_it(world: World) -> None:
    here, there = making_of(world), elsewhere(world)
    thing(here, "gauge", draft("level"))
    thing(here, "bank")
    there.decided(lambda making, register: making.restate(register.made.streams["gauge.level"], None, Links(thing="bank")))
    world.registry.promise(world.registry.stream("gauge.level").no, Contract(), lambda *_: None)
    assert world.registry.stream("gauge.level").entity == "bank"
    stored(world)


def test_a_feature_that_another_process_begins_to_observe_at_that_moment_stays(world: World) -> None:
    here, featured = making_of(world), Featured(world.transactions)
    here.feature("pond", spot("Pond"))
    with pytest.raises(ConflictError, match="is not deleted"):
        while_deciding(
            here, lambda making: making.end_feature("pond"), lambda: featured.keep([About(1, Instant(10), "pond", None)])
        )
    assert world.registry.entity("pond").valid_to is None
    stored(world)
