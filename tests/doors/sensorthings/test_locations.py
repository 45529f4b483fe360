"""Locations as entities of their own: of no Thing, of several, several of one; whoever stands there moves with them."""

from typing import Any

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import AreaBook, Registry
from citybrain.kernel.access import Role
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.places import Place
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_bringing import BARE, TWO
from tests.doors.sensorthings.test_describing import device
from tests.doors.sensorthings.test_featuring import results
from tests.doors.sensorthings.test_making import GAUGE, PLACE, STREAM, posted, said
from tests.doors.sensorthings.test_together import of_group, status

STEP = 5 * MINUTE
EAST: dict[str, Any] = {**PLACE, "name": "East pier", "location": {"type": "Point", "coordinates": [117.15, 39.15]}}
PARK: dict[str, Any] = {
    **PLACE,
    "name": "Park",
    "location": {"type": "Polygon", "coordinates": [[[117, 39], [117.05, 39], [117.05, 39.05], [117, 39.05], [117, 39]]]},
}
PIER = {"@iot.id": "north-pier"}


def box(west: float, south: float, east: float, north: float) -> str:
    """A rectangle, as a filter writes it."""
    return f"geography'POLYGON (({west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}))'"


WEST, MIDDLE, NORTHEAST = box(116.9, 38.9, 117.06, 39.06), box(117.09, 39.09, 117.11, 39.11), box(117.14, 39.14, 117.16, 39.16)


def thing(name: str, *places: object, **more: object) -> dict[str, Any]:
    """A thing that stands there."""
    return {"name": name, "description": "A gauge", "Locations": list(places), **more}


async def shared(client: AsyncClient) -> None:
    """A pier at which two gauges stand."""
    assert await posted(client, "/Locations", PLACE) == "/Locations('north-pier')"
    for name in ("One", "Two"):
        await posted(client, "/Things", thing(name, PIER))


def later(world: World) -> None:
    """Five minutes pass."""
    world.clock.set(Instant(world.clock.city() + STEP))


def places(world: World) -> dict[str, tuple[Place | None, str | None]]:
    """Where the made things stand, as every map has it."""
    return {entity.id: (entity.place, entity.area) for entity in world.parts.registry.entities("thing")}


async def test_a_location_stands_by_itself_until_things_come_to_it(sta: World) -> None:
    async with sta.client("admin") as client:
        everyone = Desk(client)
        at = await posted(client, "/Locations", PLACE)
        found = await said(client, at)
        assert (found["name"], found["location"]) == ("North pier", PLACE["location"])
        assert await everyone.ids(f"{at}/Things") == await everyone.ids(f"{at}/HistoricalLocations") == []
        assert (await said(client, "/Locations", _count="true"))["@iot.count"] == 3
        assert await everyone.ids("/Things") == ["well-1", "well-2"]
        assert await everyone.ids("/FeaturesOfInterest") == ["well-1", "well-2"]
        for name in ("One", "Two"):
            await posted(client, "/Things", thing(name, PIER))
        assert await everyone.ids(f"{at}/Things") == ["one", "two"]
        assert await everyone.ids("/Things('one')/Locations") == ["north-pier"]
        assert await everyone.ids("/Locations") == ["north-pier", "well-1", "well-2"]
        assert (await said(client, "/Locations", _count="true", _top="1"))["@iot.count"] == 3
        assert places(sta) == dict.fromkeys(("one", "two"), (Place(117.1, 39.1), "120104"))
        everything = await said(client, "/Things", _expand="Locations($expand=Things)", _filter="startswith(description,'A gauge')")
        assert [[one["@iot.id"] for one in each["Locations"][0]["Things"]] for each in everything["value"]] == [["one", "two"]] * 2
        assert (await said(client, "/Things('one')/Locations('north-pier')"))["name"] == "North pier"
        assert await everyone.ids("/HistoricalLocations", _filter="Locations/id eq 'north-pier'") == await everyone.ids(
            f"{at}/HistoricalLocations"
        )


