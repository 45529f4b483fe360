"""Things made, changed and ended over SensorThings: first-class entities, whole or not at all."""

from typing import Any

from httpx import AsyncClient

from citybrain.brain.observe import MADE, AreaBook, Census, Registry
from citybrain.kernel.access import Caller, Query
from citybrain.kernel.instant import HOUR, Instant
from citybrain.kernel.things import Life
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk, desk

SENSOR = {"name": "Ultrasonic gauge", "description": "Looks down", "encodingType": "text/plain", "metadata": "type U-7"}
LEVEL = {"name": "Water level", "definition": "https://qudt.org/vocab/quantitykind/Height", "description": "Of the river"}
STREAM = {
    "name": "Level at the bridge",
    "description": "Every ten minutes",
    "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "unitOfMeasurement": {"name": "Metre", "symbol": "m", "definition": "https://ucum.org"},
    "properties": {"contract": {"every": "PT10M", "silentAfter": "PT30M", "low": -1, "high": 9}, "colour": "blue"},
    "Sensor": SENSOR,
    "ObservedProperty": LEVEL,
}
PLACE = {
    "name": "North pier",
    "description": "Under the third arch",
    "encodingType": "application/geo+json",
    "location": {"type": "Point", "coordinates": [117.1, 39.1]},
}
GAUGE = {
    "name": "River gauge",
    "description": "A gauge",
    "properties": {"owner": "water"},
    "Locations": [PLACE],
    "Datastreams": [STREAM],
}


