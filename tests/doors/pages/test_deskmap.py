"""The desk's list on a map: the same cases, counted by subdistrict, narrowed to one, with tab and words kept."""

import re
from typing import Any

import pytest
from httpx import AsyncClient

from citybrain.kernel.calendar import Allowance
from citybrain.kernel.cases import CaseRequest
from citybrain.kernel.ids import new_id
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from tests.doors.pages.conftest import NOW, World

STREET, OTHER = "990104001", "990104002"


@pytest.fixture(scope="module")
def placed(world: World) -> tuple[str, ...]:
    """Two cases at one place of a street and one at another, all of the environment office."""
    return tuple(_filed(world, lon) for lon in (117.05, 117.05, 117.06))


def _filed(world: World, lon: float) -> str:
    key = f"report:{new_id()}"
    asked = CaseRequest(
        key=key, matter="dust", title=same("渣土遗撒"), flow="standard", duty="environment", allowance=Allowance(4, "hours"),
        place=Place(lon, 39.05), area=STREET, entity=None, cause=key, words="渣土", at=NOW, grade=3, origin="demo",
    )  # fmt: skip
    return world.city.cases.case(world.city.cases.open(asked)).number


async def _features(client: AsyncClient, layer: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get(f"/desk/map/{layer}.geojson?view=map&q=渣土")).json()["features"]
    return found


async def test_the_list_has_a_map_and_the_map_has_the_list(world: World, placed: tuple[str, ...]) -> None:
    async with world.client("dispatcher") as client:
        assert "map-picture" not in (await client.get("/desk")).text
        page = (await client.get("/desk?view=map&q=渣土")).text
    assert 'class="map-picture"' in page
    assert "3件有位置" in page
    assert all(number in page for number in placed)
    assert f'href="/desk?tab=open&amp;q=%E6%B8%A3%E5%9C%9F&amp;area={STREET}&amp;view=map"' in page
    assert re.search(r'<tspan data-layer="case"><tspan[^>]*>◆</tspan>3 </tspan>', page)


async def test_cases_at_one_place_are_one_mark_and_areas_count_all(world: World, placed: tuple[str, ...]) -> None:
    async with world.client("dispatcher") as client:
        points, areas = await _features(client, "points"), await _features(client, "areas")
    counted = sorted(one["properties"].get("count", 1) for one in points)
    assert counted == [1, 2]
    marked = {one["id"]: one["properties"].get("case_count", 0) for one in areas}
    assert marked == {code: len(placed) if code == STREET else 0 for code in marked}


async def test_a_list_is_narrowed_to_an_area_and_a_search_keeps_that(world: World, placed: tuple[str, ...]) -> None:
    async with world.client("dispatcher") as client:
        here = (await client.get(f"/desk?area={STREET}&q=渣土")).text
        there = (await client.get(f"/desk?area={OTHER}&q=渣土&tab=new")).text
    assert all(number in here for number in placed)
    assert not any(number in there for number in placed)
    assert f'<input type="hidden" name="area" value="{OTHER}">' in there
    assert '<input type="hidden" name="tab" value="new">' in there
    assert 'href="/desk?tab=new&amp;q=%E6%B8%A3%E5%9C%9F"' in there


@pytest.mark.parametrize("code", ["99010400x", "'", "9" * 16, "１２３"])
async def test_what_is_no_code_narrows_nothing(world: World, code: str) -> None:
    async with world.client("dispatcher") as client:
        page = await client.get("/desk", params={"area": code})
    assert page.status_code == 200
    assert "within" not in page.text


async def test_nobody_sees_the_map_of_a_list_without_signing_in(world: World) -> None:
    async with world.client() as client:
        assert (await client.get("/desk/map/points.geojson")).status_code in (302, 303, 401)
    async with world.client("dispatcher") as client:
        assert (await client.get("/desk/map/anything.geojson")).status_code == 404


async def test_closed_cases_are_no_urgent_marks(world: World) -> None:
    async with world.client("dispatcher") as client:
        page = (await client.get("/desk?tab=closed&view=map")).text
    assert "已结案" in page
    assert "24小时内到期" not in page