async def test_all_that_stand_at_a_location_move_with_it(sta: World) -> None:
    async with sta.client("admin") as client:
        await shared(client)
        later(sta)
        for change, moved in (({"description": "Told anew"}, 1), ({"location": EAST["location"]}, 2)):
            assert (await client.patch(f"{ROOT}/Locations('north-pier')", json=change)).status_code == 200
            assert len(await Desk(client).ids("/Things('two')/HistoricalLocations")) == moved
        assert places(sta) == dict.fromkeys(("one", "two"), (Place(117.15, 39.15), "120104"))
        everyone = Desk(client)
        for path, wanted in (("location", ["north-pier"]), ("Locations/location", ["one", "two"]), ("feature", ["one", "two"])):
            name = {"location": "/Locations", "Locations/location": "/Things", "feature": "/FeaturesOfInterest"}[path]
            assert await everyone.ids(name, _filter=f"st_within({path}, {NORTHEAST})") == wanted
            assert await everyone.ids(name, _filter=f"st_within({path}, {MIDDLE})") == []
        found = await said(client, "/Things('two')/HistoricalLocations", _expand="Locations", _orderby="time asc")
        assert [one["Locations"][0]["location"] for one in found["value"]] == [PLACE["location"], EAST["location"]]
        assert [one["Locations"][0]["@iot.id"] for one in found["value"]][1] == "north-pier"
        again = Registry(sta.transactions, (), AreaBook(sta.transactions))
        assert (again.made, again.entities("location")) == (sta.parts.registry.made, sta.parts.registry.entities("location"))


