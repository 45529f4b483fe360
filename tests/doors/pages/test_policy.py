"""Every page and every role: what policy says is what the door does."""

import pytest

from citybrain.doors.pages import _ROOMS
from citybrain.kernel.access import ROLES, Role
from tests.brain.protect.matrix import YES
from tests.doors.pages.conftest import World

CALLERS: tuple[Role | None, ...] = (None, *(role for role in ROLES if role != "device"))
FIXED = {"kind": "figure", "name": "open_cases", "number": "{number}"}
SPECIAL = {
    "/data/{name:str}": "/data/air_station",
    "/alerts/{name:str}": "/alerts/{alert}",
    "/studio/{pack:str}/{rule:str}": "/studio/air/aqi_light",
    "/admin/streams/{name:str}": "/admin/streams/air-01.pm25",
    "/decide/{question:str}": "/decide/parking_allocation",
    "/layers/{kind:str}/{name:str}": "/layers/air_station/areas.geojson",
    "/desk/map/{name:str}": "/desk/map/areas.geojson",
}
LIVE = ("/live/cockpit", "/live/desk")
PHOTOS = ("/report/{number:str}/photo", "/desk/{number:str}/photos/{report:str}", "/desk/{number:str}/steps/{step:str}/photo")
"""No pages: who sees a photo stands in test_reports.py and test_desk.py."""
OFFER = ("/offers/{name:str}",)
"""Of one offer at one hour: who opens it stands in test_bookings.py."""
ROUTES = sorted(
    (path, str(handler.opt["action"]))
    for room in _ROOMS
    for handler in room.HANDLERS
    for path in handler.paths
    if "GET" in handler.http_methods and path not in (*LIVE, *PHOTOS, *OFFER)
)


def address(world: World, path: str) -> str:
    known = SPECIAL.get(path)
    if known is None:
        known = path
        for name, value in FIXED.items():
            known = known.replace(f"{{{name}:str}}", value)
    return known.format(number=world.number, alert=world.alert)


@pytest.mark.parametrize("role", CALLERS, ids=lambda role: role or "anyone")
@pytest.mark.parametrize(("path", "action"), ROUTES, ids=[path for path, _ in ROUTES])
async def test_a_page_opens_for_those_whom_policy_lets_and_for_nobody_else(
    world: World, path: str, action: str, role: Role | None
) -> None:
    async with world.client(role) as client:
        answer = await client.get(address(world, path))
    if (role or "anyone") in YES[action]:
        assert answer.status_code == 200
    elif role is None:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/signin?next=")
    else:
        assert answer.status_code == 403
        assert "没有权限" in answer.text


def test_every_action_of_a_page_stands_in_the_matrix() -> None:
    assert {action for _, action in ROUTES} <= set(YES)
    assert len(ROUTES) >= 12


@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("device", "leader", "dispatcher")])
async def test_the_live_cockpit_is_not_for_those_who_may_not_see_it(world: World, role: Role) -> None:
    async with world.client(role) as client:
        assert (await client.get("/live/cockpit")).status_code == 403


async def test_a_handler_of_another_office_sees_neither_the_case_nor_its_row_behind_the_figure(world: World) -> None:
    if all(account.login != "stranger" for account in world.city.accounts.all()):
        world.city.accounts.create("道路处置员", "stranger", "Nine-willows-by-the-weir-7", ["handler"], "unit-roads")
    async with world.client() as client:
        client.cookies.set("session", world.city.accounts.sign_in("stranger", "Nine-willows-by-the-weir-7"))
        assert (await client.get(f"/desk/{world.number}")).status_code == 404
        figure = await client.get("/figures/open_cases")
        assert world.number not in figure.text
        assert "您无权查看这些记录。" in figure.text
        trace = await client.get("/trace/figure/open_cases")
        assert world.number not in trace.text
    async with world.client("handler") as client:
        assert world.number in (await client.get("/figures/open_cases")).text
        assert world.number in (await client.get("/trace/figure/open_cases")).text


async def test_logins_and_names_are_shown_to_the_administrator_and_the_showing_is_audited(world: World) -> None:
    before = world.city.audit.verify()
    async with world.client("admin") as client:
        assert "王䶮数据专员" in (await client.get("/admin")).text
    assert world.city.audit.verify() > before
    async with world.client("auditor") as client:
        assert "王䶮数据专员" not in (await client.get("/admin")).text
