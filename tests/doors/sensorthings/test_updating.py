"""Every set changed by PATCH, PUT and JSON Patch (OGC 18-088 clause 10.3), and linked to what is there (10.2.1.1).

The steps are those of the requirements ``create-update-delete/update-entity``, ``…/update-entity-put``, ``…/update-entity-jsonpatch`` and
``…/link-to-existing-entities``.
"""

from typing import Any

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import AreaBook, Registry
from citybrain.doors.sensorthings import creating
from citybrain.kernel.text import Json
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk, entrusted
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_bringing import TWO
from tests.doors.sensorthings.test_featuring import POND, results
from tests.doors.sensorthings.test_historical import past
from tests.doors.sensorthings.test_linking import begun
from tests.doors.sensorthings.test_locations import EAST, PARK
from tests.doors.sensorthings.test_making import GAUGE, LEVEL, PLACE, SENSOR, STREAM, posted, said
from tests.doors.sensorthings.test_multi_making import WIND, unit
from tests.doors.sensorthings.test_together import of_group, status
from tests.doors.sensorthings.test_unobserving import steward

ANY = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Observation"
PATCHED = {"Content-Type": "application/json-patch+json"}
THING: dict[str, Any] = {"name": "Bank", "description": "Left", "properties": {"owner": "water"}}
ALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Things": (THING, {"description": "Right"}),
    "Locations": (EAST, {"location": {"type": "Point", "coordinates": [117.05, 39.05]}}),
    "Sensors": (SENSOR, {"metadata": "type U-8"}),
    "ObservedProperties": (LEVEL, {"definition": "urn:other"}),
    "FeaturesOfInterest": (POND, {"feature": {"type": "Point", "coordinates": [117.3, 39.3]}}),
    "Datastreams": ({**STREAM, "Thing": THING}, {"unitOfMeasurement": {"name": "Entropy", "symbol": "S", "definition": "urn:s"}}),
    "MultiDatastreams": ({**WIND, "Thing": THING}, {"unitOfMeasurements": [unit("km/h"), unit("m/s"), unit("rad")]}),
    "HistoricalLocations": (
        past("2026-11-20T00:00:00Z", PARK, Thing={**THING, "Locations": [PLACE]}),
        {"time": "2026-11-19T00:00:00Z"},
    ),
}
"""Of each set but Observations an entity, and what is said of it anew."""


async def of(client: AsyncClient, at: str) -> dict[str, Any]:
    """What an entity says of itself, without what is worked out."""
    found = await said(client, at)
    ours = ("@", "phenomenonTime", "resultTime", "observedArea")
    return {name: one for name, one in found.items() if not any(sign in name for sign in ours)}


@pytest.mark.parametrize("name", ALL)
async def test_each_is_merged_replaced_and_patched(sta: World, name: str) -> None:
    body, other = ALL[name]
    async with sta.client("admin") as client:
        at = await posted(client, f"/{name}", body)
        before = await of(client, at)
        assert (await client.patch(ROOT + at, json=other)).status_code == 200
        assert await of(client, at) == {**before, **other}
        back: Json = [{"op": "replace", "path": f"/{key}", "value": before[key]} for key in other]
        assert (await client.patch(ROOT + at, json=back, headers=PATCHED)).status_code == 200
        assert await of(client, at) == before
        whole = {key: one for key, one in body.items() if key not in ("properties", "Thing", "Sensor", "Locations", "Observations")}
        whole = {key: one for key, one in whole.items() if not key.startswith("ObservedPropert")}
        assert (await client.put(ROOT + at, json={**whole, **other})).status_code == 200
        after = await of(client, at)
        gone = {key for key in after.get("properties", {}) if key not in ("life", "lifeTitle", "lifeSince", "lifeReason", "latest")}
        assert gone == set(), "what a PUT does not say is not there any more"
        assert {key: after[key] for key in other} == other
        mandatory = next(key for key in ("name", "time") if key in whole)
        assert (await client.put(ROOT + at, json={key: one for key, one in whole.items() if key != mandatory})).status_code == 400
        assert await of(client, at) == after
        assert (await client.patch(f"{ROOT}/{name}('none-such')", json=other)).status_code == 404
    anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
    assert anew.made == sta.parts.registry.made


