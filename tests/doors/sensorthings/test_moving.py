"""Observations moved to another Datastream: struck out where they were, set where they are, and found under their old ids."""

from typing import Any

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import CORRECTION, Featured, read_rows
from citybrain.doors.sensorthings.altering import PATCH
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import By, Field, Kind
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, entrusted, fill, planted
from tests.doors.sensorthings.test_anew import SET, about, mark, records
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_correcting import LISTED, corrections, newest, officer, patched, results, trail
from tests.doors.sensorthings.test_featuring import POND, made, reading
from tests.doors.sensorthings.test_making import posted, said
from tests.doors.sensorthings.test_together import of_group, status

THERE = "/Datastreams('well-2.level')/Observations"
TO: dict[str, Json] = {"Datastream": {"@iot.id": "well-2.level"}}
METER = Kind(
    "meter",
    Text("水表", "Meter"),
    (
        Field("turns", Text("转数", "Turns"), By.SENSOR, "m", every="PT5M", silent_after="PT20M"),
        Field("rate", Text("流速", "Rate"), By.DERIVED, "m"),
    ),
    "water",
    access="closed",
)


async def test_one_that_was_sent_to_the_wrong_datastream_is_moved_with_all_that_it_says(sta: World) -> None:
    await fill(sta)
    await made(sta, POND)
    async with sta.client("device") as device:
        at = await posted(device, "/Observations", reading(51, 1.5) | {"parameters": {"depth": 1}, "validTime": None})
    async with sta.client("data_officer") as client:
        assert (await patched(client, at, TO)).status_code == 200
        assert (await results(client), await results(client, THERE)) == ([12.5, 11.0, 10.0], [1.5])
        found = await said(client, at)
        assert (found["@iot.id"], found["phenomenonTime"]) == (f"3.{parse('2026-11-22T06:51:00Z')}", "2026-11-22T06:51:00Z")
        assert (found["parameters"]["depth"], await about(client, at)) == (1, "pond")
        assert found["resultQuality"] == [SET, mark("Datastream")]
        assert (await said(client, f"{at}/Datastream"))["@iot.id"] == "well-2.level"
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1.5]
        assert (await patched(client, at, TO)).status_code == 200, "it is there already"
    (one,) = records(sta)
    level = sta.parts.registry.stream("well-2.level").no
    assert (one.moved, one.moved_stream, one.names, one.by) == (one.time, level, ("Datastream",), officer(sta))
    assert [[each.change.strikes for each in corrections(sta, name)] for name in ("well-1.level", "well-2.level")] == [
        [True],
        [False],
    ]
    assert (sta.parts.corrections.verify(), Featured(sta.transactions).verify()) == (2, 1)
    asked = [row["resource"] for row in await trail(sta)]
    assert set(asked) == {"stream:well-1.level", "stream:well-2.level"}, "both are asked for"


@pytest.mark.parametrize("way", ["bind", "whole address", "patch", "put", "link", "posted link"])
async def test_it_is_named_by_id_by_address_and_under_its_link(sta: World, way: str) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        link, named = f"{ROOT}{at}/Datastream/$ref", {"@iot.id": "well-2.level"}
        operations = [{"op": "replace", "path": "/Datastream/@iot.id", "value": "well-2.level"}]
        match way:
            case "bind":
                answer = await patched(client, at, {"Datastream@odata.bind": "Datastreams('well-2.level')"})
            case "whole address":
                answer = await patched(client, at, {"Datastream@odata.bind": f"http://city{ROOT}/Datastreams('well-2.level')"})
            case "patch":
                answer = await patched(client, at, operations, **{"Content-Type": PATCH})
            case "put":
                answer = await client.put(ROOT + at, json={**await said(client, at), "Datastream": named})
            case _:
                answer = await client.request("PUT" if way == "link" else "POST", link, json=named)
        assert answer.status_code == 200, answer.text
        assert (await results(client, THERE), (await said(client, at))["result"]) == ([12.5], 12.5)
        assert (await client.put(link, json={"name": "Level"})).status_code == 400
        gone = await client.delete(link)
        assert (gone.status_code, "name another one by PUT" in gone.json()["message"]) == (409, True)
    async with sta.client("device") as device:
        assert (await device.put(link, json=named)).status_code == 403


