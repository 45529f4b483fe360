"""Writing through longer paths: the entity at the end decides, provided that the path leads there."""

from typing import Any

import pytest

from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk, desk, entrusted
from tests.doors.sensorthings.test_making import GAUGE, STREAM, posted, said

AT = "2026-11-22T06:59:00Z"
OBSERVED: dict[str, Any] = {"phenomenonTime": AT, "result": 12.5}


async def test_an_observation_goes_to_the_datastream_at_the_end_of_its_path(sta: World) -> None:
    async with sta.client("device") as device:
        made = await device.post(f"{ROOT}/Things('well-1')/Datastreams('well-1.level')/Observations", json=OBSERVED)
        assert made.status_code == 201, made.text
        other = await device.post(f"{ROOT}/Things('well-2')/Datastreams('well-1.level')/Observations", json=OBSERVED)
        assert other.status_code == 404, other.text
        foreign = await device.post(f"{ROOT}/Things('well-2')/Datastreams('well-2.level')/Observations", json=OBSERVED)
        assert (foreign.status_code, foreign.json()["reason"]) == (403, "forbidden")
        read = await device.post(
            f"{ROOT}/Locations('well-1')/Things('well-1')/Datastreams('well-1.level')/Observations", json=OBSERVED
        )
        assert (read.status_code, read.json()["reason"]) == (403, "forbidden"), (
            "what leads through Locations is read, and a device reads nothing"
        )
    async with desk(sta) as someone:
        listed = (await someone.get("/Things('well-1')/Datastreams('well-1.level')/Observations"))["value"]
        assert [(each["phenomenonTime"], each["result"]) for each in listed] == [(AT, 12.5)]


async def test_an_observation_goes_to_the_multidatastream_at_the_end_of_its_path(masts: World) -> None:
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-1.*")
        body = {"phenomenonTime": AT, "result": [1.0, 2.0, 3.0]}
        made = await device.post(f"{ROOT}/Things('mast-1')/MultiDatastreams('mast-1')/Observations", json=body)
        assert made.status_code == 201, made.text
        assert (await device.post(f"{ROOT}/Things('mast-2')/MultiDatastreams('mast-1')/Observations", json=body)).status_code == 404
    async with desk(masts) as someone:
        assert len(await someone.ids("/MultiDatastreams('mast-1')/Observations")) == 1


async def test_entities_are_made_changed_and_ended_where_a_path_leads(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        again = {
            **STREAM,
            "name": "Another",
            "Sensor": {"@iot.id": "ultrasonic-gauge"},
            "ObservedProperty": {"@iot.id": "thing.water-level"},
        }
        made = await posted(client, f"/Locations('river-gauge'){at}/Datastreams", again)
        assert made == "/Datastreams('river-gauge.water-level-2')"
        below = f"{at}/Datastreams('river-gauge.water-level-2')"
        for path, name in ((below, "Two"), (f"{below}/Sensor", "Eye"), (f"{below}/Thing", "Gauge")):
            answer = await client.patch(ROOT + path, json={"name": name})
            assert answer.status_code == 200, (path, answer.text)
            assert (await said(client, path))["name"] == name
        assert (await said(client, made))["name"] == "Two"
        answer = await client.put(f"{ROOT}{below}/ObservedProperty", json={"name": "Depth", "definition": "x", "description": "y"})
        assert answer.status_code == 200, answer.text
        assert (await said(client, "/ObservedProperties('thing.water-level')"))["name"] == "Depth"
        assert (await client.delete(ROOT + below)).status_code == 200
        assert await Desk(client).ids(f"{at}/Datastreams") == ["river-gauge.water-level"]


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_nothing_is_written_where_a_path_does_not_lead(sta: World, method: str) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        before = sta.parts.registry.made
        stream = "Datastreams('river-gauge.water-level')"
        for path, status in (
            (f"/Things('well-1')/{stream}", 404),
            (f"/Things('none')/{stream}", 404),
            (f"/Things('river-gauge')/Sensors('{stream}')", 404),
            ("/Things('river-gauge')/name", 501),
            ("/Things('river-gauge')/Datastreams", 501),
            ("/Things('river-gauge')/Datastreams/$ref", 501),
            ("/Things('well-1')/Datastreams('well-1.level')", 409),
        ):
            answer = await client.request(method, ROOT + path, json={"name": "x", "description": "y"})
            assert answer.status_code == status, (path, answer.text)
        assert sta.parts.registry.made == before


async def test_who_may_not_write_is_refused_whatever_the_path(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
    async with desk(sta) as someone:
        for method in ("PATCH", "DELETE"):
            answer = await someone.client.request(method, f"{ROOT}{at}/Datastreams('river-gauge.water-level')", json={"name": "x"})
            assert answer.status_code == 403, answer.text
        answer = await someone.client.post(f"{ROOT}{at}/Datastreams('river-gauge.water-level')/Observations", json=OBSERVED)
        assert answer.status_code == 403, answer.text
