"""What goes with an entity that is deleted, and what stays (OGC 18-088 table 25; ``create-update-delete/delete-entity``)."""

from collections.abc import Mapping
from typing import Any

import pytest
from httpx import AsyncClient

from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk, entrusted
from tests.doors.sensorthings.test_featuring import POND
from tests.doors.sensorthings.test_making import GAUGE, posted
from tests.doors.sensorthings.test_multi_making import WIND
from tests.doors.sensorthings.test_unobserving import steward

WHEN = {"phenomenonTime": "2026-11-22T06:50:00Z"}


async def whole(world: World, client: AsyncClient) -> dict[str, str]:
    """One entity of each set, all of which hang together; the paths of all, by set."""
    at = await posted(client, "/Things", GAUGE)
    multi = await posted(client, f"{at}/MultiDatastreams", WIND)
    await posted(client, "/FeaturesOfInterest", POND)
    async with world.client("device") as device:
        entrusted(world, device, "river-gauge")
        about = {"FeatureOfInterest": {"@iot.id": "pond"}}
        one = await posted(device, "/Datastreams('river-gauge.water-level')/Observations", {**WHEN, "result": 2.5, **about})
        several = await posted(device, f"{multi}/Observations", {**WHEN, "result": [1, 2, 90], **about})
    (past,) = await Desk(client).ids(f"{at}/HistoricalLocations")
    return {
        "Things": at,
        "Locations": "/Locations('river-gauge')",
        "HistoricalLocations": f"/HistoricalLocations('{past}')",
        "Datastreams": "/Datastreams('river-gauge.water-level')",
        "MultiDatastreams": multi,
        "Sensors": "/Sensors('ultrasonic-gauge')",
        "ObservedProperties": "/ObservedProperties('thing.water-level')",
        "FeaturesOfInterest": "/FeaturesOfInterest('pond')",
        "Observations": one,
        "several": several,
    }


GOES: Mapping[str, tuple[str, ...]] = {
    "Things": ("Datastreams", "MultiDatastreams", "HistoricalLocations", "Observations", "several"),
    "Locations": ("HistoricalLocations",),
    "HistoricalLocations": (),
    "Datastreams": ("Observations",),
    "MultiDatastreams": ("several",),
    "Sensors": ("Datastreams", "Observations"),
    "ObservedProperties": ("Datastreams", "Observations"),
    "FeaturesOfInterest": ("Observations", "several"),
    "Observations": (),
}
"""What goes along with an entity of a set, of those of ``whole``; a Sensor and an ObservedProperty here are those of the Datastream alone."""


@pytest.mark.parametrize("name", GOES)
async def test_what_the_table_names_goes_with_it_and_all_else_stays(sta: World, name: str) -> None:
    async with steward(sta) as client:
        paths = await whole(sta, client)
        assert (await client.delete(ROOT + paths[name])).status_code == 200
        assert (await client.delete(ROOT + paths[name])).status_code == 404
        left = {}
        for each, path in paths.items():
            left[each] = (await client.get(ROOT + path)).status_code
        gone = {name, *GOES[name]}
        if name == "Things":
            # Its own place was under its id, and stays under one of its own.
            gone.add("Locations")
            assert [one for one in await Desk(client).ids("/Locations") if one.startswith("north-pier")]
        assert left == {each: 404 if each in gone else 200 for each in paths}


async def test_what_hung_on_it_leads_nowhere_else(sta: World) -> None:
    """Services SHALL implicitly remove relations to and from an entity when deleting it."""
    async with steward(sta) as client:
        paths, everyone = await whole(sta, client), Desk(client)
        assert (await client.delete(ROOT + paths["Locations"])).status_code == 200
        assert await everyone.ids(f"{paths['Things']}/Locations") == []
        assert await everyone.ids(f"{paths['Things']}/HistoricalLocations") == []
        assert (await client.delete(ROOT + paths["Datastreams"])).status_code == 200
        assert await everyone.ids(f"{paths['Things']}/Datastreams", _filter="id eq 'river-gauge.water-level'") == []
        assert await everyone.ids(f"{paths['Sensors']}/Datastreams") == []
        assert await everyone.ids(f"{paths['ObservedProperties']}/Datastreams") == []
        assert await everyone.ids(f"{paths['FeaturesOfInterest']}/Observations", _filter="result eq 2.5") == []


@pytest.mark.parametrize("name", GOES)
async def test_what_is_not_there_is_not_deleted(sta: World, name: str) -> None:
    async with steward(sta) as client:
        assert (await client.delete(f"{ROOT}/{name}('none-such')")).status_code == 404


async def test_what_packs_declare_is_read_and_not_deleted(sta: World) -> None:
    source = sta.parts.registry.stream("well-1.level").source
    begun = sta.parts.registry.entity("well-1").valid_from
    declared: tuple[tuple[str, Any], ...] = (
        ("Things", "well-1"), ("Locations", "well-1"), ("FeaturesOfInterest", "well-1"), ("Datastreams", "well-1.level"),
        ("Sensors", source), ("ObservedProperties", "well.level"), ("HistoricalLocations", f"well-1@{begun}"),
    )  # fmt: skip
    async with steward(sta) as client:
        before = sta.parts.registry.version
        for name, key in declared:
            assert (await client.get(f"{ROOT}/{name}('{key}')")).status_code == 200, name
            for how, body in (("DELETE", None), ("PATCH", {"description": "x"}), ("PUT", {"name": "x", "description": "x"})):
                answer = await client.request(how, f"{ROOT}/{name}('{key}')", json=body)
                assert answer.status_code == 409, (name, how, answer.text)
        assert sta.parts.registry.version == before
