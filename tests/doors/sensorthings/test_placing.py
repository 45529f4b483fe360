"""Places that are more than a point: kept as they were sent, filtered by their true outline, and one point for area and map."""

from typing import Any

import pytest

from citybrain.doors.sensorthings import placing
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk
from tests.doors.sensorthings.test_making import GAUGE, PLACE, posted, said

SQUARE: list[Any] = [[117, 39], [117.1, 39], [117.1, 39.1], [117, 39.1], [117, 39]]
HOLE: list[Any] = [[117.02, 39.02], [117.02, 39.08], [117.08, 39.08], [117.08, 39.02], [117.02, 39.02]]
# From west to east past the district; its middle lies in the district (117 to 117.2 by 39 to 39.2).
RIVER: dict[str, Any] = {"type": "LineString", "coordinates": [[116.0, 39.1, 2.5], [117.1, 39.1, 2], [118.2, 39.1, 1.5]]}
PARK: dict[str, Any] = {"type": "Polygon", "coordinates": [SQUARE, HOLE], "bbox": [117, 39, 117.1, 39.1]}


def standing(geometry: Json, name: str = "River") -> dict[str, Any]:
    """A thing that stands there."""
    return {**GAUGE, "name": name, "Locations": [{**PLACE, "location": geometry}], "Datastreams": []}


@pytest.mark.parametrize(
    "geometry",
    [
        RIVER,
        PARK,
        {"type": "Point", "coordinates": [117.1, 39.1, 12]},
        {"type": "MultiPoint", "coordinates": [[117, 39], [117.1, 39.1]]},
        {"type": "MultiLineString", "coordinates": [[[117, 39], [117.1, 39.1]], [[117, 39.1], [117.1, 39]]]},
        {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]},
        {"type": "Feature", "properties": {"depth": 3}, "geometry": RIVER},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [117.1, 39.1]}, RIVER, PARK]},
        {"type": "Feature", "properties": None, "geometry": {"type": "GeometryCollection", "geometries": [PARK]}},
    ],
)
async def test_a_place_is_given_back_as_it_was_sent(sta: World, geometry: dict[str, Any]) -> None:
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", standing(geometry))
        (place,) = (await said(client, f"{at}/Locations"))["value"]
        assert (place["name"], place["location"]) == (PLACE["name"], geometry)
        assert (await said(client, "/FeaturesOfInterest('river')"))["feature"] == geometry
        await client.patch(f"{ROOT}/Locations('river')", json={"description": "Told anew"})
        assert (await said(client, "/Locations('river')"))["location"] == geometry
        entity = sta.parts.registry.entity("river")
        assert entity.place is not None
        assert entity.area == "120104"


async def test_filters_see_the_true_outline(sta: World) -> None:
    async with sta.client("admin") as client:
        await posted(client, "/Things", standing(RIVER))
        await posted(client, "/Things", standing(PARK, "Park"))
        await posted(client, "/Things", standing({"type": "Point", "coordinates": [117.1, 39.1]}, "Post"))
        everyone = Desk(client)
        made = " and not startswith(id,'well')"
        ends = "geography'POLYGON ((115.9 39, 116.1 39, 116.1 39.2, 115.9 39.2, 115.9 39))'"
        hole = "geography'POLYGON ((117.03 39.03, 117.07 39.03, 117.07 39.07, 117.03 39.07, 117.03 39.03))'"
        city = "geography'POLYGON ((117 39, 117.2 39, 117.2 39.2, 117 39.2, 117 39))'"
        asked = {
            f"st_intersects(location, {ends})": ["river"],
            f"geo.intersects(location, {hole})": [],
            f"st_within(location, {city})": ["park", "post"],
            f"st_intersects(location, {city})": ["park", "post", "river"],
            "st_crosses(location, geography'LINESTRING (116.5 39, 116.5 39.2)')": ["river"],
            "geo.distance(location, geography'POINT (116 39.1)') lt 0.01": ["river"],
            "geo.length(location) gt 2.1": ["river"],
            f"not st_intersects(location, {ends})": ["park", "post"],
        }
        for where, wanted in asked.items():
            assert await everyone.ids("/Locations", _filter=where + made, _orderby="id asc") == wanted, where
            things = where.replace("location", "Locations/location")
            assert await everyone.ids("/Things", _filter=things + made, _orderby="id asc") == wanted, where
            features = where.replace("location", "feature")
            assert await everyone.ids("/FeaturesOfInterest", _filter=features + made, _orderby="id asc") == wanted, where


@pytest.mark.parametrize(
    ("kind", "coordinates", "why"),
    [
        ("LineString", [[117, 39]], "no LineString"),
        ("LineString", [[117, 39], ["117", 39]], "no LineString"),
        ("Polygon", [[[117, 39], [117.1, 39], [117, 39]]], "no Polygon"),
        ("Polygon", [[[117, 39], [117.1, 39], [117.1, 39.1], [117, 39.1]]], "not closed"),
        ("Polygon", [[[117, 39], [117.1, 39.1], [117.1, 39], [117, 39.1], [117, 39]]], "not valid"),
        ("MultiPoint", [[117, 39], [39, 117]], "range"),
        ("Point", [117], "no Point"),
        ("LineString", [[117, 39], [117.1, 39.1]] * 5001, "10000"),
    ],
)
def test_what_is_no_place_is_refused(kind: str, coordinates: Json, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        placing.place({"type": kind, "coordinates": coordinates})


def test_what_is_no_geometry_is_refused() -> None:
    several: list[Json] = [{"type": "GeometryCollection", "geometries": [PARK]}]
    wrong: list[Json] = [
        {"type": "GeometryCollection", "geometries": []},
        {"type": "GeometryCollection", "geometries": several},
        {"type": "GeometryCollection", "geometries": [PARK, {"type": "Point", "coordinates": [317, 39]}]},
        {"type": "GeometryCollection", "geometries": [RIVER, {"type": "MultiPoint", "coordinates": [[117, 39]] * 9_998}]},
        {"type": "FeatureCollection", "features": []},
        {"type": "Feature", "geometry": None},
        {},
    ]
    for value in wrong:
        with pytest.raises(BadInputError):
            placing.place(value)


async def test_a_collection_is_seen_in_all_of_its_parts(sta: World) -> None:
    pieces: dict[str, Any] = {"type": "GeometryCollection", "geometries": [PARK, {"type": "Point", "coordinates": [117.15, 39.15]}]}
    async with sta.client("admin") as client:
        await posted(client, "/Things", standing(pieces, "Site"))
        for west, found in ((117.14, ["site"]), (117.0, ["site"]), (117.11, [])):
            box = f"geography'POLYGON (({west} 39, {west + 0.02} 39, {west + 0.02} 39.2, {west} 39.2, {west} 39))'"
            where = f"st_intersects(location, {box}) and not startswith(id,'well')"
            assert await Desk(client).ids("/Locations", _filter=where) == found, west


def test_the_point_that_stands_for_a_geometry_lies_on_it() -> None:
    assert placing.place(RIVER) == Place(117.1, 39.1)
    spot = placing.place(PARK)
    assert 117 <= spot.lon <= 117.1
    assert not (117.02 < spot.lon < 117.08 and 39.02 < spot.lat < 39.08)
