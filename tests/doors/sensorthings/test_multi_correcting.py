"""Observations of a MultiDatastream changed and deleted: all readings that they are put together from, in one act."""

import pytest

from citybrain.brain.observe import Featured
from citybrain.doors.sensorthings.altering import PATCH
from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.text import Json, same
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, entrusted
from tests.doors.sensorthings.test_anew import about
from tests.doors.sensorthings.test_correcting import corrections, patched, results
from tests.doors.sensorthings.test_featuring import made
from tests.doors.sensorthings.test_making import posted, said
from tests.doors.sensorthings.test_multi import OBSERVED, RESULTS, fill
from tests.doors.sensorthings.test_unobserving import steward

STREAMS = ("mast-1.wind", "mast-1.gust", "mast-1.bearing")
WHOLE, HALF = 0, 1
"""Of the rows the one in which no field is null, and one in which only the second is not."""


def at(addresses: list[str], place: int) -> str:
    return addresses[place].partition(ROOT)[2]


async def test_what_differs_of_an_array_is_corrected_and_the_rest_is_left(masts: World) -> None:
    one = at(await fill(masts), WHOLE)
    async with masts.client("data_officer") as client:
        body = {**await said(client, one), "result": [1.5, 2.5, 90.0], "MultiDatastream": {"@iot.id": "mast-1"}}
        assert (await client.put(ROOT + one, json=body)).status_code == 200
        found = await said(client, one)
        assert (found["result"], found["resultQuality"][0]["fields"]) == ([1.5, 2.5, 90.0], ["wind", "gust"])
        operations: list[Json] = [{"op": "replace", "path": "/result/2", "value": 95}]
        assert (await patched(client, one, operations, **{"Content-Type": PATCH})).status_code == 200
        assert (await said(client, one))["result"] == [1.5, 2.5, 95.0]
        assert (await patched(client, one, {"result": [1.5, 2.5, 95]})).status_code == 200
        assert [len(corrections(masts, name)) for name in STREAMS] == [1, 1, 1]
        number = corrections(masts, "mast-1.gust")[0].no
        road = f"/api/v1/observe/streams/mast-1.gust/corrections/{number}/end"
        assert (await client.post(road, json={"why": "原来没有错"})).status_code == 201
        assert (await said(client, one))["result"] == [1.5, 2.0, 95.0]


async def test_deleted_is_every_reading_that_it_has(masts: World) -> None:
    addresses = await fill(masts)
    async with masts.client("data_officer") as client:
        for place, left in ((WHOLE, RESULTS[1:]), (HALF, RESULTS[2:])):
            assert (await client.delete(ROOT + at(addresses, place))).status_code == 200
            assert (await client.delete(ROOT + at(addresses, place))).status_code == 404
            assert sorted(await results(client, OBSERVED), key=str) == sorted(left, key=str)
        assert [len(corrections(masts, name)) for name in STREAMS] == [1, 2, 1]
        assert await results(client, "/Datastreams('mast-1.gust')/Observations") == []


async def test_null_strikes_out_what_stands(masts: World) -> None:
    one = at(await fill(masts), WHOLE)
    async with masts.client("data_officer") as client:
        assert (await patched(client, one, {"result": [1.0, None, None]})).status_code == 200
        assert (await said(client, one))["result"] == [1.0, None, None]
    assert [[each.change.strikes for each in corrections(masts, name)] for name in STREAMS] == [[], [True], [True]]


async def test_one_change_sets_strikes_out_and_adds(masts: World) -> None:
    one = at(await fill(masts), HALF)
    async with masts.client("data_officer") as client:
        body = {"result": [7, None, 80], "parameters": {"depth": 1}}
        assert (await said(client, one))["result"] == [None, 3.0, None]
        assert (await patched(client, one, {"result": [7, None, 80]})).status_code == 200
        found = await said(client, one)
        assert (found["result"], found["resultQuality"][0]["fields"]) == ([7, None, 80], ["wind", "bearing"])
        assert (await patched(client, one, {**body, "result": [None, 4, 81]})).status_code == 200
        found = await said(client, one)
        assert (found["result"], found["parameters"]["depth"]) == ([None, 4, 81], 1)
        assert masts.parts.corrections.verify() == 3
        added = corrections(masts, "mast-1.gust")[0]
        road = f"/api/v1/observe/streams/mast-1.gust/corrections/{added.no}/end"
        assert (await client.post(road, json={"why": "原来没有错"})).status_code == 201
        assert (await said(client, one))["result"] == [None, None, 81]


async def test_a_reading_that_it_gets_says_all_that_it_says_and_leaves_with_it(masts: World) -> None:
    await made(masts)
    body = {"phenomenonTime": "2026-11-22T06:50:00Z", "result": [1, None, 90], "parameters": {"depth": 1}}
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-*")
        one = await posted(device, OBSERVED, body | {"FeatureOfInterest": {"@iot.id": "pond"}})
    async with steward(masts) as client:
        assert (await patched(client, one, {"result": [None, 2, None]})).status_code == 200
        found = await said(client, one)
        assert (found["result"], found["parameters"]["depth"], await about(client, one)) == ([None, 2, None], 1, "pond")
        assert (await patched(client, one, {"result": [3, 2, None], "parameters": {"depth": 2}})).status_code == 200
        for name in ("wind", "gust"):
            (single,) = (await said(client, f"/Datastreams('mast-1.{name}')/Observations", _expand="FeatureOfInterest"))["value"]
            assert (single["parameters"]["depth"], single["FeatureOfInterest"]["@iot.id"]) == (2, "pond")
        assert (masts.parts.corrections.verify(), Featured(masts.transactions).verify()) == (3, 2)
        (added,) = corrections(masts, "mast-1.gust")
        road = f"/api/v1/observe/streams/mast-1.gust/corrections/{added.no}/end"
        assert (await client.post(road, json={"why": "原来没有错"})).status_code == 201
        assert (await said(client, one))["result"] == [3, None, None]
        assert (await client.delete(f"{ROOT}/FeaturesOfInterest('pond')")).status_code == 200
        assert await results(client, OBSERVED) == [], "all of it goes with its feature"


@pytest.mark.parametrize(
    ("place", "result", "code", "words"),
    [
        (WHOLE, [1.5, 2.5], 400, "an array of 3"),
        (WHOLE, 1.5, 400, "an array of 3"),
        (WHOLE, ["1", 2, 3], 400, "numbers or null"),
    ],
)
async def test_what_is_no_change_of_it_is_refused_whole(masts: World, place: int, result: Json, code: int, words: str) -> None:
    addresses = await fill(masts)
    async with masts.client("data_officer") as client:
        answer = await patched(client, at(addresses, place), {"result": result})
        assert (answer.status_code, words in answer.json()["message"]) == (code, True), answer.text
        other = await patched(client, at(addresses, WHOLE), {"Datastream": {"@iot.id": "mast-2.wind"}})
        assert (other.status_code, "is not moved to a Datastream" in other.json()["message"]) == (409, True)
    assert [corrections(masts, name) for name in STREAMS] == [()] * 3


async def test_a_full_store_leaves_all_as_it_was(masts: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_: object) -> None:
        raise StorageFullError(same("full"))

    one = at(await fill(masts), WHOLE)
    monkeypatch.setattr(masts.series, "append", full)
    async with masts.client("data_officer") as client:
        assert (await client.delete(ROOT + one)).status_code == StorageFullError.status
        assert (await said(client, one))["result"] == RESULTS[0]
    assert [corrections(masts, name) for name in STREAMS] == [()] * 3
