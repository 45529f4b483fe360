"""Looking for a berth by forms alone: where to, how far to walk, and nothing claimed that nobody knows."""

import pytest

from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json, same
from tests.doors.pages.conftest import NOW, World


@pytest.fixture
def lots(world: World) -> World:
    """Two lots of which nobody has heard yet, a few steps and half an hour from the inner point."""
    body: dict[str, Json] = {"type": "public", "shared": 12}
    near = Planted("lot-01", "parking_lot", same("一号停车场"), Place(117.15, 39.1), "990104001", body)
    far = Planted("lot-02", "parking_lot", same("二号停车场"), Place(117.17, 39.1), "990104001", body)
    world.city.registry.plant((near, far), "test", "demo", NOW)
    return world


async def test_the_nearest_come_first_without_a_number_that_nobody_knows(lots: World) -> None:
    async with lots.client() as nobody:
        page = await nobody.get("/park?lon=117.151&lat=39.1&in=30")
    assert page.status_code == 200
    text = page.text
    assert text.index("一号停车场") < text.index("二号停车场")
    assert "约 110 米" in text
    assert "暂无数据（停用时段）" in text or "暂无数据（从未上报）" in text
    assert "空余 0" not in text
    assert "不估计概率" in text
    assert "15:30" in text


async def test_before_a_place_is_said_the_page_says_what_to_do(lots: World) -> None:
    async with lots.client() as nobody:
        page = await nobody.get("/park")
        assert "选择目的地后" in page.text
        chosen = await nobody.get("/park?from=990104001&in=15&lang=en")
        assert "The nearest first" in chosen.text
        home = await nobody.get("/?lang=zh")
    assert 'href="/park"' in home.text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("from=990104999", "没有这个地点"),
        ("lon=abc&lat=39", "十进制度数"),
        ("lon=117.1", "十进制度数"),
        ("from=990104001&in=7", "到达时间"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(lots: World, said: str, words: str) -> None:
    async with lots.client() as nobody:
        page = await nobody.get(f"/park?{said}")
    assert page.status_code == 400
    assert words in page.text
