"""Results that are no numbers (OGC 18-088 table 12): sent in every form, and read in their own type of JSON wherever they stand."""

import json
from typing import Any

import pytest

from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Messages
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, desk, entrusted, parts_of
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_feeds import Wire, granted, heard, wire
from tests.doors.sensorthings.test_making import SENSOR, posted, said
from tests.doors.sensorthings.test_tabled import sent_arrays
from tests.doors.sensorthings.test_together import maker
from tests.doors.sensorthings.worded import (
    BOX,
    NONE,
    RESULTS,
    TYPES,
    alike,
    at,
    datastream,
    filled,
    made,
    results,
    single,
    stream,
    watched,
)

__all__ = ["wire"]
COMPLEX = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation"
BAD: dict[str, list[Any]] = {
    "door": [1, "true", None, {}],
    "sky": [True, 3, None, ["rain"], "x" * 9000],
    "cars": [2.5, True, "3", None],
    "log": [None, "x" * 9000],
    "heat": ["3", True, None, {}],
}


@pytest.mark.thorough
async def test_a_datastream_says_its_type_and_unit_as_they_were_sent_and_its_results_in_theirs(sta: World) -> None:
    await filled(sta)
    async with desk(sta) as someone:
        for name, expected in RESULTS.items():
            found = await someone.get(f"/Datastreams('box.{name}')")
            assert (found["observationType"], found["unitOfMeasurement"]) == (TYPES[name], NONE)
            assert alike(found["properties"]["latest"]["value"], expected[-1])
            assert alike(await results(someone.client, stream(name)), expected)
            (newest,) = (await someone.get(stream(name), _orderby="phenomenonTime desc", _top="1"))["value"]
            one = await someone.get(f"/Observations('{newest['@iot.id']}')")
            assert alike(one["result"], expected[-1])
            expanded = await someone.get(f"/Datastreams('box.{name}')", _expand="Observations($orderby=phenomenonTime desc;$top=1)")
            assert alike(expanded["Observations"][0]["result"], expected[-1])
            (array,) = (await someone.get(stream(name), _resultFormat="dataArray", _select="result", _orderby="phenomenonTime"))[
                "value"
            ]
            assert alike([row[0] for row in array["dataArray"]], expected)
            assert alike(await someone.get(f"/Observations('{newest['@iot.id']}')/result"), {"result": expected[-1]})
        both = await someone.get("/Things('box')", _expand="Datastreams($expand=Observations($orderby=phenomenonTime asc))")
        told = {one["@iot.id"]: [each["result"] for each in one["Observations"]] for one in both["Datastreams"]}
        assert alike(told, {f"box.{name}": RESULTS[name] for name in sorted(RESULTS)})


@pytest.mark.parametrize(
    ("name", "result", "text"), [("door", True, "true"), ("sky", "雨", "雨"), ("cars", 3, "3"), ("log", {"a": 1}, None)]
)
async def test_the_bare_value_of_a_result(sta: World, name: str, result: object, text: str | None) -> None:
    await made(sta)
    async with sta.client("device") as device:
        entrusted(sta, device, "box")
        address = await posted(device, "/Observations", single(name, 5, result))
    async with sta.client("dispatcher") as client:
        answer = await client.get(f"{ROOT}{address}/result/$value")
    assert answer.status_code == 200
    assert answer.text == text if text is not None else answer.json() == result


async def test_what_is_none_of_its_type_is_refused_alone_and_with_its_reason(sta: World) -> None:
    await made(sta)
    async with sta.client("device") as device:
        entrusted(sta, device, "box")
        for name, wrong in BAD.items():
            for result in wrong:
                answer = await device.post(ROOT + stream(name), json={"phenomenonTime": at(1), "result": result})
                assert (answer.status_code, answer.json()["reason"]) == (400, "long_word" if len(str(result)) > 99 else "bad_value")
            good = RESULTS[name][0]
            rows = [[at(minute), result] for minute, result in enumerate([*wrong, good], 10)]
            told = await sent_arrays(
                device, {"Datastream": {"@iot.id": f"box.{name}"}, "components": ["phenomenonTime", "result"], "dataArray": rows}
            )
            assert [one.startswith("error") for one in told] == [*(True for _ in wrong), False]
            numbers = [[at(30), 1], [at(31), 0.5]]
            array = {"Datastream": {"@iot.id": f"box.{name}"}, "components": ["phenomenonTime", "result"], "dataArray": numbers}
            told = (await device.post(f"{ROOT}/CreateObservations", json=[array])).json()
            takes = {"door": (), "sky": (), "cars": (0,), "log": (0, 1), "heat": (0, 1)}[name]
            assert [not one.startswith("error bad_value") for one in told] == [place in takes for place in (0, 1)]
    async with sta.client("dispatcher") as client:
        assert alike(await results(client, stream("door")), [True])
        assert alike(await results(client, stream("log")), ["open", 1, 0.5])


