"""What has changed of the readings behind an alert is told to whom may read them: role by role, on every page and over HTTP."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from httpx import AsyncClient

from citybrain.app.packs import installed
from citybrain.brain.observe import About, Anew, Featured, Signed
from citybrain.kernel.access import ROLES, Role
from citybrain.kernel.things import Access
from tests.doors.pages.conftest import World, behind_pages, opened_as
from tests.doors.pages.test_changed import corrected

DESK = frozenset(
    ("case", "alert", "figure", "api alert", "api case", "api rows", "api trace of the alert", "api trace of the case")
)
FIGURE = "/figures/alerts_open"
TOLD: dict[Role | None, frozenset[str]] = {
    "leader": DESK,
    "dispatcher": DESK,
    "handler": DESK,
    "data_officer": DESK - {"case", "api case", "api trace of the case"},
}
"""Where each role is told while readings are shared on conditions; whoever is not named, nowhere."""


@pytest.fixture(scope="module", params=["conditional", "closed"])
def altered(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, furnished: Path
) -> Iterator[tuple[World, Access]]:
    """The city in which the index behind its alert is 131 since two readings were corrected, and how its readings are shared."""
    access: Access = request.param
    packs = [
        replace(pack, kinds=tuple(msgspec.structs.replace(kind, access=access) for kind in pack.kinds)) for pack in installed()
    ]
    with opened_as(Path(shutil.copytree(furnished, tmp_path_factory.mktemp("pages") / access)), packs) as city:
        world = behind_pages(city)
        asyncio.run(_corrected(world))
        yield world, access


async def _corrected(world: World) -> None:
    latest = max(one.time for one in world.city.alerts.alert(world.alert).evidence)
    for field in ("pm25", "pm10"):
        await corrected(world, field, latest, 0.5)
    city = world.city
    was = About(city.registry.stream("air-01.pm25").no, latest, None, None)
    now = was._replace(said='{"resultQuality":"suspect"}', restated="resultQuality")
    Featured(city.stores.transactions).restate([(Anew(was, now), Signed("data_officer", "单位误设", latest))])


async def told(world: World, client: AsyncClient) -> frozenset[str]:
    """Where a client is told that a reading is not what it was: in words on a page, over HTTP by what it was or is."""
    case, road = world.city.cases.by_number(world.number).id, "/api/v1"
    pages = {"case": f"/desk/{world.number}?lang=zh", "alert": f"/alerts/{world.alert}?lang=zh", "figure": f"{FIGURE}?lang=zh"}
    http = {
        "api alert": f"{road}/detect/alerts/{world.alert}",
        "api case": f"{road}/act/cases/{case}",
        "api rows": f"{road}/see{FIGURE}/rows",
        "api trace of the alert": f"{road}/see/trace/alerts/{world.alert}",
        "api trace of the case": f"{road}/see/trace/cases/{case}",
    }
    words = {name for name, path in pages.items() if re.search(r"其后|\b131\b", (await client.get(path)).text)}
    values = {
        name for name, path in http.items() if re.search(r'"changed":(true|[1-9]|\[\{)|\b131\b', (await client.get(path)).text)
    }
    return frozenset(words | values)


@pytest.mark.parametrize("role", [None, *(role for role in ROLES if role != "device")])
async def test_what_a_reading_was_and_is_is_told_to_whom_may_read_it(altered: tuple[World, Access], role: Role | None) -> None:
    world, access = altered
    async with world.client(role) as client:
        assert await told(world, client) == (TOLD.get(role, frozenset()) if access == "conditional" else frozenset())


async def test_whoever_handles_the_case_opens_it_where_its_readings_are_closed(altered: tuple[World, Access]) -> None:
    world, access = altered
    async with world.client("handler") as client:
        shown = await client.get(f"/desk/{world.number}?lang=zh")
        assert (shown.status_code, "AQI 为 238" in shown.text) == (200, True)
        assert ("您的角色不能进行此操作" in shown.text) is (access == "closed")


@pytest.mark.parametrize("role", ["leader", "dispatcher", "handler", "data_officer"])
async def test_the_page_of_a_stream_says_what_was_changed_of_it_to_whom_may_read_it(
    altered: tuple[World, Access], role: Role
) -> None:
    world, access = altered
    async with world.client(role) as client:
        shown = (await client.get("/admin/streams/air-01.pm25?lang=zh")).text
        said = ('id="restated"' in shown, "suspect" in shown, 'class="timeline"' in shown, "单位误设" in shown)
        assert said == ((True,) * 4 if access == "conditional" else (False,) * 4)
