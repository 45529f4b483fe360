"""Observations that bring what they are about: a feature described within them, made with them and kept whole or not at all."""

from typing import Any

import anyio
import pytest
from httpx import AsyncClient

from citybrain.brain.observe import About, AreaBook, Featured, Registry, Rows, Spot, Verdict
from citybrain.kernel.access import Caller, Query
from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.instant import parse
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from tests.doors.conftest import World, basic
from tests.doors.sensorthings.conftest import ROOT, Desk, entrusted, parts_of
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_featuring import POND, SPRING, made, reading, results
from tests.doors.sensorthings.test_making import GAUGE, STREAM, posted, said
from tests.doors.sensorthings.test_multi import OBSERVED, observation
from tests.doors.sensorthings.test_multi_making import VANE, WIND
from tests.doors.sensorthings.test_multipart import KIND, asking, mixed
from tests.doors.sensorthings.test_together import of_group, status

LISTED = ("well-*", "+gauge-*", "+pond*", "+spring*", "mast-*", "+vane-*")


def device(world: World, client: AsyncClient, *streams: str) -> None:
    """Sign a client in as a device that may make features of its list."""
    entrusted(world, client, *(streams or LISTED))


async def features(client: AsyncClient) -> list[str]:
    """The features that are no thing's place."""
    places = await Desk(client).ids("/Locations")
    return [key for key in await Desk(client).ids("/FeaturesOfInterest", _orderby="id asc") if key not in places]


@pytest.mark.parametrize("path", ["/Observations", "/Datastreams('well-1.level')/Observations"])
async def test_a_feature_described_within_an_observation_is_made_with_it(sta: World, path: str) -> None:
    async with sta.client("device") as client:
        device(sta, client)
        at = await posted(client, path, reading(51, 1.5, POND))
    async with sta.client("dispatcher") as client:
        found = await said(client, at, _expand="FeatureOfInterest")
        assert (found["result"], found["FeatureOfInterest"]["@iot.id"]) == (1.5, "pond")
        assert {name: found["FeatureOfInterest"][name] for name in POND} == POND
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1.5]
    rows = sta.parts.guard.reader(Caller("x", "x", frozenset({"auditor"})), "").read(Query("audit")).rows
    asked = [(row["action"], row["resource"]) for row in rows if row["allowed"]]
    assert ("entity.write", "sensorthings:FeaturesOfInterest(pond)") in asked


async def test_who_describes_the_same_again_means_the_same_and_who_describes_another_makes_another(sta: World) -> None:
    async with sta.client("device") as client:
        device(sta, client)
        for minute, feature in (
            (50, POND),
            (51, {**POND, "description": "Drained"}),
            (52, POND),
            (53, {**POND, "description": "Drained"}),
        ):
            await posted(client, "/Observations", reading(minute, float(minute), feature))
        await posted(client, "/Observations", reading(54, 54.0, {**SPRING, "@iot.id": "spring-7"}))
        await posted(client, "/Observations", reading(55, 55.0, {**SPRING, "@iot.id": "spring-7"}))
        other = await client.post(f"{ROOT}/Observations", json=reading(56, 56.0, {**POND, "@iot.id": "spring-7"}))
        assert (other.status_code, "taken" in other.json()["message"]) == (409, True), other.text
    async with sta.client("dispatcher") as client:
        pond, drained, spring = await features(client)
        assert (pond, drained.startswith("pond-"), spring) == ("pond", True, "spring-7")
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [52.0, 50.0]
        assert await results(client, f"/FeaturesOfInterest('{drained}')/Observations") == [53.0, 51.0]
        assert await results(client, "/FeaturesOfInterest('spring-7')/Observations") == [55.0, 54.0]


