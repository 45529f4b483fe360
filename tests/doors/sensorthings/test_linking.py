"""Links between entities that are there, changed by bindings and under ``$ref``: whose a Datastream is, and what a place was."""

from typing import Any

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import AreaBook, Making, Registry
from citybrain.doors.sensorthings.altering import Change
from citybrain.doors.sensorthings.changing import Changer
from citybrain.doors.sensorthings.paths import Segment
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk, entrusted
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_featuring import results
from tests.doors.sensorthings.test_locations import EAST, PARK, PIER, later, places, shared, thing
from tests.doors.sensorthings.test_making import GAUGE, LEVEL, PLACE, SENSOR, STREAM, posted, said
from tests.doors.sensorthings.test_multi_making import STREAMS, VANE, WIND
from tests.doors.sensorthings.test_together import of_group, status

BANK: dict[str, Any] = {"name": "Bank", "description": "Left", "Locations": [EAST]}
TO_BANK: dict[str, Json] = {"@iot.id": "bank"}
LEVELS = "/Datastreams('river-gauge.water-level')"
NAMES = ("speed", "gust", "bearing")
PIER_AT = "/Locations('north-pier')"
PATCHED = "application/json-patch+json"


async def begun(world: World, client: AsyncClient) -> str:
    """A gauge of which a reading is there, and a bank that has nothing yet; how the gauge's device signs in."""
    await posted(client, "/Things", GAUGE)
    await posted(client, "/Things", BANK)
    async with world.client("device") as device:
        entrusted(world, device, "river-gauge")
        await posted(device, f"{LEVELS}/Observations", {"phenomenonTime": "2026-11-22T06:50:00Z", "result": 2.5})
        return device.headers["Authorization"]


@pytest.mark.parametrize(
    ("how", "at", "body"),
    [
        ("PATCH", LEVELS, {"Thing": TO_BANK}),
        ("PATCH", LEVELS, [{"op": "add", "path": "/Thing", "value": TO_BANK}]),
        ("PUT", LEVELS, {**STREAM, "Sensor": {"@iot.id": "ultrasonic-gauge"}, "ObservedProperty": None, "Thing": TO_BANK}),
        ("PUT", f"{LEVELS}/Thing/$ref", TO_BANK),
        ("POST", "/Things('bank')/Datastreams/$ref", {"@iot.id": "river-gauge.water-level"}),
        ("PATCH", "/Things('bank')", {"Datastreams": [{"@iot.id": "river-gauge.water-level"}]}),
    ],
)
async def test_a_datastream_goes_to_another_thing_with_all_its_readings(sta: World, how: str, at: str, body: Json) -> None:
    async with sta.client("admin") as client:
        signs = await begun(sta, client)
        before = sta.parts.registry.stream("river-gauge.water-level")
        kind = PATCHED if isinstance(body, list) else "application/json"
        answer = await client.request(how, ROOT + at, json=body, headers={"Content-Type": kind})
        assert answer.status_code == (201 if how == "POST" else 200), answer.text
        assert answer.headers.get("Location") == (f"http://city{ROOT}{LEVELS}" if how == "POST" else None)
        everyone = Desk(client)
        assert await everyone.ids("/Things('bank')/Datastreams") == ["river-gauge.water-level"]
        assert await everyone.ids("/Things('river-gauge')/Datastreams") == []
        assert (await said(client, f"{LEVELS}/Thing"))["@iot.id"] == "bank"
        after = sta.parts.registry.stream("river-gauge.water-level")
        assert (after.no, after.unit, after.contract, after.entity) == (before.no, before.unit, before.contract, "bank")
        anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
        assert (anew.streams(), anew.made) == (sta.parts.registry.streams(), sta.parts.registry.made)
        assert anew.streams_of("bank") == sta.parts.registry.streams_of("bank") == (after,)
        async with sta.client("device") as device:
            device.headers["Authorization"] = signs
            await posted(device, f"{LEVELS}/Observations", {"phenomenonTime": "2026-11-22T06:55:00Z", "result": 3.5})
        async with sta.client("dispatcher") as reader:
            assert await results(reader, "/Things('bank')/Datastreams('river-gauge.water-level')/Observations") == [3.5, 2.5]
            assert await Desk(reader).ids("/Observations", _filter="Datastream/Thing/id eq 'river-gauge'") == []
            (newest, _) = (await said(reader, f"{LEVELS}/Observations", _expand="FeatureOfInterest"))["value"]
            assert newest["FeatureOfInterest"]["feature"] == EAST["location"]
        # The thing that has it no more takes it along no more, and gives its id to no other.
        assert await posted(client, "/Things('river-gauge')/Datastreams", {**STREAM, "Sensor": {**SENSOR, "name": "New"}}) != LEVELS
        assert (await client.delete(f"{ROOT}/Things('river-gauge')")).status_code == 200
        assert (await said(client, LEVELS))["name"] == STREAM["name"]
        assert (await client.delete(f"{ROOT}/Things('bank')")).status_code == 200
        assert (await client.get(ROOT + LEVELS)).status_code == 404