async def test_an_observation_is_merged_replaced_and_patched(sta: World) -> None:
    async with sta.client("admin") as client:
        await begun(sta, client)
    async with steward(sta) as client:
        (found,) = (await said(client, "/Datastreams('river-gauge.water-level')/Observations"))["value"]
        at = f"/Observations('{found['@iot.id']}')"
        assert (await client.patch(ROOT + at, json={"parameters": {"by": "hand"}})).status_code == 200
        assert ((await said(client, at))["result"], (await said(client, at))["parameters"]["by"]) == (2.5, "hand")
        value: Json = [{"op": "replace", "path": "/result", "value": 3.5}]
        assert (await client.patch(ROOT + at, json=value, headers=PATCHED)).status_code == 200
        assert ((await said(client, at))["result"], (await said(client, at))["parameters"]["by"]) == (3.5, "hand")
        put = {"phenomenonTime": found["phenomenonTime"], "result": 4.5}
        assert (await client.put(ROOT + at, json=put)).status_code == 200
        now = await said(client, at)
        assert (now["result"], "by" in now["parameters"]) == (4.5, False)


async def test_another_unit_leaves_the_numbers_as_they_are_and_stands_in_the_trail(sta: World) -> None:
    async with sta.client("admin") as client:
        await begun(sta, client)
        other = {"unitOfMeasurement": {"name": "Centimetre", "symbol": "cm", "definition": "https://ucum.org"}}
        at = "/Datastreams('river-gauge.water-level')"
        before = sta.parts.registry.stream("river-gauge.water-level")
        assert (await client.patch(ROOT + at, json=other)).status_code == 200
        found = await said(client, at)
        assert (found["unitOfMeasurement"], found["properties"]["latest"]["value"]) == (other["unitOfMeasurement"], 2.5)
        after = sta.parts.registry.stream("river-gauge.water-level")
        assert (before.unit, after.unit, after.no) == ("m", "cm", before.no)
    async with sta.client("dispatcher") as reader:
        assert await results(reader, f"{at}/Observations") == [2.5]
    async with sta.client("auditor") as auditor:
        rows = (await auditor.get("/api/v1/protect/audit?action=entity.write")).json()["items"]
    kept = [row["detail"]["facts"] for row in rows]
    (facts,) = [one for one in kept if "units" in one]
    assert (facts["names"], facts["units"]) == (["unitOfMeasurement"], {"river-gauge.water-level": "m"})


@pytest.mark.parametrize("how", ["PATCH", "PUT", "JSON Patch", "group"])
async def test_a_datastream_without_observations_is_of_another_type(sta: World, how: str) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        at, before = "/Datastreams('river-gauge.water-level')", sta.parts.registry.stream("river-gauge.water-level")
        body: Json = {"observationType": ANY}
        if how == "PUT":
            body = {"name": "Any", "description": "Any", "observationType": ANY}
        elif how == "JSON Patch":
            body = [{"op": "replace", "path": "/observationType", "value": ANY}, {"op": "remove", "path": "/properties/contract"}]
        if how == "PATCH":
            limits = await client.patch(ROOT + at, json=body)
            assert (limits.status_code, "no quantities" in limits.json()["message"]) == (400, True)
        if how in ("PATCH", "group"):
            body = {"observationType": ANY, "properties": {}}
        if how == "group":
            assert status(await sent(client, *of_group({"method": "patch", "url": at[1:], "body": body}))) == [200]
        else:
            kind = PATCHED if how == "JSON Patch" else {}
            answer = await client.request(how.removeprefix("JSON ").upper(), ROOT + at, json=body, headers=kind)
            assert answer.status_code == 200, answer.text
        assert (await said(client, at))["observationType"] == ANY
        after = sta.parts.registry.stream("river-gauge.water-level")
        assert (after.sort, after.no > before.no, after.entity, after.source) == ("any", True, before.entity, before.source)
        assert await Desk(client).ids("/Things('river-gauge')/Datastreams") == ["river-gauge.water-level"]
    async with sta.client("device") as device:
        entrusted(sta, device, "river-gauge")
        await posted(device, f"{at}/Observations", {**TWO[0], "result": {"a": 1}})
    async with sta.client("dispatcher") as reader:
        assert [one["result"] for one in (await said(reader, f"{at}/Observations"))["value"]] == [{"a": 1}]
    async with sta.client("admin") as client:
        answer = await client.patch(ROOT + at, json={"observationType": STREAM["observationType"]})
        assert (answer.status_code, "what was observed is so" in answer.json()["message"]) == (409, True)
    anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
    assert (anew.streams(), anew.made) == (sta.parts.registry.streams(), sta.parts.registry.made)