async def test_who_may_not_make_features_sends_those_that_are_there_and_is_refused_others(sta: World) -> None:
    await made(sta, POND)
    async with sta.client("device") as client:
        for streams in (("well-1",), ("well-1", "+gauge-*")):
            client.headers["Authorization"] = ""
            login = f"p{len(streams)}"
            secret = sta.parts.accounts.devices.create("塔", login, list(streams))
            client.auth, _ = (login, secret), client.headers.pop("Authorization")
            for feature in (SPRING, {**SPRING, "@iot.id": "spring-7"}, {**SPRING, "@iot.id": "pond"}):
                answer = await client.post(f"{ROOT}/Observations", json=reading(51, 1.5, feature))
                assert (answer.status_code, "may not make it" in answer.json()["message"]) == (403, True), answer.text
            await posted(client, "/Observations", reading(52, 2.5, POND))
        assert (await client.post(f"{ROOT}/FeaturesOfInterest", json={**SPRING, "@iot.id": "spring-7"})).status_code == 403
        assert await posted(client, "/FeaturesOfInterest", {**SPRING, "@iot.id": "gauge-7"}) == "/FeaturesOfInterest('gauge-7')"
        assert (await client.patch(f"{ROOT}/FeaturesOfInterest('gauge-7')", json={"name": "x"})).status_code == 403
        assert (await client.delete(f"{ROOT}/FeaturesOfInterest('gauge-7')")).status_code == 403
    async with sta.client("admin") as client:
        answer = await client.post(f"{ROOT}/Observations", json=reading(51, 1.5, SPRING))
        assert answer.status_code == 403
        assert await features(client) == ["gauge-7", "pond"]
    assert sta.series.latest().num_rows == 1


@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        (reading(51, "much", POND), 400, "bad_value"),
        ({**reading(51, 1.0, POND), "phenomenonTime": "2027-01-01T00:00:00Z"}, 400, "future_time"),
        ({**reading(51, 1.0, POND), "Datastream": {"@iot.id": "mast-1.none"}}, 400, "unknown_stream"),
        ({**reading(51, 1.0, POND), "Datastream": {"@iot.id": "other-1.level"}}, 403, "forbidden_stream"),
        ({**reading(51, 1.0, POND), "colour": "blue"}, 501, "colour"),
        ({**reading(51, 1.0, POND), "validTime": "always"}, 400, "validTime"),
        (reading(51, 1.0, {**POND, "feature": {"type": "Point", "coordinates": [200, 0]}}), 400, "longitude"),
        (reading(51, 1.0, {**POND, "colour": "blue"}), 400, "no property colour"),
        (reading(51, 1.0, {**POND, "encodingType": "text/plain"}), 501, "encodingType"),
        (reading(51, 1.0, {**POND, "Observations": [{"result": 1}]}), 400, "Datastream"),
        (reading(51, 1.0, {**POND, "@iot.id": "pond 7"}), 400, "no id"),
        ({**reading(51), "FeatureOfInterest": "pond"}, 400, "FeatureOfInterest is an object"),
    ],
)
async def test_what_is_refused_leaves_no_feature_and_no_reading(sta: World, body: dict[str, Any], code: int, why: str) -> None:
    version = sta.parts.registry.version
    async with sta.client("device") as client:
        device(sta, client)
        answer = await client.post(f"{ROOT}/Observations", json=body)
        assert (answer.status_code, why in answer.json()["message"]) == (code, True), answer.text
    assert (sta.parts.registry.version, sta.series.latest().num_rows) == (version, 0)


