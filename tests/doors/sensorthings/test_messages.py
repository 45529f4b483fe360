"""Observations over MQTT by the topics of SensorThings: the same rows, refusals and account as over HTTP."""

import json

import pytest

from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Messages
from citybrain.doors.sensorthings.answers import landing
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, CityError, NotFoundError, NotHeldError, UnreadableError
from citybrain.kernel.instant import parse
from citybrain.kernel.observations import SeriesQuery
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import parts_of

AT = "2026-11-22T06:59:00Z"


@pytest.fixture
def door(world: World) -> MqttDoor:
    return MqttDoor(world.parts.guard, world.parts.accounts, world.parts.intake, world.clock, topics=(Messages(parts_of(world)),))


@pytest.fixture
async def probe(world: World, door: MqttDoor) -> Caller:
    found = await door.authorise("probe", world.secret)
    assert found is not None
    return found


async def test_an_observation_is_published_under_its_datastream_or_names_it(world: World, door: MqttDoor, probe: Caller) -> None:
    named = {"Datastream": {"@iot.id": "well-1.level"}, "phenomenonTime": AT, "result": 2.5}
    assert (
        await door.take("v1.1/Datastreams('well-1.level')/Observations", json.dumps({"result": 1.5}).encode(), probe)
    ).stored == 1
    assert (await door.take("v1.1/Observations", json.dumps(named).encode(), probe)).stored == 1
    number = world.parts.registry.stream("well-1.level").no
    found = world.series.scan(SeriesQuery((number,), parse(AT), parse("2026-11-22T08:00:00Z")))
    assert list(zip(found["time"].to_pylist(), found["value"].to_pylist(), strict=True)) == [
        (parse(AT), 2.5),
        (world.clock.city(), 1.5),
    ]


async def test_a_datastream_below_its_thing_is_published_under(world: World, door: MqttDoor, probe: Caller) -> None:
    topic = "v1.1/Things('well-1')/Datastreams('well-1.level')/Observations"
    assert (await door.take(topic, json.dumps({"phenomenonTime": AT, "result": 1.5}).encode(), probe)).stored == 1
    for other in (
        "v1.1/Things('well-2')/Datastreams('well-1.level')/Observations",
        "v1.1/Things('well-1')/Datastreams/Observations",
    ):
        with pytest.raises(NotFoundError):
            Messages(parts_of(world)).rows(other, b'{"result": 1}', AT)


def test_the_landing_page_says_where_to_publish_and_to_subscribe_where_a_broker_runs() -> None:
    with_broker, without = [str(landing("http://city:8000", port)) for port in (1883, 0)]
    assert "create-observations-via-mqtt/observations-creation" in with_broker
    assert "receive-updates-via-mqtt/receive-updates" in with_broker
    assert with_broker.count("mqtt://city:1883") == 2
    assert "mqtt" not in without


async def test_a_datastream_that_is_another_s_is_refused_and_counted(world: World, door: MqttDoor, probe: Caller) -> None:
    verdict = await door.take("v1.1/Datastreams('well-2.level')/Observations", b'{"result": 1}', probe)
    assert [each.code for each in verdict.refused] == ["forbidden_stream"]
    (account,) = (each for each in world.series.doors() if each.door == "mqtt")
    assert dict(account.refused) == {"forbidden_stream": 1}


@pytest.mark.parametrize(
    ("topic", "said", "error"),
    [
        ("v1.1/Things", "{}", NotFoundError),
        ("v1.1/Observations(1)", '{"result": 1}', NotFoundError),
        ("v1.1/Observations", "{", UnreadableError),
        ("v1.1/Observations", "[]", UnreadableError),
        ("v1.1/Observations", '{"result": 1}', BadInputError),
        ("v1.1/Datastreams('well-1.level')/Observations", '{"result": 1, "colour": "blue"}', NotHeldError),
        ("v1.1/Datastreams('well-1.level')/Observations", '{"result": 1, "parameters": "a"}', BadInputError),
    ],
)
def test_what_is_no_observation_says_why(world: World, topic: str, said: str, error: type[CityError]) -> None:
    with pytest.raises(error):
        Messages(parts_of(world)).rows(topic, said.encode(), AT)


def test_other_topics_are_somebody_else_s(world: World) -> None:
    assert Messages(parts_of(world)).rows("citybrain/v1/well-1", b"{}", AT) is None