async def test_a_datastream_of_which_something_was_struck_out_or_comes_in_meanwhile_keeps_its_type(
    sta: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, body = f"{ROOT}/Datastreams('river-gauge.water-level')", {"observationType": ANY, "properties": {}}
    async with sta.client("admin") as client:
        await begun(sta, client)
    async with steward(sta) as client:
        (found,) = (await said(client, "/Datastreams('river-gauge.water-level')/Observations"))["value"]
        assert (await client.delete(f"{ROOT}/Observations('{found['@iot.id']}')")).status_code == 200
        assert (await client.patch(at, json=body)).status_code == 409
        await posted(client, "/Things", {**GAUGE, "@iot.id": "other"})
        looks = iter((False, True))
        monkeypatch.setattr(creating, "observed", lambda *_: next(looks))
        before = sta.parts.registry.streams(), sta.parts.registry.made
        (other,) = sta.parts.registry.streams_of("other")
        late = await client.patch(f"{ROOT}/Datastreams('{other.id}')", json=body)
        assert (late.status_code, "came in meanwhile" in late.json()["message"]) == (409, True)
        after = sta.parts.registry.streams(), sta.parts.registry.made
        assert (after[0][: len(before[0])], after[1]) == before
        assert [one.ended is not None for one in after[0][len(before[0]) :]] == [True]


NEW: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/Things('river-gauge')", {"Locations": [EAST]}),
    ("/Things('river-gauge')", {"Datastreams": [STREAM]}),
    ("/Sensors('ultrasonic-gauge')", {"Datastreams": [{**STREAM, "Thing": {"@iot.id": "river-gauge"}}]}),
    ("/ObservedProperties('thing.water-level')", {"Datastreams": [{**STREAM, "Thing": {"@iot.id": "river-gauge"}}]}),
    ("/Datastreams('river-gauge.water-level')", {"ObservedProperty": LEVEL}),
    ("/Datastreams('river-gauge.water-level')", {"Sensor": SENSOR}),
    ("/Datastreams('river-gauge.water-level')", {"Thing": THING}),
    ("/Datastreams('river-gauge.water-level')", {"Observations": TWO}),
)


@pytest.mark.parametrize(("at", "body"), NEW)
async def test_a_change_that_describes_others_is_refused_and_changes_nothing(sta: World, at: str, body: dict[str, Any]) -> None:
    """The entity SHALL NOT contain related entities as inline content."""
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        before = sta.parts.registry.made, sta.parts.registry.streams()
        answer = await client.patch(ROOT + at, json={"description": "Other", **body})
        assert answer.status_code == 400, answer.text
        assert (sta.parts.registry.made, sta.parts.registry.streams()) == before


