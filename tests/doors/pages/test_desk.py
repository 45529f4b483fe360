"""The desk: steps by form, refusals that give back what was typed, and no step for a forged form."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from httpx import AsyncClient

from citybrain.kernel.calendar import Allowance
from citybrain.kernel.cases import CaseRequest
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import moment
from citybrain.kernel.text import same
from tests.brain.act.photographs import photograph
from tests.doors.pages.conftest import NOW, World

RARE = "王䶮、李𠅤·阿不都 <b>&"


@pytest.fixture
def number(world: World) -> str:
    """A new case of the environment office, reported by hand."""
    key = f"report:{new_id()}"
    asked = CaseRequest(
        key=key, matter="dust", title=same("扬尘"), flow="standard", duty="environment", allowance=Allowance(4, "hours"),
        place=None, area="990104001", entity=None, cause=key, words=RARE, at=NOW, grade=3, origin="demo",
    )  # fmt: skip
    return world.city.cases.case(world.city.cases.open(asked)).number


@pytest.fixture
async def dispatcher(world: World) -> AsyncIterator[AsyncClient]:
    async with world.client("dispatcher") as client:
        yield client


def fields(text: str, move: str) -> dict[str, str]:
    """The hidden fields of a step's form."""
    form = next(part for part in text.split("<form") if f'name="move" value="{move}"' in part)
    return dict(re.findall(r'name="(csrf|move|version)" value="([^"]*)"', form))


