"""What hostile and careless clients send: each is answered with its reason, soon, and nothing is half done."""

import asyncio
import itertools
from typing import Any
from urllib.parse import quote

import pytest
from httpx import AsyncClient, Response

from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, desk, fill
from tests.doors.sensorthings.test_making import GAUGE, PLACE, posted

HUGE = " mul ".join(["999999999999999999"] * 30)
LATE, EARLY = "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"


def joined(path: str, times: int) -> str:
    """An expression that speaks of a path many times."""
    text = path
    for _ in range(times):
        text = f"concat({text},{path})"
    return text


def refused(answer: Response, status: int = 400) -> dict[str, Any]:
    """The problem document of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["detail"]
    assert said["status"] == status
    return said


@pytest.mark.parametrize(
    ("path", "written", "found"),
    [
        # What no number holds is null; null is equal to null alone.
        ("Things", f"({HUGE}) sub 1.5 eq null", 2),
        ("Things", "1e308 mul 10 eq null and floor(1e308 mul 10) eq null", 2),
        ("Things", "999999999999999999 mul 999999999999999999 gt 999999999999999999", 2),
        ("Things", "geo.distance(geography'POINT EMPTY', Locations/location) eq null", 2),
        ("Things", "st_relate(geography'GEOMETRYCOLLECTION (POINT (1 1), POLYGON ((0 0, 1 1, 0 1, 1 0, 0 0)))', Locations/location, 'T********')", 0),
        ("Things", "id in (" + "'x'," * 1900 + "'well-1')", 1),
        ("Observations", "Datastream/id in (" + "'x'," * 1000 + "'well-2.salt')", 1),
        ("Observations", "result in (10, 12.5, 99)", 2),
        ("Observations", "phenomenonTime in (2026-11-22T06:50:00Z, 2026-11-22T14:55:00+08:00)", 2),
    ],
)  # fmt: skip
async def test_a_condition_with_great_numbers_or_long_lists_is_answered(sta: World, path: str, written: str, found: int) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        assert len(await someone.ids(f"/{path}", _filter=written)) == found


@pytest.mark.parametrize(
    ("path", "option", "written"),
    [
        ("Observations", "$filter", f"phenomenonTime lt {LATE}"),
        ("Observations", "$filter", f"phenomenonTime gt {EARLY}"),
        ("Locations", "$filter", "st_within(location, geography'POINT (1e400 0)')"),
        ("Locations", "$filter", "st_within(location, geography'POINT (1e300 0)')"),
        ("Locations", "$filter", "st_within(location, geography'CURVEPOLYGON (CIRCULARSTRING (0 0, 4 0, 4 4, 0 4, 0 0))')"),
        ("Things", "$filter", f"length({joined('Datastreams/id', 30)}) gt 1"),
        ("Things", "$orderby", f"length({joined('Datastreams/id', 30)})"),
        ("Things", "$filter", f"{'Datastreams/Thing/' * 200}id eq 'well-1'"),
    ],
)
async def test_a_condition_that_cannot_be_answered_is_refused(sta: World, path: str, option: str, written: str) -> None:
    async with sta.client("dispatcher") as client:
        said = refused(await client.get(f"{ROOT}/{path}?{option}={quote(written)}"))
    assert said["reason"] == "bad_input"


async def test_a_path_that_goes_round_leads_to_each_entity_once(sta: World) -> None:
    async with desk(sta) as someone:
        round_ = "Thing/Datastreams/" * 9
        assert await someone.ids("/Datastreams", _filter=f"{round_}id eq 'well-1.salt'", _orderby=f"{round_}id,id") == [
            "well-1.level",
            "well-1.salt",
        ]


@pytest.mark.parametrize("path", ["/", "/Things", "/Things('well-1')", "/nothing", "/api"])
async def test_options_say_which_methods_there_are(sta: World, path: str) -> None:
    async with sta.client() as anyone:
        answer = await anyone.options(ROOT + path)
        native = await anyone.options("/api/v1/observe/observations")
    assert (answer.status_code, native.status_code) == (204, 204)
    assert "GET" in answer.headers["allow"]
    assert "GET" in native.headers["allow"]


async def test_a_host_that_is_none_is_refused(sta: World) -> None:
    async with sta.client("dispatcher") as client:
        for path in (f"{ROOT}/Things", "/api/openapi.json"):
            answer = await client.get(path, headers={"Host": "city:99999999"})
            assert (answer.status_code, answer.json()["status"]) == (400, 400), answer.text


async def test_a_time_in_small_letters_is_stored_and_told_alike(sta: World) -> None:
    body = {"phenomenonTime": "2026-11-22t06:50:00z", "result": 3, "resultTime": "2026-11-22t06:51:00z"}
    async with sta.client("device") as device:
        made = await device.post(f"{ROOT}/Datastreams('well-1.level')/Observations", json=body)
        array = [{"Datastream": {"@iot.id": "well-1.salt"}, "components": ["phenomenonTime", "result"], "dataArray": [["2026-11-22t06:50:00z", 3]]}]  # fmt: skip
        many = await device.post(f"{ROOT}/CreateObservations", json=array)
    assert (made.status_code, many.status_code) == (201, 201), made.text
    async with desk(sta) as someone:
        one = await someone.get(made.headers["location"].partition(ROOT)[2])
    assert (one["phenomenonTime"], one["resultTime"]) == ("2026-11-22T06:50:00Z", "2026-11-22T06:51:00Z")


@pytest.mark.parametrize("time", [f"{EARLY}/{LATE}", f"{EARLY}/2026-11-22T06:00:00Z", EARLY])
async def test_a_time_outside_the_years_is_refused(sta: World, time: str) -> None:
    async with sta.client("device") as device:
        for body in ({"phenomenonTime": time}, {"validTime": time}, {"resultTime": time}):
            refused(await device.post(f"{ROOT}/Datastreams('well-1.level')/Observations", json={"result": 3, **body}))
    async with sta.client("admin") as admin:
        await posted(admin, "/Things", GAUGE)
        refused(await admin.post(f"{ROOT}/Things('river-gauge')/HistoricalLocations", json={"time": LATE, "Locations": [PLACE]}))


async def test_a_geometry_of_no_kind_is_refused(sta: World) -> None:
    about = {"name": "f", "description": "d", "encodingType": "application/geo+json"}
    async with sta.client("admin") as admin:
        kinds: tuple[Any, ...] = (["Point"], {}, None, 1)
        for kind in kinds:
            refused(
                await admin.post(f"{ROOT}/FeaturesOfInterest", json={**about, "feature": {"type": kind, "coordinates": [1, 2]}})
            )


@pytest.mark.parametrize("url", ["http://[::1", "http://[x]/Things", "//[/Things"])
async def test_a_batch_with_an_address_that_is_none_is_refused_whole(sta: World, url: str) -> None:
    first = {"id": "1", "method": "post", "url": "Things", "body": {"name": "Gauge", "description": "A gauge"}}
    async with sta.client("admin") as admin:
        said = refused(await admin.post(f"{ROOT}/$batch", json={"requests": [first, {"id": "2", "method": "get", "url": url}]}))
    assert said["parameter"] == "url"
    assert not list(sta.parts.registry.entities("thing"))


@pytest.mark.parametrize(
    "sent",
    [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"\xff", b"", b"\xef\xbb\xbf{}", b'{"name":"\\ud800"}'],
)
async def test_a_body_that_is_no_json_or_too_deep_is_refused(sta: World, sent: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    async with sta.client("admin") as admin:
        for path in ("Things", "Locations", "$batch"):
            refused(await admin.post(f"{ROOT}/{path}", content=sent, headers=kind))
        refused(await admin.post(f"{ROOT}/Things", content="{}".encode("utf-16"), headers={"Content-Type": "application/json; charset=utf-16"}), 415)  # fmt: skip
    async with sta.client("device") as device:
        for path in ("Observations", "CreateObservations"):
            refused(await device.post(f"{ROOT}/{path}", content=sent, headers=kind))


async def test_what_is_nested_deeply_is_patched_and_no_deeper_than_can_be_written(sta: World) -> None:
    kind = {"Content-Type": "application/json"}
    patch = {"Content-Type": "application/json-patch+json"}
    deep = '{"a":' * 900 + "1" + "}" * 900
    async with sta.client("admin") as admin:
        thing = '{"name":"Deep","description":"d","@iot.id":"deep","properties":' + deep + "}"
        assert (await admin.post(f"{ROOT}/Things", content=thing, headers=kind)).status_code == 201
        at = f"{ROOT}/Things('deep')"
        add = '[{"op":"add","path":"/properties/b","value":1}]'
        assert (await admin.patch(at, content=add, headers=patch)).status_code == 200
        further = '[{"op":"add","path":"/properties' + "/a" * 900 + '","value":' + deep + "}]"
        refused(await admin.patch(at, content=further, headers=patch))
        assert (await admin.get(at)).json()["properties"]["b"] == 1


async def test_a_data_array_that_names_a_column_twice_is_refused(sta: World) -> None:
    array = {"Datastream": {"@iot.id": "well-1.level"}, "components": ["result", "result"], "dataArray": [[1, 2]]}
    async with sta.client("device") as device:
        assert refused(await device.post(f"{ROOT}/CreateObservations", json=[array]))["parameter"] == "components"


async def test_corrections_of_one_observation_at_once_are_each_done_or_refused(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        (key,) = await someone.ids("/Datastreams('well-1.level')/Observations", _top="1")
    async with sta.client("data_officer") as officer:
        at = f"{ROOT}/Observations('{key}')"
        answers = await asyncio.gather(*(officer.patch(at, json={"result": 20.0 + n}) for n in range(6)))
        done = [20.0 + n for n, answer in enumerate(answers) if answer.status_code == 200]
        assert done
        assert {answer.status_code for answer in answers} <= {200, 412}
        assert (await officer.get(at)).json()["result"] in done


@pytest.mark.parametrize(
    "key", ["it's", "a/b", "100%", "井 😀", "a?b#c", "a(b)'c", "..", "a\\b", "a;b=c&d", "+", " "], ids=range(11)
)
async def test_an_id_of_any_letters_is_refused_or_stands_where_it_says(sta: World, key: str) -> None:
    async with sta.client("admin") as admin:
        answer = await admin.post(f"{ROOT}/FeaturesOfInterest", json={"@iot.id": key, **_feature("f")})
        if answer.status_code != 201:
            refused(answer)
            return
        at = answer.headers["location"].partition(ROOT)[2]
        assert (await admin.get(ROOT + at)).json()["@iot.id"] == key
        assert (await admin.patch(ROOT + at, json={"description": "new"})).status_code == 200
        assert (await admin.delete(ROOT + at)).status_code == 200
        refused(await admin.get(ROOT + at), 404)


def _feature(name: str) -> dict[str, Any]:
    return {"name": name, "description": "d", "encodingType": "application/geo+json", "feature": PLACE["location"]}


async def test_changes_of_one_entity_at_once_are_each_done_whole(sta: World) -> None:
    async with sta.client("admin") as admin:
        at = ROOT + await posted(admin, "/Things", GAUGE)
        bodies = [{"name": f"n{n}", "description": f"d{n}", "properties": {"n": n}} for n in range(12)]
        answers = await asyncio.gather(*(admin.patch(at, json=body) for body in bodies))
        assert {answer.status_code for answer in answers} <= {200, 409, 412}
        done = [body for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 200]
        said = (await admin.get(at)).json()
    assert {name: said[name] for name in ("name", "description", "properties")} in done


async def test_making_and_ending_at_once_leaves_all_or_nothing(sta: World) -> None:
    async with sta.client("admin") as admin:
        for turn in range(4):
            thing = {**GAUGE, "@iot.id": f"gauge-{turn}"}
            at = f"{ROOT}/Things('gauge-{turn}')"
            answers = await asyncio.gather(
                *itertools.chain.from_iterable((admin.post(f"{ROOT}/Things", json=thing), admin.delete(at)) for _ in range(3))
            )
            assert {answer.status_code for answer in answers} <= {200, 201, 400, 404, 409}, [one.text for one in answers]
            await _whole(admin, at)


async def _whole(client: AsyncClient, at: str) -> None:
    """A thing with its Datastream and its place, or none of them."""
    thing = await client.get(at, params={"$expand": "Datastreams,Locations"})
    streams = await client.get(f"{ROOT}/Datastreams", params={"$filter": f"Thing/id eq '{at.split(chr(39))[1]}'"})
    if thing.status_code == 404:
        assert streams.json()["value"] == []
    else:
        assert (len(thing.json()["Datastreams"]), len(thing.json()["Locations"])) == (1, 1)


async def test_what_depends_on_what_failed_is_not_done_and_says_so(sta: World) -> None:
    thing = {"name": "Gauge", "description": "A gauge"}
    requests: list[dict[str, Any]] = [
        {"id": "1", "method": "post", "url": "Things", "body": {"name": "No description"}},
        {"id": "2", "method": "post", "url": "$1/Locations", "body": PLACE, "dependsOn": ["1"]},
        {"id": "3", "method": "post", "url": "$1/Locations", "body": PLACE},
        {"id": "4", "method": "post", "url": "Things", "body": thing, "atomicityGroup": "g"},
        {"id": "5", "method": "patch", "url": "$1", "body": {"name": "x"}, "atomicityGroup": "g"},
        {"id": "6", "method": "get", "url": "$4", "dependsOn": ["g"]},
    ]
    async with sta.client("admin") as admin:
        answers = (await admin.post(f"{ROOT}/$batch", json={"requests": requests})).json()["responses"]
    assert [one["status"] for one in answers] == [400, 424, 424, 424, 424, 424]
    assert all(one["body"]["detail"] and one["body"]["title"] for one in answers)
    assert not list(sta.parts.registry.entities("thing"))


async def test_the_same_option_twice_and_great_pages_are_refused_or_cut(sta: World) -> None:
    async with sta.client("dispatcher") as client:
        for twice in ("$top=1&$top=1", "$filter=true&$filter=true", "$expand=Datastreams($top=1;$top=2)"):
            refused(await client.get(f"{ROOT}/Things?{twice}"))
        assert len((await client.get(f"{ROOT}/Things?$top=999999999")).json()["value"]) == 2
        assert (await client.get(f"{ROOT}/Things?$skip=999999999")).json() == {"value": []}
        refused(await client.get(f"{ROOT}/Things?$top=99999999999999999999"))
        head = await client.head(f"{ROOT}/Things")
        assert (head.status_code, head.content) == (405, b"")


async def test_a_round_of_expands_ends(sta: World) -> None:
    async with sta.client("dispatcher") as client:
        answer = await client.get(f"{ROOT}/Things?$expand={'Datastreams/Thing/' * 4}Datastreams")
        assert answer.status_code in (200, 400), answer.text
        refused(await client.get(f"{ROOT}/Things?$expand={'Datastreams/Thing/' * 40}Datastreams"))
        many = ",".join(["Datastreams($expand=Thing)"] * 200)
        assert (await client.get(f"{ROOT}/Things?$expand={many}")).status_code in (200, 400)
