"""Declared topics: which messages they read, and what they make of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.mqtt import MqttDoor, Topic, mapped
from citybrain.kernel.errors import DeclarationError, UnreadableError
from citybrain.kernel.instant import parse
from citybrain.kernel.observations import SeriesQuery
from tests.doors.conftest import World

NOW = "2026-11-22T07:00:00Z"
PLANT = Topic("plant/+/well/+", "well-{2}", {"level": "data.level", "salt": "data.more.0"}, "at", "ms")
AT = parse("2026-11-22T06:58:00Z")
SAID = {"at": AT // 1000, "data": {"level": 3.5, "more": [0.25, 9]}}


def read(topic: Topic, name: str, said: object) -> list[dict[str, object]] | None:
    (one,) = mapped([topic])
    found = one.rows(name, json.dumps(said).encode(), NOW)
    return None if found is None else [json.loads(row) for (row,) in found]


def test_a_message_becomes_a_row_a_field_that_it_holds() -> None:
    assert read(PLANT, "plant/north/well/7", SAID) == [
        {"stream": "well-7.level", "time": "2026-11-22T06:58:00Z", "value": 3.5},
        {"stream": "well-7.salt", "time": "2026-11-22T06:58:00Z", "value": 0.25},
    ]
    assert read(PLANT, "plant/north/well/7", {**SAID, "data": {"level": 1}}) == [
        {"stream": "well-7.level", "time": "2026-11-22T06:58:00Z", "value": 1}
    ]


@pytest.mark.parametrize(
    ("topic", "fits", "others"),
    [
        ("a/+/b", ["a/x/b"], ["a/b", "a/x/y/b", "a/x/b/c", "a/x/B"]),
        ("a/#", ["a", "a/b", "a/b/c"], ["b", "ab"]),
        ("#", ["a", "a/b"], ["$SYS/uptime"]),
        ("+/c", ["x/c"], ["c", "$SYS/c"]),
        ("$SYS/#", ["$SYS/uptime"], ["a"]),
        ("a.b", ["a.b"], ["axb"]),
    ],
)
def test_a_filter_means_what_mqtt_means_by_it(topic: str, fits: list[str], others: list[str]) -> None:
    one = Topic(topic, "well-1", {"level": ""})
    assert all(read(one, name, 1) for name in fits)
    assert all(read(one, name, 1) is None for name in others)


def test_a_bare_number_is_the_whole_message_and_of_the_moment() -> None:
    assert read(Topic("level/+", "{1}", {"level": ""}), "level/well-1", 4) == [{"stream": "well-1.level", "time": NOW, "value": 4}]


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        (PLANT, {"at": 1}),
        (PLANT, {"data": {"level": 1}}),
        (PLANT, {**SAID, "at": "2026-11-22T06:58:00Z"}),
        (PLANT, {**SAID, "at": -5}),
        (PLANT, {**SAID, "at": 1e300}),
        (PLANT, {**SAID, "at": True}),
        (PLANT, [1, 2]),
        (Topic("plant/#", "well-1", {"level": "v"}, "at"), {"v": 1, "at": 5}),
    ],
)
def test_a_message_without_its_readings_or_its_time_is_refused_with_the_reason(topic: Topic, said: object) -> None:
    with pytest.raises(UnreadableError):
        read(topic, "plant/north/well/7", said)


@pytest.mark.parametrize(
    ("topic", "entity", "fields"),
    [
        ("a/#/b", "e", {"f": ""}),
        ("a+/b", "e", {"f": ""}),
        ("a/+", "{2}", {"f": ""}),
        ("a", "e", {}),
        ("", "e", {"f": ""}),
        ("a#", "e", {"f": ""}),
    ],
)
def test_what_cannot_be_meant_is_refused_at_the_start(topic: str, entity: str, fields: dict[str, str]) -> None:
    with pytest.raises(DeclarationError):
        mapped([Topic(topic, entity, fields)])


@given(
    payload=st.binary(max_size=60)
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(lambda one: json.dumps(one).encode())
)
def test_no_message_breaks_it(payload: bytes) -> None:
    (one,) = mapped([PLANT])
    try:
        rows = one.rows("plant/a/well/1", payload, NOW)
    except UnreadableError:
        return
    assert rows


async def test_the_door_stores_what_a_declared_topic_says_and_its_own_topics_too(world: World) -> None:
    door = MqttDoor(world.parts.guard, world.parts.accounts, world.parts.intake, world.clock, topics=mapped([PLANT]))
    probe = await door.authorise("probe", world.secret)
    assert probe is not None
    assert (await door.take("plant/north/well/1", json.dumps(SAID).encode(), probe)).stored == 2
    assert (await door.take("citybrain/v1/well-1", b'{"time": "2026-11-22T06:59:00Z", "level": 1}', probe)).stored == 1
    foreign = await door.take("plant/north/well/2", json.dumps(SAID).encode(), probe)
    assert [each.code for each in foreign.refused] == ["forbidden_stream"] * 2
    number = world.parts.registry.stream("well-1.level").no
    found = world.series.scan(SeriesQuery((number,), AT, parse("2026-11-22T08:00:00Z")))
    assert found["value"].to_pylist() == [3.5, 1.0]