async def test_another_process_sees_whose_a_datastream_is(sta: World) -> None:
    other = Registry(sta.transactions, (), AreaBook(sta.transactions))
    told: list[str] = []
    other.on_change(lambda nouns: told.extend(str(one.id) for one in nouns))
    async with sta.client("admin") as client:
        await begun(sta, client)
        other.renew()
        told.clear()
        assert (await client.patch(ROOT + LEVELS, json={"Thing": TO_BANK})).status_code == 200
    assert (other.renew(), told) == (True, ["river-gauge.water-level"])
    assert [one.id for one in other.streams_of("bank")] == ["river-gauge.water-level"]
    assert other.streams_of("river-gauge") == ()


async def test_what_another_process_changed_a_moment_ago_is_neither_undone_nor_taken_for_what_stands(sta: World) -> None:
    other = Registry(sta.transactions, (), AreaBook(sta.transactions))
    elsewhere = Changer(Making(other, AreaBook(sta.transactions), sta.clock), other)
    level = (Segment("Datastreams", "river-gauge.water-level"),)
    async with sta.client("admin") as client:
        await begun(sta, client)
        elsewhere.change(level, Change("merge", {"Thing": TO_BANK}))
        assert (await client.patch(ROOT + LEVELS, json={"Thing": {"@iot.id": "river-gauge"}})).status_code == 200
        assert (await said(client, f"{LEVELS}/Thing"))["@iot.id"] == "river-gauge", "nothing was to do but for what the other did"
        elsewhere.change(level, Change("merge", {"description": "Each minute"}))
        assert (await client.patch(ROOT + LEVELS, json={"name": "Height"})).status_code == 200
        found = await said(client, LEVELS)
        assert (found["name"], found["description"]) == ("Height", "Each minute")
        elsewhere.change((*level, Segment("Thing"), Segment("$ref")), Change("replace", TO_BANK))
        back = await client.put(f"{ROOT}{LEVELS}/Thing/$ref", json={"@iot.id": "river-gauge"})
        assert (back.status_code, (await said(client, f"{LEVELS}/Thing"))["@iot.id"]) == (200, "river-gauge")


async def test_what_is_made_or_ended_goes_by_what_another_process_has_made_or_ended_a_moment_ago(sta: World) -> None:
    other = Registry(sta.transactions, (), AreaBook(sta.transactions))
    elsewhere = Changer(Making(other, AreaBook(sta.transactions), sta.clock), other)
    async with sta.client("admin") as client:
        elsewhere.create((Segment("Things"),), BANK)
        assert await posted(client, "/Things('bank')/Datastreams", STREAM) == "/Datastreams('bank.water-level')"
        second: dict[str, Any] = {**STREAM, "@iot.id": "bank.second", "Sensor": {**SENSOR, "name": "2nd"}}
        elsewhere.create((Segment("Things", "bank"), Segment("Datastreams")), second)
        assert (await client.delete(f"{ROOT}/Things('bank')")).status_code == 200
        assert list(Registry(sta.transactions, (), AreaBook(sta.transactions)).streams_of("bank")) == []
        assert other.renew()
        elsewhere.create((Segment("Things"),), {**BANK, "@iot.id": "north"})
        elsewhere.end((Segment("Things", "north"),))
        assert (await client.post(f"{ROOT}/Things('north')/Datastreams", json=STREAM)).status_code == 404


