"""Sharing by forms alone: an owner publishes, a citizen books and cancels, and what is refused comes back with its reason."""

import re
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient, Response

from citybrain.kernel.instant import parse
from citybrain.kernel.pack import Planted
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from tests.doors.pages.conftest import NOW, World

FORM = {
    "entity": "lot-01", "units": "2", "since": "2026-11-22", "until": "2026-11-29", "opens": "18:00", "closes": "08:00", "price": "3.50",
    "words": "限小型车",
}  # fmt: skip


@pytest.fixture
async def owner(world: World) -> AsyncIterator[AsyncClient]:
    """The handler whose unit answers for car parks; one of them lies in the district."""
    world.city.units.put(Unit("unit-environment", same("环境示范科"), ("environment", "traffic"), "990104"))
    lot = Planted("lot-01", "parking_lot", same("一号停车场"), Place(117.15, 39.1), "990104001", {"type": "public", "shared": 12})
    world.city.registry.plant((lot,), "test", "demo", NOW)
    async with world.client("handler") as client:
        yield client


def hidden(text: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to an action."""
    form = next(part for part in text.split("<form") if f'action="{action}"' in part)
    return dict(re.findall(r'name="(csrf|key|begins|move|version)" value="([^"]*)"', form))


async def publish(owner: AsyncClient, **changed: str) -> Response:
    page = await owner.get("/offers/mine")
    return await owner.post("/offers", data={**hidden(page.text, "/offers"), **FORM, **changed})


async def test_an_offer_is_published_booked_shown_and_cancelled_without_a_script(world: World, owner: AsyncClient) -> None:
    answer = await publish(owner)
    assert (answer.status_code, answer.headers["location"]) == (303, "/offers/mine?done=offered")
    async with world.client("citizen") as citizen:
        day = await citizen.get("/offers?day=2026-11-22")
        assert "限小型车" in day.text
        first = re.findall(r'href="(/offers/[0-9a-f-]+\?begins=[^"]+)"', day.text)[0].replace("&amp;", "&")
        page = await citizen.get(first)
        action = first.partition("?")[0]
        ends = re.findall(r'<option value="([^"]+)"', page.text)
        assert len(ends) == 28
        assert "开始后 30 分钟内未到" in page.text
        booked = await citizen.post(action, data={**hidden(page.text, action), "ends": ends[1], "units": "1"})
        assert (booked.status_code, booked.headers["location"]) == (303, "/bookings?done=booked")
        mine = await citizen.get("/bookings")
        assert "共 3.50 元" in mine.text
        move = re.findall(r'action="(/bookings/[0-9a-f-]+/moves)"', mine.text)[0]
        gone = await citizen.post(move, data=hidden(mine.text, move))
        assert gone.headers["location"] == "/bookings?done=moved"
        assert "已取消" in (await citizen.get("/bookings")).text
    assert "已取消" in (await owner.get("/offers/mine")).text


@pytest.mark.parametrize(
    ("field", "said", "words"),
    [
        ("units", "viele", "整数"),
        ("until", "2026-13-01", "日期"),
        ("opens", "abends", "时刻"),
        ("price", "-1", "价格"),
        ("units", "13", "共有 12 个"),
    ],
)
async def test_a_wrong_offer_comes_back_with_what_was_typed_and_what_is_wrong(
    owner: AsyncClient, field: str, said: str, words: str
) -> None:
    answer = await publish(owner, **{field: said})
    assert answer.status_code in (400, 409)
    assert words in answer.text
    assert f'value="{said}"' in answer.text


async def test_only_the_owner_offers_and_only_citizens_book(world: World, owner: AsyncClient) -> None:
    await publish(owner, opens="12:00", closes="13:00", words="午间")
    offer = next(one for one in world.city.offers.current() if one.words == "午间")
    begins = parse("2026-11-23T12:00:00+08:00")
    assert offer.since < begins < offer.until
    async with world.client("citizen") as citizen:
        token = hidden((await citizen.get(f"/offers/{offer.id}?begins=2026-11-23T04:00:00Z")).text, f"/offers/{offer.id}")
        refused = await citizen.post("/offers", data={**token, **FORM})
        assert (refused.status_code, "您的角色不能进行此操作" in refused.text) == (403, True)
        assert (await citizen.post(f"/offers/{offer.id}/withdrawal", data={**token, "version": "1", "why": "x"})).status_code == 403
        assert (await citizen.post(f"/offers/{offer.id}", data={**token, "csrf": "", "ends": "x"})).status_code == 403
        late = await citizen.post(f"/offers/{offer.id}", data={**token, "ends": "2026-11-23T06:00:00Z"})
        assert late.status_code == 422
        assert "不在开放时间内" in late.text
    async with world.client("dispatcher") as other:
        assert "请用市民账号预订" in (await other.get(f"/offers/{offer.id}?begins=2026-11-23T04:00:00Z")).text
    async with world.client() as nobody:
        assert "登录后预订" in (await nobody.get(f"/offers/{offer.id}?begins=2026-11-23T04:00:00Z")).text
    page = await owner.get("/offers/mine")
    assert "24 小时内开始的预订继续有效" in page.text
    action = f"/offers/{offer.id}/withdrawal"
    gone = await owner.post(action, data={**hidden(page.text, action), "why": "施工"})
    assert gone.headers["location"] == "/offers/mine?done=withdrawn"
