"""Features of interest made by hand, and the observations that are about them."""

from typing import Any

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import Verdict
from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.text import same
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk, fill
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_making import posted, said
from tests.doors.sensorthings.test_together import READING, of_group, status

POND: dict[str, Any] = {
    "name": "Pond",
    "description": "The pond behind the mill",
    "encodingType": "application/geo+json",
    "feature": {"type": "Polygon", "coordinates": [[[117, 39], [117.1, 39], [117.1, 39.1], [117, 39]]]},
    "properties": {"depth": 2},
}
SPRING: dict[str, Any] = {**POND, "name": "Spring", "feature": {"type": "Point", "coordinates": [117.2, 39.2]}, "properties": {}}


def reading(minute: int, value: object = 1.0, about: object = "pond") -> dict[str, Any]:
    """A reading of the first well about a feature: its id, or what it is said to be."""
    feature = {"@iot.id": about} if isinstance(about, str) else about
    time = f"2026-11-22T06:{minute:02}:00Z"
    whole = {"phenomenonTime": time, "result": value, "Datastream": {"@iot.id": "well-1.level"}, "FeatureOfInterest": feature}
    return {name: one for name, one in whole.items() if one is not None}


async def made(world: World, *features: dict[str, Any]) -> None:
    """Make features."""
    async with world.client("admin") as client:
        for one in features or (POND,):
            await posted(client, "/FeaturesOfInterest", one)


async def results(client: AsyncClient, path: str, **words: str) -> list[float]:
    """The results of Observations."""
    found = await said(client, path, **words)
    return [one["result"] for one in found["value"]]


async def test_a_feature_is_made_read_filtered_changed_and_deleted(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/FeaturesOfInterest", POND)
        found = await said(client, at)
        assert at == "/FeaturesOfInterest('pond')"
        assert {name: found[name] for name in POND} == POND
        everyone = Desk(client)
        assert await everyone.ids("/FeaturesOfInterest", _orderby="id asc") == ["pond", "well-1", "well-2"]
        assert await everyone.ids("/FeaturesOfInterest", _filter="name eq 'Pond'") == ["pond"]
        within = "st_within(feature, geography'POLYGON ((116.9 38.9, 117.105 38.9, 117.105 39.2, 116.9 39.2, 116.9 38.9))')"
        assert "pond" in await everyone.ids("/FeaturesOfInterest", _filter=within)
        for path in ("/Things", "/Locations", "/HistoricalLocations"):
            assert not [key for key in await everyone.ids(path) if "pond" in key]
        assert (await everyone.refused("/Things('pond')"))[0] == 404
        for how, body, name in (
            ("PATCH", {"name": "Mill pond"}, "Mill pond"),
            ("PUT", {**found, **SPRING}, "Spring"),
            ("PATCH", {"feature": {"type": "Point", "coordinates": [117.3, 39.3]}}, "Spring"),
        ):
            assert (await client.request(how, ROOT + at, json=body)).status_code == 200
            assert (await said(client, at))["name"] == name
        now = await said(client, at)
        assert (now["feature"]["coordinates"], now["properties"], now["@iot.id"]) == ([117.3, 39.3], {}, "pond")
        assert await everyone.ids("/HistoricalLocations", _filter="Thing/id eq 'pond'") == []
        assert (await client.delete(ROOT + at)).status_code == 200
        assert (await client.get(ROOT + at)).status_code == 404


async def test_an_observation_leads_to_its_own_feature_and_the_feature_to_it(sta: World) -> None:
    await fill(sta)
    await made(sta, POND, SPRING)
    async with sta.client("device") as device:
        one = await posted(device, "/Observations", reading(51, 1.5))
        await posted(device, "/Datastreams('well-1.salt')/Observations", {**READING, "FeatureOfInterest": {"@iot.id": "pond"}})
        await posted(device, "/Observations", reading(52, 2.5, about="spring"))
    async with sta.client("dispatcher") as client:
        assert (await said(client, f"{one}/FeatureOfInterest"))["@iot.id"] == "pond"
        found = await said(
            client, "/Datastreams('well-1.level')/Observations", _expand="FeatureOfInterest", _orderby="phenomenonTime asc"
        )
        assert [(each["result"], each["FeatureOfInterest"]["@iot.id"]) for each in found["value"]] == [
            (10.0, "well-1"),
            (1.5, "pond"),
            (2.5, "spring"),
            (11.0, "well-1"),
            (12.5, "well-1"),
        ]
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1.5, 2.5]
        assert await results(client, "/FeaturesOfInterest('pond')/Observations", _orderby="phenomenonTime asc") == [2.5, 1.5]
        assert await results(client, "/FeaturesOfInterest('pond')/Observations", _filter="result gt 2") == [2.5]
        assert sorted(await results(client, "/FeaturesOfInterest('well-1')/Observations")) == [10.0, 11.0, 12.5]
        counted = await said(client, "/FeaturesOfInterest('well-1')/Observations", _count="true", _top="1")
        assert counted["@iot.count"] == 3
        assert (await said(client, "/FeaturesOfInterest('pond')/Observations", _count="true"))["@iot.count"] == 2
        key = one.split("'")[1]
        assert (await said(client, f"/FeaturesOfInterest('pond')/Observations('{key}')"))["result"] == 1.5
        assert (await client.get(f"{ROOT}/FeaturesOfInterest('spring')/Observations('{key}')")).status_code == 404
        mine = await results(client, "/Observations", _filter="FeatureOfInterest/id eq 'spring'")
        assert mine == [2.5]