async def test_feature_and_what_it_is_of_are_durable_before_the_reading(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    take, seen = sta.parts.intake.take, []

    async def looked(rows: Rows, door: str, key: str | None) -> Verdict:
        """What another process would find at this moment."""
        registry, about = Registry(sta.transactions, (), AreaBook(sta.transactions)), Featured(sta.transactions)
        seen.append(
            (registry.entity("pond").title.en, about.listed("pond", None, 9, descending=True), sta.series.latest().num_rows)
        )
        return await take(rows, door, key)

    monkeypatch.setattr(sta.parts.intake, "take", looked)
    async with sta.client("device") as client:
        device(sta, client)
        await posted(client, "/Observations", reading(51, 1.5, POND))
    number = sta.parts.registry.stream("well-1.level").no
    assert seen == [("Pond", (About(number, parse("2026-11-22T06:51:00Z"), "pond", None),), 0)]


async def test_what_a_kill_has_left_is_found_by_the_sender_that_tries_again(sta: World) -> None:
    """Feature and the link to it were committed, the reading was not."""
    async with sta.client("device") as client:
        device(sta, client)
        await posted(client, "/Observations", reading(50, 1.0, {**POND, "name": "Weir", "@iot.id": "pond-9"}))
        words = {name: POND[name] for name in ("name", "description", "properties")} | {"location": POND["feature"]}
        assert parts_of(sta).making.describe("", Spot(Place(117.05, 39.04), words)) == "pond"
        Featured(sta.transactions).put([About(sta.parts.registry.stream("well-1.level").no, parse("2026-11-22T06:51:00Z"), "pond")])
        async with sta.client("dispatcher") as reader:
            assert await results(reader, "/FeaturesOfInterest('pond')/Observations") == []
            await posted(client, "/Observations", reading(51, 1.5, POND))
            assert await features(reader) == ["pond", "pond-9"]
            assert await results(reader, "/FeaturesOfInterest('pond')/Observations") == [1.5]


async def test_a_store_that_is_full_has_the_feature_taken_back_unless_another_reading_is_about_it(
    sta: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = sta.parts.intake.take

    async def full(*_: object) -> Verdict:
        raise StorageFullError(same("The store is full."))

    async def full_later(*_: object) -> Verdict:
        """Full for this one, after another was stored that is about the same."""
        monkeypatch.setattr(sta.parts.intake, "take", take)
        async with sta.client("device") as other:
            other.headers["Authorization"] = client.headers["Authorization"]
            await posted(other, "/Observations", reading(52, 2.5, POND))
        raise StorageFullError(same("The store is full."))

    async with sta.client("device") as client:
        device(sta, client)
        monkeypatch.setattr(sta.parts.intake, "take", full)
        assert (await client.post(f"{ROOT}/Observations", json=reading(51, 1.5, POND))).status_code == 507
        async with sta.client("dispatcher") as reader:
            assert await features(reader) == []
        monkeypatch.setattr(sta.parts.intake, "take", full_later)
        assert (await client.post(f"{ROOT}/Observations", json=reading(51, 1.5, POND))).status_code == 507
    async with sta.client("dispatcher") as reader:
        assert await results(reader, "/FeaturesOfInterest('pond')/Observations") == [2.5]
        assert (await said(reader, "/FeaturesOfInterest('pond')"))["description"] == POND["description"]


async def test_many_that_make_features_at_once_all_succeed(sta: World) -> None:
    answers = []

    async def send(client: AsyncClient, number: int) -> None:
        body = reading(number, float(number), {**POND, "name": f"Pond {number % 6}"})
        answers.append((await client.post(f"{ROOT}/Observations", json=body)).status_code)

    async with sta.client("device") as client, anyio.create_task_group() as tasks:
        device(sta, client)
        for number in range(12):
            tasks.start_soon(send, client, number)
    assert answers == [201] * 12
    async with sta.client("dispatcher") as client:
        assert await features(client) == [f"pond-{number}" for number in range(6)]


async def test_an_observation_is_sent_to_the_feature_that_it_is_about(sta: World) -> None:
    await made(sta, POND, SPRING)
    one = {name: value for name, value in reading(51, 1.5).items() if name != "FeatureOfInterest"}
    async with sta.client("device") as client:
        await posted(client, "/FeaturesOfInterest('pond')/Observations", one)
        other = await client.post(f"{ROOT}/FeaturesOfInterest('spring')/Observations", json=reading(52, 2.5))
        assert (other.status_code, "not that of the address" in other.json()["message"]) == (400, True)
        none = await client.post(f"{ROOT}/FeaturesOfInterest('none')/Observations", json=one)
        assert none.status_code == 400
        elsewhere = await client.post(f"{ROOT}/Things('well-1')/Observations", json=one)
        assert elsewhere.status_code == 501
    async with sta.client("dispatcher") as client:
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1.5]


async def test_in_a_batch_it_stands_alone_or_with_its_group(sta: World) -> None:
    one = {"id": "1", "method": "post", "url": "Observations", "body": reading(50, 1.0, POND)}
    two = {"method": "post", "url": "Datastreams('well-1.level')/Observations", "body": reading(51, 2.0, POND)}
    bad = {"method": "post", "url": "Observations", "body": reading(52, "much", SPRING)}
    async with sta.client("device") as client:
        device(sta, client)
        version = sta.parts.registry.version
        assert status(await sent(client, *of_group(two, bad))) == [424, 400]
        assert (sta.parts.registry.version, sta.series.latest().num_rows) == (version, 0)
        assert status(await sent(client, one, {**bad, "id": "2"})) == [201, 400]
        assert status(await sent(client, *of_group(two, {**two, "body": reading(53, 3.0, SPRING)}))) == [201, 201]
        parts = [asking("POST Observations HTTP/1.1", reading(54, 4.0, {**SPRING, "@iot.id": "spring-9"}), "1")]
        answer = await client.post(f"{ROOT}/$batch", content=mixed(parts).encode(), headers={"Content-Type": KIND})
        assert "201 Created" in answer.text
    async with sta.client("dispatcher") as client:
        assert await features(client) == ["pond", "spring", "spring-9"]
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [2.0, 1.0]
        assert await results(client, "/FeaturesOfInterest('spring')/Observations") == [3.0]
        assert await results(client, "/FeaturesOfInterest('spring-9')/Observations") == [4.0]


def brought(minute: int, result: object, feature: object = None) -> dict[str, Any]:
    """An observation that comes with what it is of."""
    said = {} if feature is None else {"FeatureOfInterest": feature}
    return {"phenomenonTime": f"2026-11-22T06:{minute:02}:00Z", "result": result, **said}


async def test_observations_that_come_with_a_new_thing_bring_their_features(sta: World) -> None:
    await made(sta, POND)
    streams = [{**STREAM, "Observations": [brought(50, 1.0, {"@iot.id": "pond"}), brought(51, 2.0)]}, STREAM]
    streams[1] = {
        **STREAM,
        "Observations": [brought(50, 3.0, SPRING), brought(51, 4.0, {"@iot.id": "gauge-1"}), brought(52, 5.0, SPRING)],
    }
    whole = {**GAUGE, "@iot.id": "gauge-1", "Datastreams": streams}
    async with sta.client("device") as client:
        device(sta, client, "+gauge-*")
        refused = await client.post(f"{ROOT}/Things", json=whole)
        assert (refused.status_code, "may not make it" in refused.json()["message"]) == (403, True)
        assert sta.series.latest().num_rows == 0
        assert [one.id for one in sta.parts.registry.entities("thing")] == []
        client.headers["Authorization"] = basic("two", sta.parts.accounts.devices.create("2", "two", list(LISTED)))
        version = sta.parts.registry.version
        await posted(client, "/Things", whole)
        assert sta.parts.registry.version == version + 1
    async with sta.client("dispatcher") as client:
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1.0]
        assert await results(client, "/FeaturesOfInterest('spring')/Observations") == [5.0, 3.0]
        assert sorted(await results(client, "/FeaturesOfInterest('gauge-1')/Observations")) == [2.0, 4.0]


