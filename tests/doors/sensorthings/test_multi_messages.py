"""Arrays of a MultiDatastream over MQTT: all of their fields, or none, by the rules of HTTP."""

import json

import anyio
import pytest

from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Messages
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, CityError, NotFoundError, NotHeldError
from citybrain.kernel.observations import DoorAccount
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import desk, parts_of
from tests.doors.sensorthings.test_multi import OBSERVED, observation

TOPIC = f"v1.1{OBSERVED}"


@pytest.fixture
def door(masts: World) -> MqttDoor:
    topics = (Messages(parts_of(masts)),)
    return MqttDoor(masts.parts.guard, masts.parts.accounts, masts.parts.intake, masts.clock, topics=topics)


async def signed_in(world: World, door: MqttDoor, *streams: str) -> Caller:
    """A device that may write these streams alone."""
    found = await door.authorise("mast", world.parts.accounts.devices.create("塔", "mast", list(streams)))
    assert found is not None
    return found


def payload(at: str, result: object, **more: object) -> bytes:
    return json.dumps(observation(at, result, **more)).encode()


def account(world: World) -> DoorAccount:
    (found,) = (each for each in world.series.doors() if each.door == "mqtt")
    assert found.received == found.stored + found.duplicate + sum(count for _, count in dict(found.refused).items())
    return found


async def test_an_array_is_published_under_its_multidatastream_or_names_it(masts: World, door: MqttDoor) -> None:
    mast = await signed_in(masts, door, "mast-*")
    assert (await door.take(TOPIC, payload("06:30", [1, 2, 90]), mast)).stored == 3
    named = payload("06:40", [None, 3, None], MultiDatastream={"@iot.id": "mast-1"})
    assert (await door.take("v1.1/Observations", named, mast)).stored == 1
    assert (await door.take(TOPIC, b'{"result": [4, null, 5]}', mast)).stored == 2
    async with desk(masts) as someone:
        found = (await someone.get(OBSERVED, _orderby="phenomenonTime"))["value"]
    assert [one["result"] for one in found] == [[1, 2, 90], [None, 3, None], [4, None, 5]]
    assert found[2]["phenomenonTime"] == "2026-11-22T07:00:00Z"


@pytest.mark.parametrize(
    ("streams", "at", "result", "code"),
    [
        (["mast-*"], "06:30", [1, "much", 3], "bad_value"),
        (["mast-1.wind", "mast-1.gust"], "06:30", [1, 2, 3], "forbidden_stream"),
        (["mast-*"], "09:30", [1, 2, 3], "future_time"),
        (["mast-*"], "soon", [1, 2, 3], "bad_time"),
    ],
)
async def test_an_array_is_stored_with_all_of_its_fields_or_none(
    masts: World, door: MqttDoor, streams: list[str], at: str, result: list[object], code: str
) -> None:
    mast = await signed_in(masts, door, *streams)
    verdict = await door.take(TOPIC, payload(at, result), mast)
    assert (verdict.stored, [each.code for each in verdict.refused]) == (0, [code] * 3)
    assert dict(account(masts).refused) == {code: 3}


async def test_a_bad_array_spoils_no_other_of_the_same_sending(masts: World, door: MqttDoor) -> None:
    """The store is held to take one message after another: those that wait meanwhile are stored together."""
    mast = await signed_in(masts, door, "mast-1.wind", "mast-1.gust", "mast-2.*")
    sent = [("06:30", [1, 2, None]), ("06:31", [1, 2, 3]), ("06:32", [4, 5, None]), ("06:33", [None, "much", None])]
    async with anyio.create_task_group() as tasks:
        for at, result in sent:
            tasks.start_soon(door.take, TOPIC, payload(at, result), mast)
    found = account(masts)
    assert (found.stored, dict(found.refused)) == (4, {"forbidden_stream": 3, "bad_value": 1})
    async with desk(masts) as someone:
        seen = (await someone.get(OBSERVED, _orderby="phenomenonTime"))["value"]
    assert [one["result"] for one in seen] == [[1, 2, None], [4, 5, None]]


@pytest.mark.parametrize(
    ("topic", "said", "error"),
    [
        (TOPIC, payload("06:30", [1, 2]), BadInputError),
        (TOPIC, payload("06:30", [None, None, None]), BadInputError),
        (TOPIC, payload("06:30", [1, 2, 3], MultiDatastream={"@iot.id": "mast-2"}), BadInputError),
        (TOPIC, payload("06:30", [1, 2, 3], Datastream={"@iot.id": "mast-1.wind"}), BadInputError),
        (TOPIC, payload("06:30", [1, 2, 3], parameters="good"), BadInputError),
        (TOPIC, payload("06:30", [1, 2, 3], colour="blue"), NotHeldError),
        ("v1.1/MultiDatastreams('well-1')/Observations", payload("06:30", [1, 2]), NotFoundError),
        (f"{TOPIC}('mast-1@1')", payload("06:30", [1, 2, 3]), NotFoundError),
        ("v1.1/MultiDatastreams('mast-1')", b"{}", NotFoundError),
    ],
)
async def test_what_is_no_array_of_it_is_not_taken(
    masts: World, door: MqttDoor, topic: str, said: bytes, error: type[CityError]
) -> None:
    mast = await signed_in(masts, door, "mast-*")
    with pytest.raises(error):
        await door.take(topic, said, mast)
    assert masts.series.last_seq() == 0
