"""Observations over MQTT that say what they are about: the same features, rights and refusals as over HTTP."""

import json

import anyio
import pytest

from citybrain.brain.observe import Featured, MovedError
from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Messages, featuring
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, BusyError, CityError, ForbiddenError, NotHeldError
from citybrain.kernel.text import same
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import parts_of
from tests.doors.sensorthings.test_describing import LISTED, features
from tests.doors.sensorthings.test_featuring import POND, SPRING, made, reading, results
from tests.doors.sensorthings.test_making import said
from tests.doors.sensorthings.test_multi import OBSERVED, observation
from tests.doors.sensorthings.test_multi_messages import account

TOPIC = "v1.1/Observations"


@pytest.fixture
def door(masts: World) -> MqttDoor:
    topics = (Messages(parts_of(masts)),)
    return MqttDoor(masts.parts.guard, masts.parts.accounts, masts.parts.intake, masts.clock, topics=topics)


async def signed_in(world: World, door: MqttDoor, *streams: str) -> Caller:
    """A device with this list, or one that may make features."""
    found = await door.authorise("mast", world.parts.accounts.devices.create("塔", "mast", list(streams or LISTED)))
    assert found is not None
    return found


def payload(*given: dict[str, object], **more: object) -> bytes:
    whole: dict[str, object] = {}
    for one in given:
        whole |= one
    return json.dumps(whole | more).encode()


async def test_what_is_published_names_or_describes_its_feature(masts: World, door: MqttDoor) -> None:
    await made(masts, POND)
    mast = await signed_in(masts, door)
    single = "v1.1/Datastreams('well-1.level')/Observations"
    assert (await door.take(single, payload({"result": 1.5}, FeatureOfInterest={"@iot.id": "pond"}), mast)).stored == 1
    assert (await door.take(TOPIC, payload(reading(51, 2.5, SPRING)), mast)).stored == 1
    assert (await door.take(TOPIC, payload(reading(52, 3.5, SPRING)), mast)).stored == 1
    bare = {"phenomenonTime": "2026-11-22T06:53:00Z", "result": 4.5, "Datastream": {"@iot.id": "well-1.level"}}
    assert (await door.take("v1.1/FeaturesOfInterest('spring')/Observations", payload(bare), mast)).stored == 1
    array = payload(observation("06:30", [1, None, 90]), FeatureOfInterest=SPRING)
    assert (await door.take(f"v1.1{OBSERVED}", array, mast)).stored == 2
    async with masts.client("dispatcher") as client:
        assert await features(client) == ["pond", "spring"]
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1.5]
        assert sorted(await results(client, "/FeaturesOfInterest('spring')/Observations")) == [1, 2.5, 3.5, 4.5, 90]
        (one,) = (await said(client, OBSERVED, _expand="FeatureOfInterest"))["value"]
        assert one["FeatureOfInterest"]["@iot.id"] == "spring"
    found = account(masts)
    assert (found.received, found.stored) == (6, 6)


async def test_naming_its_own_thing_sets_a_reading_back(masts: World, door: MqttDoor) -> None:
    await made(masts, POND)
    mast = await signed_in(masts, door)
    assert (await door.take(TOPIC, payload(reading(50, 1.0, "well-1")), mast)).stored == 1
    assert Featured(masts.transactions).streams() == frozenset()
    for about, listed in (("pond", [1.0]), (None, [2.0]), ("well-1", [])):
        value = {"pond": 1.0, None: 2.0, "well-1": 3.0}[about]
        await door.take(TOPIC, payload(reading(51, value, about)), mast)
        async with masts.client("dispatcher") as client:
            assert await results(client, "/FeaturesOfInterest('pond')/Observations") == listed


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (reading(51, 1.0, "none"), BadInputError),
        (reading(51, 1.0, {**POND, "name": ""}), BadInputError),
        (reading(51, 1.0, {**POND, "name": "Elsewhere"}), ForbiddenError),
        ({**reading(51, 1.0, POND), "colour": "blue"}, NotHeldError),
        ({**reading(51, 1.0, POND), "parameters": "a"}, BadInputError),
    ],
)
async def test_what_cannot_be_kept_is_not_taken(
    masts: World, door: MqttDoor, body: dict[str, object], error: type[CityError]
) -> None:
    mast = await signed_in(masts, door)
    version = masts.parts.registry.version
    with pytest.raises(error):
        await door.take(TOPIC, payload(body), mast)
    assert (masts.series.last_seq(), masts.parts.registry.version) == (0, version)


async def test_a_reading_that_is_refused_stands_in_the_account_and_makes_no_feature(masts: World, door: MqttDoor) -> None:
    mast = await signed_in(masts, door, "well-1", "mast-1.wind", "+pond")
    version = masts.parts.registry.version
    for topic, body, code in (
        (TOPIC, payload(reading(51, "much", POND)), "bad_value"),
        (f"v1.1{OBSERVED}", payload(observation("06:30", [1, 2, 3]), FeatureOfInterest=POND), "forbidden_stream"),
    ):
        verdict = await door.take(topic, body, mast)
        assert (verdict.stored, {each.code for each in verdict.refused}) == (0, {code})
    assert dict(account(masts).refused) == {"bad_value": 1, "forbidden_stream": 3}
    assert masts.parts.registry.version == version


async def test_people_who_may_subscribe_publish_no_feature(masts: World, door: MqttDoor) -> None:
    async with masts.client("dispatcher"):
        pass
    someone = next(Caller(one.id, one.name, frozenset({"dispatcher"})) for one in masts.parts.accounts.all())
    with pytest.raises(ForbiddenError):
        await door.take(TOPIC, payload(reading(51, 1.0, POND)), someone)
    assert masts.series.last_seq() == 0


async def test_what_is_worth_sending_again_is_not_acknowledged(
    masts: World, door: MqttDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    mast = await signed_in(masts, door)

    async def moved(*_: object) -> str:
        raise MovedError(same("Try again."))

    monkeypatch.setattr(featuring, "observed", moved)
    with pytest.raises(BusyError):
        await door.take(TOPIC, payload(reading(51, 1.0, POND)), mast)


async def test_messages_with_features_and_without_do_not_wait_for_one_another(masts: World, door: MqttDoor) -> None:
    mast = await signed_in(masts, door)
    async with anyio.create_task_group() as tasks:
        for minute in range(30, 50):
            about = {**POND, "name": f"Pond {minute}"} if minute % 2 else None
            tasks.start_soon(door.take, TOPIC, payload(reading(minute, float(minute), about)), mast)
    found = account(masts)
    assert (found.stored, dict(found.refused)) == (20, {})
    async with masts.client("dispatcher") as client:
        assert await features(client) == [f"pond-{minute}" for minute in range(31, 50, 2)]
