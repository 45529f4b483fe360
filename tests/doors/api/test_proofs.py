"""Photos of steps over HTTP: judged when they are sent, written with their step or not at all, shown to whoever may see the case."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from httpx import AsyncClient, Response
from PIL import Image

from citybrain.kernel.instant import moment
from citybrain.kernel.places import Place
from tests.brain.act.photographs import photograph
from tests.doors.conftest import World

CASES = "/api/v1/act/cases"
SITE = Place(117.1, 39.1)
FILING = {"title": "井盖缺失", "words": "路口东侧井盖缺失", "duty": "water", "place": {"lon": SITE.lon, "lat": SITE.lat}}
JPEG = {"Content-Type": "image/jpeg"}


def now(world: World) -> datetime:
    return moment(world.clock.wall()).astimezone(ZoneInfo("Asia/Shanghai"))


async def taken(desk: AsyncClient, handler: AsyncClient) -> str:
    """A case in its unit's hands; its address."""
    case = str((await desk.post(CASES, json=FILING)).headers["location"])
    for who, body in ((desk, {"move": "accept"}), (desk, {"move": "assign", "to_unit": "water"}), (handler, {"move": "take"})):
        seen = await who.get(case)
        assert (await who.post(f"{case}/moves", json=body, headers={"If-Match": seen.headers["etag"]})).status_code == 200
    return case


async def finish(handler: AsyncClient, case: str, photo: str | None) -> Response:
    seen = await handler.get(case)
    body: dict[str, Any] = {"move": "finish", "note": "已更换"} | ({"photo": photo} if photo else {})
    return await handler.post(f"{case}/moves", json=body, headers={"If-Match": seen.headers["etag"]})


async def test_a_photo_of_the_site_is_kept_with_its_step_and_holds_pixels_alone(world: World) -> None:
    async with world.client("dispatcher") as desk, world.client("handler") as handler:
        case = await taken(desk, handler)
        kept = await handler.post(f"{case}/photos", content=photograph(now(world), SITE), headers=JPEG)
        assert kept.status_code == 201, kept.text
        done = await finish(handler, case, kept.json()["photo"])
        assert done.status_code == 200, done.text
        (shown,) = (await desk.get(case)).json()["photos"]
        assert (shown["taken"], shown["metres"]) == (done.json()["photos"][0]["taken"], 0)
        picture = await desk.get(shown["href"])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    with Image.open(BytesIO(picture.content)) as image:
        assert dict(image.getexif()) == {}


@pytest.mark.parametrize(
    ("ago", "place", "reason"),
    [
        (timedelta(days=1), SITE, "old_photo"),
        (timedelta(), Place(117.15, 39.1), "far_photo"),
        (-timedelta(hours=3), SITE, "future_photo"),
    ],
)
async def test_an_old_photo_or_one_from_elsewhere_is_refused_and_the_case_stays_where_it_is(
    world: World, ago: timedelta, place: Place, reason: str
) -> None:
    async with world.client("dispatcher") as desk, world.client("handler") as handler:
        case = await taken(desk, handler)
        refused = await handler.post(f"{case}/photos", content=photograph(now(world) - ago, place), headers=JPEG)
        assert (refused.status_code, refused.json()["reason"], refused.json()["field"]) == (400, reason, "photo")
        after = await desk.get(case)
    assert (after.json()["case"]["state"], after.json()["photos"]) == ("handling", [])


async def test_a_photo_is_written_with_its_step_or_not_at_all(world: World) -> None:
    async with world.client("dispatcher") as desk, world.client("handler") as handler:
        case = await taken(desk, handler)
        photo = (await handler.post(f"{case}/photos", content=photograph(now(world), SITE), headers=JPEG)).json()["photo"]
        noteless = await handler.post(f"{case}/moves", json={"move": "finish", "photo": photo}, headers={"If-Match": '"4"'})
        assert noteless.status_code == 400
        other = await taken(desk, handler)
        assert (await finish(handler, other, photo)).json()["field"] == "photo"
        assert (await finish(handler, other, "00")).json()["field"] == "photo"
        assert (await desk.get(other)).json()["case"]["state"] == "handling"
        assert (await finish(handler, case, photo)).status_code == 200
        seen = await desk.get(case)
        wrong = await desk.post(
            f"{case}/moves", json={"move": "approve", "photo": photo}, headers={"If-Match": seen.headers["etag"]}
        )
        assert (wrong.status_code, wrong.json()["field"]) == (400, "photo")


async def test_the_photo_of_an_earlier_step_proves_no_later_one(world: World) -> None:
    same = photograph(now(world), SITE)
    async with world.client("dispatcher") as desk, world.client("handler") as handler:
        case = await taken(desk, handler)
        first = (await handler.post(f"{case}/photos", content=same, headers=JPEG)).json()["photo"]
        done = await finish(handler, case, first)
        back = {"move": "return", "note": "仍有积水"}
        assert (await desk.post(f"{case}/moves", json=back, headers={"If-Match": done.headers["etag"]})).status_code == 200
        again = (await handler.post(f"{case}/photos", content=same, headers=JPEG)).json()["photo"]
        refused = await finish(handler, case, again)
        assert (refused.status_code, refused.json()["reason"]) == (400, "same_photo")
        assert (await desk.get(case)).json()["case"]["state"] == "handling"
        fresh = (await handler.post(f"{case}/photos", content=photograph(colour="blue"), headers=JPEG)).json()["photo"]
        assert (await finish(handler, case, fresh)).status_code == 200
        assert [(one["taken"] is None, one["metres"]) for one in (await desk.get(case)).json()["photos"]] == [
            (False, 0),
            (True, None),
        ]


async def test_only_whose_case_it_is_sends_and_sees_photos(world: World) -> None:
    async with world.client("dispatcher") as desk, world.client("handler") as handler, world.client() as nobody:
        case = await taken(desk, handler)
        photo = (await handler.post(f"{case}/photos", content=photograph(), headers=JPEG)).json()["photo"]
        done = await finish(handler, case, photo)
        href = done.json()["photos"][0]["href"]
        assert (await nobody.get(href)).status_code == 401
        assert (await nobody.post(f"{case}/photos", content=photograph(), headers=JPEG)).status_code in (401, 403)
        assert (await desk.get(href.replace("/steps/", "/steps/x"))).status_code == 404
        other = (await desk.post(CASES, json={**FILING, "duty": "roads"})).json()["id"]
        assert (await handler.post(f"{CASES}/{other}/photos", content=photograph(), headers=JPEG)).status_code == 404
