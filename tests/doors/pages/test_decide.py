"""The pages of decisions: every question with its time, an advice with its baseline and assumptions, accepted or declined with a reason."""

import re

import pyarrow as pa
import pytest
from httpx import AsyncClient

from citybrain.app.asked import AskedTables
from citybrain.brain import decide
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.instant import HOUR
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text
from tests.doors.pages.conftest import NOW, World

PAGE = "/decide/parking_allocation"


async def token(client: AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get(PAGE)).text)
    assert found is not None
    return found[1]


def full(world: World) -> decide.Posed:
    """An advice for one lot that will be full beside one with room, in the ledger of the city."""
    points = [
        {"entity": "lot-a", "time": NOW + HOUR, "low": 90.0, "mean": 98.0, "high": 100.0},
        {"entity": "lot-b", "time": NOW + HOUR, "low": 10.0, "mean": 20.0, "high": 30.0},
    ]
    lots = [
        {
            "id": name,
            "title_zh": f"{name}场",
            "title_en": name,
            "lon": lon,
            "lat": 39.1,
            "origin": "demo",
            "shared": 0.0,
            "price": None,
        }
        for name, lon in (("lot-a", 117.1), ("lot-b", 117.104))
    ]
    tables = {
        "entity:parking_lot": pa.Table.from_pylist(lots),
        "stream:parking_lot.capacity": pa.Table.from_pylist([{"entity": name, "value": 100.0} for name in ("lot-a", "lot-b")]),
        "forecast:parking_lot.occupancy": pa.Table.from_pylist(points),
        "offer:parking_lot": pa.Table.from_pylist([]),
    }
    asked = decide.Questions(world.city.packs, lambda name: tables[name], world.city.stores.transactions, world.city.clock, "demo")
    posed = asked.ask("parking_allocation")
    assert posed is not None
    return posed


async def test_every_question_is_listed_and_one_not_yet_answered_says_so(world: World) -> None:
    async with world.client("handler") as client:
        text = (await client.get("/decide")).text
        fresh = (await client.get("/decide/parking_price")).text
    assert "停车引导与错时共享的分配建议" in text
    assert "停车价格建议" in text
    assert "启动后一小时内求解" in fresh
    assert "假设，未在本区测定" in fresh


async def test_an_advice_shows_its_time_its_baselines_what_it_rests_on_and_that_it_is_advice(world: World) -> None:
    full(world)
    async with world.client("dispatcher") as client:
        zh, en = (await client.get(PAGE)).text, (await client.get(f"{PAGE}?lang=en")).text
    assert "求解时间：" in zh
    assert "lot-a场" in zh
    assert "不采取行动" in zh
    assert "6,000" in zh
    assert "仅为建议，不会自动执行" in zh
    assert "引导步行上限" in zh
    assert "Against doing nothing and a simple rule" in en
    assert "set locally" in en


async def test_an_advice_is_declined_with_a_reason_once_and_the_page_says_who_did(world: World) -> None:
    posed = full(world)
    async with world.client("dispatcher") as client:
        form = {"csrf": await token(client), "advice": posed.id, "verdict": "declined"}
        refused = await client.post(PAGE, data={**form, "words": "不"})
        assert refused.status_code == 400
        assert "请写明理由" in refused.text
        assert ">不</textarea>" in refused.text
        made = await client.post(PAGE, data={**form, "words": "周边施工，暂不引导"})
        assert (made.status_code, made.headers["location"]) == (303, f"{PAGE}?advice={posed.id}&done=decided")
        shown = (await client.get(made.headers["location"])).text
        assert "决定已记入台账" in shown
        assert "未采纳" in shown
        assert "周边施工，暂不引导" in shown
        assert "王䶮派遣员" in shown
        again = await client.post(PAGE, data={**form, "words": "再试一次吧"})
        assert again.status_code == 409
        assert "已有人作出决定" in again.text


async def test_who_may_not_decide_sees_no_form_and_an_advice_of_another_question_is_not_found(world: World) -> None:
    posed = full(world)
    async with world.client("data_officer") as client:
        text = (await client.get(PAGE)).text
        assert "是否采纳由区领导或派遣员决定" in text
        assert 'name="verdict"' not in text
        sent = await client.post(PAGE, data={"csrf": "x", "advice": posed.id, "verdict": "accepted", "words": "照此办理"})
        assert sent.status_code == 403
        assert (await client.get(f"/decide/parking_price?advice={posed.id}")).status_code == 404


def test_the_tables_of_the_running_city_answer_every_question(world: World) -> None:
    """From the city's own tables: a lot without readings or forecast gets no advice, and the words say why."""
    city = world.city
    lot = Planted(
        "lot-x", "parking_lot", Text("试验场", "Trial lot"), Place(117.15, 39.1), "990104001", {"type": "public", "price": 300}
    )
    city.registry.plant((lot,), "test", "demo", NOW)
    tables = AskedTables(city.registry, city.stream_rows, city.forecasts, city.stores.series, city.offers, city.clock)
    (row,) = tables("entity:parking_lot").to_pylist()
    assert (row["id"], row["type"], row["price"], row["shared"], row["origin"]) == ("lot-x", "public", 300.0, None, "demo")
    said = {one.name: one.answer({name: tables(name) for name in one.inputs}, NOW).said.en for one in city.questions.all()}
    assert "not known yet" in said["parking_allocation"]
    assert "too little history" in said["parking_price"]
    for name in ("entity:parking_place", "rumour:parking_lot", "stream:parking_lot.colour"):
        with pytest.raises((NotFoundError, BadInputError)):
            tables(name)
