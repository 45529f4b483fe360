"""Wildcards in what is subscribed to: each thing is told once, under a topic that the filter stands for, to whoever may read it."""

import aiomqtt
import pytest
from paho.mqtt.client import topic_matches_sub

from citybrain.doors.sensorthings.wildcards import Part, spread, told_at
from citybrain.kernel.errors import BadInputError
from tests.doors.sensorthings.conftest import desk
from tests.doors.sensorthings.test_feeds import ALL, Wire, granted, heard, reading, wire
from tests.doors.sensorthings.test_making import GAUGE, posted

__all__ = ["wire"]
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WELL = "v1.1/Things('well-1')"


@pytest.mark.parametrize(
    ("filtered", "parts"),
    [
        (ALL, [ALL]),
        ("v1.1/+/Observations", ["v1.1/Datastreams each", "v1.1/MultiDatastreams each"]),
        (
            "v1.1/+/Observations?$select=result",
            ["v1.1/Datastreams?$select=result each", "v1.1/MultiDatastreams?$select=result each"],
        ),
        (f"{WELL}/+/Observations", [f"{WELL}/Datastreams each", f"{WELL}/MultiDatastreams each"]),
        ("v1.1/Things/#", ["v1.1/Things"]),
        ("v1.1/Sensors('s')/+", ["v1.1/Sensors('s')/Datastreams", "v1.1/Sensors('s')/MultiDatastreams"]),
        (
            "v1.1/Datastreams('a.b')/Thing/#",
            [
                f"v1.1/Datastreams('a.b')/Thing{rest}"
                for rest in (
                    "",
                    "/Locations",
                    "/HistoricalLocations",
                    "/Datastreams",
                    "/MultiDatastreams",
                    "/Datastreams each",
                    "/MultiDatastreams each",
                )
            ],
        ),
    ],
)
def test_a_filter_stands_for_topics_that_match_it(filtered: str, parts: list[str]) -> None:
    found = spread(filtered)
    assert [f"{one.topic}{' each' * one.each}" for one in found] == parts
    assert all(topic_matches_sub(filtered, told_at(one, "a.b")) for one in found)


def test_all_sets_are_told_under_their_own_topics_and_no_key_is_a_level_of_its_own() -> None:
    assert spread("v1.1/#") == (*spread("v1.1/+"), Part("v1.1/MultiDatastreams", each=True))
    assert len(spread("v1.1/+")) == 9
    assert told_at(Part("v1.1/Datastreams", each=True), "a/+#.b'c") == "v1.1/Datastreams('a%2F%2B%23.b''c')/Observations"
    # Neither is a filter of MQTT: clients refuse them too.
    for none in ("v1.1/#?$select=result", "v1.1/Datastreams(+)/Observations"):
        with pytest.raises(BadInputError, match="Wildcards stand so"):
            spread(none)


async def test_observations_come_under_their_datastreams(wire: Wire) -> None:
    reader, other, device = await wire.person("dispatcher"), await wire.person("leader"), await wire.device()
    assert await granted(reader, "v1.1/+/Observations?$select=result") == [1]
    assert await granted(other, f"{WELL}/+/Observations") == [1]
    for number, stream in enumerate(("well-1.level", "well-2.salt", "well-1.level")):
        await device.publish(ALL, reading(number, stream), qos=1)
    names = [f"v1.1/Datastreams('{stream}')/Observations?$select=result" for stream in ("well-1.level", "well-2.salt")]
    assert await heard(reader, 3) == [(names[0], {"result": 0}), (names[1], {"result": 1}), (names[0], {"result": 2})]
    told = await heard(other, 2)
    assert {topic for topic, _ in told} == {f"{WELL}/Datastreams('well-1.level')/Observations"}
    async with desk(wire.world) as asked:
        assert [one for _, one in told] == [await asked.get(f"/Observations('{one['@iot.id']}')") for _, one in told]


async def test_all_that_is_new_comes_once_each_until_it_is_ended(wire: Wire) -> None:
    reader, device = await wire.person("dispatcher"), await wire.device()
    assert await granted(reader, "v1.1/#") == [1]
    async with desk(wire.world, "admin") as admin:
        await posted(admin.client, "/Things", GAUGE)
        told = await heard(reader, 7)
        assert sorted(topic for topic, _ in told) == [
            "v1.1/Datastreams",
            "v1.1/FeaturesOfInterest",
            "v1.1/HistoricalLocations",
            "v1.1/Locations",
            "v1.1/ObservedProperties",
            "v1.1/Sensors",
            "v1.1/Things",
        ]
        await device.publish(ALL, reading(5), qos=1)
        ((topic, one),) = await heard(reader, 1)
        assert (topic, one["result"]) == (ALL, 5)
        assert len(wire.feeds) == 10
        await reader.unsubscribe("v1.1/#")
        assert len(wire.feeds) == 0


async def test_what_is_made_later_below_an_entity_comes_too(wire: Wire) -> None:
    reader = await wire.person("dispatcher")
    async with desk(wire.world, "admin") as admin:
        await posted(admin.client, "/Things", {"name": "Bank", "description": "Left"})
        await posted(admin.client, "/Things", GAUGE)
        assert await granted(reader, "v1.1/Things('bank')/#") == [1]
        at = "/sta/v1.1/Datastreams('river-gauge.water-level')"
        assert (await admin.client.patch(at, json={"Thing": {"@iot.id": "bank"}})).status_code == 200
        ((topic, told),) = await heard(reader, 1)
        assert (topic, told["@iot.id"]) == ("v1.1/Things('bank')/Datastreams", "river-gauge.water-level")
    device = wire.world.parts.accounts.devices.create("水位计", "gauge", ["river-gauge"])
    gauge = aiomqtt.Client("127.0.0.1", wire.broker.port, username="gauge", password=device, timeout=30)
    async with gauge:
        await gauge.publish(ALL, reading(6, "river-gauge.water-level"), qos=1)
        ((topic, told),) = await heard(reader, 1)
    assert (topic, told["result"]) == ("v1.1/Things('bank')/Datastreams('river-gauge.water-level')/Observations", 6)


async def test_whoever_may_not_read_all_of_it_is_refused(wire: Wire) -> None:
    device, citizen = await wire.device(), await wire.person("citizen")
    for someone in (device, citizen):
        for filtered in ("v1.1/#", "v1.1/+/Observations", f"{WELL}/#"):
            assert await granted(someone, filtered) == [0x80]
    assert len(wire.feeds) == 0


async def test_a_connection_has_few_wildcards(wire: Wire) -> None:
    reader = await wire.person("dispatcher")
    filters = [f"v1.1/+/Observations?$select={names}" for names in ("result", "id", "phenomenonTime", "resultTime", "parameters")]
    filters += ["v1.1/#", "v1.1/+", "v1.1/Things/#", "v1.1/Sensors/#", f"{WELL}/#"]
    assert await granted(reader, *filters, "v1.1/Locations/#", ALL, "v1.1/#") == [1] * 10 + [0x80, 1, 1]
