"""Reading: the data model, resource paths and query options, named by conformance class (OGC 18-088 annex A)."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from citybrain.doors.sensorthings import merging, search, spans
from citybrain.doors.sensorthings.evaluate import Resolve, holds
from citybrain.doors.sensorthings.extents import SPANNED
from citybrain.doors.sensorthings.nodes import Node
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk, desk, entrusted, fill

SETS = (
    "Things",
    "Locations",
    "HistoricalLocations",
    "Datastreams",
    "MultiDatastreams",
    "Sensors",
    "ObservedProperties",
    "Observations",
    "FeaturesOfInterest",
)
STREAMS = ["well-1.level", "well-1.salt", "well-2.level", "well-2.salt"]


async def test_the_landing_page_lists_the_sets_and_the_classes_that_are_held(sta: World) -> None:
    async with desk(sta, None) as anyone:
        found = (await anyone.client.get(ROOT + "/")).json()
    assert [each["name"] for each in found["value"]] == list(SETS)
    assert found["value"][0]["url"] == "http://city/sta/v1.1/Things"
    classes = [held.rpartition("/req/")[2] for held in found["serverSettings"]["conformance"]]
    assert "datamodel/thing" in classes
    parts = ("properties", "relations", "constraints")
    assert [held for held in classes if "multi" in held] == [f"multi-datastream/{part}" for part in parts]
    changing = [held for held in classes if "create-update-delete" in held]
    kept = (
        *("create-entity", "link-to-existing-entities", "deep-insert", "deep-insert-status-code"),
        *("update-entity", "update-entity-put", "update-entity-jsonpatch", "delete-entity"),
        *("historical-location-auto-creation", "historical-location-manual-creation"),
    )
    assert changing == [f"create-update-delete/{held}" for held in kept]
    assert [held for held in classes if "batch" in held] == ["batch-request/batch-request"]
    assert "data-array/data-array" in classes
    assert not [held for held in classes if "mqtt" in held]


async def test_whatever_a_pack_declares_is_a_thing_with_datastreams(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        found = await someone.get(
            "/Things('well-1')", _expand="Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc))"
        )
    assert (found["@iot.id"], found["name"], found["description"]) == ("well-1", "井1", "监测井")
    assert found["@iot.selfLink"] == "http://city/sta/v1.1/Things('well-1')"
    assert found["Locations@iot.navigationLink"] == "http://city/sta/v1.1/Things('well-1')/Locations"
    level, salt = found["Datastreams"]
    assert level["name"] == "井1 · 水位"
    assert level["unitOfMeasurement"]["name"] == level["unitOfMeasurement"]["symbol"] == "m"
    assert [each["result"] for each in level["Observations"]] == [12.5]
    assert salt["Observations"] == []


async def test_the_life_of_a_value_is_in_every_datastream_and_demo_where_it_is(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        streams = (await someone.get("/Datastreams"))["value"]
        thing = await someone.get("/Things('well-1')")
        observation = (await someone.get("/Observations"))["value"]
    lives = {each["@iot.id"]: (each["properties"]["life"], each["properties"]["demo"]) for each in streams}
    assert lives == dict(zip(STREAMS, [("live", True), ("never", True), ("never", True), ("live", True)], strict=True))
    assert thing["properties"]["demo"] is True
    assert all(each["parameters"]["demo"] for each in observation)


async def test_every_set_is_read_and_each_of_its_links_leads_somewhere(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        for name in set(SETS) - {"MultiDatastreams"}:
            await links_lead_somewhere(someone, name)


async def links_lead_somewhere(someone: Desk, name: str) -> None:
    first = (await someone.get(f"/{name}", _top="1"))["value"][0]
    again = await someone.get(urlsplit(first["@iot.selfLink"]).path.removeprefix(ROOT))
    assert bare(again) == first
    links = {key.partition("@")[0]: url for key, url in first.items() if key.endswith("@iot.navigationLink")}
    assert links
    for nav, url in links.items():
        beyond = await someone.get(urlsplit(url).path.removeprefix(ROOT))
        inline = await someone.get(urlsplit(first["@iot.selfLink"]).path.removeprefix(ROOT), _expand=nav)
        assert inline[nav] == bare(beyond).get("value", bare(beyond))


def bare(one: dict[str, Any]) -> dict[str, Any]:
    """An entity without what a list does not say of a Datastream."""
    return {name: value for name, value in one.items() if name not in SPANNED or "observationType" not in one}


PATHS: tuple[tuple[str, object], ...] = (
    ("/Things('well-1')/name", {"name": "井1"}),
    ("/Things('well-1')/properties/kind", {"kind": "well"}),
    ("/Datastreams('well-1.level')/Thing/Locations('well-1')/location/type", {"type": "Point"}),
    ("/Datastreams('well-1.level')/ObservedProperty/name", {"name": "水位"}),
    ("/Things('well-1')/Datastreams('well-1.salt')/Sensor/id", {"id": "test"}),
    ("/Datastreams('well-2.salt')/Observations('4.1795330680000000')/FeatureOfInterest/feature", None),
    ("/Things('well-1')/$ref", {"@iot.selfLink": "http://city/sta/v1.1/Things('well-1')"}),
    ("/Datastreams('well-1.level')/Thing/$ref", {"@iot.selfLink": "http://city/sta/v1.1/Things('well-1')"}),
    (
        "/Things('well-1')/Datastreams/$ref",
        {"value": [{"@iot.selfLink": f"http://city/sta/v1.1/Datastreams('well-1.{name}')"} for name in ("level", "salt")]},
    ),
)


async def test_paths_go_to_any_depth(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        for path, expected in PATHS:
            assert await someone.get(path) == (expected or {"feature": {"type": "Point", "coordinates": [117.1, 39.07]}})


async def test_a_value_comes_bare_and_one_that_is_null_has_no_content(sta: World) -> None:
    async with desk(sta) as someone:
        name = await someone.client.get(f"{ROOT}/Things('well-1')/name/$value")
        whole = await someone.client.get(f"{ROOT}/Things('well-1')/properties/$value")
        none = await someone.client.get(f"{ROOT}/Datastreams('well-1.level')/observedArea")
    assert (name.text, name.headers["content-type"]) == ("井1", "text/plain; charset=utf-8")
    assert whole.json()["kind"] == "well"
    assert (none.status_code, none.content) == (204, b"")


ABSENT: tuple[str, ...] = (
    "/Nothing",
    "/Things('no')",
    "/Things(1)",
    "/Things('well-1')/nothing",
    "/Things('well-1')/properties/nothing",
    "/Things('well-1')/Datastreams('well-2.level')",
    "/Things/name",
    "/Things('well-1'",
    "/Observations('1')",
    "/Observations('1.5')",
    "/Observations('99.1795330680000000')",
    "/Things('well-1')/name/$value/more",
)


async def test_what_is_not_there_is_a_404_in_the_form_of_the_standard(sta: World) -> None:
    async with desk(sta) as someone:
        assert [(await someone.refused(path))[0] for path in ABSENT] == [404] * len(ABSENT)


REFUSED: tuple[tuple[dict[str, str], int], ...] = (
    ({"_top": "-1"}, 400),
    ({"_skip": "x"}, 400),
    ({"_count": "yes"}, 400),
    ({"_filter": "name eq"}, 400),
    ({"_filter": "name eq 'x' nonsense"}, 400),
    ({"_filter": "(" * 100}, 400),
    ({"_filter": "nothing eq 1"}, 400),
    ({"_filter": "unknown(name) eq 1"}, 501),
    ({"_filter": "Datastreams/Observations/result gt 1"}, 501),
    ({"_orderby": "nothing"}, 400),
    ({"_select": "nothing"}, 400),
    ({"_expand": "nothing"}, 400),
    ({"_resultFormat": "dataArray"}, 400),
    ({"_nonsense": "1"}, 400),
    ({"_skiptoken": "nonsense"}, 400),
)


async def test_what_cannot_be_answered_is_refused_with_its_reason(sta: World) -> None:
    async with desk(sta) as someone:
        assert [(words, (await someone.refused("/Things", **words))[0]) for words, _ in REFUSED] == list(REFUSED)


@pytest.mark.parametrize("key", ["0.1", "abc", "99999.1", "1.99999999999999999999", "1.", ".1", "-1.1"])
async def test_an_id_that_no_observation_can_have_is_answered_without_looking_through_the_store(
    sta: World, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    async with desk(sta) as caller:
        monkeypatch.setattr(type(sta.series), "scan", _unasked)
        assert (await caller.refused(f"/Observations('{key}')"))[0] == 404


def _unless_of_observations(node: Node, resolve: Resolve, now: datetime) -> bool:
    """Judge what stands, but no observation: only they have a result."""
    assert resolve(("result",)) == (None,)
    return holds(node, resolve, now)


def _unasked(*_: object) -> object:
    raise AssertionError("the store was asked")


async def test_the_other_kind_of_datastream_is_expanded_to_nothing(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as caller:
        found = (await caller.get("/Observations", _expand="MultiDatastream,Datastream($select=id)", _top="2"))["value"]
        assert all("Datastream" in one for one in found)
        assert all("MultiDatastream" not in one for one in found)
        assert await caller.ids("/Observations", _filter="MultiDatastream/id eq 'well-1'") == []
        assert await caller.ids("/Observations", _filter="MultiDatastream/id eq null", _top="1") != []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Datastream/Thing/id eq 'well-2'", ["well-2.salt"]),
        ("Datastream/Thing/id eq 'well-9'", []),
        ("Datastream/ObservedProperty/id eq 'well.salt' and result lt 5", ["well-2.salt"]),
        ("not (Datastream/Thing/name ne '井2') and phenomenonTime gt 2026-11-22T06:00:00Z", ["well-2.salt"]),
        ("Datastream/Thing/id eq 'well-1' and Datastream/id eq 'well-2.salt'", []),
        ("FeatureOfInterest/id eq 'well-2'", ["well-2.salt"]),
        ("FeatureOfInterest/id eq 'well-9'", []),
        ("FeatureOfInterest/id eq 'well-2' and Datastream/id eq 'well-1.level'", []),
    ],
)
async def test_conditions_on_the_datastream_are_answered_before_any_observation_is_looked_at(
    sta: World, monkeypatch: pytest.MonkeyPatch, written: str, expected: list[str]
) -> None:
    await fill(sta)
    monkeypatch.setattr(search, "holds", _unless_of_observations)
    async with desk(sta) as caller:
        found = await caller.get("/Observations", _filter=written, _expand="Datastream", _count="true")
    assert [one["Datastream"]["@iot.id"] for one in found["value"]] == expected
    assert found["@iot.count"] == len(expected)


async def test_a_feature_leads_to_its_own_observations_and_to_no_others_of_a_datastream_that_is_named(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as caller:
        assert len(await caller.ids("/FeaturesOfInterest('well-1')/Observations", _filter="Datastream/id eq 'well-1.level'")) == 3
        assert await caller.ids("/FeaturesOfInterest('well-1')/Observations", _filter="Datastream/id eq 'well-2.salt'") == []
        assert await caller.ids("/FeaturesOfInterest('well-1')/Observations", _filter="FeatureOfInterest/id eq 'well-2'") == []
        assert (await caller.refused("/FeaturesOfInterest('well-1')/Observations('99.1')"))[0] == 404


async def test_observations_with_other_conditions_are_counted_by_reading_them(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(sta)
    async with desk(sta) as caller:
        for written, count in (("result gt 10.5", 2), ("minute(phenomenonTime) eq 55", 1), ("result add 1 gt 100", 0)):
            found = await caller.get("/Datastreams('well-1.level')/Observations", _filter=written, _count="true", _top="1")
            assert found["@iot.count"] == count, written
        assert (await caller.get("/Observations", _count="true", _top="0"))["@iot.count"] == 4
        monkeypatch.setattr(search, "_PAGE", 1)
        monkeypatch.setattr(search, "_SORTED", 2)
        assert (await caller.refused("/Observations", _count="true", _filter="result add 1 gt 2"))[0] == 501


async def test_numbers_that_64_bits_do_not_hold_are_read_all_the_same(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as caller:
        for path in ("properties/version", "Datastreams/properties/latest/value"):
            assert await caller.ids("/Things", _filter=f"{path} lt 99999999999999999999", _top="1") == ["well-1"], path
        assert (await caller.refused("/Datastreams", _filter=f"properties/latest/value gt {'9' * 400}"))[0] == 400
        assert await caller.ids("/Observations", _filter="result gt 99999999999999999999") == []


@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize("top", [1, 2, 3, 100])
async def test_the_newest_of_all_come_by_time_from_more_datastreams_than_are_asked_for_at_once(
    sta: World, monkeypatch: pytest.MonkeyPatch, way: str, top: int
) -> None:
    await fill(sta)
    async with sta.client("device") as device:
        for stream, value in (("well-1.level", 5.0), ("well-2.salt", 6.0), ("well-1.salt", 7.0)):
            row = {"Datastream": {"@iot.id": stream}, "phenomenonTime": "2026-11-22T06:30:00Z", "result": value}
            entrusted(sta, device, stream) if stream == "well-1.level" else None
            await device.post(f"{ROOT}/Observations", json=row)
    async with desk(sta) as caller:
        whole = (await caller.get("/Observations", _orderby=f"phenomenonTime {way}", _filter="result gt 0"))["value"]
        monkeypatch.setattr(spans, "MOST", 1)
        found, address = [], f"{ROOT}/Observations?$orderby=phenomenonTime {way}&$filter=result gt 0&$top={top}"
        while address:
            page = (await caller.client.get(address)).json()
            assert 0 < len(page["value"]) <= top
            found += page["value"]
            address = page.get("@iot.nextLink", "")
        assert (await caller.refused("/Observations", _orderby=f"phenomenonTime {way}", _skiptoken="t1.x"))[0] == 400
        monkeypatch.setattr(merging, "GROUPS", 2)
        assert (await caller.refused("/Observations", _orderby=f"phenomenonTime {way}"))[0] == 501
    assert [one["@iot.id"] for one in found] == [one["@iot.id"] for one in whole]
    assert len(found) > 4


async def test_pages_hold_every_entity_once(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        for path, order, expected in (
            ("/Things", "", ["well-1", "well-2"]),
            ("/Datastreams", "", STREAMS),
            ("/Datastreams", "name desc,id", ["well-2.salt", "well-2.level", "well-1.salt", "well-1.level"]),
            ("/ObservedProperties", "", ["well.level", "well.salt"]),
            ("/Observations", "phenomenonTime asc", ["10.0", "11.0", "3.0", "12.5"]),
            ("/Observations", "result", ["3.0", "10.0", "11.0", "12.5"]),
            ("/Datastreams('well-1.level')/Observations", "", ["12.5", "11.0", "10.0"]),
        ):
            words = {"$top": "1"} | ({"$orderby": order} if order else {})
            seen: list[str] = []
            url: str | None = ROOT + path
            while url is not None:
                page = (await someone.client.get(url, params=words or None)).json()
                seen += [str(each["result"]) if "result" in each else each["@iot.id"] for each in page["value"]]
                following = page.get("@iot.nextLink")
                words = dict(parse_qsl(urlsplit(following).query)) if following else {}
                url = ROOT + path if following else None
            assert seen == expected, (path, order)


async def test_a_count_is_of_all_that_there_is_and_top_and_skip_cut_a_page(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        streams = await someone.get("/Datastreams", _count="true", _top="2", _skip="1")
        some = await someone.get("/Datastreams", _count="true", _filter="startswith(name,'井1')", _top="0")
        readings = await someone.get(
            "/Datastreams('well-1.level')/Observations", _count="true", _filter="phenomenonTime ge 2026-11-22T06:55:00Z"
        )
        assert await someone.ids("/Datastreams", _skip="3") == STREAMS[3:]
        by_result = await someone.get("/Observations", _count="true", _filter="result gt 10.5", _top="1")
        computed = await someone.get("/Observations", _count="true", _filter="result mul 2 ge 22", _top="0")
        everything = await someone.get("/Observations", _count="true", _top="0")
    assert (streams["@iot.count"], [each["@iot.id"] for each in streams["value"]]) == (4, STREAMS[1:3])
    assert (some["@iot.count"], some["value"]) == (2, [])
    assert readings["@iot.count"] == 2
    assert (by_result["@iot.count"], len(by_result["value"])) == (2, 1)
    assert (computed["@iot.count"], everything["@iot.count"]) == (2, 4)


async def test_observations_come_by_their_result_page_by_page(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        page = await someone.get("/Observations", _orderby="result desc", _top="3")
        rest = (await someone.client.get(page["@iot.nextLink"])).json()
        least = await someone.get("/Datastreams('well-1.level')/Observations", _orderby="result", _top="1", _count="true")
    assert [each["result"] for each in page["value"] + rest["value"]] == [12.5, 11.0, 10.0, 3.0]
    assert ([each["result"] for each in least["value"]], least["@iot.count"]) == ([10.0], 3)


async def test_select_shows_only_what_it_names(sta: World) -> None:
    async with desk(sta) as someone:
        found = await someone.get("/Things('well-1')", _select="name,Datastreams")
        nested = await someone.get(
            "/Things", _select="id", _expand="Datastreams($select=name;$filter=endswith(id,'salt')),Locations($select=id)"
        )
    assert found == {"name": "井1", "Datastreams@iot.navigationLink": "http://city/sta/v1.1/Things('well-1')/Datastreams"}
    first = nested["value"][0]
    assert first["Datastreams"] == [{"name": "井1 · 盐度"}]
    assert set(first) == {"@iot.selfLink", "@iot.id", "Datastreams", "Locations"}


async def test_expand_goes_to_any_depth_and_carries_counts_and_links(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        found = await someone.get(
            "/Observations",
            _top="1",
            _expand="Datastream/Thing,Datastream($expand=ObservedProperty,Observations($top=1;$count=true))",
        )
    stream = found["value"][0]["Datastream"]
    assert stream["Thing"]["@iot.id"] == stream["@iot.id"].partition(".")[0]
    assert stream["ObservedProperty"]["properties"]["kind"] == "well"
    assert stream["Observations@iot.count"] == 3
    assert stream["Observations@iot.nextLink"].startswith("http://city/sta/v1.1/Datastreams('well-1.level')/Observations?")


async def test_those_who_may_not_read_get_nothing(sta: World) -> None:
    await fill(sta)
    async with desk(sta, None) as anyone, desk(sta, "citizen") as citizen, desk(sta, "admin") as admin:
        assert (await anyone.refused("/Things"))[0] == 401
        assert (await citizen.refused("/Datastreams"))[0] == 403
        # An administrator sees streams, but not what they observed, not even the newest by way of its stream.
        newest = "Observations($top=1;$orderby=phenomenonTime desc)"
        assert (await admin.refused("/Observations"))[0] == 403
        assert (await admin.refused("/Datastreams", _expand=newest))[0] == 403
        assert await admin.ids("/Datastreams") == STREAMS


async def test_personal_properties_are_masked_without_a_purpose(sta: World) -> None:
    async with desk(sta) as someone:
        bare = await someone.get("/Things('well-1')")
        meant = await someone.get("/Things('well-1')", purpose="巡检")
    assert bare["properties"]["fields"] is None
    assert meant["properties"]["fields"] == {}


async def test_what_many_entities_lead_to_is_read_at_once_and_is_what_each_leads_to(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        things = (await someone.get("/Things", _expand="Datastreams,Locations"))["value"]
        streams = (await someone.get("/Datastreams", _expand="Thing,ObservedProperty"))["value"]
        for thing in things:
            assert thing["Datastreams"] == (await someone.get(f"/Things('{thing['@iot.id']}')/Datastreams"))["value"]
            assert thing["Locations"] == (await someone.get(f"/Things('{thing['@iot.id']}')/Locations"))["value"]
        for stream in streams:
            assert stream["Thing"] == await someone.get(f"/Datastreams('{stream['@iot.id']}')/Thing")
            assert stream["ObservedProperty"]["@iot.id"] == f"well.{stream['properties']['field']}"


PROPERTIES = ("phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters")


async def test_observations_come_as_data_arrays_that_say_what_single_ones_say(sta: World) -> None:
    await fill(sta)
    async with desk(sta) as someone:
        whole = await someone.get("/Observations", _resultFormat="dataArray", _orderby="phenomenonTime asc", _count="true")
        single = (await someone.get("/Observations", _orderby="phenomenonTime asc"))["value"]
        lean = await someone.get("/Datastreams('well-1.level')/Observations", _resultFormat="dataArray", _select="result", _top="2")
        rest = await someone.get(
            "/Datastreams('well-1.level')/Observations", **dict(parse_qsl(urlsplit(lean["@iot.nextLink"]).query))
        )
        none = await someone.get("/Datastreams('well-1.salt')/Observations", _resultFormat="dataArray")
    assert whole["@iot.count"] == 4
    url = "http://city/sta/v1.1/Datastreams('{}')"
    assert [(each["Datastream@iot.navigationLink"], each["dataArray@iot.count"]) for each in whole["value"]] == [
        (url.format("well-1.level"), 3),
        (url.format("well-2.salt"), 1),
    ]
    for each in whole["value"]:
        assert each["components"] == ["id", *PROPERTIES]
    rows = {row[0]: row[1:] for each in whole["value"] for row in each["dataArray"]}
    assert rows == {one["@iot.id"]: [one.get(name) for name in PROPERTIES] for one in single}
    assert (lean["value"][0]["components"], lean["value"][0]["dataArray"]) == (["result"], [[12.5], [11.0]])
    assert rest["value"][0]["dataArray"] == [[10.0]]
    assert none["value"] == []


async def test_what_is_expanded_in_a_data_array_stands_beside_it_or_in_a_column(sta: World) -> None:
    await fill(sta)
    asked = "Datastream($select=id,name;$expand=Thing($select=id)),FeatureOfInterest($select=name),MultiDatastream"
    async with desk(sta) as someone:
        words = {"_expand": asked, "_orderby": "phenomenonTime asc"}
        tables = (await someone.get("/Observations", _resultFormat="dataArray", _select="id", **words))["value"]
        single = (await someone.get("/Observations", **words))["value"]
        only = (await someone.get("/Observations", _resultFormat="dataArray", _select="Datastream", _expand="FeatureOfInterest"))[
            "value"
        ]
    assert [table["components"] for table in tables] == [["id", "FeatureOfInterest"]] * 2
    beside = {row[0]: (table["Datastream"], row[1]) for table in tables for row in table["dataArray"]}
    assert beside == {one["@iot.id"]: (one["Datastream"], one["FeatureOfInterest"]) for one in single}
    assert tables[0]["Datastream"]["Thing"] == {"@iot.selfLink": f"http://city{ROOT}/Things('well-1')", "@iot.id": "well-1"}
    assert all("MultiDatastream" not in table for table in tables)
    assert only[0]["components"] == ["FeatureOfInterest"]


async def test_a_data_array_is_refused_where_it_would_say_something_else_than_was_asked(sta: World) -> None:
    await fill(sta)
    array = {"_resultFormat": "dataArray"}
    async with desk(sta) as someone:
        for path, words in (
            ("/Things", array),
            ("/Observations", {"_resultFormat": "CSV"}),
            ("/Observations", array | {"_select": "Datastream"}),
            ("/Observations/$ref", array),
            ("/Datastreams", {"_expand": "Observations($resultFormat=dataArray)"}),
        ):
            assert (await someone.refused(path, **words))[0] == 400, (path, words)


async def test_a_count_in_the_path_is_refused_with_the_way_to_ask_for_it(sta: World) -> None:
    async with desk(sta) as someone:
        for path in ("/Things/$count", "/Things('well-1')/Datastreams/$count"):
            status, message = await someone.refused(path)
            assert (status, "?$count=true&$top=0" in message) == (404, True), message
