"""Where a thing stood: each place is kept with its time, listed, walked to and filtered."""

from typing import Any
from urllib.parse import unquote

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import AreaBook, Registry, Stood
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from tests.doors.conftest import PACK, World
from tests.doors.sensorthings.conftest import ROOT, Desk
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_making import GAUGE, PLACE, posted, said
from tests.doors.sensorthings.test_together import of_group

STEP = 5 * MINUTE
START = "2026-11-22T07:00:00Z"
SECOND: dict[str, Any] = {**PLACE, "name": "South pier", "location": {"type": "Point", "coordinates": [117.15, 39.15]}}
LINE: dict[str, Any] = {**PLACE, "name": "Along", "location": {"type": "LineString", "coordinates": [[117, 39], [117.2, 39.2]]}}


async def walked(world: World, client: AsyncClient, *places: dict[str, Any]) -> str:
    """A gauge that moves to each place in turn, one each five minutes."""
    at = await posted(client, "/Things", GAUGE)
    for place in places:
        world.clock.set(Instant(world.clock.city() + STEP))
        await posted(client, f"{at}/Locations", place)
    return at


async def test_each_place_is_kept_with_its_time_and_what_was_said_of_it(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await walked(sta, client, SECOND, LINE)
        found = await said(client, f"{at}/HistoricalLocations", _orderby="time asc", _expand="Locations,Thing")
        assert [one["time"] for one in found["value"]] == [START, "2026-11-22T07:05:00Z", "2026-11-22T07:10:00Z"]
        assert [one["Locations"][0]["name"] for one in found["value"]] == ["North pier", "South pier", "Along"]
        assert [one["Locations"][0]["location"] for one in found["value"]] == [
            PLACE["location"],
            SECOND["location"],
            LINE["location"],
        ]
        assert [one["Thing"]["@iot.id"] for one in found["value"]] == ["river-gauge"] * 3
        assert await Desk(client).ids(f"{at}/Locations") == ["river-gauge"]
        assert [one["Locations"][0]["@iot.id"] for one in found["value"]][2] == "river-gauge"


async def test_each_is_walked_to_and_back(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await walked(sta, client, SECOND)
        first, second = await Desk(client).ids(f"{at}/HistoricalLocations")
        everyone = Desk(client)
        assert (await said(client, f"/HistoricalLocations('{first}')"))["time"] == START
        assert (await said(client, f"{at}/HistoricalLocations('{second}')/Thing"))["@iot.id"] == "river-gauge"
        (old,) = (await said(client, f"/HistoricalLocations('{first}')/Locations"))["value"]
        assert (await said(client, f"/Locations('{old['@iot.id']}')"))["location"] == PLACE["location"]
        assert await everyone.ids(f"/Locations('{old['@iot.id']}')/HistoricalLocations") == [first]
        assert await everyone.ids(f"/Locations('{old['@iot.id']}')/Things") == []
        assert await everyone.ids("/Locations('river-gauge')/HistoricalLocations") == [second]
        (thing,) = (await said(client, "/Things", _filter="id eq 'river-gauge'", _expand="Locations($expand=HistoricalLocations)"))[
            "value"
        ]
        assert [one["@iot.id"] for one in thing["Locations"][0]["HistoricalLocations"]] == [second]
        for none in ("/HistoricalLocations('river-gauge')", "/HistoricalLocations('river-gauge@7')", "/Locations('river-gauge@7')"):
            assert (await everyone.refused(none))[0] == 404
        assert (await everyone.refused("/Things('well-1')/HistoricalLocations('" + first + "')"))[0] == 404


@pytest.mark.thorough
async def test_they_are_filtered_by_time_and_counted_and_paged(sta: World) -> None:
    async with sta.client("admin") as client:
        await walked(sta, client, SECOND, LINE, PLACE)
        everyone = Desk(client)
        late = await everyone.ids("/HistoricalLocations", _filter="time gt 2026-11-22T07:02:00Z and time lt 2026-11-22T07:12:00Z")
        assert len(late) == 2
        everything = await said(client, "/HistoricalLocations", _count="true")
        assert everything["@iot.count"] == 6
        whole = [one["@iot.id"] for one in everything["value"]]
        assert [key.partition("@")[0] for key in whole] == ["river-gauge"] * 4 + ["well-1", "well-2"]
        for size in ("1", "2", "4", "5"):
            seen: list[str] = []
            page: dict[str, Any] = await said(client, "/HistoricalLocations", _top=size)
            while True:
                seen += [one["@iot.id"] for one in page["value"]]
                if "@iot.nextLink" not in page:
                    break
                page = (await client.get(page["@iot.nextLink"])).json()
            assert seen == whole, size
        assert await everyone.ids("/HistoricalLocations", _orderby="time desc,id asc", _top="1") == whole[3:4]
        named = await everyone.ids("/HistoricalLocations", _filter="Thing/id eq 'well-2'")
        assert named == whole[5:]


async def test_a_patch_of_the_place_moves_and_one_of_its_words_does_not(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        sta.clock.set(Instant(sta.clock.city() + STEP))
        for path, body in (
            ("/Locations('river-gauge')", {"name": "Renamed"}),
            (at, {"name": "Renamed"}),
            ("/Locations('river-gauge')", {"location": PLACE["location"]}),
        ):
            assert (await client.patch(ROOT + path, json=body)).status_code == 200
        assert len(await Desk(client).ids(f"{at}/HistoricalLocations")) == 1
        assert (await client.patch(f"{ROOT}/Locations('river-gauge')", json={"location": SECOND["location"]})).status_code == 200
        sta.clock.set(Instant(sta.clock.city() + STEP))
        inline = await client.patch(ROOT + at, json={"Locations": [LINE]})
        assert (inline.status_code, "makes no Locations along" in inline.json()["message"]) == (400, True), inline.text
        assert len(await Desk(client).ids(f"{at}/HistoricalLocations")) == 2
        whole = {"name": "Renamed", "description": "A gauge", "Locations": [LINE]}
        assert (await client.put(ROOT + at, json=whole)).status_code == 200
        found = await said(client, f"{at}/HistoricalLocations", _expand="Locations")
        assert [one["Locations"][0]["location"] for one in found["value"]] == [
            PLACE["location"],
            SECOND["location"],
            LINE["location"],
        ]


async def test_what_stands_nowhere_any_more_keeps_its_past_and_a_thing_that_never_stood_has_none(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await walked(sta, client, SECOND)
        sta.clock.set(Instant(sta.clock.city() + STEP))
        assert (await client.delete(f"{ROOT}{at}/Locations('river-gauge')/$ref")).status_code == 200
        found = await said(client, f"{at}/HistoricalLocations", _expand="Locations")
        assert [one["Locations"][0]["name"] for one in found["value"]] == ["North pier", "South pier"]
        bare = await posted(client, "/Things", {"name": "Bare", "description": "Nowhere"})
        assert await Desk(client).ids(f"{bare}/HistoricalLocations") == []
        sta.clock.set(Instant(sta.clock.city() + STEP))
        await posted(client, f"{bare}/Locations", PLACE)
        (first,) = (await said(client, f"{bare}/HistoricalLocations"))["value"]
        assert first["time"] == "2026-11-22T07:15:00Z"


async def test_what_a_pack_plants_elsewhere_has_moved_too(sta: World) -> None:
    moved = Planted("well-1", "well", same("井1"), Place(117.12, 39.06), "120104", {})
    moved_at = Instant(sta.clock.city() + STEP)
    sta.parts.registry.plant([moved], "test", "demo", moved_at)
    again = Registry(sta.transactions, (PACK,), AreaBook(sta.transactions))
    assert again.moved("well-1") == sta.parts.registry.moved("well-1") == Stood("well-1", moved_at, moved.place)
    async with sta.client("admin") as client:
        found = await said(client, "/Things('well-1')/HistoricalLocations", _expand="Locations")
        assert [one["Locations"][0]["location"]["coordinates"] for one in found["value"]] == [
            [117.1, 39.05 + 1 / 100],
            [117.12, 39.06],
        ]


def past(time: str, *places: object, **more: object) -> dict[str, Any]:
    """A HistoricalLocation as somebody writes it."""
    return {"time": time, "Locations": list(places), **more}


GAUGE_THING = {"Thing": {"@iot.id": "river-gauge"}}


async def test_the_past_is_written_by_hand(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        first = await posted(client, "/HistoricalLocations", past("2026-11-20T08:00:00+08:00", SECOND, **GAUGE_THING))
        assert (await said(client, first))["time"] == "2026-11-20T00:00:00Z"
        await posted(client, f"{at}/HistoricalLocations", past("2026-11-21T00:00:00Z", {"@iot.id": "river-gauge"}))
        await posted(client, f"{at}/HistoricalLocations", past("2026-11-21T12:00:00Z", {"@iot.id": unquote(first).split("'")[1]}))
        found = await said(client, f"{at}/HistoricalLocations", _expand="Locations", _orderby="time asc")
        assert [(one["time"][:13], one["Locations"][0]["name"]) for one in found["value"]] == [
            ("2026-11-20T00", "South pier"),
            ("2026-11-21T00", "North pier"),
            ("2026-11-21T12", "South pier"),
            ("2026-11-22T07", "North pier"),
        ]
        early = await Desk(client).ids("/HistoricalLocations", _filter="time lt 2026-11-21T06:00:00Z and Thing/id eq 'river-gauge'")
        assert len(early) == 2
        assert (await said(client, f"{at}/Locations"))["value"][0]["name"] == "North pier"


async def test_a_place_that_is_the_latest_is_where_the_thing_stands_now(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        sta.clock.set(Instant(sta.clock.city() + STEP))
        made = await posted(client, f"{at}/HistoricalLocations", past("2026-11-22T07:01:00Z", SECOND))
        (now,) = (await said(client, f"{at}/Locations", _expand="HistoricalLocations"))["value"]
        assert (now["@iot.id"], now["name"], now["location"]) == ("river-gauge", "South pier", SECOND["location"])
        assert [one["time"] for one in now["HistoricalLocations"]] == ["2026-11-22T07:01:00Z"]
        assert unquote(made) == f"/HistoricalLocations('{now['HistoricalLocations'][0]['@iot.id']}')"


async def test_the_latest_of_all_is_where_the_thing_stands_whenever_it_is_written(sta: World) -> None:
    """What FROST-Server asks of create-update-delete/historical-location-manual-creation."""
    async with sta.client("admin") as client:
        names = ("one", "two", "three")
        for number, name in enumerate(names):
            where = {"type": "Point", "coordinates": [8, 50 + number]}
            await posted(
                client, "/Locations", {**PLACE, "@iot.id": name, "encodingType": "application/vnd.geo+json", "location": where}
            )
        at = await posted(client, "/Things", {"name": "Thing 1", "description": "The first thing"})
        assert (await client.patch(ROOT + at, json={"Locations": [{"@iot.id": "one"}]})).status_code == 200
        (first,) = await Desk(client).ids(f"{at}/HistoricalLocations")
        change = {"time": "2016-01-01T06:00:00.000Z"}
        assert (await client.patch(f"{ROOT}/HistoricalLocations('{first}')", json=change)).status_code == 200
        thing = {"Thing": {"@iot.id": "thing-1"}}
        for hour, name in (("07", "two"), ("05", "three")):
            await posted(client, "/HistoricalLocations", past(f"2016-01-01T{hour}:00:00.000Z", {"@iot.id": name}, **thing))
            assert await Desk(client).ids(f"{at}/Locations") == ["two"]
        found = await said(client, f"{at}/HistoricalLocations", _expand="Locations", _orderby="time asc")
        assert [one["Locations"][0]["@iot.id"] for one in found["value"]] == ["three", "one", "two"]


async def test_its_time_is_changed_and_its_id_stays_until_it_is_deleted(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        made = await posted(client, f"{at}/HistoricalLocations", past("2026-11-20T00:00:00Z", SECOND))
        whole = await said(client, made)
        for how, body, time in (
            ("PATCH", {"time": "2026-11-20T01:00:00Z"}, "2026-11-20T01:00:00Z"),
            ("PUT", {**whole, "time": "2026-11-20T02:00:00Z"}, "2026-11-20T02:00:00Z"),
            ("PATCH", {}, "2026-11-20T02:00:00Z"),
        ):
            assert (await client.request(how, ROOT + made, json=body)).status_code == 200
            assert await said(client, made) == {**whole, "time": time}
        assert (await said(client, f"{made}/Locations"))["value"][0]["name"] == "South pier"
        assert await Desk(client).ids(f"{at}/HistoricalLocations", _filter="time eq 2026-11-20T02:00:00Z") == [whole["@iot.id"]]
        assert (await client.delete(ROOT + made)).status_code == 200
        assert (await client.get(ROOT + made)).status_code == 404
        assert len(await Desk(client).ids(f"{at}/HistoricalLocations")) == 1


async def test_since_when_a_thing_stands_where_it_does_is_deleted_and_it_stays_there(sta: World) -> None:
    """OGC 18-088 table 25: nothing goes with a HistoricalLocation."""
    async with sta.client("admin") as client:
        at, everyone = await walked(sta, client, SECOND), Desk(client)
        first, now = await everyone.ids(f"{at}/HistoricalLocations")
        assert (await client.delete(f"{ROOT}/HistoricalLocations('{now}')")).status_code == 200
        for path in (f"/HistoricalLocations('{now}')", f"/HistoricalLocations('{now}')/Locations", f"/Locations('{now}')"):
            assert (await client.get(ROOT + path)).status_code == 404
        assert (await client.delete(f"{ROOT}/HistoricalLocations('{now}')")).status_code == 404
        (location,) = (await said(client, f"{at}/Locations", _expand="HistoricalLocations"))["value"]
        assert (location["name"], location["HistoricalLocations"]) == ("South pier", [])
        assert (await everyone.get("/HistoricalLocations", _count="true", _filter="Thing/id eq 'river-gauge'"))["@iot.count"] == 1
        for path in (f"{at}/HistoricalLocations", "/HistoricalLocations"):
            assert now not in await everyone.ids(path, _top="1000")
            assert first in await everyone.ids(path, _top="1000")
        sta.clock.set(Instant(sta.clock.city() + STEP))
        await posted(client, f"{at}/Locations", LINE)
        found = await everyone.ids(f"{at}/HistoricalLocations", _top="1000")
        assert (len(found), now in found) == (2, False)
        pages = [first]
        page = await everyone.get(f"{at}/HistoricalLocations", _top="1")
        while "@iot.nextLink" in page:
            page = (await client.get(page["@iot.nextLink"])).json()
            pages += [one["@iot.id"] for one in page["value"]]
        assert pages == found
    anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
    assert anew.moved("river-gauge") == sta.parts.registry.moved("river-gauge")


async def test_what_cannot_be_said_of_the_past_is_refused_with_its_reason(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        sets, mine = f"{ROOT}/HistoricalLocations", f"{ROOT}{at}/HistoricalLocations"
        (now,) = await Desk(client).ids(f"{at}/HistoricalLocations")
        wrong: list[tuple[str, str, Any, int, str]] = [
            ("POST", sets, past("2026-11-20T00:00:00Z", SECOND), 400, "needs its Thing"),
            ("POST", mine, past("2026-11-20T00:00:00Z"), 400, "needs its Locations"),
            ("POST", mine, past("yesterday", SECOND), 400, "time is RFC 3339"),
            ("POST", mine, past("1969-12-31T23:59:59Z", SECOND), 400, "not before 1970"),
            ("POST", mine, past("2026-11-22T07:00:01Z", SECOND), 400, "still to come"),
            ("POST", mine, past("2026-11-22T07:00:00Z", SECOND), 409, "known already"),
            ("POST", mine, past("2026-11-20T00:00:00Z", {"@iot.id": "none"}), 404, "no Location 'none'"),
            ("POST", mine, past("2026-11-20T00:00:00Z", SECOND, Thing={"@iot.id": "well-1"}), 400, "not that of the address"),
            ("POST", mine, past("2026-11-20T00:00:00Z", SECOND, Thing={"name": "New"}), 400, "named by its @iot.id"),
            ("POST", sets, past("2026-11-20T00:00:00Z", SECOND, Thing={"name": "New"}), 400, "needs the text description"),
            ("POST", sets, past("tomorrow", SECOND, Thing={"name": "New", "description": "New"}), 400, "time is RFC 3339"),
            ("POST", sets, past("2026-11-20T00:00:00Z", Thing={"name": "New", "description": "New"}), 400, "needs its Locations"),
            (
                "POST",
                f"{ROOT}/Things('well-1')/HistoricalLocations",
                past("2026-11-20T00:00:00Z", SECOND),
                409,
                "declared by a pack",
            ),
            ("POST", f"{ROOT}/Locations('river-gauge')/HistoricalLocations", past("2026-11-20T00:00:00Z"), 400, "needs its Thing"),
            (
                "POST",
                f"{ROOT}/Locations('none')/HistoricalLocations",
                past("2026-11-20T00:00:00Z", **GAUGE_THING),
                404,
                "no Location",
            ),
            ("PATCH", f"{sets}('{now}')", past("2026-11-20T00:00:00Z", SECOND), 400, "makes no Locations along"),
            ("PATCH", f"{sets}('{now}')", {"Thing": {"@iot.id": "well-1"}}, 409, "declared by a pack"),
            ("PATCH", f"{sets}('{now}')", {"Thing": {"name": "New"}}, 400, "makes no Thing along"),
            ("PATCH", f"{sets}('{now}')", {"Locations": [{"@iot.id": "none"}]}, 404, "no Location 'none'"),
            ("PUT", f"{sets}('{now}')", {}, 400, "needs the text time"),
            ("PATCH", f"{sets}('river-gauge@7')", {"time": "2026-11-20T00:00:00Z"}, 404, "no place"),
            ("PATCH", f"{sets}('river-gauge')", {"time": "2026-11-20T00:00:00Z"}, 404, "There is no"),
            ("DELETE", f"{sets}('well-1@{sta.parts.registry.entity('well-1').valid_from}')", None, 409, "declared by a pack"),
        ]
        for how, where, body, status, why in wrong:
            answer = await client.request(how, where, json=body)
            assert (answer.status_code, why in answer.json()["message"]) == (status, True), (how, where, body, answer.text)
        assert await Desk(client).ids(f"{at}/HistoricalLocations") == [now]
    async with sta.client("dispatcher") as client:
        answer = await client.post(mine, json=past("2026-11-20T00:00:00Z", SECOND))
        assert answer.status_code == 403


async def test_the_past_stands_in_one_change_set_with_the_thing(sta: World) -> None:
    thing = {"id": "t", "method": "post", "url": "Things", "body": GAUGE}
    one = {"method": "post", "url": "$t/HistoricalLocations", "body": past("2026-11-20T00:00:00Z", SECOND)}
    two = {
        "id": "h",
        "method": "post",
        "url": "HistoricalLocations",
        "body": past("2026-11-21T00:00:00Z", LINE, Thing={"@iot.id": "$t"}),
    }
    async with sta.client("admin") as client:
        failed = await sent(client, *of_group(thing, one, two, {**two, "id": "again"}))
        assert [each["status"] for each in failed] == [424, 424, 424, 409]
        done = await sent(
            client, *of_group(thing, one, two, {"method": "patch", "url": "$h", "body": {"time": "2026-11-21T01:00:00Z"}})
        )
        assert [each["status"] for each in done] == [201, 201, 201, 200]
        found = await said(client, "/Things('river-gauge')/HistoricalLocations")
        assert [each["time"][:13] for each in found["value"]] == ["2026-11-20T00", "2026-11-21T01", "2026-11-22T07"]