async def test_a_new_datastream_brings_a_feature_and_one_bad_feature_makes_nothing(sta: World) -> None:
    async with sta.client("device") as client:
        device(sta, client)
        await posted(client, "/Things", {"@iot.id": "gauge-1", "name": "Gauge", "description": "Bare"})
        version = sta.parts.registry.version
        for bad, code in (({"@iot.id": "none"}, 400), ({"@iot.id": "well-9"}, 400), ({**POND, "name": ""}, 400)):
            stream = {**STREAM, "Observations": [brought(50, 1.0, SPRING), brought(51, 2.0, bad)]}
            assert (await client.post(f"{ROOT}/Things('gauge-1')/Datastreams", json=stream)).status_code == code
        assert sta.parts.registry.version == version
        at = await posted(client, "/Things('gauge-1')/Datastreams", {**STREAM, "Observations": [brought(50, 1.0, SPRING)]})
    async with sta.client("dispatcher") as client:
        (found,) = (await said(client, f"{at}/Observations", _expand="FeatureOfInterest"))["value"]
        assert found["FeatureOfInterest"]["@iot.id"] == "spring"


async def test_the_observation_of_a_multidatastream_is_about_a_feature_with_all_of_its_fields(masts: World) -> None:
    await made(masts, SPRING)
    async with masts.client("device") as client:
        device(masts, client)
        one = await posted(client, OBSERVED, {**observation("06:30", [1, None, 90]), "FeatureOfInterest": POND})
        named = {**observation("06:40", [2, 3, None]), "MultiDatastream": {"@iot.id": "mast-1"}}
        await posted(client, "/Observations", {**named, "FeatureOfInterest": {"@iot.id": "spring"}})
        await posted(client, OBSERVED, observation("06:50", [4, 5, 6]))
        await posted(client, OBSERVED, {**observation("06:55", [7, 8, 9]), "FeatureOfInterest": {"@iot.id": "mast-1"}})
        version = masts.parts.registry.version
        for result, code in (([1, "much", 3], 400), ([1, 2], 400)):
            bad = {**observation("06:51", result), "FeatureOfInterest": {**POND, "name": "Pond below"}}
            assert (await client.post(ROOT + OBSERVED, json=bad)).status_code == code
        assert masts.parts.registry.version == version
    async with masts.client("dispatcher") as client:
        found = (await said(client, OBSERVED, _expand="FeatureOfInterest", _orderby="phenomenonTime"))["value"]
        about = [(each["result"], each["FeatureOfInterest"]["@iot.id"]) for each in found]
        assert about == [([1, None, 90], "pond"), ([2, 3, None], "spring"), ([4, 5, 6], "mast-1"), ([7, 8, 9], "mast-1")]
        assert (await said(client, f"{one}/FeatureOfInterest"))["name"] == "Pond"
        mine = await said(client, OBSERVED, _filter="FeatureOfInterest/id eq 'spring'")
        assert [each["result"] for each in mine["value"]] == [[2, 3, None]]
        assert sorted(await results(client, "/FeaturesOfInterest('pond')/Observations")) == [1, 90]
        key = one.split("'")[1]
        assert (await said(client, f"/FeaturesOfInterest('pond')/Observations('{key}')"))["result"] == [1, None, 90]
        assert (await client.get(f"{ROOT}/FeaturesOfInterest('spring')/Observations('{key}')")).status_code == 404


