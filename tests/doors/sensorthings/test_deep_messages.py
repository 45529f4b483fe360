"""Observations over MQTT that describe what they are of: made with it, or meant where it is there, and accounted for."""

import json
from typing import Any

import anyio
import pytest

from citybrain.brain.observe import MovedError
from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Messages, messages
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, BusyError, CityError, ConflictError, ForbiddenError, NotFoundError
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.text import Json, same
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import parts_of
from tests.doors.sensorthings.test_bringing import BARE, TWO
from tests.doors.sensorthings.test_describing import LISTED
from tests.doors.sensorthings.test_featuring import POND, results
from tests.doors.sensorthings.test_making import STREAM, said
from tests.doors.sensorthings.test_multi_making import WIND
from tests.doors.sensorthings.test_multi_messages import account

TOPIC = "v1.1/Observations"
KEY = "gauge-1.depth"
DEPTH: dict[str, Any] = {**STREAM, "@iot.id": KEY, "Thing": BARE}
AT = {"phenomenonTime": "2026-11-22T06:30:00Z"}


@pytest.fixture
def door(sta: World) -> MqttDoor:
    return MqttDoor(sta.parts.guard, sta.parts.accounts, sta.parts.intake, sta.clock, topics=(Messages(parts_of(sta)),))


@pytest.fixture
async def gauge(sta: World, door: MqttDoor) -> Caller:
    found = await door.authorise("gauge", sta.parts.accounts.devices.create("水位计", "gauge", list(LISTED)))
    assert found is not None
    return found


def payload(**said: object) -> bytes:
    return json.dumps(said).encode()


async def test_what_is_described_is_made_once_and_each_message_is_one_reading(sta: World, door: MqttDoor, gauge: Caller) -> None:
    for minute, counts in ((0, (1, 0)), (0, (0, 1)), (5, (1, 0))):
        time = f"2026-11-22T06:3{minute}:00Z"
        verdict = await door.take(TOPIC, payload(result=2.5 + minute, phenomenonTime=time, Datastream=DEPTH), gauge)
        assert (verdict.stored, verdict.duplicate, verdict.refused) == (*counts, ())
    async with sta.client("dispatcher") as client:
        assert await results(client, f"/Datastreams('{KEY}')/Observations") == [7.5, 2.5]
        assert (await said(client, f"/Datastreams('{KEY}')/Thing"))["@iot.id"] == "gauge-1"
    assert (account(sta).received, account(sta).stored, account(sta).duplicate) == (3, 2, 1)


async def test_without_a_time_it_is_of_its_first_arrival(sta: World, door: MqttDoor, gauge: Caller) -> None:
    first = Instant(sta.clock.city() - MINUTE)
    for counts in ((1, 0), (0, 1)):
        verdict = await door.take_at(TOPIC, payload(result=2.5, Datastream=DEPTH), gauge, first)
        assert (verdict.stored, verdict.duplicate) == counts
    reading = sta.parts.latest.of(sta.parts.registry.stream(KEY).no)
    assert reading is not None
    assert reading.time == first


async def test_it_brings_other_observations_a_feature_and_several_values(sta: World, door: MqttDoor, gauge: Caller) -> None:
    more = {**DEPTH, "Observations": TWO}
    verdict = await door.take(TOPIC, payload(result=4.5, Datastream=more, FeatureOfInterest=POND, **AT), gauge)
    assert (verdict.stored, verdict.refused) == (3, ())
    wind = {**WIND, "@iot.id": "gauge-1.wind", "Thing": {"@iot.id": "gauge-1"}}
    assert (await door.take(TOPIC, payload(result=[1, None, 90], MultiDatastream=wind, **AT), gauge)).stored == 2
    about = {"@iot.id": "gauge-1.salt", **{name: one for name, one in STREAM.items() if name != "ObservedProperty"}}
    salt = {**about, "ObservedProperty": {"@iot.id": "thing.water-level"}, "Thing": {"@iot.id": "gauge-1"}}
    salt["Sensor"] = {"@iot.id": "ultrasonic-gauge"}
    assert (
        await door.take("v1.1/FeaturesOfInterest('pond')/Observations", payload(result=5.5, Datastream=salt, **AT), gauge)
    ).stored
    async with sta.client("dispatcher") as client:
        assert sorted(await results(client, "/FeaturesOfInterest('pond')/Observations")) == [4.5, 5.5]
        (one,) = (await said(client, "/MultiDatastreams('gauge-1.wind')/Observations"))["value"]
        assert one["result"] == [1, None, 90]
    assert (account(sta).received, account(sta).stored) == (6, 6)


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        ({"Datastream": {**STREAM, "Thing": BARE}}, BadInputError, "bad_input"),
        ({"Datastream": {**DEPTH, "@iot.id": "other.depth"}}, BadInputError, "bad_input"),
        ({"Datastream": {**DEPTH, "Thing": {**BARE, "@iot.id": "well-9"}}}, ForbiddenError, "forbidden"),
        ({"Datastream": {**DEPTH, "Thing": {"@iot.id": "none"}}}, CityError, None),
        ({"Datastream": {**DEPTH, "Sensor": {"@iot.id": "none"}}}, NotFoundError, "not_found"),
        ({"Datastream": DEPTH, "result": "much"}, BadInputError, "bad_input"),
    ],
)
async def test_what_cannot_be_made_is_not_and_stands_in_the_ledger(
    sta: World, door: MqttDoor, gauge: Caller, body: dict[str, Json], error: type[CityError], code: str | None
) -> None:
    before = sta.parts.registry.version
    with pytest.raises(error) as raised:
        await door.take(TOPIC, payload(**{"result": 1.5, **AT, **body}), gauge)
    assert sta.parts.registry.version == before
    found = account(sta)
    assert (found.received, found.stored, found.refused) == (1, 0, {code or raised.value.code: 1})


