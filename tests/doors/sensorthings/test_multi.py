"""MultiDatastreams: the fields of a thing that share their interval, read side by side and written in one act."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from citybrain.kernel.instant import parse
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from tests.doors import conftest
from tests.doors.conftest import NOW, World
from tests.doors.sensorthings.conftest import ROOT, desk, entrusted
from tests.doors.sensorthings.test_reading import links_lead_somewhere
from tests.doors.sensorthings.test_writing import ledger

OBSERVED = "/MultiDatastreams('mast-1')/Observations"
ROWS: tuple[tuple[str, list[float | None]], ...] = (
    ("06:30", [1.0, 2.0, 90.0]),
    ("06:40", [None, 3.0, None]),
    ("06:50", [2.0, None, 180.0]),
)
RESULTS = [result for _, result in ROWS]


def observation(at: str, result: object, **more: object) -> dict[str, object]:
    return {"phenomenonTime": f"2026-11-22T{at}:00Z", "result": result, **more}


async def fill(world: World) -> list[str]:
    """Send the rows; the addresses given."""
    async with world.client("device") as device:
        entrusted(world, device, "mast-*")
        made = [await device.post(ROOT + OBSERVED, json=observation(at, result)) for at, result in ROWS]
    assert [answer.status_code for answer in made] == [201] * 3, made[0].text
    return [answer.headers["location"] for answer in made]


async def test_a_thing_whose_fields_share_their_interval_has_one_and_others_have_none(masts: World) -> None:
    async with desk(masts) as someone:
        assert await someone.ids("/MultiDatastreams") == ["mast-1", "mast-2"]
        assert await someone.ids("/MultiDatastreams", _filter="Thing/id eq 'mast-2'") == ["mast-2"]
        assert await someone.ids("/Things('well-1')/MultiDatastreams") == []
        assert await someone.ids("/Things('mast-1')/Datastreams") == ["mast-1.bearing", "mast-1.gust", "mast-1.wind"]
        assert (await someone.refused("/MultiDatastreams('well-1')"))[0] == 404
        assert (await someone.refused("/MultiDatastreams('none')/Observations"))[0] == 404
        things = (await someone.get("/Things", _expand="MultiDatastreams($select=id)", _select="id", _count="true"))["value"]
    found = {each["@iot.id"]: [one["@iot.id"] for one in each["MultiDatastreams"]] for each in things}
    assert found == {"mast-1": ["mast-1"], "mast-2": ["mast-2"], "well-1": [], "well-2": []}


async def test_units_types_and_properties_are_those_of_the_fields_in_their_order(masts: World) -> None:
    async with desk(masts) as someone:
        found = await someone.get("/MultiDatastreams('mast-1')", _expand="ObservedProperties,Sensor,Thing")
        listed = await someone.ids("/MultiDatastreams('mast-1')/ObservedProperties")
        second = await someone.get("/MultiDatastreams('mast-1')/ObservedProperties", _top="1", _skip="1")
        after = dict(parse_qsl(urlsplit(second["@iot.nextLink"]).query))
        third = await someone.ids("/MultiDatastreams('mast-1')/ObservedProperties", **after)
        by_id = await someone.ids("/MultiDatastreams('mast-1')/ObservedProperties", _orderby="id")
        back = await someone.ids("/ObservedProperties('mast.gust')/MultiDatastreams")
    assert found["observationType"].endswith("OM_ComplexObservation")
    assert [kind.rpartition("/")[2] for kind in found["multiObservationDataTypes"]] == ["OM_Measurement"] * 3
    assert [unit["name"] for unit in found["unitOfMeasurements"]] == ["m/s", "m/s", "deg"]
    assert [each["@iot.id"] for each in found["ObservedProperties"]] == listed == ["mast.wind", "mast.gust", "mast.bearing"]
    assert ([each["@iot.id"] for each in second["value"]], third) == (["mast.gust"], ["mast.bearing"])
    assert by_id == ["mast.bearing", "mast.gust", "mast.wind"]
    assert (found["Thing"]["@iot.id"], found["Sensor"]["@iot.id"], back) == ("mast-1", "test", ["mast-1", "mast-2"])
    assert (found["name"], found["properties"]["demo"]) == ("塔1 · 风速 · 阵风 · 风向", True)


async def test_readings_of_one_instant_are_one_observation_with_null_where_there_is_none(masts: World) -> None:
    made = await fill(masts)
    async with desk(masts) as someone:
        newest = (await someone.get(OBSERVED))["value"]
        one = await someone.get(urlsplit(made[1]).path.removeprefix(ROOT))
        single = (await someone.get("/Datastreams('mast-1.gust')/Observations", _orderby="phenomenonTime"))["value"]
        other = await someone.get("/MultiDatastreams('mast-2')/Observations")
        for name in ("MultiDatastreams", "MultiDatastreams('mast-1')/Observations"):
            await links_lead_somewhere(someone, name)
        assert (await someone.refused(f"{OBSERVED}('mast-2@{parse('2026-11-22T06:30:00Z')}')"))[0] == 404
        assert (await someone.refused(f"/Datastreams('mast-1.gust')/Observations('{newest[0]['@iot.id']}')"))[0] == 404
    assert [each["result"] for each in newest] == RESULTS[::-1]
    assert [each["@iot.selfLink"] for each in newest] == made[::-1]
    assert (one["result"], one["phenomenonTime"], one["parameters"]["demo"]) == ([None, 3.0, None], "2026-11-22T06:40:00Z", True)
    assert [each["result"] for each in single] == [2.0, 3.0]
    assert other["value"] == []


async def test_a_sensor_leads_to_the_multidatastreams_that_come_from_it(masts: World) -> None:
    other = Planted("mast-3", "mast", same("塔3"), Place(117.1, 39.06), "120104", {})
    masts.parts.registry.plant([other], "other", "demo", NOW)
    async with desk(masts) as someone:
        assert await someone.ids("/Sensors('test')/MultiDatastreams") == ["mast-1", "mast-2"]
        assert await someone.ids("/Sensors('other')/MultiDatastreams") == ["mast-3"]
        assert (await someone.refused("/Sensors('other')/MultiDatastreams('mast-1')"))[0] == 404
        sensors = (await someone.get("/Sensors", _expand="MultiDatastreams($select=id)", _select="id"))["value"]
        assert {each["@iot.id"]: [one["@iot.id"] for one in each["MultiDatastreams"]] for each in sensors} == {
            "other": ["mast-3"],
            "test": ["mast-1", "mast-2"],
        }
        filtered = await someone.ids("/MultiDatastreams", _filter="Sensor/id eq 'other'")
        assert filtered == ["mast-3"]
        await links_lead_somewhere(someone, "Sensors")


async def test_pages_orders_counts_and_conditions_on_time_are_of_instants(masts: World) -> None:
    await fill(masts)
    async with desk(masts) as someone:

        async def results(**words: str) -> list[Any]:
            return [each["result"] for each in (await someone.get(OBSERVED, **words))["value"]]

        assert await results(_orderby="phenomenonTime asc") == RESULTS
        assert await results(_orderby="phenomenonTime desc", _top="1", _skip="1") == [RESULTS[1]]
        assert await results(_filter="phenomenonTime ge 2026-11-22T06:40:00Z", _orderby="phenomenonTime asc") == RESULTS[1:]
        for order in ("phenomenonTime asc", "phenomenonTime desc"):
            words, seen = {"_orderby": order, "_top": "1"}, []
            while words:
                page = await someone.get(OBSERVED, **words)
                seen += [each["result"] for each in page["value"]]
                words = dict(parse_qsl(urlsplit(page.get("@iot.nextLink", "")).query))
            assert seen == (RESULTS if order.endswith("asc") else RESULTS[::-1])
        counted = await someone.get(OBSERVED, _count="true", _top="1", _filter="phenomenonTime lt 2026-11-22T06:45:00Z")
        array = (await someone.get(OBSERVED, _resultFormat="dataArray", _select="result", _orderby="phenomenonTime"))["value"]
        expanded = await someone.get("/Things('mast-1')", _expand="MultiDatastreams/Observations")
        assert (await someone.refused(OBSERVED, **{"$skiptoken": "x"}))[0] == 400
    assert (counted["@iot.count"], len(counted["value"])) == (2, 1)
    assert array[0]["MultiDatastream@iot.navigationLink"] == "http://city/sta/v1.1/MultiDatastreams('mast-1')"
    assert array[0]["dataArray"] == [[result] for result in RESULTS]
    assert [each["result"] for each in expanded["MultiDatastreams"][0]["Observations"]] == RESULTS[::-1]


async def test_who_may_not_read_streams_or_readings_reads_none_of_it(masts: World) -> None:
    await fill(masts)
    async with desk(masts, None) as anyone, desk(masts, "citizen") as citizen, desk(masts, "admin") as admin:
        assert (await anyone.refused("/MultiDatastreams"))[0] == 401
        assert (await citizen.refused("/MultiDatastreams"))[0] == 403
        assert await admin.ids("/MultiDatastreams") == ["mast-1", "mast-2"]
        assert (await admin.refused(OBSERVED))[0] == 403
        assert (await admin.refused(OBSERVED, _count="true"))[0] == 403


WRONG: tuple[tuple[str, dict[str, object], int, str], ...] = (
    (OBSERVED, observation("06:30", [1, 2]), 400, "wind, gust, bearing"),
    (OBSERVED, observation("06:30", 1), 400, "wind, gust, bearing"),
    (OBSERVED, observation("06:30", [None, None, None]), 400, "null"),
    (OBSERVED, observation("06:30", [1, "much", 3]), 400, "bad_value"),
    (OBSERVED, observation("09:30", [1, 2, 3]), 400, "future_time"),
    (OBSERVED, observation("06:30", [1, 2, 3], colour="blue"), 501, "colour"),
    (OBSERVED, observation("06:30", [1, 2, 3], parameters="good"), 400, "parameters"),
    (OBSERVED, observation("06:30", [1, 2, 3], MultiDatastream={"@iot.id": "mast-2"}), 400, "MultiDatastream"),
    (OBSERVED, observation("06:30", [1, 2, 3], Datastream={"@iot.id": "mast-1.wind"}), 400, "Datastream"),
    ("/Observations", observation("06:30", [1, 2, 3], MultiDatastream="mast-1"), 400, "MultiDatastream"),
    ("/MultiDatastreams('well-1')/Observations", observation("06:30", [1, 2]), 404, "well-1"),
)


async def test_what_cannot_be_kept_whole_is_refused_and_nothing_of_it_is_stored(masts: World) -> None:
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-*")
        for path, body, status, word in WRONG:
            answer = await device.post(ROOT + path, json=body)
            assert (answer.status_code, word in answer.json()["message"]) == (status, True), (path, body, answer.text)
    account = await ledger(masts)
    assert (account["stored"], account["refused"]) == (0, {"bad_value": 1, "future_time": 3})


async def test_data_arrays_are_taken_element_by_element_and_each_whole_or_not_at_all(masts: World) -> None:
    components = ["phenomenonTime", "result", "FeatureOfInterest/id"]
    elements: list[tuple[list[object], str]] = [
        (["2026-11-22T06:30:00Z", [1, 2, 90], "mast-1"], ""),
        (["2026-11-22T06:40:00Z", [None, 3, None], None], ""),
        (["2026-11-22T06:45:00Z", [4, "much", 5], None], "bad_value"),
        (["2026-11-22T06:46:00Z", [4, 5], None], "bad_row"),
        (["2026-11-22T06:47:00Z", [None, None, None], None], "bad_row"),
        (["2026-11-22T06:48:00Z", [4, 5, 6], "mast-9"], "bad_feature"),
        (["2026-11-22T09:48:00Z", [4, 5, 6], None], "future_time"),
    ]
    joint = {"MultiDatastream": {"@iot.id": "mast-1"}, "components": components, "dataArray": [one for one, _ in elements]}
    single = {
        "Datastream": {"@iot.id": "mast-2.gust"},
        "components": ["phenomenonTime", "result"],
        "dataArray": [["2026-11-22T06:30:00Z", 7]],
    }
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-*")
        answer = await device.post(f"{ROOT}/CreateObservations", json=[single, joint])
        assert answer.status_code == 201, answer.text
        said = answer.json()
        for (_, code), told in zip(elements, said[1:], strict=True):
            assert told.startswith(f"error {code}" if code else "http://city/sta/v1.1/Observations("), told
        unknown = await device.post(f"{ROOT}/CreateObservations", json=[{**joint, "MultiDatastream": {"@iot.id": "well-1"}}])
        assert unknown.status_code == 404
    async with masts.client("device") as device:
        device.headers["Authorization"] = conftest.basic(
            "part", masts.parts.accounts.devices.create("部分", "part", ["mast-1.wind"])
        )
        part = {
            **joint,
            "components": ["phenomenonTime", "result"],
            "dataArray": [["2026-11-22T06:55:00Z", [9, 9, 9]], ["2026-11-22T06:56:00Z", [9, None, None]]],
        }
        told = (await device.post(f"{ROOT}/CreateObservations", json=[part])).json()
        assert [one.startswith("error forbidden_stream") for one in told] == [True, False]
    async with desk(masts) as someone:
        found = await someone.get(OBSERVED, _orderby="phenomenonTime")
        assert [one["result"] for one in found["value"]] == [[1, 2, 90], [None, 3, None], [9, None, None]]
        assert (await someone.get(urlsplit(said[1]).path.removeprefix(ROOT)))["result"] == [1, 2, 90]
        assert (await someone.get(urlsplit(said[0]).path.removeprefix(ROOT)))["result"] == 7


async def test_a_device_that_may_write_only_some_of_the_fields_writes_none(masts: World) -> None:
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-1.wind", "mast-1.gust")
        refused = await device.post(ROOT + OBSERVED, json=observation("06:30", [1, 2, 3]))
        taken = await device.post(ROOT + OBSERVED, json=observation("06:30", [1, 2, None]))
    assert (refused.status_code, taken.status_code) == (403, 201)
    account = await ledger(masts)
    assert (account["stored"], account["refused"]) == (2, {"forbidden_stream": 1})


async def test_an_observation_may_name_its_multidatastream_itself_and_a_key_makes_sending_again_harmless(masts: World) -> None:
    body = observation("06:30", [1, None, 3], MultiDatastream={"@iot.id": "mast-1"})
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-*")
        made = [await device.post(f"{ROOT}/Observations", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        timeless = await device.post(ROOT + OBSERVED, json={"result": [1, 2, 3]}, headers={"Idempotency-Key": "k2"})
    assert [answer.status_code for answer in (*made, timeless)] == [201, 201, 400]
    assert made[0].headers["location"] == made[1].headers["location"]
    assert (await ledger(masts))["stored"] == 2