async def test_a_multidatastream_goes_with_all_its_streams_and_none_of_these_alone(sta: World) -> None:
    wind = "/MultiDatastreams('vane-1.wind')"
    async with sta.client("admin") as client:
        await posted(client, "/Things", VANE)
        await posted(client, "/Things", BANK)
        alone = await client.patch(f"{ROOT}/Datastreams('vane-1.gust')", json={"Thing": TO_BANK})
        assert (alone.status_code, "one of 'vane-1.wind'" in alone.json()["message"]) == (409, True), alone.text
        assert (await client.patch(ROOT + wind, json={"Thing": TO_BANK, "name": "Wind, left"})).status_code == 200
        everyone = Desk(client)
        assert await everyone.ids("/Things('bank')/MultiDatastreams") == ["vane-1.wind"]
        assert await everyone.ids("/Things('vane-1')/MultiDatastreams") == []
        assert await everyone.ids("/Things('bank')/Datastreams", _orderby="id asc") == sorted(STREAMS)
        found = await said(client, wind, _expand="Thing")
        assert (found["name"], found["Thing"]["@iot.id"]) == ("Wind, left", "bank")
        anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
        assert (anew.streams(), anew.made) == (sta.parts.registry.streams(), sta.parts.registry.made)
        # Its id is taken as long as it is there, of whatever thing it is.
        another = {
            **WIND,
            "Sensor": {**SENSOR, "name": "Other"},
            "ObservedProperties": [{"@iot.id": f"thing.{one}"} for one in NAMES],
        }
        again = await posted(client, "/Things('vane-1')/MultiDatastreams", another)
        assert again == "/MultiDatastreams('vane-1.wind-2')"
        for how, at, body in (
            ("POST", "/Things('vane-1')/MultiDatastreams/$ref", {"@iot.id": "vane-1.wind"}),
            ("PUT", f"{wind}/Thing/$ref", TO_BANK),
            ("PATCH", "/Things('vane-1')", {"MultiDatastreams": [{"@iot.id": "vane-1.wind"}]}),
        ):
            answer = await client.request(how, ROOT + at, json=body)
            assert answer.status_code in (200, 201), answer.text
            assert ("vane-1.wind" in await everyone.ids("/Things('bank')/MultiDatastreams")) is (how == "PUT")
        assert (await client.delete(f"{ROOT}/Things('bank')")).status_code == 200
        assert await everyone.ids("/Things('vane-1')/MultiDatastreams", _orderby="id asc") == ["vane-1.wind", "vane-1.wind-2"]


