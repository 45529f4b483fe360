"""A dataset's page: its places on the map, how a figure made of it went, and every way to carry it away."""

import csv
from io import StringIO

from tests.doors.pages.conftest import World


async def test_a_dataset_with_places_has_a_map_of_its_newest_rows_and_geojson(world: World) -> None:
    async with world.client("data_officer") as client:
        page = (await client.get("/data/air_station")).text
        assert 'href="/api/v1/exchange/datasets/air_station/export.geojson"' in page
        assert "最新 1 条有位置的记录" in page
        answer = await client.get("/api/v1/exchange/datasets/air_station/export.geojson")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/geo+json")
    (feature,) = answer.json()["features"]
    assert (feature["id"], feature["geometry"]["coordinates"], feature["properties"]["demo"]) == ("air-01", [117.15, 39.1], True)


async def test_a_dataset_without_places_has_none_and_says_why_geojson_is_refused(world: World) -> None:
    async with world.client("data_officer") as client:
        page = (await client.get("/data/forecast")).text
        assert "export.geojson" not in page
        refused = await client.get("/api/v1/exchange/datasets/forecast/export.geojson")
    assert (refused.status_code, "没有位置" in refused.text) == (422, True)


async def test_the_public_sees_tiles_and_no_coordinates_before_a_map_was_approved(world: World) -> None:
    async with world.client() as nobody:
        page = (await nobody.get("/data/air_station")).text
        refused = await nobody.get("/api/v1/exchange/datasets/air_station/export.geojson")
        file = await nobody.get("/api/v1/exchange/datasets/air_station/export.csv")
        closed = await nobody.get("/api/v1/exchange/datasets/case/export.csv")
    assert "export.geojson" not in page
    assert "data-tiles" in page
    assert "登记地图审图号后公开" in page
    assert "117.15" not in page
    assert "data-degrees" not in page
    assert (refused.status_code, closed.status_code) == (403, 401)
    (row,) = csv.DictReader(StringIO(file.text.removeprefix("\ufeff")))
    assert (row["id"], row["lon"], row["lat"], row["demo"]) == ("air-01", "", "", "true")


async def test_how_a_figure_made_of_a_dataset_went_stands_on_its_page(world: World) -> None:
    async with world.client("data_officer") as client:
        assert "近7日" in (await client.get("/data/air_station")).text
        assert "近7日" not in (await client.get("/data/unit")).text


async def test_readings_are_not_offered_whole_and_the_page_says_where_they_are(world: World) -> None:
    async with world.client("data_officer") as client:
        page = (await client.get("/data/observation")).text
    assert "按监测项导出" in page
    assert "export.csv" not in page