async def test_the_observations_about_a_feature_come_page_by_page(sta: World) -> None:
    await made(sta)
    async with sta.client("device") as device:
        for minute in range(50, 57):
            await posted(device, "/Observations", reading(minute, float(minute)))
    async with sta.client("dispatcher") as client:
        for order, wanted in (("desc", [*range(56, 49, -1)]), ("asc", [*range(50, 57)])):
            page, seen = (
                await said(client, "/FeaturesOfInterest('pond')/Observations", _top="3", _orderby=f"phenomenonTime {order}"),
                [],
            )
            while True:
                seen += [each["result"] for each in page["value"]]
                if "@iot.nextLink" not in page:
                    break
                page = (await client.get(page["@iot.nextLink"])).json()
            assert seen == wanted
        newest = await said(
            client,
            "/Datastreams",
            _filter="id eq 'well-1.level'",
            _expand="Observations($top=1;$orderby=phenomenonTime desc;$expand=FeatureOfInterest)",
        )
        assert newest["value"][0]["Observations"][0]["FeatureOfInterest"]["name"] == "Pond"


async def test_a_reading_that_is_sent_again_keeps_its_feature_until_its_thing_is_named(sta: World) -> None:
    await made(sta)
    async with sta.client("device") as device:
        at = await posted(device, "/Observations", reading(51))
        await posted(device, "/Observations", reading(51, 2.0, None))
        async with sta.client("dispatcher") as client:
            assert ((await said(client, at))["result"], (await said(client, f"{at}/FeatureOfInterest"))["@iot.id"]) == (2.0, "pond")
            await posted(device, "/Observations", reading(51, 3.0, about="well-1"))
            assert (await said(client, f"{at}/FeatureOfInterest"))["@iot.id"] == "well-1"
            assert await results(client, "/FeaturesOfInterest('pond')/Observations") == []
            assert await results(client, "/FeaturesOfInterest('well-1')/Observations") == [3.0]


async def test_what_cannot_be_kept_is_refused_with_its_reason(sta: World) -> None:
    await made(sta)
    async with sta.client("device") as device:
        await posted(device, "/Observations", reading(50))
        wrong: list[tuple[str, Any, int, str]] = [
            ("/Observations", reading(51, about="none"), 400, "no FeatureOfInterest 'none'"),
            ("/Observations", reading(51, about=SPRING), 403, "may not make it"),
            ("/Observations", reading(51, "much"), 400, "bad_value"),
            ("/Observations", {**reading(51), "Datastream": {"@iot.id": "well-2.level"}}, 403, "forbidden_stream"),
            ("/FeaturesOfInterest", POND, 403, ""),
        ]
        for path, body, code, why in wrong:
            answer = await device.post(ROOT + path, json=body)
            assert (answer.status_code, why in answer.json()["message"]) == (code, True), (body, answer.text)
        keyed = await device.post(f"{ROOT}/Observations", json=reading(51), headers={"Idempotency-Key": "k"})
        assert keyed.status_code == 400
    async with sta.client("admin") as client:
        asked: list[tuple[str, str, Any, int, str]] = [
            ("DELETE", "pond", None, 403, "Observations are about 'pond'"),
            ("DELETE", "well-1", None, 409, "change its Location"),
            ("PATCH", "well-1", {"name": "x"}, 409, "change its Location"),
            ("PATCH", "none", {"name": "x"}, 404, "none"),
            ("PATCH", "pond", {"feature": {"type": "Point", "coordinates": [200, 0]}}, 400, "longitude"),
        ]
        for how, key, body, code, why in asked:
            answer = await client.request(how, f"{ROOT}/FeaturesOfInterest('{key}')", json=body)
            assert (answer.status_code, why in answer.json()["message"]) == (code, True), (how, key, answer.text)
        again = await client.post(f"{ROOT}/FeaturesOfInterest", json={**POND, "@iot.id": "pond"})
        assert again.status_code == 409
        assert (await client.patch(f"{ROOT}/Things('pond')", json={"name": "x"})).status_code == 404
    assert sta.series.latest().num_rows == 1


async def test_feature_thing_and_observation_stand_in_one_change_set(sta: World) -> None:
    async with sta.client("device") as device:
        device.auth = ("maker", sta.parts.accounts.devices.create("自建", "maker", ["well-*"]))
        device.headers.pop("Authorization")
        await made(sta)
        one = {"method": "post", "url": "Observations", "body": reading(51)}
        bad = {"method": "post", "url": "Observations", "body": reading(52, about="none")}
        assert status(await sent(device, *of_group(one, bad))) == [424, 400]
        assert sta.series.latest().num_rows == 0
        assert status(await sent(device, *of_group(one, {**one, "body": reading(52)}))) == [201, 201]
    async with sta.client("dispatcher") as client:
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1.0, 1.0]


async def test_a_store_that_takes_no_observation_leaves_no_feature_of_it(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(sta)

    async def full(*_: object) -> Verdict:
        raise StorageFullError(same("The store is full."))

    async with sta.client("device") as device:
        at = await posted(device, "/Observations", reading(50))
        monkeypatch.setattr(sta.parts.intake, "take", full)
        for minute, feature in ((50, "well-1"), (51, "pond")):
            answer = await device.post(f"{ROOT}/Observations", json=reading(minute, about=feature))
            assert answer.status_code == 507, answer.text
    async with sta.client("dispatcher") as client:
        assert (await said(client, f"{at}/FeatureOfInterest"))["@iot.id"] == "pond"
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1.0]