async def test_a_new_multidatastream_brings_observations_and_their_features(sta: World) -> None:
    first = [brought(50, [1, 2, 90], SPRING), brought(51, [3, None, None])]
    second = [brought(50, [5, 6, 7], {"@iot.id": "vane-1"})]
    vane = {
        **VANE,
        "Datastreams": [{**STREAM, "Observations": [brought(50, 0.5)]}],
        "MultiDatastreams": [
            {**WIND, "name": "Zephyr", "Observations": first},
            WIND,
            {**WIND, "name": "Air", "Observations": second},
        ],
    }
    async with sta.client("device") as client:
        device(sta, client)
        version = sta.parts.registry.version
        for bad, code in (
            (brought(52, [1, 2]), 400),
            (brought(52, [1, "much", 2]), 400),
            (brought(52, [1, 2, 3], {"@iot.id": "none"}), 400),
        ):
            answer = await client.post(
                f"{ROOT}/Things", json={**VANE, "MultiDatastreams": [{**WIND, "Observations": [*first, bad]}]}
            )
            assert answer.status_code == code, answer.text
        assert (sta.parts.registry.version, sta.series.latest().num_rows) == (version, 0)
        await posted(client, "/Things", vane)
        assert sta.parts.registry.version == version + 1
        await posted(client, "/Things('vane-1')/MultiDatastreams", {**WIND, "name": "Storm", "Observations": first})
    async with sta.client("dispatcher") as client:
        for name, wanted in (
            ("zephyr", [([1, 2, 90], "Spring"), ([3, None, None], None)]),
            ("wind", []),
            ("air", [([5, 6, 7], None)]),
            ("storm", [([1, 2, 90], "Spring"), ([3, None, None], None)]),
        ):
            at = f"/MultiDatastreams('vane-1.{name}')/Observations"
            found = (await said(client, at, _expand="FeatureOfInterest", _orderby="phenomenonTime"))["value"]
            # The vane itself stands nowhere.
            assert [(each["result"], (each["FeatureOfInterest"] or {}).get("name")) for each in found] == wanted, name
        assert await results(client, "/Datastreams('vane-1.water-level')/Observations") == [0.5]


@pytest.mark.parametrize("name", ["Datastreams", "MultiDatastreams"])
async def test_a_thing_that_is_described_with_its_stream_brings_observations_too(sta: World, name: str) -> None:
    """Who may not make the thing makes nothing: the id that it asks for is in the device's list."""
    thing: dict[str, Any] = {"@iot.id": "vane-2", "name": "Vane", "description": "2"}
    thing |= {
        "Datastreams": [{**STREAM, "Observations": [brought(50, 0.5)]}],
        "MultiDatastreams": [{**WIND, "Observations": [brought(50, [1, 2, 3])]}],
    }
    last = {
        "Datastreams": {**STREAM, "Observations": [brought(51, 0.75)]},
        "MultiDatastreams": {**WIND, "Observations": [brought(51, [4, 5, 6])]},
    }
    async with sta.client("device") as client:
        device(sta, client)
        at = await posted(client, f"/{name}", {**last[name], "Thing": thing})
    wanted = {"Datastreams": [[0.5], [0.75], [[1, 2, 3]]], "MultiDatastreams": [[0.5], [[1, 2, 3]], [[4, 5, 6]]]}
    async with sta.client("dispatcher") as client:
        keys = [f"/Datastreams('{stream.id}')" for stream in sta.parts.registry.streams_of("vane-2")][: 1 + (name == "Datastreams")]
        keys += [f"/MultiDatastreams('{one}')" for one in sorted(sta.parts.registry.made.groups["vane-2"])]
        assert [await results(client, f"{key}/Observations") for key in keys] == wanted[name]
        assert at in keys
