"""Limits: refused with a reason, published as dated versions, taken by the running watch, kept over a kill, rolled back in one act."""

from dataclasses import replace

import pytest

from citybrain.brain.detect import Limits
from citybrain.kernel.errors import BadInputError, NotFoundError, StaleError
from tests.brain import tiny
from tests.brain.detect.conftest import START, World

WHY = "汛期从严"


def again(world: World) -> Limits:
    """The limits as after a start of the program."""
    return Limits((tiny.PACK,), world.transactions, world.clock)


def test_a_limit_says_its_value_version_range_and_the_rules_that_speak_of_it(world: World) -> None:
    (limit,) = world.limits.all()
    assert (limit.key, limit.value, limit.version, limit.unit, limit.low, limit.high) == ("pumps.limit", 5.0, 0, "m", 1.0, 9.0)
    assert (limit.rules, limit.since, limit.title.zh) == (("high",), "2020-01-01", "水位限值")


@pytest.mark.parametrize(
    ("value", "unit", "why"),
    [
        (9.5, "m", "outside the sane range"),
        (float("nan"), "m", "outside the sane range"),
        (4.0, "cm", "Wrong unit"),
        (5.0, "m", "already"),
    ],
)
def test_a_limit_outside_its_range_or_in_another_unit_is_refused_with_the_reason(
    world: World, value: float, unit: str, why: str
) -> None:
    with pytest.raises(BadInputError, match=why):
        world.limits.publish("pumps.limit", value, unit, 0, "wang", WHY)
    assert world.limits.published() == ()


def test_a_reason_is_needed_and_a_note_where_an_example_is_contradicted(world: World) -> None:
    with pytest.raises(BadInputError, match="Say why"):
        world.limits.publish("pumps.limit", 5.5, "m", 0, "wang", " ")
    with pytest.raises(BadInputError, match="should fire"):
        world.limits.publish("pumps.limit", 7.0, "m", 0, "wang", WHY)
    made = world.limits.publish("pumps.limit", 7.0, "m", 0, "wang", WHY, "示例以旧堤高为准")
    assert (made.version, made.value, made.before, made.since, made.by, made.note) == (
        1,
        7.0,
        5.0,
        START,
        "wang",
        "示例以旧堤高为准",
    )


def test_a_limit_that_does_not_exist_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.limits.limit("pumps.nothing")


def test_of_two_who_publish_at_once_the_second_is_told(world: World) -> None:
    world.limits.publish("pumps.limit", 5.5, "m", 0, "wang", WHY)
    with pytest.raises(StaleError, match="version 1"):
        world.limits.publish("pumps.limit", 5.8, "m", 0, "li", WHY)


def test_what_was_published_is_there_after_a_start(world: World) -> None:
    world.limits.publish("pumps.limit", 5.5, "m", 0, "wang", WHY)
    assert [(each.value, each.version) for each in again(world).all()] == [(5.5, 1)]


def test_a_roll_back_is_one_act_and_a_version_of_its_own(world: World) -> None:
    world.limits.publish("pumps.limit", 5.5, "m", 0, "wang", WHY)
    world.limits.publish("pumps.limit", 5.8, "m", 1, "wang", WHY)
    back = world.limits.roll_back("pumps.limit", 1, 2, "li", "误报增多")
    assert (back.version, back.value, back.before, back.back_to) == (3, 5.5, 5.8, 1)
    assert world.limits.roll_back("pumps.limit", 0, 3, "li", "恢复原值").value == 5.0
    assert [each.version for each in again(world).history("pumps.limit")] == [4, 3, 2, 1]
    with pytest.raises(BadInputError, match="no version 4"):
        world.limits.roll_back("pumps.limit", 4, 4, "li", "恢复原值")


def test_a_declared_value_that_comes_into_force_later_stands_over_what_was_published_before(world: World) -> None:
    world.limits.publish("pumps.limit", 5.5, "m", 0, "wang", WHY)
    world.at(60 * 24 * 60)
    assert world.limits.limit("pumps.limit").value == 8.0


async def test_the_running_watch_takes_a_published_limit_and_old_alerts_keep_their_version(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 6.0), ("p2.level", 0, 4.5))
    watch.sweep()
    world.limits.publish("pumps.limit", 4.0, "m", 0, "wang", WHY, "示例待改")
    world.at(1)
    watch.sweep()
    first, second = world.told()
    assert (first.entity, second.entity, second.began) == ("p1", "p2", START + 60_000_000)
    assert second.rule_version == f"{first.rule_version}.1" == world.limits.version("pumps.high")
    assert second.because.zh == "泵站2水位 4.5 米，超过 4 米"
    assert world.alerts.alert(first.id).rule_version == first.rule_version


async def test_a_limit_that_was_raised_clears_what_is_within_it_at_the_next_look(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 5.5))
    watch.sweep()
    world.limits.publish("pumps.limit", 5.8, "m", 0, "wang", WHY)
    watch.sweep()
    assert [alert.state for alert in world.told()] == ["cleared"]


async def test_a_kill_between_publishing_and_the_next_look_loses_nothing(world: World) -> None:
    watch = world.watch()
    await world.send(("p1.level", 0, 4.5))
    watch.sweep()
    world.limits.publish("pumps.limit", 4.0, "m", 0, "wang", WHY, "示例待改")
    after = replace(world, limits=again(world))
    after.watch().sweep()
    assert [(alert.entity, alert.rule_version[-2:]) for alert in world.told()] == [("p1", ".1")]


def test_what_another_process_publishes_holds_once_it_is_looked_for(world: World) -> None:
    other = again(world)
    other.publish("pumps.limit", 5.5, "m", 0, "wang", WHY)
    before = world.limits.published()
    world.limits.renew()
    assert [each.value for each in world.limits.published()] == [5.5]
    assert before == ()
    held = world.limits.published()
    world.limits.renew()
    assert world.limits.published() is held, "the same tuple until there is another one"
