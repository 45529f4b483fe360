"""Reporting by pages, without script and without an account: two steps, a number, the way back, and who sees the photo."""

import io
import re
from html import unescape
from urllib.parse import urlparse

import pytest
from httpx import AsyncClient, Response
from PIL import Image
from shapely import from_wkb

from citybrain.brain.act import LARGEST_PHOTO
from citybrain.kernel.access import ANYONE, Caller, Role
from citybrain.kernel.places import Place
from citybrain.kernel.reports import Said
from tests.doors.pages.conftest import World

WORDS = "小区东门<script>alert(1)</script>路灯不亮䶮"
SHOWN = "小区东门&lt;script&gt;alert(1)&lt;/script&gt;路灯不亮䶮"


def fields(page: str, action: str = "/report") -> dict[str, str]:
    """The hidden fields of the form with an action."""
    form = re.search(rf'<form[^>]*action="{action}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert form is not None
    return {name: unescape(value) for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[1])}


def photo() -> tuple[str, bytes, str]:
    """A photo as a browser sends it, with a note of the camera."""
    made, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "Kamera GmbH"
    Image.new("RGB", (80, 60), "red").save(made, "JPEG", exif=exif)
    return "a.jpg", made.getvalue(), "image/jpeg"


async def first_step(client: AsyncClient, **changes: str) -> Response:
    """Fill in the form and send it with a photo."""
    hidden = fields((await client.get("/report")).text)
    typed = {"words": WORDS, "where": "area:990104001", "spot": "东门外", "contact": "13800138000"} | changes
    return await client.post("/report", data=hidden | typed, files={"photo": photo()})


async def report(client: AsyncClient, **changes: str) -> tuple[str, dict[str, str]]:
    """Go through both steps; returns the number and what the second step sent."""
    second = await first_step(client, **changes)
    assert second.status_code == 200, second.text
    sent = fields(second.text) | {"code": "01037", "step": "send"}
    done = await client.post("/report", data=sent)
    assert done.status_code == 303, done.text
    return urlparse(done.headers["location"]).path.rpartition("/")[2], sent


async def test_words_place_and_photo_lead_to_a_class_a_unit_a_time_and_a_number(world: World) -> None:
    async with world.client() as nobody:
        second = await first_step(nobody)
        number, _ = await report(nobody)
        page = await nobody.get(f"/report/{number}?done=filed")

    assert '<input type="radio" name="code" value="01037" checked' in second.text
    assert "5 个工作日内" in second.text
    assert number in page.text
    assert SHOWN in page.text
    assert "<script>alert" not in second.text + page.text
    assert re.search(r"[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}", page.text)


async def test_sending_twice_gives_the_same_number(world: World) -> None:
    async with world.client() as nobody:
        number, sent = await report(nobody, words="同一件事发两次的路灯")
        again = await nobody.post("/report", data=sent)

    assert urlparse(again.headers["location"]).path == f"/report/{number}"


async def test_a_like_report_is_shown_first_and_can_be_joined(world: World) -> None:
    async with world.client() as nobody:
        number, _ = await report(nobody, words="竹园路路灯不亮", where="area:990104001")
        second = await first_step(nobody, words="竹园路的路灯不亮了")
        assert f"是同一件事，并入 {number}" in second.text
        joined = await nobody.post("/report", data=fields(second.text) | {"code": "01037", "joins": number})

    assert urlparse(joined.headers["location"]).path == f"/report/{number}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"words": " "}, "请描述问题"),
        ({"where": ""}, "请选择位置"),
        ({"lon": "116.4", "lat": "39.9"}, "不在本区范围内"),
        ({"lon": "east", "lat": "north"}, "经纬度有误"),
        ({"where": "area:999999"}, "没有区域"),
        ({"where": "area:x"}, "不是区划"),
        ({"spot": "长" * 201}, "超过 200 字"),
    ],
)
async def test_what_is_wrong_is_said_beside_what_was_typed(world: World, changes: dict[str, str], said: str) -> None:
    async with world.client() as nobody:
        answer = await first_step(nobody, **changes)

    assert answer.status_code == 400
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert 'value="13800138000"' in answer.text


async def test_a_photo_that_is_none_is_refused_with_the_words_kept(world: World) -> None:
    async with world.client() as nobody:
        hidden = fields((await nobody.get("/report")).text)
        typed = {"words": "有照片", "where": "area:990104001"}
        answer = await nobody.post(
            "/report", data=hidden | typed, files={"photo": ("a.jpg", b"<svg onload=alert(1)>", "image/jpeg")}
        )

    assert answer.status_code == 400
    assert "照片无法读取" in answer.text
    assert ">有照片</textarea>" in answer.text


async def test_too_much_is_refused_with_a_page_that_says_how_much_may_be_sent(world: World) -> None:
    async with world.client() as nobody:
        hidden = fields((await nobody.get("/report")).text)
        answer = await nobody.post(
            "/report", data=hidden, files={"photo": ("a.jpg", b"\xff" * (LARGEST_PHOTO + 200_000), "image/jpeg")}
        )

    assert answer.status_code == 413
    assert "超过 10 MB" in answer.text