async def test_sensors_and_properties_get_datastreams_that_are_there(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        everyone, mine = Desk(client), {"@iot.id": "river-gauge.water-level"}
        for name, body in (("Sensors", SENSOR), ("ObservedProperties", LEVEL)):
            for number, how in enumerate(("PATCH", "POST", "PUT")):
                at = await posted(client, f"/{name}", {**body, "name": f"Other {number}"})
                link = "Sensor" if name == "Sensors" else "ObservedProperty"
                what: tuple[str, Any] = {
                    "PATCH": (at, {"description": "Told anew", "Datastreams": [mine]}),
                    "POST": (f"{at}/Datastreams/$ref", mine),
                    "PUT": (f"{LEVELS}/{link}/$ref", {"@iot.id": at.split("'")[1]}),
                }[how]
                answer = await client.request(how, ROOT + what[0], json=what[1])
                assert answer.status_code in (200, 201), answer.text
                assert await everyone.ids(f"{at}/Datastreams") == ["river-gauge.water-level"]
        assert (await said(client, "/Sensors('other-0')"))["description"] == "Told anew"


async def test_a_change_whose_link_cannot_be_made_changes_nothing(sta: World) -> None:
    inline = "along with it"
    wrong: list[tuple[str, str, Any, int, str]] = [
        ("PATCH", "/Things('bank')", {"name": "x", "Datastreams": [STREAM]}, 400, inline),
        ("PATCH", "/Things('bank')", {"name": "x", "Locations": [PARK]}, 400, inline),
        ("PATCH", "/Things('bank')", {"name": "x", "Datastreams": [{"@iot.id": "well-1.level"}]}, 409, "declared by a pack"),
        ("PATCH", "/Things('bank')", {"name": "x", "Datastreams": [{"@iot.id": "none"}]}, 404, "none"),
        ("PATCH", "/Things('bank')", {"name": "x", "MultiDatastreams": [{"@iot.id": "none"}]}, 404, "none"),
        ("PATCH", "/Sensors('ultrasonic-gauge')", {"name": "x", "Datastreams": [STREAM]}, 400, inline),
        ("PATCH", "/Sensors('ultrasonic-gauge')", {"name": "x", "Datastreams": [{"@iot.id": "none"}]}, 404, "none"),
        ("PATCH", "/ObservedProperties('thing.water-level')", {"name": "x", "Datastreams": [STREAM]}, 400, inline),
        ("PATCH", LEVELS, {"name": "x", "Observations": [{"result": 1}]}, 400, inline),
        ("PATCH", LEVELS, {"name": "x", "Thing": {"name": "New", "description": "New"}}, 400, inline),
        ("PATCH", LEVELS, {"name": "x", "Thing": {"@iot.id": "none"}}, 404, "none"),
        ("PUT", f"{LEVELS}/Thing/$ref", {"@iot.id": "well-1"}, 409, "declared by a pack"),
        ("PUT", f"{LEVELS}/Thing/$ref", {"name": "New"}, 400, "that is there"),
        ("PUT", f"{LEVELS}/Observations/$ref", {"@iot.id": "1.1"}, 501, "not written so"),
        ("POST", "/Things('well-1')/Datastreams/$ref", {"@iot.id": "river-gauge.water-level"}, 409, "declared by a pack"),
        ("DELETE", f"{LEVELS}/Thing/$ref", None, 501, "not written so"),
        ("PATCH", f"{LEVELS}/Thing/$ref", TO_BANK, 501, "not written so"),
        ("POST", f"{LEVELS}/Thing/$ref", TO_BANK, 501, "not written so"),
        ("PUT", "/Things('bank')/Datastreams/$ref", {"@iot.id": "river-gauge.water-level"}, 501, "not written so"),
    ]
    async with sta.client("admin") as client:
        await begun(sta, client)
        before = sta.parts.registry.streams(), sta.parts.registry.made, sta.parts.registry.version
        for how, at, body, code, why in wrong:
            answer = await client.request(how, ROOT + at, json=body)
            assert (answer.status_code, why in answer.json()["message"]) == (code, True), (how, at, body, answer.text)
        assert (sta.parts.registry.streams(), sta.parts.registry.made, sta.parts.registry.version) == before
    async with sta.client("device") as client:
        client.auth = ("maker", sta.parts.accounts.devices.create("塔", "maker", ["+bank", "+river-gauge"]))
        client.headers.pop("Authorization")
        for how, at, body in (("PATCH", LEVELS, {"Thing": TO_BANK}), ("PUT", f"{LEVELS}/Thing/$ref", TO_BANK)):
            assert (await client.request(how, ROOT + at, json=body)).status_code == 403


async def test_in_a_change_set_a_datastream_goes_to_a_thing_that_is_new(sta: World) -> None:
    new = {"id": "t", "method": "post", "url": "Things", "body": {"name": "New", "description": "New"}}
    go = {"method": "patch", "url": LEVELS[1:], "body": {"Thing": {"@iot.id": "$t"}}}
    async with sta.client("admin") as client:
        await begun(sta, client)
        assert status(await sent(client, *of_group(new, go, {**new, "id": "u", "body": {"name": ""}}))) == [424, 424, 400]
        assert await Desk(client).ids("/Things('river-gauge')/Datastreams") == ["river-gauge.water-level"]
        assert status(await sent(client, *of_group(new, go))) == [201, 200]
        assert await Desk(client).ids("/Things('new')/Datastreams") == ["river-gauge.water-level"]


async def test_a_location_gets_things_that_are_there(sta: World) -> None:
    async with sta.client("admin") as client:
        await shared(client)
        await posted(client, "/Things", thing("Three", EAST))
        later(sta)
        answer = await client.patch(f"{ROOT}/Locations('north-pier')", json={"name": "Quay", "Things": [{"@iot.id": "three"}]})
        assert answer.status_code == 200, answer.text
        assert await Desk(client).ids("/Locations('north-pier')/Things") == ["one", "three", "two"]
        assert (await said(client, "/Locations('north-pier')"))["name"] == "Quay"
        assert places(sta)["three"][0] == Place(117.1, 39.1)
        assert len(await Desk(client).ids("/Things('three')/HistoricalLocations")) == 2


async def test_where_a_thing_was_is_set_right_and_where_it_is_moves_it(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", thing("One", PLACE))
        for place in (EAST, PARK):
            await posted(client, "/Locations", place)
        sta.clock.set(Instant(sta.clock.city() + 5 * MINUTE))
        await posted(client, f"{at}/Locations", {"@iot.id": "east-pier"})
        everyone = Desk(client)
        first, now = await everyone.ids(f"{at}/HistoricalLocations")
        body = {"time": "2026-11-22T06:30:00Z", "Locations": [{"@iot.id": "park"}], "Thing": {"@iot.id": "one"}}
        for how in ("PATCH", "PUT"):
            answer = await client.request(how, f"{ROOT}/HistoricalLocations('{first}')", json=body)
            assert answer.status_code == 200, answer.text
            assert await everyone.ids(f"/HistoricalLocations('{first}')/Locations") == ["park"]
        assert (await said(client, f"/HistoricalLocations('{first}')"))["time"] == "2026-11-22T06:30:00Z"
        assert places(sta)["one"][0] == Place(117.15, 39.15)
        refer = await client.post(f"{ROOT}/HistoricalLocations('{first}')/Locations/$ref", json={"@iot.id": "east-pier"})
        assert refer.status_code == 201, refer.text
        assert await everyone.ids(f"/HistoricalLocations('{first}')/Locations") == ["east-pier", "park"]
        assert await everyone.ids("/Locations('park')/HistoricalLocations") == [first]
        # What is said of the present one is where the thing stands.
        other = await client.patch(f"{ROOT}/Locations('park')", json={"HistoricalLocations": [{"@iot.id": now}]})
        assert other.status_code == 200, other.text
        assert await everyone.ids(f"{at}/Locations") == ["east-pier", "park"]
        assert (
            await client.patch(f"{ROOT}/HistoricalLocations('{now}')", json={"Locations": [{"@iot.id": "park"}]})
        ).status_code == 200
        assert await everyone.ids(f"{at}/Locations") == ["park"]
        assert places(sta)["one"][0] != Place(117.15, 39.15)
        assert await everyone.ids(f"{at}/HistoricalLocations") == [first, now]
        anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
        assert (anew.moved("one"), anew.made.things) == (sta.parts.registry.moved("one"), sta.parts.registry.made.things)


@pytest.mark.parametrize("how", ["PATCH", "PUT", "ref", "thing"])
async def test_where_a_thing_was_is_another_s_past_under_the_id_that_it_has(sta: World, how: str) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        await posted(client, "/Things", BANK)
        old = await posted(client, f"{at}/HistoricalLocations", {"time": "2026-11-20T00:00:00Z", "Locations": [PARK]})
        key = old.split("'")[1].replace("%40", "@")
        body: dict[str, Any] = {"time": "2026-11-20T00:00:00Z", "Thing": TO_BANK}
        method, path, sent_ = {
            "PATCH": ("PATCH", old, {"Thing": TO_BANK}),
            "PUT": ("PUT", old, body),
            "ref": ("PUT", f"{old}/Thing/$ref", TO_BANK),
            "thing": ("PATCH", "/Things('bank')", {"HistoricalLocations": [{"@iot.id": key}]}),
        }[how]
        for _ in range(2):
            answer = await client.request(method, ROOT + path, json=sent_)
            assert answer.status_code == 200, answer.text
        everyone = Desk(client)
        found = await said(client, old, _expand="Thing,Locations")
        assert (found["@iot.id"], found["time"], found["Thing"]["@iot.id"]) == (key, "2026-11-20T00:00:00Z", "bank")
        assert [one["name"] for one in found["Locations"]] == ["Park"]
        assert await everyone.ids(f"/Locations('{found['Locations'][0]['@iot.id']}')/HistoricalLocations") == [key]
        assert key in await everyone.ids("/Things('bank')/HistoricalLocations")
        assert key not in await everyone.ids(f"{at}/HistoricalLocations")
        assert await everyone.ids("/HistoricalLocations", _filter=f"id eq '{key}'") == [key]
        assert places(sta)["bank"][0] == Place(117.15, 39.15)
        # Its id is nobody else's, though the thing that it begins with gets a past of the same moment again.
        again = await posted(client, f"{at}/HistoricalLocations", {"time": "2026-11-20T00:00:00Z", "Locations": [PARK]})
        assert again != old
        anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
        assert (anew.made.kept, anew.made.known) == (sta.parts.registry.made.kept, sta.parts.registry.made.known)
        assert (
            await client.patch(ROOT + old, json={"time": "2026-11-19T00:00:00Z", "Thing": {"@iot.id": "river-gauge"}})
        ).status_code == 200
        back = await said(client, old, _expand="Thing")
        assert (back["time"], back["Thing"]["@iot.id"]) == ("2026-11-19T00:00:00Z", "river-gauge")
        assert (await client.delete(ROOT + old)).status_code == 200
        assert (await client.get(ROOT + old)).status_code == 404
        (now,) = await everyone.ids("/Things('bank')/HistoricalLocations")
        mine = f"{ROOT}/HistoricalLocations('{now}')"
        known = await client.patch(mine, json={"Thing": {"@iot.id": "river-gauge"}})
        assert (known.status_code, "known already" in known.json()["message"]) == (409, True), known.text
        # Of where a thing stands, too: it goes on standing there.
        one = await client.patch(mine, json={"time": "2026-11-19T12:00:00Z", "Thing": {"@iot.id": "river-gauge"}})
        assert one.status_code == 200, one.text
        assert now in await everyone.ids(f"{at}/HistoricalLocations")
        assert await everyone.ids("/Things('bank')/HistoricalLocations") == []
        assert await everyone.ids("/Locations('bank')/HistoricalLocations") == []
        assert await everyone.ids("/Things('bank')/Locations") == ["bank"]


async def test_a_thing_s_own_place_is_one_of_those_that_it_was(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        assert await posted(client, "/Locations", PLACE) == PIER_AT
        (now,) = await Desk(client).ids(f"{at}/HistoricalLocations")
        assert (await client.post(f"{ROOT}/HistoricalLocations('{now}')/Locations/$ref", json=PIER)).status_code == 201
        assert await Desk(client).ids(f"{at}/Locations") == ["north-pier", "river-gauge"]
        assert await Desk(client).ids(f"{at}/HistoricalLocations") == [now]
        assert await Desk(client).ids("/Locations('north-pier')/HistoricalLocations") == [now]