async def test_people_make_nothing_so(sta: World, door: MqttDoor) -> None:
    for role in ("admin", "dispatcher"):
        with pytest.raises(ForbiddenError):
            await door.take(TOPIC, payload(result=1.5, Datastream=DEPTH, **AT), Caller("x", "", frozenset({role})))
    assert sta.parts.registry.entities("thing") == ()


async def test_two_that_come_at_once_make_one(sta: World, door: MqttDoor, gauge: Caller) -> None:
    found: list[tuple[int, int]] = []

    async def one() -> None:
        verdict = await door.take(TOPIC, payload(result=2.5, Datastream=DEPTH, **AT), gauge)
        found.append((verdict.stored, verdict.duplicate))

    async with anyio.create_task_group() as both:
        both.start_soon(one)
        both.start_soon(one)
    assert sorted(found) == [(0, 1), (1, 0)]
    assert [stream.id for stream in sta.parts.registry.streams_of("gauge-1")] == [KEY]


@pytest.mark.parametrize(("raised", "heard"), [(MovedError, BusyError), (ConflictError, ConflictError)])
async def test_what_is_worth_sending_again_is_told_so(
    sta: World, door: MqttDoor, gauge: Caller, monkeypatch: pytest.MonkeyPatch, raised: type[CityError], heard: type[CityError]
) -> None:
    async def moved(*_: object) -> None:
        raise raised(same("moved"))

    monkeypatch.setattr(messages, "created", moved)
    with pytest.raises(heard):
        await door.take(TOPIC, payload(result=2.5, Datastream=DEPTH, **AT), gauge)
    assert [each.door for each in sta.series.doors() if each.door == "mqtt"] == ([] if heard is BusyError else ["mqtt"])


WHEN = "2026-11-22T06:{}:00Z"


def about(minute: int, *more: dict[str, Any], **others: object) -> dict[str, Any]:
    """An observation of the level of well 1 about the pond, with which others come."""
    feature = {**POND, "Observations": list(more)}
    return {
        "phenomenonTime": WHEN.format(minute),
        "result": float(minute),
        "Datastream": {"@iot.id": "well-1.level"},
        "FeatureOfInterest": feature,
        **others,
    }


async def test_those_that_come_with_its_feature_are_stored_with_it_and_once(sta: World, door: MqttDoor) -> None:
    listed = ["well-*", *LISTED]
    caller = await door.authorise("all", sta.parts.accounts.devices.create("全部", "all", listed))
    assert caller is not None
    bare = {"phenomenonTime": WHEN.format(31), "result": 31.0, "Datastream": {"@iot.id": "well-1.salt"}}
    deep = {"phenomenonTime": WHEN.format(32), "result": 32.0, "Datastream": DEPTH}
    spring = {**POND, "name": "Spring", "Observations": [{**bare, "phenomenonTime": WHEN.format(33), "result": 33.0}]}
    sent = about(
        30, bare, deep, {**bare, "phenomenonTime": WHEN.format(34), "result": 34.0, "FeatureOfInterest": {"@iot.id": "pond"}}
    )
    for _ in range(2):
        assert (await door.take(TOPIC, payload(**sent), caller)).stored == 4
    assert (
        await door.take(
            f"v1.1/Datastreams('{KEY}')/Observations", payload(**{**AT, "result": 1.0, "FeatureOfInterest": spring}), caller
        )
    ).stored == 2
    async with sta.client("dispatcher") as client:
        assert sorted(await results(client, "/FeaturesOfInterest('pond')/Observations")) == [30, 31, 32, 34]
        assert sorted(await results(client, "/FeaturesOfInterest('spring')/Observations")) == [1, 33]
    found = account(sta)
    assert (found.received, found.stored, found.duplicate, found.refused) == (10, 6, 4, {})
    # What is described stands there already, and brings others with its feature all the same.
    again = about(40, {**bare, "phenomenonTime": WHEN.format(41), "result": 41.0}, Datastream=DEPTH)
    assert (await door.take(TOPIC, payload(**again), caller)).stored == 2


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"result": "much", "Datastream": {"@iot.id": "well-1.salt"}}, "bad_input"),
        ({"result": 1.0, "Datastream": {"@iot.id": "well-1.none"}}, "bad_input"),
        ({"result": 1.0, "Datastream": {**STREAM, "Thing": BARE}}, "bad_input"),
        ({"result": 1.0, "Datastream": {"@iot.id": "well-2.level"}}, "forbidden"),
    ],
)
async def test_one_of_them_that_is_bad_stores_none_and_stands_in_the_ledger(
    sta: World, door: MqttDoor, more: dict[str, Any], code: str
) -> None:
    caller = await door.authorise("all", sta.parts.accounts.devices.create("全部", "all", ["well-1", "+gauge-*", "+pond"]))
    assert caller is not None
    before = sta.parts.registry.version
    with pytest.raises(CityError):
        await door.take(TOPIC, payload(**about(30, {"phenomenonTime": WHEN.format(31), **more})), caller)
    assert (sta.parts.registry.version, sta.series.latest().num_rows) == (before, 0)
    assert account(sta).refused == {code: 1}
