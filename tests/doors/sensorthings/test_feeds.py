"""Subscribing over MQTT (OGC 18-088 clause 14.2): real clients at the real broker, over the small city of the doors."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
import pytest
from anyio import to_thread

from citybrain.brain.observe import About, Anew, Featured, Signed
from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Feeds, Messages
from citybrain.engines.mqtt import Broker
from citybrain.engines.mqtt_arrivals import Arrivals
from citybrain.kernel.access import Caller, Role
from citybrain.kernel.instant import SECOND, Instant, parse, rfc3339
from citybrain.kernel.observations import Batch, Receipt
from tests.brokers import until
from tests.doors.conftest import PASSWORD, World
from tests.doors.sensorthings.conftest import ROOT, STANDING, desk, fill, parts_of
from tests.doors.sensorthings.test_featuring import POND

AT = "2026-11-22T06:30:00Z"
LEVEL = "v1.1/Datastreams('well-1.level')/Observations"
ALL = "v1.1/Observations"
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@dataclass
class Wire:
    """The broker of a city, and who speaks there."""

    world: World
    broker: Broker
    feeds: Feeds
    stack: AsyncExitStack
    people: dict[str, str] = field(default_factory=dict)

    async def person(self, role: Role) -> aiomqtt.Client:
        """Somebody with a role, connected."""
        if role not in self.people:
            self.people[role] = self.world.parts.accounts.create(role, role, PASSWORD, [role])
        client = aiomqtt.Client("127.0.0.1", self.broker.port, username=role, password=PASSWORD, timeout=30)
        return await self.stack.enter_async_context(client)

    async def device(self) -> aiomqtt.Client:
        """A device that may write all wells, masts and vanes, connected."""
        secret = self.world.parts.accounts.devices.create("全部", "writer", ["well-*", "mast-*", "vane-*"])
        client = aiomqtt.Client("127.0.0.1", self.broker.port, username="writer", password=secret, timeout=30)
        return await self.stack.enter_async_context(client)


@pytest.fixture
async def wire(sta: World) -> AsyncIterator[Wire]:
    async with wired(sta) as found:
        yield found


@asynccontextmanager
async def wired(sta: World) -> AsyncIterator[Wire]:
    """A broker of a city with SensorThings, and what is told there."""
    door = MqttDoor(sta.parts.guard, sta.parts.accounts, sta.parts.intake, sta.clock, topics=(Messages(parts_of(sta)),))
    feeds = Feeds(STANDING.parts, door.stays, "http://city")
    broker = Broker(
        ("127.0.0.1",),
        0,
        door.authorise,
        door.take,
        subscribe=feeds.open,
        arrivals=Arrivals(sta.clock.city, door.take_at),
        refuse=door.refuse,
    )
    await broker.start()
    following = asyncio.create_task(_follow(feeds))
    async with AsyncExitStack() as stack:
        yield Wire(sta, broker, feeds, stack)
    following.cancel()
    await broker.stop()


async def _follow(feeds: Feeds) -> None:
    while True:
        await feeds.run_once()
        await asyncio.sleep(0.01)


async def granted(client: aiomqtt.Client, *topics: str, qos: int = 1) -> list[int]:
    return [code if isinstance(code, int) else code.value for topic in topics for code in await client.subscribe(topic, qos)]


async def heard(client: aiomqtt.Client, count: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    async with asyncio.timeout(30):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            found.append((str(message.topic), json.loads(message.payload)))
            if len(found) == count:
                break
    return found


def reading(number: int, stream: str = "well-1.level") -> bytes:
    time = rfc3339(Instant(parse(AT) + number * SECOND))
    return json.dumps({"phenomenonTime": time, "result": number, "Datastream": {"@iot.id": stream}}).encode()


async def test_an_observation_comes_as_a_get_of_it_would_show_it(wire: Wire) -> None:
    reader, device = await wire.person("dispatcher"), await wire.device()
    assert await granted(reader, LEVEL) == [1]
    await device.publish(ALL, reading(3), qos=1)
    ((topic, told),) = await heard(reader, 1)
    assert topic == LEVEL
    async with desk(wire.world) as asked:
        assert told == await asked.get(f"/Observations('{told['@iot.id']}')")
    assert (told["result"], told["phenomenonTime"]) == (3, "2026-11-22T06:30:03Z")


async def test_select_leaves_what_was_asked_for(wire: Wire) -> None:
    reader, device = await wire.person("dispatcher"), await wire.device()
    topic = f"{LEVEL}?$select=result,phenomenonTime"
    assert await granted(reader, topic) == [1]
    await device.publish(ALL, reading(4), qos=1)
    assert await heard(reader, 1) == [(topic, {"phenomenonTime": "2026-11-22T06:30:04Z", "result": 4})]


@pytest.mark.parametrize("qos", [0, 1])
async def test_all_observations_come_in_their_order_and_those_of_a_datastream_are_its_own(wire: Wire, qos: int) -> None:
    reader, other, device = await wire.person("dispatcher"), await wire.person("leader"), await wire.device()
    assert await granted(reader, ALL, qos=qos) == [qos]
    assert await granted(other, "v1.1/Things('well-2')/Datastreams('well-2.salt')/Observations", qos=qos) == [qos]
    for number in range(100):
        await device.publish(ALL, reading(number, "well-2.salt" if number % 2 else "well-1.level"), qos=1)
    assert [told["result"] for _, told in await heard(reader, 100)] == list(range(100))
    assert [told["result"] for _, told in await heard(other, 50)] == list(range(1, 100, 2))


async def test_what_was_there_before_is_not_told_and_neither_is_what_comes_after_unsubscribing(wire: Wire) -> None:
    await fill(wire.world)
    reader, device = await wire.person("dispatcher"), await wire.device()
    await granted(reader, LEVEL)
    await device.publish(ALL, reading(1), qos=1)
    assert [told["result"] for _, told in await heard(reader, 1)] == [1]
    await reader.unsubscribe(LEVEL)
    await device.publish(ALL, reading(2), qos=1)
    await asyncio.sleep(0.1)
    await granted(reader, ALL)
    await device.publish(ALL, reading(3), qos=1)
    assert [told["result"] for _, told in await heard(reader, 1)] == [3]


async def test_nothing_is_told_before_it_is_durable(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, device = await wire.person("dispatcher"), await wire.device()
    await granted(reader, ALL)
    go, append = asyncio.Event(), wire.world.series.append

    async def held(batch: Batch) -> Receipt:
        await go.wait()
        return await append(batch)

    monkeypatch.setattr(wire.world.series, "append", held)
    publishing = asyncio.create_task(device.publish(ALL, reading(1), qos=1))
    listening = asyncio.create_task(heard(reader, 1))
    await asyncio.sleep(0.2)
    assert not publishing.done()
    assert not listening.done()
    go.set()
    assert [told["result"] for _, told in await listening] == [1]
    await publishing


@pytest.mark.parametrize(
    "topic",
    [
        "v1.1/Datastreams('well-9.level')/Observations",
        "v1.1/Datastreams('well-1.level')/Nothing",
        "v1.1/MultiDatastreams('a')/Observations",
        "v1.1/Datastreams('well-1.level')/$ref",
        "v1.1/",
        "#",
        "+/Observations",
        "v1.1/Things('well-1')/+/+",
        "v1.1/Things/+",
        "v1.1/Things/+/Observations",
        "v1.1/Nothing('a')/#",
        "v1.1/Things('none')/#",
        "v1.1/Datastreams('well-1.level')/+/Observations",
        "v1.1/+/Observations?$filter=result gt 4",
        "v1.1/+/$ref",
        "citybrain/v1/well-1",
        f"{LEVEL}?$filter=result gt 4",
        f"{LEVEL}?$select=nothing",
        f"{LEVEL}?$select=result&$select=result",
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused(wire: Wire, topic: str) -> None:
    reader = await wire.person("dispatcher")
    assert await granted(reader, topic) == [0x80]
    assert await granted(reader, LEVEL) == [1]


async def test_a_feature_that_was_made_is_told_when_it_changes(wire: Wire) -> None:
    reader, pond = await wire.person("dispatcher"), "v1.1/FeaturesOfInterest('pond')"
    async with desk(wire.world, "admin") as admin:
        assert (await admin.client.post(f"{ROOT}/FeaturesOfInterest", json=POND)).status_code == 201
        assert await granted(reader, pond) == [1]
        await admin.client.patch(f"{ROOT}/FeaturesOfInterest('pond')", json={"name": "Mill pond"})
    ((topic, told),) = await heard(reader, 1)
    assert (topic, told["name"]) == (pond, "Mill pond")


async def test_whoever_subscribes_to_a_feature_hears_the_observations_about_it_alone(wire: Wire) -> None:
    """Also of a stream that had none about it before; those about the place of a thing are the others of its streams."""
    reader, other, device = await wire.person("dispatcher"), await wire.person("leader"), await wire.device()
    pond, well = "v1.1/FeaturesOfInterest('pond')/Observations", "v1.1/FeaturesOfInterest('well-1')/Observations"
    async with desk(wire.world, "admin") as admin:
        assert (await admin.client.post(f"{ROOT}/FeaturesOfInterest", json=POND)).status_code == 201
    assert await granted(reader, pond, qos=1) == [1]
    assert await granted(other, well, qos=1) == [1]
    for number in range(8):
        stream, named = ("well-1.level", "well-1.salt")[number % 2], number % 4 < 2
        body = json.loads(reading(number, stream)) | ({"FeatureOfInterest": {"@iot.id": "pond"}} if named else {})
        await device.publish(ALL, json.dumps(body), qos=1)
    await device.publish(ALL, reading(8, "well-2.salt"), qos=1)
    assert [(topic, told["result"]) for topic, told in await heard(reader, 4)] == [(pond, number) for number in (0, 1, 4, 5)]
    assert [(topic, told["result"]) for topic, told in await heard(other, 4)] == [(well, number) for number in (2, 3, 6, 7)]


async def test_who_may_not_read_over_http_may_not_subscribe_and_it_is_in_the_trail(wire: Wire) -> None:
    device, admin, citizen = await wire.device(), await wire.person("admin"), await wire.person("citizen")
    topics = (ALL, LEVEL, "v1.1/Things('well-1')")
    assert await granted(device, *topics) == [0x80, 0x80, 0x80]
    assert await granted(admin, *topics) == [0x80, 0x80, 1]
    assert await granted(citizen, ALL, LEVEL) == [0x80, 0x80]
    await asyncio.to_thread(wire.world.parts.audit.settle, all_of_them=True)
    async with desk(wire.world, "auditor") as auditor:
        trail = (await auditor.client.get("/api/v1/protect/audit")).text
    assert "observation.read" in trail


async def test_nobody_signs_in_with_a_wrong_password_and_a_device_with_a_wrong_secret_is_no_attempt_of_a_person(wire: Wire) -> None:
    await wire.device()
    for login in ("writer", "nobody", ""):
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed"):
            async with aiomqtt.Client("127.0.0.1", wire.broker.port, username=login, password="wrong", timeout=5):
                pass


async def test_people_publish_nothing(wire: Wire) -> None:
    person = await wire.person("dispatcher")
    await person.publish(ALL, reading(1), qos=1)
    assert wire.world.series.last_seq() == 0


@pytest.mark.parametrize("end", ["shut", "password", "roles"])
async def test_who_is_shut_out_reads_no_more(wire: Wire, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.setattr("citybrain.doors.sensorthings.feeds._CHECKED", 0.0)
    reader = await wire.person("dispatcher")
    await granted(reader, ALL)
    accounts, account = wire.world.parts.accounts, wire.people["dispatcher"]
    ends: dict[str, Callable[[], Awaitable[None]]] = {
        "shut": lambda: asyncio.to_thread(accounts.enable, account, enabled=False),
        "password": lambda: asyncio.to_thread(accounts.change_password, account, "Nine-willows-by-the-weir-8"),
        "roles": lambda: asyncio.to_thread(accounts.entrust, account, ["citizen"], None),
    }
    await ends[end]()
    with pytest.raises(aiomqtt.MqttError):
        await heard(reader, 1)


async def test_things_and_datastreams_are_told_when_they_are_made_and_changed(wire: Wire) -> None:
    reader = await wire.person("admin")
    made = "v1.1/Things"
    assert await granted(reader, made, "v1.1/Datastreams", "v1.1/Sensors?$select=name") == [1, 1, 1]
    async with desk(wire.world, "admin") as admin:
        answer = await admin.client.post("/sta/v1.1/Things", json=GAUGE)
        assert answer.status_code == 201, answer.text
        told = dict(await heard(reader, 3))
        assert told["v1.1/Things"] == await admin.get("/Things('river-gauge')")
        assert told["v1.1/Datastreams"]["name"] == "Level"
        assert told["v1.1/Sensors?$select=name"] == {"name": "Gauge U-7"}
        assert await granted(reader, "v1.1/Things('river-gauge')", "v1.1/Things('river-gauge')/description") == [1, 1]
        await admin.client.patch("/sta/v1.1/Things('river-gauge')", json={"description": "Second arch"})
        told = dict(await heard(reader, 3))
        assert told["v1.1/Things"] == told["v1.1/Things('river-gauge')"] == await admin.get("/Things('river-gauge')")
        assert told["v1.1/Things('river-gauge')/description"] == {"description": "Second arch"}
        await admin.client.delete("/sta/v1.1/Things('river-gauge')")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(heard(reader, 1), 0.3)


async def test_one_observation_is_told_again_when_it_is_revised(wire: Wire) -> None:
    reader, device = await wire.person("dispatcher"), await wire.device()
    await device.publish(ALL, reading(1), qos=1)
    number = wire.world.parts.registry.stream("well-1.level").no
    topic = f"v1.1/Observations('{number}.{parse(AT) + SECOND}')"
    assert await granted(reader, topic) == [1]
    revised = json.loads(reading(1)) | {"result": 9}
    await device.publish(ALL, json.dumps(revised).encode(), qos=1)
    ((_, told),) = await heard(reader, 1)
    assert told["result"] == 9


@pytest.mark.thorough
async def test_of_more_than_may_wait_the_newest_are_told_and_the_rest_is_counted(wire: Wire) -> None:
    """One who subscribes with QoS 0 hears the newest; one with QoS 1 is let go, since something was left out."""
    reader, exact, device = await wire.person("dispatcher"), await wire.person("leader"), await wire.device()
    assert await granted(reader, ALL, qos=0) == [0]
    assert await granted(exact, ALL, qos=1) == [1]
    rows = [{"stream": "well-1.level", "time": rfc3339(Instant(parse(AT) + n * 1000)), "value": n} for n in range(5000)]
    await device.publish("citybrain/v1/observations", json.dumps(rows).encode(), qos=1)
    told = await heard(reader, 3900)
    assert [each["result"] for _, each in told] == list(range(1000, 4900))
    with pytest.raises(aiomqtt.MqttError):
        await heard(exact, 1)
    await until(lambda: len(wire.feeds) == 1)


@dataclass
class Ear:
    """An outlet that remembers."""

    room: int = 100
    said: list[Any] = field(default_factory=list)
    missed: int = 0
    ended: bool = False

    def put(self, payload: bytes, _topic: str) -> None:
        self.said.append(json.loads(payload)["result"])

    def miss(self, count: int) -> None:
        self.missed += count

    def end(self) -> None:
        self.ended = True


async def test_what_is_too_far_behind_is_given_up_so_that_what_is_told_is_of_now(
    sta: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds, ear = Feeds(STANDING.parts, lambda _: True, ""), Ear()
    close = await feeds.open(LEVEL, Caller("a", "A", frozenset({"dispatcher"})), ear)
    await fill(sta)
    monkeypatch.setattr("citybrain.doors.sensorthings.feeds._FAR", 2)
    assert await feeds.run_once() == 2
    assert ear.missed == 2
    assert ear.said == [12.5], "of the other well nothing"
    close()
    assert await feeds.run_once() == 0


GAUGE = {
    "name": "River gauge",
    "description": "Third arch",
    "Locations": [
        {
            "name": "Pier",
            "description": "North",
            "encodingType": "application/geo+json",
            "location": {"type": "Point", "coordinates": [117.1, 39.06]},
        }
    ],
    "Datastreams": [
        {
            "name": "Level",
            "description": "Every ten minutes",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "Metre", "symbol": "m", "definition": "https://ucum.org"},
            "Sensor": {"name": "Gauge U-7", "description": "Ultrasonic", "encodingType": "text/plain", "metadata": "U-7"},
            "ObservedProperty": {"name": "Water level", "definition": "https://example.org/level", "description": "Of the river"},
        }
    ],
}


async def test_what_a_person_says_anew_of_an_observation_is_told_though_no_reading_came(wire: Wire) -> None:
    reader, device = await wire.person("dispatcher"), await wire.device()
    await device.publish(ALL, reading(3), qos=1)
    at = f"1.{parse(AT) + 3 * SECOND}"
    single = f"v1.1/Observations('{at}')"
    assert await granted(reader, LEVEL, single, "v1.1/Datastreams('well-1.salt')/Observations") == [1, 1, 1]
    async with wire.world.client("data_officer") as officer:
        answer = await officer.patch(f"{ROOT}/Observations('{at}')", json={"parameters": {"depth": 3}})
        assert answer.status_code == 200, answer.text
    found = await heard(reader, 2)
    assert sorted(topic for topic, _ in found) == sorted((LEVEL, single))
    assert {(told["@iot.id"], told["parameters"]["depth"], told["resultQuality"][0]["nameOfMeasure"]) for _, told in found} == {
        (at, 3, "restated")
    }


@pytest.mark.parametrize("topic", [LEVEL, ALL, "v1.1/Observations('{at}')"])
async def test_what_comes_with_a_reading_is_not_told_a_second_time(sta: World, topic: str) -> None:
    await fill(sta)
    at = f"1.{parse('2026-11-22T06:59:00Z')}"
    feeds, ear = Feeds(STANDING.parts, lambda _: True, ""), Ear()
    await feeds.open(topic.format(at=at), Caller("a", "A", frozenset({"dispatcher"})), ear)
    async with sta.client("data_officer") as officer:
        for number, body in enumerate(({"result": 4, "parameters": {"depth": 3}}, {"phenomenonTime": "2026-11-22T06:40:00Z"}), 1):
            answer = await officer.patch(f"{ROOT}/Observations('{at}')", json=body)
            assert answer.status_code == 200, answer.text
            await feeds.run_once()
            assert ear.said == [4] * number
        answer = await officer.patch(f"{ROOT}/Observations('{at}')", json={"parameters": {"depth": 5}})
        assert answer.status_code == 200, answer.text
    await feeds.run_once()
    assert len(ear.said) == (2 if "{" in topic else 3), "whoever asked for the old id hears of what is there no more"


async def test_what_is_said_anew_at_another_process_is_told_here(wire: Wire) -> None:
    reader, device = await wire.person("dispatcher"), await wire.device()
    await device.publish(ALL, reading(3), qos=1)
    at = Instant(parse(AT) + 3 * SECOND)
    assert await granted(reader, LEVEL) == [1]
    seen, parts = About(1, at, None, None), STANDING.parts
    elsewhere = Featured(wire.world.transactions)
    elsewhere.restate(
        [Anew(seen, seen._replace(said='{"parameters":{"depth":4}}', restated="parameters"))], Signed("officer", "读错了表", at)
    )
    await to_thread.run_sync(parts.featured.renew)
    ((topic, told),) = await heard(reader, 1)
    assert (topic, told["@iot.id"], told["parameters"]["depth"]) == (LEVEL, f"1.{at}", 4)