async def posted(client: AsyncClient, path: str, body: dict[str, Any]) -> str:
    """Make something; its address below the root."""
    answer = await client.post(ROOT + path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"]).partition(ROOT)[2]


async def said(client: AsyncClient, path: str, **words: str) -> dict[str, Any]:
    """What stands under an address."""
    return await Desk(client).get(path, **words)


async def test_a_thing_posted_with_all_that_hangs_on_it_is_there_whole(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        assert at == "/Things('river-gauge')"
        thing = await said(client, at, _expand="Locations,Datastreams($expand=Sensor,ObservedProperty)")
    assert (thing["name"], thing["description"], thing["properties"]) == ("River gauge", "A gauge", {"owner": "water"})
    (place,) = thing["Locations"]
    assert (place["name"], place["location"]) == ("North pier", PLACE["location"])
    (stream,) = thing["Datastreams"]
    assert stream["@iot.id"] == "river-gauge.water-level"
    assert (stream["name"], stream["unitOfMeasurement"]) == (STREAM["name"], STREAM["unitOfMeasurement"])
    assert stream["properties"]["colour"] == "blue"
    assert stream["properties"]["life"] == "never"
    assert {name: stream["Sensor"][name] for name in SENSOR} == SENSOR
    assert {name: stream["ObservedProperty"][name] for name in LEVEL} == LEVEL
    entity = sta.parts.registry.entity("river-gauge")
    assert (entity.kind, entity.area) == (MADE, "120104")


async def test_a_device_writes_to_what_was_made_and_its_contract_says_what_lives(sta: World) -> None:
    secret = sta.parts.accounts.devices.create("水位计", "gauge", ["river-gauge"])
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
    async with sta.client("device") as device:
        device.auth = ("gauge", secret)
        device.headers.pop("Authorization")
        for at, value in (("06:50", 2.5), ("06:55", 2.75)):
            body = {"phenomenonTime": f"2026-11-22T{at}:00Z", "result": value, "Datastream": {"@iot.id": "river-gauge.water-level"}}
            await posted(device, "/Observations", body)
    async with desk(sta) as staff:
        (stream,) = (await staff.get("/Datastreams", _filter="Thing/id eq 'river-gauge'"))["value"]
        assert (stream["properties"]["life"], stream["properties"]["latest"]["value"]) == ("live", 2.75)
        found = await staff.get("/Datastreams('river-gauge.water-level')/Observations", _orderby="phenomenonTime asc")
        assert [one["result"] for one in found["value"]] == [2.5, 2.75]
    sta.clock.set(Instant(sta.clock.city() + HOUR))
    async with desk(sta) as staff:
        (stream,) = (await staff.get("/Datastreams", _filter="properties/life eq 'late'"))["value"][:1]
        assert stream["@iot.id"] == "river-gauge.water-level"


async def test_sensors_and_properties_are_made_once_and_named_by_many(sta: World) -> None:
    async with sta.client("admin") as client:
        sensor = await posted(client, "/Sensors", SENSOR)
        level = await posted(client, "/ObservedProperties", LEVEL)
        assert (sensor, level) == ("/Sensors('ultrasonic-gauge')", "/ObservedProperties('thing.water-level')")
        links = {"Sensor": {"@iot.id": "ultrasonic-gauge"}, "ObservedProperty": {"@iot.id": "thing.water-level"}}
        for name in ("West", "East"):
            at = await posted(client, "/Things", {"name": name, "description": "A gauge"})
            await posted(client, f"{at}/Datastreams", {**STREAM, **links})
        second = await posted(client, "/Things('west')/Datastreams", {**STREAM, **links})
        assert second == "/Datastreams('west.water-level-2')"
        everyone = Desk(client)
        assert await everyone.ids("/ObservedProperties('thing.water-level')/Datastreams") == [
            "east.water-level",
            "west.water-level",
            "west.water-level-2",
        ]
        assert await everyone.ids(f"{sensor}/Datastreams", _filter="Thing/id eq 'east'") == ["east.water-level"]


async def test_what_was_made_is_changed_in_part_or_as_a_whole_and_moves(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        whole = await said(client, at)
        answer = await client.patch(ROOT + at, json={**whole, "name": "River gauge 2"})
        assert answer.status_code == 200, answer.text
        assert (await said(client, at))["properties"] == {"owner": "water"}
        answer = await client.put(ROOT + at, json={"name": "Other", "description": "Other"})
        assert answer.status_code == 200, answer.text
        thing = await said(client, at)
        assert (thing["name"], thing["properties"]) == ("Other", {})
        moved = {**PLACE, "location": {"type": "Point", "coordinates": [117.15, 39.15]}}
        await posted(client, f"{at}/Locations", moved)
        assert (await said(client, "/Locations('river-gauge')"))["location"] == moved["location"]
        stream = "/Datastreams('river-gauge.water-level')"
        kept = await said(client, stream)
        answer = await client.patch(ROOT + stream, json={"name": "Renamed", "properties": {**kept["properties"], "colour": "red"}})
        assert answer.status_code == 200, answer.text
        changed = await said(client, stream)
        assert (changed["name"], changed["description"]) == ("Renamed", STREAM["description"])
        assert changed["properties"]["colour"] == "red"
        for one in ("/Sensors('ultrasonic-gauge')", "/ObservedProperties('thing.water-level')"):
            answer = await client.patch(ROOT + one, json={"description": "Told anew"})
            assert answer.status_code == 200, answer.text
            assert (await said(client, one))["description"] == "Told anew"


async def test_what_is_ended_is_listed_no_more_and_its_readings_are_kept(sta: World) -> None:
    secret = sta.parts.accounts.devices.create("水位计", "gauge", ["river-gauge"])
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        async with sta.client("device") as device:
            device.auth = ("gauge", secret)
            device.headers.pop("Authorization")
            reading = {
                "phenomenonTime": "2026-11-22T06:50:00Z",
                "result": 2.5,
                "Datastream": {"@iot.id": "river-gauge.water-level"},
            }
            await posted(device, "/Observations", reading)
            number = sta.parts.registry.stream("river-gauge.water-level").no
            assert (await client.delete(ROOT + at)).status_code == 200
            assert (await device.post(f"{ROOT}/Observations", json=reading)).status_code == 400
        everyone = Desk(client)
        for path in ("/Things", "/Locations", "/Datastreams"):
            assert not [key for key in await everyone.ids(path) if key.startswith("river-gauge")]
        assert (await everyone.refused(at))[0] == 404
        assert (await everyone.refused("/Datastreams('river-gauge.water-level')"))[0] == 404
        assert (await client.delete(ROOT + at)).status_code == 404
        assert sta.series.latest()["stream_no"].to_pylist().count(number) == 1
        again = await posted(client, "/Things", GAUGE)
        assert again != at
        assert again.startswith("/Things('river-gauge-")


async def test_a_sensor_that_is_ended_takes_its_streams_along(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        assert (await client.delete(f"{ROOT}/Sensors('ultrasonic-gauge')")).status_code == 200
        everyone = Desk(client)
        assert await everyone.ids("/Things('river-gauge')/Datastreams") == []
        assert "ultrasonic-gauge" not in await everyone.ids("/Sensors")
        again = await posted(client, "/Things('river-gauge')/Datastreams", {**STREAM, "Sensor": {**SENSOR, "name": "Another"}})
        assert again.startswith("/Datastreams('river-gauge.water-level")


async def test_it_is_all_there_after_a_restart(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        await posted(
            client, "/Things", {**GAUGE, "name": "Gone", "Datastreams": [{**STREAM, "Sensor": {"@iot.id": "ultrasonic-gauge"}}]}
        )
        assert (await client.delete(f"{ROOT}/Things('gone')")).status_code == 200
    here = sta.parts.registry
    anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
    assert anew.streams() == here.streams()
    assert anew.stream_numbers() == here.stream_numbers()
    assert anew.made == here.made
    assert [thing.id for thing in anew.entities(MADE)] == [thing.id for thing in here.entities(MADE)] == ["river-gauge"]
    assert anew.streams_of("river-gauge") == here.streams_of("river-gauge")
    assert anew.streams_of("gone") == here.streams_of("gone") == ()


async def test_what_cannot_be_made_is_refused_whole_with_its_reason(sta: World) -> None:
    wrong: list[tuple[str, dict[str, Any], int, str]] = [
        ("/Things", {"description": "no name"}, 400, "name"),
        ("/Things", {**GAUGE, "colour": "red"}, 400, "colour"),
        ("/Things", {**GAUGE, "Datastreams": [{**STREAM, "ObservedProperty": {"@iot.id": "thing.none"}}]}, 404, "none"),
        ("/Things", {**GAUGE, "Datastreams": [{name: one for name, one in STREAM.items() if name != "Sensor"}]}, 400, "Sensor"),
        (
            "/Things",
            {**GAUGE, "Locations": [{**PLACE, "location": {"type": "Point", "coordinates": [39.1, 317.1]}}]},
            400,
            "longitude",
        ),
        ("/Things", {**GAUGE, "Locations": [{**PLACE, "location": {"type": "GeometryCollection"}}]}, 400, "one at least"),
        ("/Things", {**GAUGE, "@iot.id": "no good/id"}, 400, "no id"),
        ("/Things", {**GAUGE, "@iot.id": "well-1"}, 409, "taken"),
        ("/Things", {**GAUGE, "Datastreams": [{**STREAM, "properties": {"contract": {"every": "often"}}}]}, 400, "ISO 8601"),
        ("/Things('well-1')/Datastreams", STREAM, 409, "declared by a pack"),
        ("/Things('none')/Datastreams", STREAM, 404, "none"),
        ("/Datastreams", STREAM, 400, "Thing"),
        ("/Locations", {**PLACE, "name": ""}, 400, "name"),
        ("/FeaturesOfInterest", PLACE, 400, "no property location"),
        ("/HistoricalLocations", {"time": "2026-11-22T06:50:00Z"}, 400, "needs its Locations"),
        ("/MultiDatastreams", STREAM, 400, "unitOfMeasurement"),
    ]
    before = sta.parts.registry.streams(), sta.parts.registry.made
    async with sta.client("admin") as client:
        for path, body, status, word in wrong:
            answer = await client.post(ROOT + path, json=body)
            assert (answer.status_code, word in answer.json()["message"]) == (status, True), (path, body, answer.text)
        for method in ("PATCH", "DELETE"):
            for at in ("/Things('well-1')", "/Datastreams('well-1.level')", "/ObservedProperties('well.level')"):
                answer = await client.request(method, ROOT + at, json={"name": "x"})
                assert answer.status_code == 409, (method, at, answer.text)
    assert (sta.parts.registry.streams(), sta.parts.registry.made) == before


async def test_a_made_stream_that_falls_silent_is_counted_with_the_others(sta: World) -> None:
    async with sta.client("admin") as client:
        census = Census(sta.parts.registry, sta.parts.latest)
        before = dict(census.counts())
        await posted(client, "/Things", GAUGE)
        assert census.counts()[Life.NEVER] == before.get(Life.NEVER, 0) + 1
        assert (await client.delete(f"{ROOT}/Things('river-gauge')")).status_code == 200
        assert dict(census.counts()) == before


async def test_only_who_may_change_entities_makes_things_and_it_is_written_down(sta: World) -> None:
    async with sta.client("dispatcher") as client:
        assert (await client.post(f"{ROOT}/Things", json=GAUGE)).status_code == 403
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
    rows = sta.parts.guard.reader(Caller("x", "x", frozenset({"auditor"})), "").read(Query("audit")).rows
    assert [row["resource"] for row in rows if row["action"] == "entity.write" and row["allowed"]] == ["sensorthings:Things"]


async def test_a_made_thing_whose_stream_breaks_its_promise_is_told_as_any_other_until_it_ends(sta: World) -> None:
    secret = sta.parts.accounts.devices.create("水位计", "gauge", ["river-gauge"])
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        async with sta.client("device") as device:
            device.auth = ("gauge", secret)
            device.headers.pop("Authorization")
            reading = {
                "phenomenonTime": "2026-11-22T06:50:00Z",
                "result": 2.5,
                "Datastream": {"@iot.id": "river-gauge.water-level"},
            }
            await posted(device, "/Observations", reading)
        sta.clock.set(Instant(sta.clock.city() + 2 * HOUR))
        sta.watch.sweep()
        assert [alert.rule for alert in sta.parts.alerts.open() if alert.entity == "river-gauge"] == ["house.feed_lost"]
    async with sta.client("admin") as client:
        assert (await client.delete(f"{ROOT}/Things('river-gauge')")).status_code == 200
    sta.watch.sweep()
    assert not [alert for alert in sta.parts.alerts.open() if alert.entity == "river-gauge"]


async def test_a_datastream_gets_the_id_that_is_asked_for_below_its_thing_s(sta: World) -> None:
    level = {
        **STREAM,
        "@iot.id": "gauge-1.L_1",
        "Sensor": {**SENSOR, "name": "Other"},
        "ObservedProperty": {"@iot.id": "thing.water-level"},
    }
    async with sta.client("admin") as client:
        await posted(client, "/Things", {**GAUGE, "@iot.id": "gauge-1"})
        assert await posted(client, "/Things('gauge-1')/Datastreams", level) == "/Datastreams('gauge-1.L_1')"
        level["Sensor"] = {"@iot.id": "other"}
        for key, code in (
            ("gauge-1.L_1", 409),
            ("gauge-2.l", 400),
            ("gauge-1.a b", 400),
            ("l", 400),
            ("gauge-1.", 400),
            ("gauge-1.a.b", 400),
        ):
            answer = await client.post(f"{ROOT}/Things('gauge-1')/Datastreams", json={**level, "@iot.id": key})
            assert answer.status_code == code, answer.text
        assert await Desk(client).ids("/Things('gauge-1')/Datastreams") == ["gauge-1.L_1", "gauge-1.water-level"]
        thing = {"@iot.id": "gauge-3", "name": "Gauge 3", "description": "3"}
        assert (
            await posted(client, "/Datastreams", {**level, "@iot.id": "gauge-3.x", "Thing": thing}) == "/Datastreams('gauge-3.x')"
        )
