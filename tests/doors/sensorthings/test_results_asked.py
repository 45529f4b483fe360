"""Results that are no numbers in ``$filter`` and ``$orderby``: found as what they say, and never as the numbers that stand for them."""

from collections.abc import Callable
from typing import Any, TypeGuard

import pytest

from citybrain.doors.sensorthings import results as shelf
from citybrain.doors.sensorthings.nodes import Function, Literal, Path
from citybrain.doors.sensorthings.push import push
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import desk
from tests.doors.sensorthings.test_making import said
from tests.doors.sensorthings.worded import RESULTS, alike, filled, results, stream

ALL = "/Observations"


def is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


FILTERS: dict[str, Callable[[Any], bool]] = {
    "result eq 'rain'": lambda one: one == "rain",
    "'rain' eq result": lambda one: one == "rain",
    "result eq 'never said'": lambda one: one == "never said",
    "result ne 'rain'": lambda one: one != "rain",
    "not (result eq 'rain')": lambda one: one != "rain",
    "result eq 'snow' or result eq '雨'": lambda one: one in ("snow", "雨"),
    "startswith(result,'r') or result eq 'open'": lambda one: isinstance(one, str) and one[0] in "ro",
    "contains(result,'now')": lambda one: isinstance(one, str) and "now" in one,
    "length(result) eq 4": lambda one: isinstance(one, str) and len(one) == 4,
    "result gt 'rain'": lambda one: isinstance(one, str) and one > "rain",
    "result eq true": lambda one: one is True,
    "result eq false": lambda one: one is False,
    "result ne true": lambda one: one is not True,
    "result eq 3": lambda one: is_number(one) and one == 3,
    "result eq 1": lambda one: is_number(one) and one == 1,
    "result gt 0": lambda one: is_number(one) and one > 0,
    "result le 3": lambda one: is_number(one) and one <= 3,
    "not (result gt 0)": lambda one: not (is_number(one) and one > 0),
    "result add 1 eq 4": lambda one: is_number(one) and one == 3,
    "result/a eq 1": lambda one: isinstance(one, dict) and one.get("a") == 1,
    "result eq 'rain' and phenomenonTime gt 2026-11-22T06:10:30Z": lambda one: one == "rain",
    "result eq 'rain' or result eq true or result gt 2": lambda one: one == "rain" or one is True or (is_number(one) and one > 2),
}


@pytest.mark.parametrize("text", FILTERS)
async def test_a_condition_holds_for_what_is_said(sta: World, text: str) -> None:
    await filled(sta)
    asked, later = FILTERS[text], "phenomenonTime gt" in text
    everything = {name: [one for one in each[1 if later else 0 :] if asked(one)] for name, each in RESULTS.items()}
    async with desk(sta) as someone:
        for name, expected in everything.items():
            assert alike(await results(someone.client, stream(name), _filter=text), expected), name
            assert (await someone.get(stream(name), _filter=text, _count="true", _top="0"))["@iot.count"] == len(expected)
        found = await said(someone.client, ALL, _filter=text, _count="true", _expand="Datastream($select=id)")
        assert found["@iot.count"] == sum(map(len, everything.values()))
        told = sorted((one["Datastream"]["@iot.id"], repr(one["result"])) for one in found["value"])
        assert told == sorted((f"box.{name}", repr(one)) for name, each in everything.items() for one in each)
        assert len(await results(someone.client, "/Things('box')/Datastreams('box.sky')/Observations", _filter=text)) == len(
            everything["sky"]
        )


@pytest.mark.thorough
async def test_where_streams_are_too_many_to_be_named_the_same_is_found(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(sta)
    monkeypatch.setattr(shelf, "_MOST", 0)
    async with desk(sta) as someone:
        for text, asked in FILTERS.items():
            first = 1 if "phenomenonTime gt" in text else 0
            expected = sorted(repr(one) for each in RESULTS.values() for one in each[first:] if asked(one))
            found = await someone.get(ALL, _filter=text, _count="true")
            assert (found["@iot.count"], sorted(repr(one["result"]) for one in found["value"])) == (len(expected), expected), text


async def test_what_is_asked_of_words_is_asked_of_the_store(sta: World) -> None:
    """By the code of a word, so that a long history need not be read; of many streams where few say the word."""
    await filled(sta)
    registry = sta.parts.registry
    sky = shelf.column(registry, lambda: ["box.sky"])
    assert "Compare(field='value', op='eq', value=1)" in repr(sky("eq", "rain"))
    assert "Or(parts=())" in repr(sky("eq", "never said"))
    unlike = push(Function("ne", (Path(("result",)), Literal("rain"))), {"result": sky})
    assert (unlike.exact, "Not(part=" in repr(unlike.where)) == (True, True)
    both = repr(shelf.column(registry, lambda: ["box.sky", "box.heat", "box.log"])("eq", "rain"))
    assert ("box.sky" in both, "box.heat" in both, "box.log" in both) == (True, False, False)
    plain = shelf.column(registry, lambda: ["box.heat", "box.cars"])
    assert repr(plain("gt", 2)) == "Compare(field='value', op='gt', value=2)"
    many = [*(f"other-{number}" for number in range(1000)), "box.sky"]
    assert repr(shelf.column(registry, lambda: many)("gt", 2)).count("box.sky") == 1
    assert "other-1" not in repr(shelf.column(registry, lambda: many)("gt", 2)), "a thousand streams are not named one by one"


async def test_results_come_in_their_order_and_codes_have_none(sta: World) -> None:
    await filled(sta)
    async with desk(sta) as someone:
        assert await results(someone.client, stream("sky"), _orderby="result") == ["rain", "rain", "snow", "雨"]
        assert await results(someone.client, stream("sky"), _orderby="result desc", _top="2") == ["雨", "snow"]
        assert alike(await results(someone.client, stream("door"), _orderby="result"), [False, True, True, True])
        assert alike(await results(someone.client, stream("cars"), _orderby="result desc"), [12, 3, 3, 0])
        found = await results(someone.client, ALL, _orderby="result desc", _filter="Datastream/id eq 'box.heat'")
        assert alike(found, [3.0, 2.5, 1.0, 0.0])


async def test_latest_values_are_found_as_what_they_are(sta: World) -> None:
    await filled(sta)
    async with desk(sta) as someone:
        asked = {
            "properties/latest/value ge 2": ["box.cars", "box.heat", "box.log"],
            "properties/latest/value lt 2": [],
            "properties/latest/value eq 'rain'": ["box.sky"],
            "properties/latest/value eq true": ["box.door"],
        }
        for text, expected in asked.items():
            assert await someone.ids("/Datastreams", _filter=text, _orderby="id") == expected, text