async def test_a_thing_stands_at_several_locations_at_once_and_its_point_is_the_first_that_is_one(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", thing("One", PARK, EAST))
        everyone = Desk(client)
        assert await everyone.ids(f"{at}/Locations") == ["east-pier", "park"]
        assert places(sta) == {"one": (Place(117.15, 39.15), "120104")}
        for where in (WEST, NORTHEAST):
            assert await everyone.ids("/Things", _filter=f"st_within(Locations/location, {where})") == ["one"]
        assert await everyone.ids("/Locations", _filter=f"st_within(location, {WEST})") == ["park"]
        assert await everyone.ids("/Locations", _filter="not startswith(id,'well')", _orderby="id desc") == ["park", "east-pier"]
        later(sta)
        assert await posted(client, "/Locations", PLACE) == "/Locations('north-pier')"
        three = [{"@iot.id": key} for key in ("park", "east-pier", "north-pier")]
        assert (await client.patch(ROOT + at, json={"Locations": three})).status_code == 200
        assert await everyone.ids(f"{at}/Locations") == ["east-pier", "north-pier", "park"]
        later(sta)
        await posted(client, f"{at}/Locations", {"@iot.id": "park"})
        past = await said(client, f"{at}/HistoricalLocations", _expand="Locations", _orderby="time asc")
        assert [[one["@iot.id"] for one in each["Locations"]] for each in past["value"]] == [
            ["east-pier", "park"],
            ["east-pier", "north-pier", "park"],
            ["park"],
        ]
        ids = [each["@iot.id"] for each in past["value"]]
        assert await everyone.ids("/Locations('park')/HistoricalLocations") == ids
        assert await everyone.ids("/Locations('north-pier')/HistoricalLocations") == ids[1:2]
        page = await said(client, "/Locations('park')/HistoricalLocations", _top="2")
        assert [one["@iot.id"] for one in page["value"]] == ids[:2]
        assert [one["@iot.id"] for one in (await client.get(page["@iot.nextLink"])).json()["value"]] == ids[2:]


async def test_a_location_that_is_deleted_leaves_its_things_at_their_other_one_or_nowhere(sta: World) -> None:
    async with sta.client("admin") as client:
        await shared(client)
        await posted(client, "/Locations", EAST)
        await posted(client, "/Things('two')/Locations/$ref", {"@iot.id": "east-pier"})
        assert await Desk(client).ids("/Things('two')/Locations") == ["east-pier", "north-pier"]
        later(sta)
        assert (await client.delete(f"{ROOT}/Locations('north-pier')")).status_code == 200
        assert places(sta) == {"one": (None, None), "two": (Place(117.15, 39.15), "120104")}
        assert await Desk(client).ids("/Things('one')/Locations") == []
        assert await Desk(client).ids("/Things('two')/Locations") == ["east-pier"]
        assert (await client.get(f"{ROOT}/Locations('north-pier')")).status_code == 404
        assert await Desk(client).ids("/Things('one')/HistoricalLocations") == []
        assert len(await Desk(client).ids("/Things('two')/HistoricalLocations")) == 1
        assert (await client.delete(f"{ROOT}/Things('two')/Locations('east-pier')/$ref")).status_code == 200
        assert (await said(client, "/Locations('east-pier')"))["name"] == "East pier"
        assert places(sta)["two"] == (None, None)
        assert (await client.delete(f"{ROOT}/Things('two')/Locations('east-pier')/$ref")).status_code == 404


async def test_a_location_that_is_deleted_takes_along_what_leads_to_it_and_to_nothing_else(sta: World) -> None:
    """OGC 18-088 table 25."""
    async with sta.client("admin") as client:
        everyone = Desk(client)
        for place in (PLACE, EAST, PARK):
            await posted(client, "/Locations", place)
        at = await posted(client, "/Things", thing("One", PIER))
        for where in ([{"@iot.id": "park"}], [PIER, {"@iot.id": "park"}], [{"@iot.id": "east-pier"}], [PIER]):
            later(sta)
            assert (await client.patch(ROOT + at, json={"Locations": where})).status_code == 200
        own = await posted(client, "/Things", GAUGE)
        later(sta)
        assert (await client.patch(f"{ROOT}/Locations('east-pier')", json={"location": PLACE["location"]})).status_code == 200
        _, park, both, east, _ = await everyone.ids(f"{at}/HistoricalLocations")
        assert (await client.delete(f"{ROOT}/Locations('north-pier')")).status_code == 200
        assert (await client.delete(f"{ROOT}/Locations('east-pier')")).status_code == 200
        # Where the thing stood at the east pier is not where that was when it was deleted: it led there no more.
        assert await everyone.ids(f"{at}/HistoricalLocations") == [park, both, east]
        assert await everyone.ids(f"/HistoricalLocations('{both}')/Locations") == ["park"]
        assert await everyone.ids("/Locations('park')/HistoricalLocations") == [park, both]
        assert await everyone.ids(f"{at}/Locations") == []
        await posted(client, f"{own}/Locations", EAST)
        (first, now) = await everyone.ids(f"{own}/HistoricalLocations")
        assert (await client.delete(f"{ROOT}/Locations('river-gauge')")).status_code == 200
        assert await everyone.ids(f"{own}/HistoricalLocations") == [first] != [now]
        anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
        assert [anew.moved(key) for key in ("one", "river-gauge")] == [
            sta.parts.registry.moved(key) for key in ("one", "river-gauge")
        ]
        later(sta)
        await posted(client, f"{own}/Locations", PLACE)
        assert len(await everyone.ids(f"{own}/HistoricalLocations")) == 2


async def test_in_a_change_set_what_led_to_a_location_goes_with_it(sta: World) -> None:
    place = {"id": "l", "method": "post", "url": "Locations", "body": PLACE}
    one = {"id": "t", "method": "post", "url": "Things", "body": thing("One", {"@iot.id": "$l"})}
    move = {
        "method": "post",
        "url": "$t/HistoricalLocations",
        "body": {"time": "2026-11-20T00:00:00Z", "Locations": [{"@iot.id": "$l"}]},
    }
    end = {"method": "delete", "url": "$l"}
    async with sta.client("admin") as client:
        assert status(await sent(client, *of_group(place, one, move, end))) == [201, 201, 201, 200]
        assert await Desk(client).ids("/Things('one')/HistoricalLocations") == []
        assert places(sta)["one"] == (None, None)


async def test_a_thing_that_is_deleted_leaves_its_location(sta: World) -> None:
    """OGC 18-088 table 25: its Datastreams and its HistoricalLocations go, and nothing else."""
    async with sta.client("admin") as client:
        everyone = Desk(client)
        at = await posted(client, "/Things", GAUGE)
        past = await everyone.ids(f"{at}/HistoricalLocations")
        assert (await client.delete(ROOT + at)).status_code == 200
        assert await everyone.ids("/Datastreams", _filter="startswith(id,'river')") == []
        assert (await client.get(f"{ROOT}/HistoricalLocations('{past[0]}')")).status_code == 404
        found = await said(client, "/Locations('north-pier')", _expand="Things,HistoricalLocations")
        assert (found["name"], found["location"], found["Things"], found["HistoricalLocations"]) == (
            "North pier",
            PLACE["location"],
            [],
            [],
        )
        assert {"ultrasonic-gauge"} <= set(await everyone.ids("/Sensors"))
        assert "thing.water-level" in await everyone.ids("/ObservedProperties")


async def test_a_place_that_is_a_thing_s_own_may_be_another_s_too(sta: World) -> None:
    async with sta.client("admin") as client:
        everyone = Desk(client)
        await posted(client, "/Things", GAUGE)
        await posted(client, "/Things", thing("Guest", {"@iot.id": "river-gauge"}))
        assert await everyone.ids("/Locations('river-gauge')/Things") == ["guest", "river-gauge"]
        assert await everyone.ids("/Locations", _filter="not startswith(id,'well')") == ["river-gauge"]
        later(sta)
        assert (await client.patch(f"{ROOT}/Locations('river-gauge')", json={"location": EAST["location"]})).status_code == 200
        assert {place for place, _ in places(sta).values()} == {Place(117.15, 39.15)}
        assert len(await everyone.ids("/Locations('river-gauge')/HistoricalLocations")) == 2
        later(sta)
        await posted(client, "/Things('river-gauge')/Locations", PARK)
        assert places(sta)["guest"] == (Place(117.15, 39.15), "120104")
        assert await everyone.ids("/Things('guest')/Locations") == ["north-pier"]
        assert await everyone.ids("/Things('river-gauge')/Locations") == ["river-gauge"]
        assert (await said(client, "/Locations('river-gauge')"))["name"] == "Park"
        assert len(await everyone.ids("/Things('guest')/HistoricalLocations")) == 2
        await posted(client, "/Things('guest')/Locations", {"@iot.id": "river-gauge"})
        assert (await client.delete(f"{ROOT}/Things('river-gauge')")).status_code == 200
        assert await everyone.ids("/Things('guest')/Locations") == ["park"]
        assert await everyone.ids("/Locations('park')/Things") == ["guest"]


async def test_a_location_brings_its_things_and_all_that_hangs_on_them(sta: World) -> None:
    streams = [{**STREAM, "Observations": TWO}]
    past = [{"time": "2026-11-20T00:00:00Z", "Locations": [EAST]}]
    two = {"name": "Two", "description": "2", "Locations": [EAST], "HistoricalLocations": past}
    async with sta.client("device") as client:
        device(sta, client)
        things = [{**BARE, "Datastreams": streams}]
        for other in (two, {"@iot.id": "well-9", **two}, {"@iot.id": "two"}):
            answer = await client.post(f"{ROOT}/Locations", json={**PLACE, "Things": [*things, other]})
            assert answer.status_code == 403, answer.text
        answer = await client.post(f"{ROOT}/Locations", json={**PLACE, "@iot.id": "well-9", "Things": things})
        assert answer.status_code == 403
        assert (
            await posted(client, "/Locations", {**PLACE, "Things": [*things, {**BARE, "@iot.id": "gauge-2"}]})
            == "/Locations('north-pier')"
        )
    async with sta.client("admin") as client:
        version = sta.parts.registry.version
        bad = {**PLACE, "Things": [two, {"@iot.id": "none"}]}
        assert (await client.post(f"{ROOT}/Locations", json=bad)).status_code == 404
        assert sta.parts.registry.version == version
        at = await posted(client, "/Locations", {**PLACE, "@iot.id": "quay", "Things": [two, {"@iot.id": "gauge-2"}]})
        assert (at, sta.parts.registry.version) == ("/Locations('quay')", version + 1)
        assert await Desk(client).ids(f"{at}/Things") == ["gauge-2", "two"]
        assert await Desk(client).ids("/Things('two')/Locations") == ["east-pier", "quay"]
        assert len(await Desk(client).ids("/Things('two')/HistoricalLocations")) == 2
        assert await Desk(client).ids("/Locations('north-pier')/Things") == ["gauge-1"]
        await posted(client, f"{at}/Things", {"@iot.id": "gauge-1"})
        await posted(client, f"{at}/Things", {"name": "Three", "description": "3"})
        assert await Desk(client).ids(f"{at}/Things") == ["gauge-1", "gauge-2", "three", "two"]
    async with sta.client("dispatcher") as client:
        assert await results(client, "/Datastreams('gauge-1.water-level')/Observations") == [2.75, 2.5]


async def test_what_is_read_may_be_sent_back_and_changes_nothing(sta: World) -> None:
    async with sta.client("admin") as client:
        await shared(client)
        await posted(client, "/Things", thing("Three", PIER, EAST))
        later(sta)
        for key in ("one", "three"):
            whole = await said(client, f"/Things('{key}')", _expand="Locations")
            assert (await client.patch(f"{ROOT}/Things('{key}')", json=whole)).status_code == 200
            assert await said(client, f"/Things('{key}')", _expand="Locations") == whole
            assert len(await Desk(client).ids(f"/Things('{key}')/HistoricalLocations")) == 1
        place = await said(client, "/Locations('north-pier')")
        assert (await client.put(f"{ROOT}/Locations('north-pier')", json=place)).status_code == 200
        assert await said(client, "/Locations('north-pier')") == place


async def test_what_cannot_be_a_location_of_a_thing_is_refused_with_its_reason(sta: World) -> None:
    async with sta.client("admin") as client:
        await shared(client)
        wrong: list[tuple[str, str, Any, int, str]] = [
            ("POST", "/Things", thing("Four", {"@iot.id": "none"}), 404, "no Location 'none'"),
            ("POST", "/Things", thing("Four", {"@iot.id": "one"}), 404, "no Location 'one'"),
            ("POST", "/Things", thing("Four", {**EAST, "@iot.id": "north-pier"}), 409, "taken"),
            ("POST", "/Locations", {**PLACE, "@iot.id": "one"}, 409, "taken"),
            ("POST", "/Locations('none')/Things", thing("Four"), 404, "no Location 'none'"),
            ("POST", "/Things('one')/Locations/$ref", EAST, 400, "Name a Location"),
            ("PATCH", "/Locations('well-1')", {"name": "x"}, 409, "declared by a pack"),
            ("DELETE", "/Locations('well-1')", None, 409, "declared by a pack"),
            ("PATCH", "/Locations('one')", {"name": "x"}, 404, "no Location"),
            ("PATCH", "/Locations('north-pier')", {"Things": [thing("Four")]}, 400, "makes no Things along"),
            ("PATCH", "/Locations('north-pier')", {"name": "x", "Things": [{"@iot.id": "well-1"}]}, 409, "declared by a pack"),
            ("PATCH", "/Things('north-pier')", {"name": "x"}, 404, "no entity"),
            ("DELETE", "/FeaturesOfInterest('north-pier')", None, 409, "Location"),
        ]
        before = sta.parts.registry.made
        for how, path, body, code, why in wrong:
            answer = await client.request(how, ROOT + path, json=body)
            assert (answer.status_code, why in answer.json()["message"]) == (code, True), (how, path, answer.text)
        assert sta.parts.registry.made == before


async def test_in_a_change_set_locations_and_things_stand_or_fall_together(sta: World) -> None:
    place = {"id": "l", "method": "post", "url": "Locations", "body": PLACE}
    one = {"method": "post", "url": "Things", "body": thing("One", {"@iot.id": "$l"})}
    two = {"method": "post", "url": "$l/Things", "body": {"name": "Two", "description": "2"}}
    async with sta.client("admin") as client:
        assert status(await sent(client, *of_group(place, one, two, {**one, "body": {"name": ""}}))) == [424, 424, 424, 400]
        assert await Desk(client).ids("/Locations") == ["well-1", "well-2"]
        assert status(await sent(client, *of_group(place, one, two))) == [201, 201, 201]
        assert await Desk(client).ids("/Locations('north-pier')/Things") == ["one", "two"]


@pytest.mark.parametrize("role", ["dispatcher", "leader"])
async def test_readers_see_locations_as_they_see_things_and_change_none(sta: World, role: Role) -> None:
    async with sta.client("admin") as client:
        await shared(client)
    async with sta.client(role) as client:
        assert await Desk(client).ids("/Locations('north-pier')/Things") == ["one", "two"]
        for how, path in (
            ("POST", "/Locations"),
            ("PATCH", "/Locations('north-pier')"),
            ("POST", "/Locations('north-pier')/Things"),
        ):
            assert (await client.request(how, ROOT + path, json=PLACE)).status_code == 403
        assert (await client.delete(f"{ROOT}/Locations('north-pier')")).status_code == 403
    async with sta.client(None) as client:
        assert (await client.get(f"{ROOT}/Locations")).status_code == 401