async def test_what_is_new_links_to_what_is_there(sta: World) -> None:
    async with sta.client("admin") as client:
        everyone = Desk(client)
        for path, body in (
            ("/Locations", EAST),
            ("/Sensors", SENSOR),
            ("/ObservedProperties", LEVEL),
            ("/FeaturesOfInterest", POND),
        ):
            await posted(client, path, body)
        thing = await posted(client, "/Things", {**THING, "Locations": [{"@iot.id": "east-pier"}]})
        ends = {"Sensor": {"@iot.id": "ultrasonic-gauge"}, "ObservedProperty": {"@iot.id": "thing.water-level"}}
        one = await posted(client, "/Datastreams", {**STREAM, **ends, "Thing": {"@iot.id": "bank"}})
        two = await posted(client, f"{thing}/Datastreams", {**STREAM, **ends})
        assert await everyone.ids(f"{thing}/Datastreams") == [at.split("'")[1] for at in (one, two)]
        assert await everyone.ids("/Sensors('ultrasonic-gauge')/Datastreams") == await everyone.ids(f"{thing}/Datastreams")
        assert await everyone.ids("/ObservedProperties('thing.water-level')/Datastreams") == await everyone.ids(
            f"{thing}/Datastreams"
        )
        joint = {**WIND, "Thing": {"@iot.id": "bank"}, "Sensor": ends["Sensor"]}
        joint["ObservedProperties"] = [{"@iot.id": "thing.water-level"}, *WIND["ObservedProperties"][1:]]
        multi = await posted(client, "/MultiDatastreams", joint)
        assert "thing.water-level" in await everyone.ids(f"{multi}/ObservedProperties")
        at = await posted(
            client, "/HistoricalLocations", past("2026-11-20T00:00:00Z", {"@iot.id": "east-pier"}, Thing={"@iot.id": "bank"})
        )
        assert (await everyone.ids(f"{at}/Locations"), (await everyone.get(f"{at}/Thing"))["@iot.id"]) == (["east-pier"], "bank")
        await posted(client, "/Locations", {**PARK, "Things": [{"@iot.id": "bank"}]})
        assert await everyone.ids(f"{thing}/Locations") == ["bank"]
    secret = sta.parts.accounts.devices.create("水位计", "gauge", ["bank"])
    async with sta.client("device") as device:
        device.headers.pop("Authorization")
        device.auth = ("gauge", secret)
        body = {**TWO[0], "Datastream": {"@iot.id": one.split("'")[1]}, "FeatureOfInterest": {"@iot.id": "pond"}}
        seen = await posted(device, "/Observations", body)
    async with sta.client("dispatcher") as reader:
        assert (await said(reader, f"{seen}/FeatureOfInterest"))["@iot.id"] == "pond"


async def test_what_is_new_links_to_what_packs_declare_where_that_changes_nothing_of_it(sta: World) -> None:
    """A Datastream comes from a declared Sensor; a declared field is of its own kind alone, and a declared Thing has the streams of its own."""
    async with sta.client("admin") as client:
        everyone = Desk(client)
        thing = await posted(client, "/Things", THING)
        (source,) = {stream.source for stream in sta.parts.registry.streams()}
        at = await posted(client, f"{thing}/Datastreams", {**STREAM, "Sensor": {"@iot.id": source}})
        assert (await everyone.get(f"{at}/Sensor"))["@iot.id"] == source
        assert at.split("'")[1] in await everyone.ids(f"/Sensors('{source}')/Datastreams")
        assert source not in sta.parts.registry.made.sensors
        await posted(client, "/Sensors", SENSOR)
        for sensor in ("ultrasonic-gauge", source):
            assert (await client.patch(ROOT + at, json={"Sensor": {"@iot.id": sensor}})).status_code == 200
            assert (await everyone.get(f"{at}/Sensor"))["@iot.id"] == sensor
        before = sta.parts.registry.streams()
        wrong: tuple[tuple[str, dict[str, Any], int, str], ...] = (
            (
                "/Datastreams",
                {**STREAM, "Thing": {"@iot.id": "bank"}, "ObservedProperty": {"@iot.id": "well.level"}},
                409,
                "of its own kind",
            ),
            (
                "/Datastreams",
                {**STREAM, "Thing": {"@iot.id": "bank"}, "ObservedProperty": {"@iot.id": "well.none"}},
                404,
                "no observed",
            ),
            ("/Datastreams", {**STREAM, "Thing": {"@iot.id": "bank"}, "Sensor": {"@iot.id": "none"}}, 404, "no sensor"),
            ("/Datastreams", {**STREAM, "Thing": {"@iot.id": "well-1"}}, 409, "declared by a pack"),
        )
        for path, body, code, why in wrong:
            answer = await client.post(ROOT + path, json=body)
            assert (answer.status_code, why in answer.json()["message"]) == (code, True), answer.text
        assert sta.parts.registry.streams() == before