async def test_a_thing_brings_results_of_every_type_along(sta: World) -> None:
    streams = [
        datastream(name, Observations=[{"phenomenonTime": at(minute), "result": result} for minute, result in enumerate(each)])
        for name, each in RESULTS.items()
    ]
    body = {**BOX, "@iot.id": "gauge-1", "Datastreams": streams}
    async with maker(sta) as client:
        bad = [*streams[:-1], {**streams[-1], "Observations": [{"phenomenonTime": at(1), "result": "warm"}]}]
        answer = await client.post(f"{ROOT}/Things", json={**body, "Datastreams": bad})
        assert (answer.status_code, "bad_value" in answer.text) == (400, True)
        assert (await client.post(f"{ROOT}/Things", json=body)).status_code == 201
    async with sta.client("dispatcher") as client:
        found = {name: await results(client, stream(name).replace("box", "gauge-1")) for name in RESULTS}
    assert alike(found, RESULTS)


async def test_a_batch_makes_and_fills_and_a_bad_result_in_a_group_leaves_nothing(sta: World) -> None:
    await made(sta)
    async with sta.client("device") as device:
        entrusted(sta, device, "box")
        good, bad = single("sky", 1, "rain"), single("door", 1, "yes")
        told = await sent(
            device,
            {"id": "1", "method": "post", "url": "Observations", "body": good, "atomicityGroup": "g"},
            {"id": "2", "method": "post", "url": "Observations", "body": bad, "atomicityGroup": "g"},
        )
        assert {one["status"] for one in told} == {400, 424}
        told = await sent(
            device,
            {"id": "1", "method": "post", "url": "Observations", "body": good, "atomicityGroup": "g"},
            {"id": "2", "method": "post", "url": "Observations", "body": single("door", 1, result=False), "atomicityGroup": "g"},
            {"id": "3", "method": "post", "url": "Observations", "body": single("log", 1, {"b": [1]})},
            {"id": "4", "method": "post", "url": "Observations", "body": bad},
        )
        assert [one["status"] for one in told] == [201, 201, 201, 400]
    async with sta.client("dispatcher") as client:
        found = [await results(client, stream(name)) for name in ("sky", "door", "log")]
    assert alike(found, [["rain"], [False], [{"b": [1]}]])


