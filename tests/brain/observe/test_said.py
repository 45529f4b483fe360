"""What else is said of observations, kept beside them with what they are about."""

import json

import numpy as np

from citybrain.brain.observe import AS_BEFORE, About, Featured, Having, Lags
from citybrain.kernel.instant import HOUR, SECOND, Instant, parse, rfc3339
from tests.brain.observe.conftest import World

AT = parse("2026-11-22T06:00:00Z")


def told(stream: int, time: int, feature: str | None = AS_BEFORE, **words: object) -> About:
    return About(stream, Instant(time), feature, json.dumps(words) if words else None)


def everything(featured: Featured) -> list[tuple[int, int, str | None, object]]:
    return [(one.stream, one.time, one.feature, one.words()) for one in featured.of(range(99), 0, 2**60).values()]


def test_a_feature_and_what_is_said_are_replaced_apart_and_put_back_together(world: World) -> None:
    featured = Featured(world.transactions)
    featured.put([told(1, 10, "pond", parameters={"a": 1})])
    before = featured.put([told(1, 10, parameters={"a": 2}), About(1, Instant(11), "pond")])
    assert everything(featured) == [(1, 10, "pond", {"parameters": {"a": 2}}), (1, 11, "pond", {})]
    featured.put([About(1, Instant(10), "spring", AS_BEFORE), told(1, 11, None)])
    assert everything(featured) == [(1, 10, "spring", {"parameters": {"a": 2}})]
    featured.put(before)
    assert everything(featured) == [(1, 10, "pond", {"parameters": {"a": 1}})]
    featured.put([told(1, 10)])
    assert everything(featured) == [(1, 10, "pond", {})]
    featured.put([About(1, Instant(10), None)])
    assert everything(featured) == []


def test_two_of_one_observation_add_up_in_their_order(world: World) -> None:
    featured = Featured(world.transactions)
    one, two = told(1, 10, "pond", parameters={"a": 1}), About(1, Instant(10), "spring")
    assert featured.put([one, two, told(1, 11), told(1, 11, parameters={"b": 1})]) == (
        About(1, Instant(10), None, None),
        About(1, Instant(11), None, None),
    )
    assert everything(featured) == [(1, 10, "spring", {"parameters": {"a": 1}}), (1, 11, None, {"parameters": {"b": 1}})]


def test_another_process_knows_which_streams_say_something(world: World) -> None:
    here, there = Featured(world.transactions), Featured(world.transactions)
    here.put([told(5, 10, parameters={"a": 1}), About(3, Instant(10), "pond"), told(3, 11, resultQuality="good")])
    assert here.known() == there.known() == Having(frozenset({3}), frozenset({3, 5}))
    there.put([told(9, 10, parameters={"a": 1}), told(7, 10)])
    assert (sorted(here.recalled), sorted(here.saying())) == ([3, 5], [3, 5, 9])
    assert Featured(world.transactions).known() == Having(frozenset({3}), frozenset({3, 5, 9}))


def test_lags_hold_all_results_and_intervals_of_the_streams(world: World) -> None:
    featured = Featured(world.transactions)
    assert featured.lags([1, 2]) == Lags(0, 0, 0)
    hour = f"{rfc3339(AT)}/{rfc3339(Instant(AT + HOUR))}"
    featured.put([told(1, AT, resultTime=rfc3339(Instant(AT + 3 * SECOND))), told(1, AT + 1, parameters={"a": 1})])
    featured.put([told(2, AT, phenomenonTime=hour), told(3, AT, resultTime=rfc3339(Instant(AT - SECOND)))])
    assert featured.lags([1]) == Lags(0, 3 * SECOND, 0)
    assert featured.lags([2]) == Lags(0, HOUR, HOUR), "no result of an interval is there before its end"
    assert featured.lags([1, 2, 3, 4]) == Lags(-SECOND, HOUR, HOUR)
    featured.put([told(2, AT)])
    assert featured.lags([2, 3]) == Lags(-SECOND, 0, 0)


def test_what_was_said_of_deleted_observations_is_forgotten_with_them(world: World) -> None:
    featured = Featured(world.transactions)
    featured.put([told(1, 10, parameters={"a": 1}), told(1, 20, parameters={"a": 2}), told(2, 10, parameters={"a": 3})])
    assert featured.forget(np.array([1, 3], np.int32), Instant(20)) == 1
    assert everything(featured) == [(1, 20, None, {"parameters": {"a": 2}}), (2, 10, None, {"parameters": {"a": 3}})]