async def test_it_may_be_of_another_time_and_result_there_and_about_what_is_named(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        assert await about(client, at) == "well-1"
        body = {**TO, "phenomenonTime": "2026-11-22T06:41:00Z", "result": 3, "FeatureOfInterest": {"@iot.id": "well-1"}}
        assert (await patched(client, at, body)).status_code == 200
        found = await said(client, at)
        assert (found["result"], await about(client, at)) == (3, "well-1"), "its Thing's place no longer, but that place it is"
        assert found["resultQuality"] == [SET, mark("phenomenonTime", "Datastream", "result")]
        second = await newest(client)
        assert (await patched(client, second, TO)).status_code == 200
        assert await about(client, second) == "well-2", "what was about the place of its own Thing is so there"
        assert (
            await patched(client, second, {"Datastream": {"@iot.id": "well-1.level"}, "phenomenonTime": "2026-11-22T06:42:00Z"})
        ).status_code == 200
        assert (await said(client, second))["phenomenonTime"] == "2026-11-22T06:42:00Z", (
            "an id leads on, however often it was moved"
        )
        assert await results(client) == [10.0, 11.0]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (TO | {"phenomenonTime": "2026-11-22T06:58:00Z"}, 409, "There is a reading at 2026-11-22T06:58:00Z"),
        ({"Datastream": {"@iot.id": "well-1.salt"}}, 409, "The units differ: the result of the Observation is in m"),
        (TO | {"result": "high"}, 400, "a finite number"),
        (TO | {"phenomenonTime": "1999-01-01T00:00:00Z"}, 400, "too_old"),
        ({"Datastream": {"@iot.id": "well-3.level"}}, 400, "There is no Datastream 'well-3.level'"),
        ({"Datastream": {"@iot.id": "m-1.turns"}}, 403, ""),
        ({"Datastream": {"@iot.id": "m-1.rate"}}, 409, "computed from other readings: it takes none"),
        (TO | {"colour": "blue"}, 501, "colour"),
    ],
)
async def test_where_it_does_not_fit_nothing_is_moved(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, body: dict[str, Any], code: int, words: str
) -> None:
    city = planted(monkeypatch, request, METER, ("m-1", "表1"))
    await fill(city)
    await city.parts.intake.take(
        read_rows(b'[{"stream": "well-2.level", "time": "2026-11-22T06:58:00Z", "value": 3}]'), "test", None
    )
    async with city.client("data_officer") as client:
        at = await newest(client)
        answer = await patched(client, at, body)
        assert (answer.status_code, words in answer.json()["message"]) == (code, True), answer.text
        assert (await results(client), await results(client, THERE)) == ([12.5, 11.0, 10.0], [3.0])
    assert (corrections(city), corrections(city, "well-2.level"), records(city)) == ((), (), ())


