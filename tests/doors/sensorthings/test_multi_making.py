"""MultiDatastreams made, changed and ended over SensorThings: their streams with them, whole or not at all."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from citybrain.brain.observe import AreaBook, Registry, Verdict
from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.instant import MINUTE
from citybrain.kernel.text import same
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk, entrusted
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_feeds import Wire, granted, heard, wired
from tests.doors.sensorthings.test_making import SENSOR, STREAM, posted, said
from tests.doors.sensorthings.test_multi import observation
from tests.doors.sensorthings.test_together import maker, of_group, standing

MEASURED = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
TRUTH = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_TruthObservation"


def watched(name: str) -> dict[str, str]:
    return {"name": name, "definition": f"https://example.org/{name}", "description": f"The {name}"}


def unit(symbol: str) -> dict[str, str]:
    return {"name": f"Unit {symbol}", "symbol": symbol, "definition": "https://ucum.org"}


WIND: dict[str, Any] = {
    "name": "Wind",
    "description": "Speed, gust and bearing",
    "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation",
    "multiObservationDataTypes": [MEASURED] * 3,
    "unitOfMeasurements": [unit("m/s"), unit("m/s"), unit("deg")],
    "properties": {"contract": {"every": "PT10M", "silentAfter": "PT30M", "low": 0, "high": 400}, "colour": "blue"},
    "Sensor": SENSOR,
    "ObservedProperties": [watched("Speed"), watched("Gust"), watched("Bearing")],
}
BARE = {"@iot.id": "vane-1", "name": "Vane", "description": "On the roof"}
VANE = {**BARE, "MultiDatastreams": [WIND]}
AT = "/MultiDatastreams('vane-1.wind')"
STREAMS = ["vane-1.speed", "vane-1.gust", "vane-1.bearing"]


def without(name: str) -> dict[str, Any]:
    return {key: one for key, one in WIND.items() if key != name}


OWN: dict[str, Any] = {"Thing": {"@iot.id": "vane-1"}}
THING, VANE_SENSOR = ("/Things", BARE), ("/Sensors", {**SENSOR, "@iot.id": "vane"})


@pytest.mark.parametrize(
    ("given", "path", "body"),
    [
        ((), "/Things", VANE),
        ((), "/MultiDatastreams", {**WIND, "Thing": BARE}),
        ((THING,), "/MultiDatastreams", {**WIND, **OWN}),
        ((THING,), "/Things('vane-1')/MultiDatastreams", WIND),
        ((THING, VANE_SENSOR), "/Sensors('vane')/MultiDatastreams", {**without("Sensor"), **OWN}),
    ],
)
async def test_one_that_is_posted_is_there_in_its_order_with_a_datastream_each(
    sta: World, given: tuple[tuple[str, dict[str, Any]], ...], path: str, body: dict[str, Any]
) -> None:
    async with sta.client("admin") as client:
        for first in given:
            await posted(client, *first)
        version = sta.parts.registry.version
        at = await posted(client, path, body)
        assert sta.parts.registry.version == version + 1
        assert at == (AT if path != "/Things" else "/Things('vane-1')")
        found = await said(client, AT, _expand="ObservedProperties,Sensor,Thing")
        everyone = Desk(client)
        assert await everyone.ids("/Things('vane-1')/MultiDatastreams") == ["vane-1.wind"]
        assert await everyone.ids("/Things('vane-1')/Datastreams") == sorted(STREAMS)
        assert await everyone.ids(f"/Sensors('{found['Sensor']['@iot.id']}')/MultiDatastreams") == ["vane-1.wind"]
        assert await everyone.ids("/ObservedProperties('thing.gust')/MultiDatastreams") == ["vane-1.wind"]
        single = await said(client, "/Datastreams('vane-1.gust')", _expand="ObservedProperty,Sensor")
    assert {name: found[name] for name in without("Sensor") if name != "ObservedProperties"} == {
        name: one for name, one in without("Sensor").items() if name != "ObservedProperties"
    }
    assert [one["name"] for one in found["ObservedProperties"]] == ["Speed", "Gust", "Bearing"]
    assert (found["Thing"]["@iot.id"], found["Sensor"]["metadata"]) == ("vane-1", SENSOR["metadata"])
    assert (single["name"], single["unitOfMeasurement"], single["properties"]["life"]) == ("Gust", unit("m/s"), "never")
    assert (single["ObservedProperty"]["@iot.id"], single["Sensor"]) == ("thing.gust", found["Sensor"])
    contracts = [sta.parts.registry.stream(key).contract for key in STREAMS]
    assert [(one.every, one.low, one.high) for one in contracts] == [(10 * MINUTE, 0, 400)] * 3
    assert len(sta.parts.registry.made.sensors) == 1
    standing(sta)


async def test_properties_and_sensor_may_be_named_and_stand_in_the_order_of_the_group(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", VANE)
        again = {
            **WIND,
            "name": "Turned",
            "multiObservationDataTypes": [MEASURED] * 2,
            "unitOfMeasurements": [unit("deg"), unit("m/s")],
            "ObservedProperties": [{"@iot.id": "thing.speed"}, {"@iot.id": "thing.bearing"}][::-1],
            "Sensor": {"@iot.id": "ultrasonic-gauge"},
        }
        await posted(client, "/Things('vane-1')/MultiDatastreams", again)
        everyone = Desk(client)
        assert await everyone.ids("/MultiDatastreams") == ["vane-1.turned", "vane-1.wind"]
        assert await everyone.ids("/MultiDatastreams('vane-1.turned')/ObservedProperties") == ["thing.bearing", "thing.speed"]
        assert await everyone.ids("/ObservedProperties('thing.speed')/MultiDatastreams") == ["vane-1.turned", "vane-1.wind"]
        assert await everyone.ids("/ObservedProperties('thing.gust')/MultiDatastreams") == ["vane-1.wind"]
        counted = await everyone.get("/MultiDatastreams", _count="true", _top="1")
    assert counted["@iot.count"] == 2
    assert {stream.id for stream in sta.parts.registry.streams_of("vane-1")} == {*STREAMS, "vane-1.bearing-2", "vane-1.speed-2"}


async def test_arrays_are_written_to_it_and_read_in_its_order(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", VANE)
        async with sta.client("device") as device:
            entrusted(sta, device, "vane-1")
            made = await device.post(f"{ROOT}{AT}/Observations", json=observation("06:30", [1, None, 90]))
            assert made.status_code == 201, made.text
            refused = await device.post(f"{ROOT}{AT}/Observations", json=observation("06:31", [1, "much", 90]))
            assert refused.status_code == 400
    async with sta.client("dispatcher") as client:
        found = await said(
            client, urlsplit(made.headers["location"]).path.removeprefix(ROOT), _expand="MultiDatastream,FeatureOfInterest"
        )
        listed = (await said(client, f"{AT}/Observations"))["value"]
    assert [one["result"] for one in listed] == [found["result"]] == [[1, None, 90]]
    assert found["MultiDatastream"]["@iot.id"] == "vane-1.wind"


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"multiObservationDataTypes": [MEASURED, "urn:other", MEASURED]}, 501, "urn:other"),
        ({"multiObservationDataTypes": [MEASURED] * 2}, 400, "one length"),
        ({"unitOfMeasurements": [unit("m/s")]}, 400, "one length"),
        ({"unitOfMeasurements": [unit("m/s"), "m/s", unit("deg")]}, 400, "unitOfMeasurement"),
        ({"ObservedProperties": [watched("Speed"), {"@iot.id": "thing.none"}, watched("Bearing")]}, 404, "none"),
        ({"ObservedProperties": [watched("Speed"), watched("Gust"), {**watched("Bearing"), "colour": "red"}]}, 400, "colour"),
        (
            {"ObservedProperties": [], "unitOfMeasurements": [], "multiObservationDataTypes": []},
            400,
            "one length",
        ),
        ({"observationType": MEASURED}, 501, "OM_Complex"),
        ({"properties": {"contract": {"every": "often"}}}, 400, "ISO 8601"),
        ({"Sensor": None}, 400, "Sensor"),
        ({"name": ""}, 400, "name"),
        ({"@iot.id": "vane-2.storm"}, 400, "it is 'vane-1.' and a name"),
        ({"Observations": [observation("06:30", [1, 2, 3])]}, 403, "may not write"),
        ({"Datastreams": [{"@iot.id": "well-1.level"}]}, 400, "no link to Datastreams"),
        ({"colour": "red"}, 400, "colour"),
    ],
)
async def test_what_cannot_be_kept_makes_nothing(sta: World, change: dict[str, Any], status: int, word: str) -> None:
    before = standing(sta)
    async with sta.client("admin") as client:
        for path, body in (
            ("/Things", {**BARE, "MultiDatastreams": [WIND, {**WIND, **change}]}),
            ("/MultiDatastreams", {**WIND, **change, "Thing": BARE}),
        ):
            answer = await client.post(ROOT + path, json=body)
            assert (answer.status_code, word in answer.json()["message"]) == (status, True), answer.text
    assert standing(sta) == before


async def test_it_belongs_to_one_thing_that_was_made_here_and_names_a_property_once(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", VANE)
        twice = {**WIND, "ObservedProperties": [{"@iot.id": "thing.gust"}] * 3}
        before = standing(sta)
        for path, body, status, word in (
            ("/MultiDatastreams", WIND, 400, "Thing"),
            ("/Things('well-1')/MultiDatastreams", WIND, 409, "declared by a pack"),
            ("/Things('none')/MultiDatastreams", WIND, 404, "none"),
            ("/Things('vane-1')/MultiDatastreams", {**WIND, "Thing": {"@iot.id": "well-1"}}, 400, "Thing"),
            ("/Things('vane-1')/MultiDatastreams", twice, 400, "once"),
            ("/ObservedProperties('thing.gust')/MultiDatastreams", WIND, 501, "MultiDatastreams"),
        ):
            answer = await client.post(ROOT + path, json=body)
            assert (answer.status_code, word in answer.json()["message"]) == (status, True), (path, answer.text)
        assert standing(sta) == before


async def test_what_is_said_of_it_is_changed_and_its_fields_are_not(sta: World) -> None:
    registry = sta.parts.registry
    async with sta.client("admin") as client:
        await posted(client, "/Things", VANE)
        assert (await client.patch(ROOT + AT, json={"name": "Wind, north"})).status_code == 200
        found = await said(client, AT)
        assert (found["name"], found["description"], found["properties"]) == (
            "Wind, north",
            WIND["description"],
            WIND["properties"],
        )
        alone = {"properties": {"contract": {"every": "PT1M"}}}
        assert (await client.patch(f"{ROOT}/Datastreams('vane-1.gust')", json=alone)).status_code == 200
        put = {**found, "description": "Told anew"}
        assert (await client.put(ROOT + AT, json=put)).status_code == 200
        assert registry.stream("vane-1.gust").contract.every == MINUTE, "the contract was not spoken of"
        patch = [{"op": "replace", "path": "/properties/contract", "value": {"every": "PT5M"}}]
        answer = await client.patch(ROOT + AT, json=patch, headers={"Content-Type": "application/json-patch+json"})
        assert answer.status_code == 200, answer.text
        assert [registry.stream(key).contract.every for key in STREAMS] == [5 * MINUTE] * 3
        assert (await said(client, "/Datastreams('vane-1.gust')"))["properties"]["contract"] == {"every": "PT5M"}
        told = await said(client, AT)
        assert (told["description"], told["properties"]) == ("Told anew", {"contract": {"every": "PT5M"}, "colour": "blue"})
        before = standing(sta)
        for change, status in (
            ({"unitOfMeasurements": [unit("m/s"), unit("rad")]}, 400),
            ({"unitOfMeasurements": "m/s"}, 400),
            ({"multiObservationDataTypes": [TRUTH] * 3}, 409),
            ({"ObservedProperties": [{"@iot.id": "thing.gust"}]}, 409),
            ({"Sensor": SENSOR}, 400),
            ({"Sensor": {"@iot.id": "none"}}, 404),
            ({"Thing": {"@iot.id": "well-1"}}, 409),
            ({"description": None}, 400),
            ({"colour": "red"}, 400),
        ):
            answer = await client.patch(ROOT + AT, json=change)
            assert answer.status_code == status, (change, answer.text)
        assert standing(sta) == before
        at = await posted(client, "/Sensors", {**SENSOR, "name": "Another vane"})
        assert (await client.patch(ROOT + AT, json={"Sensor": {"@iot.id": "another-vane"}})).status_code == 200
        assert await Desk(client).ids(f"{at}/MultiDatastreams") == [AT.split("'")[1]]
        assert {registry.stream(key).source for key in STREAMS} == {"another-vane"}


async def test_ended_it_takes_its_streams_along_and_its_id_may_be_given_again(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", {**VANE, "Datastreams": [STREAM]})
        async with sta.client("device") as device:
            entrusted(sta, device, "vane-1")
            await posted(device, f"{AT}/Observations", observation("06:30", [1, 2, 90]))
            assert (await client.delete(ROOT + AT)).status_code == 200
            answer = await device.post(f"{ROOT}{AT}/Observations", json=observation("06:31", [1, 2, 90]))
            assert answer.status_code == 404
        everyone = Desk(client)
        assert await everyone.ids("/Things('vane-1')/Datastreams") == ["vane-1.water-level"]
        assert await everyone.ids("/MultiDatastreams") == []
        assert (await everyone.refused(AT))[0] == 404
        assert (await client.delete(ROOT + AT)).status_code == 404
        named = [{"@iot.id": f"thing.{name}"} for name in ("speed", "gust", "bearing")]
        again = {**WIND, "ObservedProperties": named, "Sensor": {"@iot.id": "ultrasonic-gauge"}}
        assert await posted(client, "/Things('vane-1')/MultiDatastreams", again) == AT
    assert sta.series.last_seq() == 3
    async with sta.client("dispatcher") as client:
        assert (await said(client, f"{AT}/Observations"))["value"] == [], "what was observed before is of streams that ended"


@pytest.mark.parametrize("ended", ["/Datastreams('vane-1.gust')", "/ObservedProperties('thing.gust')"])
async def test_it_ends_with_any_of_its_datastreams_and_the_others_stay(sta: World, ended: str) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", VANE)
        assert (await client.delete(ROOT + ended)).status_code == 200
        everyone = Desk(client)
        assert await everyone.ids("/MultiDatastreams") == []
        assert await everyone.ids("/Things('vane-1')/Datastreams") == ["vane-1.bearing", "vane-1.speed"]
        if ended.startswith("/Datastreams"):
            await posted(client, "/Things('vane-1')/Datastreams", {**STREAM, "ObservedProperty": {"@iot.id": "thing.gust"}})
            assert await everyone.ids("/MultiDatastreams") == [], "another stream of the same id is another stream"
        assert (await client.delete(f"{ROOT}/Things('vane-1')")).status_code == 200


async def test_what_a_pack_declares_is_changed_by_the_pack_alone(masts: World) -> None:
    async with masts.client("admin") as client:
        await posted(client, "/Things", VANE)
        assert await Desk(client).ids("/MultiDatastreams") == ["mast-1", "mast-2", "vane-1.wind"]
        assert await Desk(client).ids("/MultiDatastreams", _filter="properties/kind eq 'mast'") == ["mast-1", "mast-2"]
        assert (await said(client, "/MultiDatastreams", _count="true"))["@iot.count"] == 3
        for method in ("PATCH", "PUT", "DELETE"):
            answer = await client.request(method, f"{ROOT}/MultiDatastreams('mast-1')", json={"name": "x", "description": "y"})
            assert answer.status_code == 409, answer.text
            assert (await client.request(method, f"{ROOT}/MultiDatastreams('none')", json={"name": "x"})).status_code == 404
    async with masts.client("dispatcher") as client:
        assert (await client.post(f"{ROOT}/MultiDatastreams", json={**WIND, "Thing": BARE})).status_code == 403
        assert (await client.delete(ROOT + AT)).status_code == 403


async def test_in_a_group_of_a_batch_it_is_made_with_the_rest_or_not_at_all(sta: World) -> None:
    thing = {"id": "t", "method": "post", "url": "Things", "body": {**BARE, "@iot.id": "gauge-1"}}
    wind = {"id": "w", "method": "post", "url": "$t/MultiDatastreams", "body": WIND}
    array = {"method": "post", "url": "$w/Observations", "body": observation("06:30", [1, 2, 90])}
    bad = {"method": "post", "url": "$w/Observations", "body": observation("06:30", [1, 2])}
    before = standing(sta)
    async with maker(sta) as device:
        answers = await sent(device, *of_group(thing, wind, array, bad))
        assert [one["status"] for one in answers] == [424, 424, 424, 400]
        assert standing(sta) == before
        answers = await sent(device, *of_group(thing, wind, array))
        assert [one["status"] for one in answers] == [201, 201, 201], answers
    standing(sta)
    async with sta.client("dispatcher") as client:
        assert [one["result"] for one in (await said(client, "/MultiDatastreams('gauge-1.wind')/Observations"))["value"]] == [
            [1, 2, 90]
        ]


async def test_a_store_that_takes_no_observation_has_it_taken_back(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> Verdict:
        raise StorageFullError(same("full"))

    array = {"method": "post", "url": "$w/Observations", "body": observation("06:30", [1, 2, 90])}
    async with maker(sta) as device:
        await posted(device, "/Things", {**BARE, "@iot.id": "gauge-1"})
        made = {"id": "w", "method": "post", "url": "Things('gauge-1')/MultiDatastreams", "body": WIND}
        with monkeypatch.context() as patched:
            patched.setattr(sta.parts.intake, "take", full)
            assert [one["status"] for one in await sent(device, *of_group(made, array))] == [507] * 2
        standing(sta)
        assert (sta.parts.registry.made.groups, sta.parts.registry.streams_of("gauge-1")) == ({}, ())
        assert [one["status"] for one in await sent(device, *of_group(made, array))] == [201] * 2


async def test_a_device_makes_those_of_its_own_things_alone_and_changes_none(sta: World) -> None:
    async with maker(sta) as device:
        await posted(device, "/Things", {**BARE, "@iot.id": "gauge-1"})
        await posted(device, "/MultiDatastreams", {**WIND, "Thing": {"@iot.id": "gauge-1"}})
        for method, path, body in (
            ("POST", "/MultiDatastreams", {**WIND, "Thing": {"@iot.id": "well-1"}}),
            ("POST", "/Things('well-1')/MultiDatastreams", WIND),
            ("POST", "/MultiDatastreams", {**WIND, "Thing": {**BARE, "@iot.id": "other-1"}}),
            ("PATCH", "/MultiDatastreams('gauge-1.wind')", {"name": "x"}),
            ("DELETE", "/MultiDatastreams('gauge-1.wind')", None),
        ):
            answer = await device.request(method, ROOT + path, json=body)
            assert answer.status_code == 403, (method, path, answer.text)


async def test_a_thing_brings_observations_of_datastreams_and_multidatastreams_beside_them(sta: World) -> None:
    streams = [{**STREAM, "Observations": [{"phenomenonTime": "2026-11-22T06:50:00Z", "result": 2.5}]}]
    async with maker(sta) as device:
        await posted(device, "/Things", {**VANE, "@iot.id": "gauge-1", "Datastreams": streams})
    async with sta.client("dispatcher") as client:
        found = (await said(client, "/Datastreams('gauge-1.water-level')/Observations"))["value"]
        assert await Desk(client).ids("/MultiDatastreams") == ["gauge-1.wind"]
    assert [one["result"] for one in found] == [2.5]


async def test_it_is_all_there_after_a_restart(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", VANE)
        await posted(client, "/Things", {**VANE, "@iot.id": "vane-2", "MultiDatastreams": [{**WIND, "name": "风"}]})
        assert (await client.delete(ROOT + AT)).status_code == 200
    here = sta.parts.registry
    anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
    assert anew.made == here.made
    for registry in (here, anew):
        assert registry.made.groups_of("vane-1", registry.streams()) == ()
        (one,) = registry.made.groups_of("vane-2", registry.streams())
        assert (one.id, [registry.streams()[no - 1].field for no in one.streams]) == ("vane-2.group", one_field_each(registry))


def one_field_each(registry: Registry) -> list[str]:
    return [stream.field for stream in registry.streams_of("vane-2")]


@pytest.fixture
async def roof(sta: World) -> AsyncIterator[Wire]:
    async with wired(sta) as found:
        yield found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_its_arrays_are_published_and_subscribed_to(roof: Wire) -> None:
    async with roof.world.client("admin") as client:
        await posted(client, "/Things", VANE)
    reader, device = await roof.person("dispatcher"), await roof.device()
    assert await granted(reader, f"v1.1{AT}/Observations?$select=result") == [1]
    await device.publish(f"v1.1{AT}/Observations", json.dumps(observation("06:30", [1, None, 90])).encode(), qos=1)
    ((_, told),) = await heard(reader, 1)
    assert told == {"result": [1, None, 90]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_it_is_told_to_those_who_subscribed_here_and_where_another_process_made_it(roof: Wire) -> None:
    reader = await roof.person("admin")
    assert await granted(reader, "v1.1/MultiDatastreams") == [1]
    async with roof.world.client("admin") as client:
        await posted(client, "/Things", BARE)
        await posted(client, "/Things('vane-1')/MultiDatastreams", WIND)
        ((_, told),) = await heard(reader, 1)
        assert told == await said(client, AT)
        assert (await client.patch(ROOT + AT, json={"name": "North"})).status_code == 200
        ((_, told),) = await heard(reader, 1)
        assert told["name"] == "North"
    other = Registry(roof.world.transactions, (), AreaBook(roof.world.transactions))
    before = other.made.groups["vane-1"]["vane-1.wind"]
    other.change((), (), (type(before)(before.id, before.thing, before.streams, "South", "", {}),))
    assert roof.world.parts.registry.renew()
    ((_, told),) = await heard(reader, 1)
    assert told["name"] == "South"
