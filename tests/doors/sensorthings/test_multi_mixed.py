"""Things whose fields have several intervals: a MultiDatastream for each two or more fields of one."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import By, Field, Kind
from tests.doors.conftest import NOW, World
from tests.doors.sensorthings.conftest import ROOT, Desk, desk, entrusted, planted
from tests.doors.sensorthings.test_multi import observation
from tests.doors.sensorthings.test_reading import links_lead_somewhere


def field(name: str, unit: str, every: str | None) -> Field:
    return Field(name, Text(name, name), By.SENSOR, unit, every=every)


STATION = Kind(
    "station",
    Text("气象站", "Weather station"),
    (
        field("warmth", "Cel", "PT10M"),
        field("rain", "mm", "PT1H"),
        field("damp", "%", "PT10M"),
        field("sun", "h", "PT60M"),
        field("snow", "cm", "P1D"),
        field("storm", "1", None),
        field("flash", "1", None),
    ),
    "environment",
)
QUICK, SLOW = "station-1.PT10M", "station-1.PT1H"


@pytest.fixture
def stations(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> World:
    """The city with three weather stations."""
    return planted(monkeypatch, request, STATION, *((f"station-{n}", f"站{n}") for n in (1, 2, 3)))


async def test_each_interval_of_two_fields_has_one_and_fields_alone_have_none(stations: World) -> None:
    async with desk(stations) as someone:
        assert await someone.ids("/Things('station-1')/MultiDatastreams") == [QUICK, SLOW]
        assert await someone.ids("/Things('well-1')/MultiDatastreams") == []
        for key in ("station-1", "station-1.P1D", "station-1.PT60M", "station-9.PT1H", "none"):
            assert (await someone.refused(f"/MultiDatastreams('{key}')"))[0] == 404
        quick, slow = [
            await someone.get(f"/MultiDatastreams('{key}')", _expand="ObservedProperties,Thing,Sensor") for key in (QUICK, SLOW)
        ]
        await links_lead_somewhere(someone, "Things('station-1')/MultiDatastreams")
    assert [one["@iot.id"] for one in quick["ObservedProperties"]] == ["station.warmth", "station.damp"]
    assert [one["@iot.id"] for one in slow["ObservedProperties"]] == ["station.rain", "station.sun"]
    assert [unit["name"] for unit in slow["unitOfMeasurements"]] == ["mm", "h"]
    assert (slow["properties"]["every"], slow["properties"]["fields"]) == ("PT1H", ["rain", "sun"])
    assert (slow["Thing"]["@iot.id"], slow["Sensor"]["@iot.id"]) == ("station-1", "test")
    assert quick["name"] == "站1 · warmth · damp"


async def test_sensors_and_properties_lead_to_those_that_are_theirs(stations: World) -> None:
    other = Planted("station-4", "station", same("站4"), Place(117.1, 39.06), "120104", {})
    stations.parts.registry.plant([other], "other", "demo", NOW)
    async with desk(stations) as someone:
        assert await someone.ids("/ObservedProperties('station.sun')/MultiDatastreams") == [
            f"station-{n}.PT1H" for n in (1, 2, 3, 4)
        ]
        assert await someone.ids("/ObservedProperties('station.snow')/MultiDatastreams") == []
        assert await someone.ids("/ObservedProperties('well.level')/MultiDatastreams") == []
        assert await someone.ids("/Sensors('other')/MultiDatastreams") == ["station-4.PT10M", "station-4.PT1H"]
        assert (await someone.refused(f"/Sensors('other')/MultiDatastreams('{SLOW}')"))[0] == 404
        assert (await someone.refused(f"/ObservedProperties('station.damp')/MultiDatastreams('{SLOW}')"))[0] == 404
        things = (await someone.get("/Things", _expand="MultiDatastreams($select=id)", _filter="properties/kind eq 'station'"))[
            "value"
        ]
        watched = (await someone.get("/ObservedProperties", _expand="MultiDatastreams($select=id)"))["value"]
    found = {one["@iot.id"]: [each["@iot.id"] for each in one["MultiDatastreams"]] for one in things}
    assert found["station-2"] == ["station-2.PT10M", "station-2.PT1H"]
    listed = {one["@iot.id"]: len(one["MultiDatastreams"]) for one in watched}
    assert (listed["station.warmth"], listed["station.rain"], listed["station.snow"]) == (4, 4, 0)


async def walked(someone: Desk, **words: str) -> list[str]:
    """The ids of all pages."""
    found: list[str] = []
    while words:
        page = await someone.get("/MultiDatastreams", **words)
        found += [one["@iot.id"] for one in page["value"]]
        words = dict(parse_qsl(urlsplit(page.get("@iot.nextLink", "")).query))
    return found


async def test_pages_counts_orders_and_conditions_are_of_each_of_them(stations: World) -> None:
    everything = [f"station-{n}.{every}" for n in (1, 2, 3) for every in ("PT10M", "PT1H")]
    async with desk(stations) as someone:
        for top in ("1", "2", "3", "4", "5", "6", "7"):
            assert await walked(someone, _top=top) == everything
            assert await walked(someone, _top=top, _orderby="id desc") == everything[::-1]
        counted = await someone.get("/MultiDatastreams", _count="true", _top="0")
        assert (counted["@iot.count"], counted["value"]) == (6, [])
        for condition, kept in (
            (f"id eq '{SLOW}'", [SLOW]),
            ("Thing/id eq 'station-2'", everything[2:4]),
            (f"not (id eq '{SLOW}')", [one for one in everything if one != SLOW]),
            (f"id eq '{SLOW}' or id eq 'station-3.PT10M'", [SLOW, "station-3.PT10M"]),
            ("contains(id, 'PT1H') and Thing/id eq 'station-2'", ["station-2.PT1H"]),
            ("properties/every eq 'PT1H'", everything[1::2]),
            ("id eq 'station-1'", []),
        ):
            found = await someone.get("/MultiDatastreams", _filter=condition, _count="true")
            assert [one["@iot.id"] for one in found["value"]] == kept, condition
            assert found["@iot.count"] == len(kept), condition
            assert await walked(someone, _filter=condition, _top="1") == kept, condition
        assert (await someone.refused("/MultiDatastreams", **{"$skiptoken": "x"}))[0] == 400


async def test_arrays_go_to_the_fields_of_their_own_interval(stations: World) -> None:
    async with stations.client("device") as device:
        entrusted(stations, device, "station-*")
        sent = observation("06:00", [12, 0.5], FeatureOfInterest={"@iot.id": "station-1"})
        made = await device.post(f"{ROOT}/MultiDatastreams('{SLOW}')/Observations", json=sent)
        assert made.status_code == 201, made.text
        array: dict[str, Any] = {
            "MultiDatastream": {"@iot.id": QUICK},
            "components": ["phenomenonTime", "result"],
            "dataArray": [["2026-11-22T06:00:00Z", [21, 60]], ["2026-11-22T06:10:00Z", [22, None]]],
        }
        assert (await device.post(f"{ROOT}/CreateObservations", json=[array])).status_code == 201
    async with desk(stations) as someone:
        one = await someone.get(
            urlsplit(made.headers["location"]).path.removeprefix(ROOT), _expand="MultiDatastream,FeatureOfInterest"
        )
        quick = (await someone.get(f"/MultiDatastreams('{QUICK}')/Observations", _orderby="phenomenonTime"))["value"]
        single = (await someone.get("/Datastreams('station-1.rain')/Observations"))["value"]
    assert (one["result"], one["MultiDatastream"]["@iot.id"], one["FeatureOfInterest"]["@iot.id"]) == ([12, 0.5], SLOW, "station-1")
    assert [each["result"] for each in quick] == [[21, 60], [22, None]]
    assert [each["result"] for each in single] == [12]