async def test_a_step_is_taken_by_a_form_alone(dispatcher: AsyncClient, number: str) -> None:
    page = await dispatcher.get(f"/desk/{number}")
    answer = await dispatcher.post(f"/desk/{number}/moves", data=fields(page.text, "accept"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/{number}?done=moved")
    assert "已立案，待派遣" in (await dispatcher.get(answer.headers["location"])).text


@pytest.mark.parametrize("word", ["", "guess"])
async def test_a_forged_form_takes_no_step(dispatcher: AsyncClient, world: World, number: str, word: str) -> None:
    page = await dispatcher.get(f"/desk/{number}")
    answer = await dispatcher.post(f"/desk/{number}/moves", data={**fields(page.text, "accept"), "csrf": word})
    assert answer.status_code == 403
    assert world.city.cases.by_number(number).state == "reported"


async def test_a_form_that_another_site_sends_takes_no_step(dispatcher: AsyncClient, world: World, number: str) -> None:
    page = await dispatcher.get(f"/desk/{number}")
    headers = {"sec-fetch-site": "cross-site"}
    answer = await dispatcher.post(f"/desk/{number}/moves", data=fields(page.text, "accept"), headers=headers)
    assert answer.status_code == 403
    assert world.city.cases.by_number(number).state == "reported"


async def test_a_stale_form_gives_back_what_was_typed(dispatcher: AsyncClient, number: str) -> None:
    page = await dispatcher.get(f"/desk/{number}")
    given = fields(page.text, "dismiss")
    await dispatcher.post(f"/desk/{number}/moves", data=fields(page.text, "accept"))
    answer = await dispatcher.post(f"/desk/{number}/moves", data={**given, "note": RARE})
    assert answer.status_code in (409, 412)
    assert 'role="alert"' in answer.text


async def test_a_missing_note_is_asked_for_and_a_note_is_shown_as_it_was_written(dispatcher: AsyncClient, number: str) -> None:
    page = await dispatcher.get(f"/desk/{number}")
    given = fields(page.text, "dismiss")
    empty = await dispatcher.post(f"/desk/{number}/moves", data={**given, "note": " "})
    assert empty.status_code == 400
    assert 'aria-describedby="dismiss-note-error"' in empty.text
    await dispatcher.post(f"/desk/{number}/moves", data={**given, "note": RARE})
    text = (await dispatcher.get(f"/desk/{number}")).text
    assert "王䶮、李𠅤·阿不都 &lt;b&gt;&amp;" in text
    assert "<b>&" not in text


async def test_a_case_is_found_by_its_number_its_words_and_rare_letters(dispatcher: AsyncClient, number: str) -> None:
    for words in (number, "𠅤·阿不都", "扬尘"):
        assert number in (await dispatcher.get("/desk", params={"q": words})).text
    assert number not in (await dispatcher.get("/desk", params={"q": "无此词"})).text


async def test_rare_letters_leave_in_the_file_with_a_byte_order_mark(world: World, number: str) -> None:
    async with world.client("dispatcher") as client:
        page = await client.get(f"/api/v1/exchange/datasets/case/rows?number={number}")
    assert page.status_code == 200
    assert "李𠅤·阿不都" in page.text


async def test_a_form_without_a_version_is_refused_and_not_a_fault(dispatcher: AsyncClient, number: str) -> None:
    page = await dispatcher.get(f"/desk/{number}")
    given = {name: value for name, value in fields(page.text, "accept").items() if name != "version"}
    for broken in (given, {**given, "version": "two"}, {}):
        assert (await dispatcher.post(f"/desk/{number}/moves", data=broken)).status_code == 400


async def test_what_carries_a_case_on_stands_before_what_hands_it_over(dispatcher: AsyncClient, world: World, number: str) -> None:
    page = await dispatcher.get(f"/desk/{number}")
    await dispatcher.post(f"/desk/{number}/moves", data=fields(page.text, "accept"))
    page = await dispatcher.get(f"/desk/{number}")
    await dispatcher.post(f"/desk/{number}/moves", data={**fields(page.text, "assign"), "unit": "unit-environment"})
    async with world.client("handler") as client:
        page = await client.get(f"/desk/{number}")
        await client.post(f"/desk/{number}/moves", data=fields(page.text, "take"))
        text = (await client.get(f"/desk/{number}")).text
    assert 0 < text.index('value="finish"') < text.index('value="transfer"')


async def test_an_old_photo_is_refused_beside_what_was_typed_and_one_of_now_stands_on_the_timeline(
    dispatcher: AsyncClient, world: World, number: str
) -> None:
    page = await dispatcher.get(f"/desk/{number}")
    await dispatcher.post(f"/desk/{number}/moves", data=fields(page.text, "accept"))
    page = await dispatcher.get(f"/desk/{number}")
    await dispatcher.post(f"/desk/{number}/moves", data={**fields(page.text, "assign"), "unit": "unit-environment"})
    now = moment(world.city.clock.wall()).astimezone(ZoneInfo("Asia/Shanghai"))
    async with world.client("handler") as client:
        page = await client.get(f"/desk/{number}")
        await client.post(f"/desk/{number}/moves", data=fields(page.text, "take"))
        page = await client.get(f"/desk/{number}")
        assert 'enctype="multipart/form-data"' in page.text
        given = {**fields(page.text, "finish"), "note": "已清扫"}
        old = {"photo": ("old.jpg", photograph(now - timedelta(days=1)), "image/jpeg")}
        refused = await client.post(f"/desk/{number}/moves", data=given, files=old)
        assert refused.status_code == 400
        assert "早于立案时间" in refused.text
        assert 'href="#finish-photo"' in refused.text
        assert ">已清扫</textarea>" in refused.text
        assert world.city.cases.by_number(number).state == "handling"
        large = await client.post(f"/desk/{number}/moves", data=given, files={"photo": ("b.jpg", b"x" * 11_000_000, "image/jpeg")})
        assert (large.status_code, 'id="finish-photo-error"' in large.text) == (413, True)
        done = await client.post(f"/desk/{number}/moves", data=given, files={"photo": ("new.jpg", photograph(now), "image/jpeg")})
        assert done.status_code == 303, done.text
        text = (await client.get(f"/desk/{number}")).text
        assert f"现场照片：拍摄于 {now:%Y-%m-%d %H:%M}，拍摄地点未核验" in text
        (source,) = re.findall(rf'src="(/desk/{number}/steps/[^"]+/photo)"', text)
        picture = await client.get(source)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    async with world.client("citizen") as stranger:
        assert (await stranger.get(source)).status_code in (403, 404)