async def test_a_multidatastream_holds_results_of_unlike_types_whole_or_not_at_all(sta: World) -> None:
    kinds = ["door", "sky", "heat"]
    multi = {
        "name": "State",
        "description": "Door, sky and heat",
        "observationType": COMPLEX,
        "multiObservationDataTypes": [TYPES[name] for name in kinds],
        "unitOfMeasurements": [NONE, NONE, {"name": "Celsius", "symbol": "Cel", "definition": "https://ucum.org"}],
        "properties": {"contract": {"every": "PT10M", "low": -40, "high": 60}},
        "Sensor": SENSOR,
        "ObservedProperties": [watched(name) for name in kinds],
    }
    async with sta.client("admin") as client:
        await posted(client, "/Things", {"@iot.id": "box", "name": "Box", "description": "A box", "MultiDatastreams": [multi]})
    promised = [sta.parts.registry.stream(f"box.{name}").contract for name in kinds]
    assert [(one.low, one.high) for one in promised] == [(None, None), (None, None), (-40, 60)]
    path = "/MultiDatastreams('box.state')"
    async with sta.client("device") as device:
        entrusted(sta, device, "box")
        await posted(device, f"{path}/Observations", {"phenomenonTime": at(1), "result": [True, "rain", 2]})
        for wrong in ([1, "rain", 2], [True, 1, 2], [True, "rain", "2"], [True, "rain", True]):
            answer = await device.post(f"{ROOT}{path}/Observations", json={"phenomenonTime": at(2), "result": wrong})
            assert answer.status_code == 400, answer.text
        arrays = [[at(3), [False, "snow", 3]], [at(4), [0, "snow", 3]], [at(5), [None, "snow", None]]]
        told = await sent_arrays(
            device, {"MultiDatastream": {"@iot.id": "box.state"}, "components": ["phenomenonTime", "result"], "dataArray": arrays}
        )
    why = "bad_value: door: 该数据流只收 true 和 false。 door: The stream takes true and false, and the value is neither."
    assert [why in one for one in told] == [False, True, False]
    async with desk(sta) as someone:
        found = await someone.get(path)
        assert (found["multiObservationDataTypes"], found["unitOfMeasurements"]) == (
            multi["multiObservationDataTypes"],
            multi["unitOfMeasurements"],
        )
        expected = [[True, "rain", 2.0], [False, "snow", 3.0], [None, "snow", None]]
        assert alike(await results(someone.client, f"{path}/Observations"), expected)
        assert alike(await results(someone.client, stream("sky")), ["rain", "snow", "snow"])


async def test_messages_over_mqtt_say_words_and_are_told_so(wire: Wire) -> None:
    world = wire.world
    await made(world)
    reader = await wire.person("dispatcher")
    topics = [f"v1.1{stream(name)}" for name in ("door", "sky", "log")]
    await granted(reader, *topics)
    door = MqttDoor(world.parts.guard, world.parts.accounts, world.parts.intake, world.clock, topics=(Messages(parts_of(world)),))
    secret = world.parts.accounts.devices.create("盒", "box", ["box"])
    probe = await door.authorise("box", secret)
    assert probe is not None
    for topic, result in zip(topics, (False, "雨", {"a": [1]}), strict=True):
        body = {"phenomenonTime": at(7), "result": result}
        assert (await door.take(topic, json.dumps(body).encode(), probe)).stored == 1
    told = dict(await heard(reader, 3))
    assert alike([told[topic]["result"] for topic in topics], [False, "雨", {"a": [1]}])
    row = json.dumps({"time": at(8), "door": True, "sky": "snow", "cars": 4, "heat": "x"}).encode()
    verdict = await door.take("citybrain/v1/box", row, probe)
    assert (verdict.stored, [one.code for one in verdict.refused]) == (3, ["bad_value"])
    async with world.client("dispatcher") as client:
        assert alike(
            [await results(client, stream(name)) for name in ("door", "sky", "cars")], [[False, True], ["雨", "snow"], [4]]
        )


async def test_what_is_said_beside_a_word_is_kept_with_it(sta: World) -> None:
    await made(sta)
    async with sta.client("device") as device:
        entrusted(sta, device, "box")
        await posted(device, "/Observations", {**single("sky", 1, "rain"), "parameters": {"by": "hand"}, "resultTime": at(2)})
    async with sta.client("dispatcher") as client:
        (found,) = (await said(client, stream("sky")))["value"]
    assert (found["result"], found["parameters"]["by"], found["resultTime"]) == ("rain", "hand", at(2))


@pytest.mark.parametrize("sort", ["door", "sky", "log"])
async def test_what_is_no_quantity_has_no_limits(sta: World, sort: str) -> None:
    await made(sta)
    limits: dict[str, Any] = datastream(sort, properties={"contract": {"low": 0, "high": 1}})
    async with sta.client("admin") as client:
        answer = await client.post(f"{ROOT}/Things('box')/Datastreams", json=limits)
        assert (answer.status_code, "no quantities" in answer.json()["message"]) == (400, True)
        at_ = f"{ROOT}/Datastreams('box.{sort}')"
        answer = await client.patch(at_, json={"observationType": TYPES[sort], "name": "Other"})
        assert answer.status_code == 200, answer.text
        answer = await client.patch(at_, json={"observationType": "urn:other"})
        assert answer.status_code == 501, answer.text
