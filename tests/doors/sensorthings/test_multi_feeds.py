"""MultiDatastreams subscribed to over MQTT: real clients at the real broker."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from citybrain.brain.observe import AreaBook, Registry
from citybrain.doors.sensorthings import Feeds
from citybrain.kernel.access import Caller
from citybrain.kernel.observations import Batch, Receipt
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from tests.doors import conftest
from tests.doors.conftest import NOW, World
from tests.doors.sensorthings.conftest import STANDING, desk
from tests.doors.sensorthings.test_corrected import correct, strike
from tests.doors.sensorthings.test_feeds import ALL, Ear, Wire, granted, heard, wired
from tests.doors.sensorthings.test_multi import OBSERVED, fill, observation

TOPIC = f"v1.1{OBSERVED}"
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
async def mast_wire(masts: World) -> AsyncIterator[Wire]:
    async with wired(masts) as found:
        yield found


def payload(at: str, result: object) -> bytes:
    return json.dumps(observation(at, result)).encode()


async def test_what_is_published_comes_as_one_observation_that_a_get_would_show(mast_wire: Wire) -> None:
    reader, device = await mast_wire.person("dispatcher"), await mast_wire.device()
    short = f"{TOPIC}?$select=result"
    assert await granted(reader, TOPIC, short) == [1, 1]
    await device.publish(TOPIC, payload("06:30", [1, None, 90]), qos=1)
    told = dict(await heard(reader, 2))
    assert told[short] == {"result": [1, None, 90]}
    async with desk(mast_wire.world) as asked:
        assert told[TOPIC] == (await asked.get(OBSERVED))["value"][0]
        assert told[TOPIC] == await asked.get(f"/Observations('{told[TOPIC]['@iot.id']}')")


async def test_fields_that_come_in_several_commits_show_the_observation_as_it_is_then(mast_wire: Wire) -> None:
    reader, device = await mast_wire.person("dispatcher"), await mast_wire.device()
    assert await granted(reader, f"{TOPIC}?$select=result", "v1.1/Things('mast-1')/MultiDatastreams('mast-1')/Observations") == [
        1,
        1,
    ]
    told: list[Any] = []
    for field, value in (("wind", 1), ("bearing", 90), ("wind", 2)):
        one = observation("06:30", value, Datastream={"@iot.id": f"mast-1.{field}"})
        await device.publish(ALL, json.dumps(one).encode(), qos=1)
        told += [said["result"] for _, said in await heard(reader, 2)]
    assert told == [[1, None, None]] * 2 + [[1, None, 90]] * 2 + [[2, None, 90]] * 2


@pytest.mark.thorough
async def test_fields_that_a_person_corrects_or_strikes_out_are_told_as_a_get_shows_them_then(mast_wire: Wire) -> None:
    """Where nothing is left of an instant nothing is told of it."""
    await fill(mast_wire.world)
    reader = await mast_wire.person("dispatcher")
    assert await granted(reader, TOPIC) == [1]
    await correct(mast_wire.world, "mast-1.gust", "06:30", 2.5)
    ((_, corrected),) = await heard(reader, 1)
    assert (corrected["result"], corrected["resultQuality"][0]["fields"]) == ([1, 2.5, 90], ["gust"])
    await strike(mast_wire.world, "mast-1.gust", "06:40")
    await strike(mast_wire.world, "mast-1.wind", "06:30")
    ((_, struck),) = await heard(reader, 1)
    assert struck["result"] == [None, 2.5, 90]
    async with desk(mast_wire.world) as asked:
        assert struck == await asked.get(f"/Observations('{struck['@iot.id']}')")


async def test_one_observation_is_told_again_when_a_field_of_it_comes(mast_wire: Wire) -> None:
    reader, device = await mast_wire.person("dispatcher"), await mast_wire.device()
    await device.publish(TOPIC, payload("06:30", [1, None, None]), qos=1)
    async with desk(mast_wire.world) as asked:
        (key,) = await asked.ids(OBSERVED)
    assert await granted(reader, f"v1.1/Observations('{key}')", f"{TOPIC}('{key}')/result") == [1, 1]
    await device.publish(TOPIC, payload("06:31", [7, 7, 7]), qos=1)
    await device.publish(TOPIC, payload("06:30", [None, 2, None]), qos=1)
    told = dict(await heard(reader, 2))
    assert [one["result"] for one in told.values()] == [[1, 2, None]] * 2


async def test_nothing_is_acknowledged_or_told_before_it_is_durable(mast_wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, device = await mast_wire.person("dispatcher"), await mast_wire.device()
    await granted(reader, TOPIC)
    go, append = asyncio.Event(), mast_wire.world.series.append

    async def held(batch: Batch) -> Receipt:
        await go.wait()
        return await append(batch)

    monkeypatch.setattr(mast_wire.world.series, "append", held)
    publishing = asyncio.create_task(device.publish(TOPIC, payload("06:30", [1, 2, 3]), qos=1))
    listening = asyncio.create_task(heard(reader, 1))
    await asyncio.sleep(0.2)
    assert not publishing.done()
    assert not listening.done()
    go.set()
    assert [told["result"] for _, told in await listening] == [[1, 2, 3]]
    await publishing


async def test_who_may_not_read_over_http_may_not_subscribe(mast_wire: Wire) -> None:
    device, admin, citizen = await mast_wire.device(), await mast_wire.person("admin"), await mast_wire.person("citizen")
    topics = ("v1.1/MultiDatastreams", "v1.1/MultiDatastreams('mast-1')", TOPIC)
    assert await granted(device, *topics) == [0x80, 0x80, 0x80]
    assert await granted(citizen, *topics) == [0x80, 0x80, 0x80]
    assert await granted(admin, *topics) == [1, 1, 0x80]


async def test_a_multidatastream_is_told_when_its_thing_changes(mast_wire: Wire) -> None:
    reader = await mast_wire.person("dispatcher")
    topics = ("v1.1/MultiDatastreams", "v1.1/MultiDatastreams('mast-1')", "v1.1/Things('mast-1')/MultiDatastreams?$select=name")
    assert await granted(reader, *topics) == [1, 1, 1]
    here = mast_wire.world.parts.registry
    elsewhere = Registry(mast_wire.world.transactions, (conftest.PACK,), AreaBook(mast_wire.world.transactions))
    renamed = [Planted(f"mast-{n}", "mast", same(title), Place(117.1, 39.06), "120104", {}) for n, title in enumerate("南北", 1)]
    elsewhere.plant(renamed, "test", "demo", NOW)
    assert await asyncio.to_thread(here.renew)
    told = await heard(reader, 4)
    async with desk(mast_wire.world) as asked:
        north, south = [await asked.get(f"/MultiDatastreams('mast-{number}')") for number in (2, 1)]
    assert sorted(told, key=lambda one: one[0]) == [
        (topics[0], south),
        (topics[0], north),
        (topics[1], south),
        (topics[2], {"name": south["name"]}),
    ]
    assert south["name"].startswith("南 · ")


async def test_of_more_than_may_wait_the_newest_are_told_and_the_rest_is_counted(masts: World) -> None:
    feeds, ear = Feeds(STANDING.parts, lambda _: True, ""), Ear(room=2)
    await feeds.open(TOPIC, Caller("a", "A", frozenset({"dispatcher"})), ear)
    rows = [
        {"stream": f"mast-1.{field}", "time": f"2026-11-22T06:3{minute}:00Z", "value": minute}
        for minute in range(4)
        for field in ("wind", "gust")
    ]
    secret = masts.parts.accounts.devices.create("全部", "all", ["mast-*"])
    async with masts.client("device") as device:
        device.auth = ("all", secret)
        device.headers.pop("Authorization")
        assert (await device.post("/api/v1/observe/observations", json=rows)).json()["stored"] == 8
    assert await feeds.run_once() == 8
    assert (ear.said, ear.missed) == ([[2, 2, None], [3, 3, None]], 2)


@pytest.mark.parametrize(
    ("filtered", "below"),
    [
        ("v1.1/+/Observations", "v1.1/"),
        ("v1.1/#", "v1.1/"),
        ("v1.1/Things('mast-1')/+/Observations", "v1.1/Things('mast-1')/"),
        ("v1.1/ObservedProperties('mast.wind')/#", "v1.1/ObservedProperties('mast.wind')/"),
    ],
)
async def test_wildcards_tell_each_under_its_own_topic(mast_wire: Wire, filtered: str, below: str) -> None:
    reader, device = await mast_wire.person("dispatcher"), await mast_wire.device()
    assert await granted(reader, filtered) == [1]
    others = OBSERVED.replace("mast-1", "mast-2")
    for number, path in enumerate((OBSERVED, others, OBSERVED)):
        await device.publish(f"v1.1{path}", payload(f"06:3{number}", [number, None, None]), qos=1)
    mine = below.startswith("v1.1/Things")
    wanted = 4 if mine else 6
    told = [one for one in await heard(reader, wanted) if "MultiDatastreams" in one[0]]
    # Of those that come in one round each is told in the order of its own.
    assert sorted((topic, one["result"][0]) for topic, one in told) == [
        (f"{below}MultiDatastreams('{name}')/Observations", value)
        for name, value in (("mast-1", 0), ("mast-1", 2), *(() if mine else (("mast-2", 1),)))
    ]
    async with desk(mast_wire.world) as asked:
        assert told[0][1] == await asked.get(f"/Observations('{told[0][1]['@iot.id']}')")