async def test_a_result_in_another_unit_is_said_along_with_it(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        assert (await patched(client, at, {"Datastream": {"@iot.id": "well-1.salt"}, "result": 12.5})).status_code == 200
        assert (await said(client, at))["result"] == 12.5
        assert (await said(client, at))["resultQuality"] == [SET, mark("Datastream")]


async def test_every_reader_can_tell_what_was_moved_from_what_was_measured(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        assert (await patched(client, at, {"phenomenonTime": "2026-11-22T06:41:00Z"})).status_code == 200
        second = await newest(client)
        assert (await patched(client, second, TO)).status_code == 200
        road = "/api/v1/observe/observations"
        for stream, value in (("well-1.level", 12.5), ("well-2.level", 11.0)):
            rows = (await client.get(f"{road}?stream={stream}&mark=corrected")).json()["items"]
            assert [(row["value"], row["mark"], row["door"]) for row in rows] == [(value, "corrected", CORRECTION)]
        buckets = (
            await client.get(
                "/api/v1/observe/streams/well-2.level/history?bucket=PT1H&since=2026-11-22T06:00:00Z&until=2026-11-22T07:00:00Z"
            )
        ).json()
        assert [(one["count"], one["corrected"]) for one in buckets["items"]] == [(1, 1)]
        export = (await client.get("/api/v1/exchange/datasets/observation/export.json?stream=well-1.level")).json()
        assert [row["mark"] for row in export["items"]] == ["measured", "corrected"]
        assert (export["readings"]["rows"]["corrected"], export["readings"]["left_out"]) == (1, {"struck": 2})
        one = (await client.get("/api/v1/observe/streams/well-2.level/corrections/3")).json()
        assert [(row["measured"], row["before"], row["after"]) for row in one["readings"]] == [(None, None, 11.0)]


async def test_a_move_is_taken_back_piece_by_piece(sta: World) -> None:
    await fill(sta)
    async with sta.client("device") as device:
        at = await posted(device, "/Observations", reading(59, 13, about=None) | {"parameters": {"depth": 1}})
    async with sta.client("data_officer") as client:
        assert (await patched(client, at, TO)).status_code == 200
        (new,), (old,) = corrections(sta, "well-2.level"), corrections(sta)
        assert (await patched(client, at, {"result": 14})).status_code == 200
        road = "/api/v1/observe/streams"
        over = await client.post(f"{road}/well-2.level/corrections/{new.no}/end", json={"why": "原来没有错"})
        assert over.status_code == 409, "a correction rests on it"
        for stream, no in (("well-2.level", 3), ("well-2.level", new.no), ("well-1.level", old.no)):
            answer = await client.post(f"{road}/{stream}/corrections/{no}/end", json={"why": "原来没有错"})
            assert (answer.status_code, answer.json()["ended"]["restored"]) == (201, 1), answer.text
        found = await said(client, at)
        assert (found["result"], found["parameters"]["depth"], "resultQuality" in found) == (13, 1, False)
        assert (await results(client, THERE), sta.parts.corrections.verify()) == ([], 0)
        assert (await said(client, "/Datastreams('well-2.level')"))["properties"]["latest"]["value"] is None
        async with sta.client("device") as device:
            entrusted(sta, device, "well-2.*")
            await posted(device, "/Observations", reading(59, 13, about=None) | {"Datastream": {"@iot.id": "well-2.level"}})
        (heard,) = (await said(client, THERE))["value"]
        assert (heard["result"], "depth" in heard["parameters"]) == (13.0, False), "whoever measured there is heard"


async def test_one_that_was_moved_by_mistake_is_moved_back(sta: World) -> None:
    await fill(sta)
    async with sta.client("device") as device:
        at = await posted(device, "/Observations", reading(59, 13, about=None) | {"parameters": {"depth": 1}})
    back: Json = {"Datastream": {"@iot.id": "well-1.level"}}
    async with sta.client("data_officer") as client:
        there = f"/Observations('3.{parse('2026-11-22T06:59:00Z')}')"
        for _ in range(2):
            assert (await patched(client, at, TO)).status_code == 200
            assert (await patched(client, at, back)).status_code == 200
        found = await said(client, at)
        assert (found["result"], found["parameters"]["depth"], found["resultQuality"]) == (
            13,
            1,
            [SET, mark("Datastream", "FeatureOfInterest")],
        )
        assert (await results(client, THERE), await said(client, there)) == ([], found), "each id leads to it"
        assert (sta.parts.corrections.verify(), Featured(sta.transactions).verify()) == (2, 1)
        strike = next(one.no for one in corrections(sta)[::-1] if one.change.strikes)
        road = "/api/v1/observe/streams/well-1.level/corrections"
        refused = await client.post(f"{road}/{strike}/end", json={"why": "原来没有错"})
        assert refused.status_code == 409, "what came back stands in its place"
        for one in corrections(sta):
            assert (await client.post(f"{road}/{one.no}/end", json={"why": "原来没有错"})).status_code == 201
        assert ((await said(client, at))["result"], (await said(client, at))["parameters"]["depth"]) == (13, 1)
        assert "resultQuality" not in await said(client, at)
        assert sta.parts.corrections.verify() == 1


async def test_the_observation_of_a_multidatastream_goes_to_another_of_as_many_parts(masts: World) -> None:
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-*")
        body = {"phenomenonTime": "2026-11-22T06:50:00Z", "result": [1, None, 90], "parameters": {"depth": 1}}
        at = await posted(device, "/MultiDatastreams('mast-1')/Observations", body)
    async with masts.client("data_officer") as client:
        assert (await patched(client, at, {"MultiDatastream": {"@iot.id": "mast-2"}})).status_code == 200
        found = await said(client, at)
        assert found["@iot.id"] == f"mast-2@{parse('2026-11-22T06:50:00Z')}"
        assert (found["result"], found["parameters"]["depth"]) == ([1, None, 90], 1)
        assert found["resultQuality"] == [SET | {"fields": ["wind", "bearing"]}, mark("MultiDatastream", "FeatureOfInterest")]
        assert (await said(client, "/MultiDatastreams('mast-1')/Observations"))["value"] == []
        single = (await said(client, "/Datastreams('mast-2.wind')/Observations"))["value"][0]["@iot.id"]
        assert (
            await patched(
                client,
                f"/Observations('{single}')",
                {"Datastream": {"@iot.id": "mast-1.gust"}, "phenomenonTime": "2026-11-22T06:30:00Z"},
            )
        ).status_code == 200
        assert (await said(client, at))["result"] == [None, None, 90], "the rest of it is still there"


async def test_the_observation_of_a_multidatastream_is_not_mixed_with_another(masts: World) -> None:
    body = {"phenomenonTime": "2026-11-22T06:50:00Z", "result": [1, None, 90]}
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-*")
        at = await posted(device, "/MultiDatastreams('mast-1')/Observations", body)
        await posted(device, "/MultiDatastreams('mast-2')/Observations", body | {"result": [None, 2, None]})
    async with masts.client("data_officer") as client:
        answer = await patched(client, at, {"MultiDatastream": {"@iot.id": "mast-2"}})
        assert (answer.status_code, "the two would become one" in answer.json()["message"]) == (409, True)
        assert (await said(client, at))["result"] == [1, None, 90]
        assert await results(client, "/MultiDatastreams('mast-2')/Observations") == [[None, 2, None]]
    assert records(masts, "mast-1.wind") == ()


async def test_in_a_change_set_it_is_moved_with_the_rest_or_not_at_all(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = (await newest(client)).removeprefix("/")
        move = {"id": "m", "method": "patch", "url": at, "body": TO}
        bad = {"id": "b", "method": "patch", "url": at.replace("'1.", "'9."), "body": {"result": 1}}
        assert status(await sent(client, *of_group(move, bad))) == [424, 404]
        assert status(await sent(client, *of_group(move, {**move, "id": "n"}))) == [424, 400]
        assert (await results(client), corrections(sta), records(sta)) == ([12.5, 11.0, 10.0], (), ())
        assert status(await sent(client, *of_group(move))) == [200]
        assert (await results(client), await results(client, THERE)) == ([11.0, 10.0], [12.5])


async def gone(client: AsyncClient, at: str) -> None:
    assert (await client.delete(ROOT + at)).status_code == 200


async def test_what_is_sent_again_after_it_was_deleted_says_nothing_of_what_was_said_before(sta: World) -> None:
    await fill(sta)
    await made(sta, POND)
    bare = reading(51, 2.5, about=None)
    async with sta.client("device") as device, sta.client("data_officer") as client:
        at = await posted(device, "/Observations", reading(51, 1.5) | {"parameters": {"depth": 1}})
        assert (await patched(client, at, {"parameters": {"depth": 2}})).status_code == 200
        await gone(client, at)
        await posted(device, "/Observations", bare)
        found = await said(client, at)
        assert (found["result"], "depth" in found["parameters"], "resultQuality" in found) == (2.5, False, False)
        assert await about(client, at) == "well-1"
        await gone(client, at)
        road = "/api/v1/observe/streams/well-1.level/corrections"
        assert (await client.post(f"{road}/2/end", json={"why": "原来没有错"})).status_code == 201
        assert "depth" not in (await said(client, at))["parameters"], "that one never said it"
        again = await posted(device, "/Observations", reading(52, 1.5) | {"parameters": {"depth": 1}})
        assert (await patched(client, again, {"parameters": {"depth": 2}})).status_code == 200
        await gone(client, again)
        await posted(device, "/Observations", reading(52, 1.5) | {"parameters": {"depth": 1}})
        assert (await client.get(ROOT + again)).status_code == 404, "what is sent again as it was undoes nothing"
        assert (await client.post(f"{road}/3/end", json={"why": "原来没有错"})).status_code == 201
        found = await said(client, again)
        assert (found["parameters"]["depth"], await about(client, again)) == (2, "pond")
        assert found["resultQuality"] == [mark("parameters")]
        assert Featured(sta.transactions).verify() == 1
        await gone(client, again)
    async with sta.client("admin") as admin:
        assert (await admin.delete(f"{ROOT}/FeaturesOfInterest('pond')")).status_code == 200, "nothing that stands is about it"
    async with sta.client("data_officer") as client:
        assert (await client.post(f"{road}/4/end", json={"why": "原来没有错"})).status_code == 201
        assert ((await said(client, again))["parameters"]["depth"], await about(client, again)) == (2, "well-1")
    assert Featured(sta.transactions).verify() == 1


async def test_what_a_span_of_corrections_strikes_out_takes_its_words_along(sta: World) -> None:
    await fill(sta)
    async with sta.client("device") as device, sta.client("data_officer") as client:
        for minute in (51, 52):
            await posted(device, "/Observations", reading(minute, 1.5, about=None) | {"parameters": {"depth": minute}})
        road = "/api/v1/observe/streams/well-1.level/corrections"
        span = {"since": "2026-11-22T06:51:00Z", "until": "2026-11-22T06:52:00Z", "strike": True, "why": "校准时的试气"}
        seen = (await client.post(f"{road}?preview=true", json=span)).headers["ETag"]
        assert (await client.post(road, json=span, headers={"If-Match": seen})).status_code == 201
        await posted(device, "/Observations", reading(51, 2.5, about=None))
        found = (await said(client, LISTED, _orderby="phenomenonTime asc"))["value"]
        assert [one["parameters"].get("depth") for one in found if one["phenomenonTime"] < "2026-11-22T06:53"] == [None, None, 52]