async def test_a_form_that_another_site_sends_is_refused(world: World) -> None:
    async with world.client() as nobody:
        hidden = fields((await nobody.get("/report")).text)
        answer = await nobody.post("/report", data=hidden, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


async def test_the_way_back_is_number_and_key_and_neither_stands_in_an_address(world: World) -> None:
    async with world.client() as nobody:
        number, _ = await report(nobody, words="回来看的路灯")
        key = re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", (await nobody.get(f"/report/{number}")).text)[0]
    async with world.client() as elsewhere:
        assert "回来看的路灯" not in (await elsewhere.get(f"/report/{number}")).text
        wrong = await elsewhere.post("/report/follow", data={"number": number, "key": "aaaa-bbbb"})
        right = await elsewhere.post("/report/follow", data={"number": number, "key": key.upper()})
        page = await elsewhere.get(right.headers["location"])

    assert (wrong.status_code, "编号与查询码不符" in wrong.text) == (404, True)
    assert right.headers["location"] == f"/report/{number}"
    assert "回来看的路灯" in page.text


@pytest.mark.parametrize(("role", "sees"), [(None, False), ("citizen", False), ("leader", False), ("dispatcher", True)])
async def test_a_photo_goes_to_who_may_see_it_and_holds_no_camera(world: World, role: Role | None, *, sees: bool) -> None:
    async with world.client() as nobody:
        number, _ = await report(nobody, words="带照片的路灯")
        own = await nobody.get(f"/report/{number}/photo")
    async with world.client() as stranger:
        assert (await stranger.get(f"/report/{number}/photo")).status_code == 404
    async with world.client("dispatcher") as desk:
        page = (await desk.get(f"/desk/{number}")).text
        address = re.findall(rf'src="(/desk/{number}/photos/[^"]+)"', page)[0]
    async with world.client(role) as somebody:
        answer = await somebody.get(address)

    assert (own.status_code, own.headers["content-type"], b"Kamera" in own.content) == (200, "image/jpeg", False)
    assert (answer.status_code == 200) is sees


async def test_the_desk_shows_words_place_and_contact_and_the_look_stands_in_the_trail(world: World) -> None:
    async with world.client() as nobody:
        number, _ = await report(nobody)
    async with world.client("dispatcher") as desk:
        page = (await desk.get(f"/desk/{number}")).text
    with world.city.stores.transactions.read() as connection:
        trail = connection.exec_driver_sql(
            "SELECT purpose FROM audit WHERE action = 'report.read' ORDER BY no DESC LIMIT 1"
        ).scalar()

    assert SHOWN in page
    assert "13800138000" in page
    assert "东门外" in page
    assert trail == f"办理案件 {number}"


async def test_nobody_gets_coordinates_where_no_map_was_approved_and_staff_get_the_plan(world: World) -> None:
    async with world.client() as nobody, world.client("dispatcher") as desk:
        public, own = (await nobody.get("/report")).text, (await desk.get("/report")).text

    assert ('data-tiles="true"' in public, "data-degrees" in public) == (True, False)
    assert 'data-degrees="' in own


async def test_the_portal_offers_every_form(world: World) -> None:
    async with world.client() as nobody:
        page = (await nobody.get("/")).text

    assert 'href="/report?form=street"' in page
    assert 'href="/report/follow"' in page


async def test_open_reports_are_a_layer_of_their_own_and_each_opens_to_its_case(world: World) -> None:
    street = next(area for area in world.city.areas.all() if area.level == "subdistrict" and area.wkb)
    inner = from_wkb(street.wkb).representative_point()
    said = Said("street", "layer-0123456789abcdef", "路灯不亮", "01037", Place(inner.x, inner.y), None)
    number = world.city.reports.file(said, ANYONE, "10.9.9.9").number
    async with world.client("leader") as client:
        reported = (await client.get("/layers/report/points.geojson")).json()["features"]
        others = (await client.get("/layers/case/points.geojson")).json()["features"]
    assert f"/desk/{number}" in {one["properties"]["href"] for one in reported}
    assert number not in {one["properties"]["value"] for one in others}


async def test_what_leaders_instruct_stays_inside_the_house(world: World) -> None:
    leader = Caller("leader", "", frozenset({"leader"}))
    async with world.client() as nobody:
        number, _ = await report(nobody)
        case = world.city.cases.by_number(number)
        world.city.instructions.give(case.id, leader, "请街道主任到场", "1d")
        page = (await nobody.get(f"/report/{number}")).text
    async with world.client("dispatcher") as desk:
        inside = (await desk.get(f"/desk/{number}")).text
    assert "请街道主任到场" in inside
    assert "领导批示" in inside
    assert number in page
    assert "请街道主任到场" not in page
    assert "批示" not in page
