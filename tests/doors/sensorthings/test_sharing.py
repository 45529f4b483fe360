"""The place of a declared thing as a Location of things that were made here: shared, and kept when a pack moves that thing."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from httpx import AsyncClient

from citybrain.brain.observe import AreaBook, Registry
from citybrain.kernel.instant import Instant
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text
from tests.doors import conftest as doors
from tests.doors.conftest import PACK, WELL, World
from tests.doors.sensorthings.conftest import ROOT, Desk, entrusted, on
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_historical import STEP
from tests.doors.sensorthings.test_locations import EAST, PARK, later, thing
from tests.doors.sensorthings.test_making import PLACE, posted, said
from tests.doors.sensorthings.test_together import of_group, status

AT_WELL: dict[str, Any] = {"@iot.id": "well-1"}
WAYS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/Things", thing("One", AT_WELL)),
    ("POST", "/Locations('well-1')/Things", thing("One")),
    ("POST", "/Things('one')/Locations", AT_WELL),
    ("POST", "/Things('one')/Locations/$ref", AT_WELL),
    ("PATCH", "/Things('one')", {"Locations": [AT_WELL]}),
    ("POST", "/Locations('well-1')/Things", {"@iot.id": "one"}),
    ("POST", "/Locations('well-1')/Things/$ref", {"@iot.id": "one"}),
)


def moved(world: World, lon: float = 117.3) -> None:
    """The pack says that the first well stands elsewhere, some minutes later."""
    world.clock.set(Instant(world.clock.city() + STEP))
    planted = Planted("well-1", "well", Text("井1", "Well 1"), Place(lon, 39.3), "120104", {})
    world.parts.registry.plant([planted], "test", "demo", world.clock.city())


def again(world: World) -> None:
    """What is in the store is what is in memory."""
    here, anew = world.parts.registry, Registry(world.transactions, (PACK,), AreaBook(world.transactions))
    assert (anew.made, anew.entities("thing"), anew.entities("location")) == (
        here.made,
        here.entities("thing"),
        here.entities("location"),
    )


@pytest.mark.parametrize(("how", "path", "body"), WAYS)
async def test_a_thing_stands_where_a_declared_one_does(sta: World, how: str, path: str, body: dict[str, Any]) -> None:
    async with sta.client("admin") as client:
        everyone = Desk(client)
        if "One" not in str(body):
            await posted(client, "/Things", thing("One"))
        answer = await client.request(how, ROOT + path, json=body)
        assert answer.status_code in (200, 201), answer.text
        assert await everyone.ids("/Things('one')/Locations") == ["well-1"]
        assert await everyone.ids("/Locations('well-1')/Things", _orderby="id asc") == ["one", "well-1"]
        assert await everyone.ids("/Locations", _filter="Things/id eq 'one'") == ["well-1"]
        (mine, well) = (sta.parts.registry.entity(key) for key in ("one", "well-1"))
        assert (mine.place, mine.area) == (well.place, well.area)
        (now,) = await everyone.ids("/Things('one')/HistoricalLocations")
        assert await everyone.ids(f"/HistoricalLocations('{now}')/Locations") == ["well-1"]
        assert now in await everyone.ids("/Locations('well-1')/HistoricalLocations")
    again(sta)


async def test_what_is_read_is_sent_back_and_nothing_of_the_declared_thing_is_changed(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", thing("One", AT_WELL, EAST))
        whole = await said(client, at, _expand="Locations")
        before = sta.parts.registry.made, sta.parts.registry.entity("well-1")
        for method in ("PATCH", "PUT"):
            answer = await client.request(method, ROOT + at, json=whole)
            assert answer.status_code == 200, answer.text
        for how, path, body in (
            ("PATCH", "/Locations('well-1')", {"name": "x"}),
            ("DELETE", "/Locations('well-1')", None),
            ("PATCH", "/Locations('well-1')", {"Things": [{"@iot.id": "one"}]}),
        ):
            answer = await client.request(how, ROOT + path, json=body)
            assert (answer.status_code, "declared by a pack" in answer.json()["message"]) == (409, True), answer.text
        assert (sta.parts.registry.made, sta.parts.registry.entity("well-1")) == before


async def test_when_the_pack_moves_its_thing_the_others_stay_together_where_they_stand(sta: World) -> None:
    async with sta.client("admin") as client:
        everyone = Desk(client)
        for name in ("One", "Two"):
            await posted(client, "/Things", thing(name, AT_WELL))
        old = await everyone.get("/Locations('well-1')")
        places = {key: sta.parts.registry.entity(key).place for key in ("one", "two")}
        histories = {key: await everyone.ids(f"/Things('{key}')/HistoricalLocations") for key in ("one", "two")}
        moved(sta)
        (kept,) = await everyone.ids("/Things('one')/Locations")
        assert await everyone.ids("/Things('two')/Locations") == [kept] != ["well-1"]
        location = await everyone.get(f"/Locations('{kept}')")
        assert (location["name"], location["location"]) == ("井1", old["location"])
        assert await everyone.ids(f"/Locations('{kept}')/Things", _orderby="id asc") == ["one", "two"]
        assert await everyone.ids("/Locations('well-1')/Things") == ["well-1"]
        # They did not move: neither their point nor their past is another.
        assert {key: sta.parts.registry.entity(key).place for key in places} == places
        assert {key: await everyone.ids(f"/Things('{key}')/HistoricalLocations") for key in places} == histories
        assert await everyone.ids(f"/HistoricalLocations('{histories['one'][0]}')/Locations") == [kept]
        assert (await everyone.get("/Locations('well-1')"))["location"]["coordinates"] == [117.3, 39.3]
        again(sta)
        moved(sta, 117.4)
        assert await everyone.ids("/Things('one')/Locations") == [kept]
        # What stays is a Location like any other.
        assert (await client.patch(f"{ROOT}/Locations('{kept}')", json={"location": EAST["location"]})).status_code == 200
        assert sta.parts.registry.entity("two").place != places["two"]


async def test_where_a_thing_once_stood_with_a_declared_one_is_what_it_was_then(sta: World) -> None:
    async with sta.client("admin") as client:
        everyone = Desk(client)
        at = await posted(client, "/Things", thing("One", AT_WELL))
        old = (await everyone.get("/Locations('well-1')"))["location"]
        later(sta)
        await posted(client, f"{at}/Locations", PARK)
        first, _ = await everyone.ids(f"{at}/HistoricalLocations")
        assert await everyone.ids(f"/HistoricalLocations('{first}')/Locations") == ["well-1"]
        moved(sta)
        (then,) = (await everyone.get(f"/HistoricalLocations('{first}')/Locations"))["value"]
        assert (then["location"], then["@iot.id"] != "well-1") == (old, True)
        assert (await everyone.get("/Things('one')/Locations"))["value"][0]["location"] == PARK["location"]


async def test_a_device_and_a_change_set_name_it_too(sta: World) -> None:
    async with sta.client("device") as device:
        entrusted(sta, device, "+one")
        await posted(device, "/Things", {**thing("One", AT_WELL), "@iot.id": "one"})
    body = {"id": "t", "method": "post", "url": "Things", "body": thing("Two", AT_WELL)}
    async with sta.client("admin") as client:
        assert status(
            await sent(client, *of_group(body, {"method": "post", "url": "$t/Locations", "body": {"@iot.id": "none"}}))
        ) == [424, 404]
        assert status(
            await sent(client, *of_group(body, {"method": "post", "url": "$t/Locations/$ref", "body": {"@iot.id": "well-2"}}))
        ) == [201, 201]
        assert await Desk(client).ids("/Things('two')/Locations", _orderby="id asc") == ["well-1", "well-2"]
    moved(sta)
    assert sta.parts.registry.made.guests["well-2"] == ("two",)
    assert sta.parts.registry.made.guests.get("well-1", ()) == ()


async def test_the_past_is_written_with_it(sta: World) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", thing("One", PLACE))
        key = await posted(client, f"{at}/HistoricalLocations", {"time": "2026-11-20T00:00:00Z", "Locations": [AT_WELL]})
        assert await Desk(client).ids(f"{key}/Locations") == ["well-1"]
        assert len(await Desk(client).ids(f"{at}/HistoricalLocations")) == 2


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> World:
    """A city whose wells are closed to others."""
    monkeypatch.setattr(doors, "PACK", replace(doors.PACK, kinds=(msgspec.structs.replace(WELL, access="closed"),)))
    world: World = request.getfixturevalue("world")
    return on(world)


async def test_what_is_closed_to_others_shares_no_place(closed: World) -> None:
    async with closed.client("admin") as client:
        await _refused(client, thing("One", AT_WELL))
        await posted(client, "/Things", thing("One", PLACE))
        await _refused(client, AT_WELL, "/Things('one')/Locations/$ref")
    assert closed.parts.registry.made.guests.get("well-1", ()) == ()


async def _refused(client: AsyncClient, body: dict[str, Any], path: str = "/Things") -> None:
    answer = await client.post(ROOT + path, json=body)
    assert (answer.status_code, "closed to others" in answer.json()["message"]) == (409, True), answer.text
