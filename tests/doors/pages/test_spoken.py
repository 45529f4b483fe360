"""Streams whose results are no numbers on pages: their words with their times, no line of codes, and no form that reckons."""

import html
import re
from itertools import count

import pytest
from msgspec import json

from citybrain.brain.observe import (
    Draft,
    MadeProperty,
    MadeSensor,
    MadeStream,
    MadeThing,
    MadeUnit,
    read_rows,
    set_result,
)
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.things import Contract, Sort
from tests.doors.pages.conftest import NOW, World

_NAMES = count(1)
UNIT = MadeUnit(None, None, None)
KIND = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CategoryObservation"


async def page(world: World, sort: Sort, *values: object) -> str:
    """The address of a stream that somebody made, with a result every half hour."""
    watched = MadeProperty("", f"状态-{sort}", "", "", {})
    draft = Draft(
        MadeStream("", "状态", "", KIND, UNIT, {}), MadeSensor("", "探头", "", "text/plain", "", {}), watched, Contract(), sort
    )
    made = world.city.making.thing(f"闸门-{sort}", MadeThing(f"a-{sort}-{next(_NAMES)}", "", {}), (), (draft,))
    (stream,) = world.city.registry.streams_of(made.id)
    rows = [
        {"stream": stream.id, "time": rfc3339(Instant(NOW - at * 30 * MINUTE)), "value": values[at % len(values)]}
        for at in range(200)
    ]
    verdict = await world.city.intake.take(read_rows(json.encode(rows)), "test", None)
    assert verdict.stored == 200
    return f"/admin/streams/{stream.id}"


async def test_the_page_of_a_stream_shows_words_in_a_table(world: World) -> None:
    at = await page(world, "category", "半开", "<b>全关</b>")
    async with world.client("data_officer") as client:
        shown = (await client.get(f"{at}?lang=zh")).text
        assert ("半开" in shown, "&lt;b&gt;全关&lt;/b&gt;" in shown, "<b>全关" in shown) == (True, True, False)
        assert ("city-chart" in shown, "<polyline" in shown, 'name="factor"' in shown) == (False, False, False)
        assert re.search(r'<input id="value" name="value" type="text" list="value-known"', shown)
        assert set(re.findall(r'<option value="([^"]*)"></option>', shown)) == {"半开", "&lt;b&gt;全关&lt;/b&gt;"}
        assert ('name="low"' in shown, "量程下限" in shown, 'name="strike_since"' in shown) == (False, False, True)
        assert "读数范围" not in shown
        listed = (await client.get("/admin/streams?life=none&lang=zh")).text
        assert "半开" in listed
        since = {"strike_since": "2026-11-22T14:30:00", "strike_until": "2026-11-22T15:00:01"}
        looked = (await client.get(at, params={**since, "lang": "zh"})).text
        assert "→ 作废" in looked
        assert "半开 → 作废" in looked


async def fixed(world: World, at: str, value: str, lang: str = "zh") -> str:
    """What a page shows after the newest reading was set to what was typed, the way a person does it."""
    one = {"at": "2026-11-22T15:00:00", "value": value}
    async with world.client("data_officer") as client:
        looked = (await client.get(at, params={**one, "lang": lang})).text
        hidden = {name: html.unescape(said) for name, said in re.findall(r'name="(seen|csrf|at|value)" value="([^"]*)"', looked)}
        assert (hidden["at"], hidden["value"]) == (one["at"], value), "the second form says the same again"
        short = await client.post(f"{at}/corrections", data={**hidden, "why": "错"})
        assert (short.status_code, 'id="fix-why-error"' in short.text) == (400, True)
        assert html.escape(value, quote=False) in html.unescape(short.text) or value in html.unescape(short.text)
        sent = await client.post(f"{at}/corrections", data={**hidden, "why": "值班员看错了"})
        assert sent.status_code == 303, sent.text
        return html.unescape((await client.get(f"{at}?lang={lang}")).text)


@pytest.mark.parametrize(
    ("sort", "values", "typed", "told"),
    [
        ("category", ("甲", "乙"), "丙 <i>", "甲 → 丙 <i>"),
        ("category", ("丁", "戊"), "戊", "丁 → 戊"),
        ("truth", (True, False), "false", "是（true） → 否（false）"),
        ("any", ({"门": 1},), '{"门": 2, "说": "坏"}', '{"门":1} → {"说":"坏","门":2}'),
        ("any", (3,), '"3"', "3 → 3"),
        ("count", (7, 8), "9", "7 → 9"),
    ],
)
async def test_a_result_is_set_to_the_right_one_with_a_reason(
    world: World, sort: Sort, values: tuple[object, ...], typed: str, told: str
) -> None:
    shown = await fixed(world, await page(world, sort, *values), typed)
    assert (told in shown, "值班员看错了" in shown) == (True, True)
    assert "由人员更正" in shown
    made = re.search(r'action="([^"]*/corrections/[0-9]+/end)"', shown)
    assert made
    async with world.client("data_officer") as client:
        csrf = re.search(r'name="csrf" value="([^"]*)"', shown)
        assert csrf
        assert (await client.post(made[1], data={"csrf": csrf[1], "why": "原来没有看错"})).status_code == 303
        assert "由人员更正" not in (await client.get(f"{made[1].partition('/corrections')[0]}?lang=zh")).text


@pytest.mark.parametrize(
    ("sort", "values", "typed", "told"),
    [
        ("category", ("甲",), " ", "请填写应有的结果"),
        ("category", ("甲",), "甲", "更正后与现值相同"),
        ("category", ("甲",), "长" * 3000, "8192"),
        ("truth", (True,), "maybe", "没有这样的结果"),
        ("any", (1,), "雨", "这不是 JSON"),
        ("any", (1,), "null", "没有这样的结果"),
        ("count", (1,), "1.5", "没有这样的结果"),
        ("count", (1,), "many", "不是数"),
    ],
)
async def test_what_is_no_result_of_the_stream_is_told_at_its_field_and_stays_typed(
    world: World, sort: Sort, values: tuple[object, ...], typed: str, told: str
) -> None:
    at = await page(world, sort, *values)
    async with world.client("data_officer") as client:
        answer = await client.get(at, params={"at": "2026-11-22T15:00:00", "value": typed, "lang": "zh"})
        assert (answer.status_code, 'id="value-error"' in answer.text, told in answer.text) == (400, True, True), answer.text
        assert (typed in answer.text) or typed in (" ", "maybe")


async def test_whoever_may_not_correct_has_no_form_and_enters_no_word(world: World) -> None:
    at = await page(world, "category", "甲")
    words = world.city.registry.worded
    no = world.city.registry.stream(at.rpartition("/")[2]).no
    async with world.client("leader") as client:
        shown = (await client.get(at, params={"at": "2026-11-22T15:00:00", "value": "生造", "lang": "zh"})).text
        assert ('name="value"' in shown, words.code(no, '"生造"')) == (False, None)


async def test_looking_at_what_a_new_word_would_do_enters_nothing(world: World) -> None:
    at = await page(world, "category", "甲")
    words = world.city.registry.worded
    no = world.city.registry.stream(at.rpartition("/")[2]).no
    async with world.client("data_officer") as client:
        shown = (await client.get(at, params={"at": "2026-11-22T15:00:00", "value": "生造", "lang": "zh"})).text
        assert ("设为 生造" in shown, "甲 → 生造" in shown) == (True, True)
    assert words.coded([no]) == {no: {1}}


async def test_truths_are_said_in_both_languages_and_a_correction_in_words(world: World) -> None:
    at = await page(world, "truth", *(True, False))
    city = world.city
    stream = city.registry.stream(at.rpartition("/")[2])
    change = set_result(stream, Instant(NOW), result=False)
    seen = city.corrections.preview(stream, change).seen
    await city.corrections.correct(stream, change, seen, "data_officer", "门磁接反了")
    async with world.client("data_officer") as client:
        shown = (await client.get(f"{at}?lang=zh")).text
        assert ("是（true） → 否（false）" in shown, "由人员更正" in shown) == (True, True)
        assert ("true → false" in (await client.get(f"{at}?lang=en")).text) is True
        wrong = {"since": "2026-11-22T14:30:00", "until": "2026-11-22T15:00:01", "factor": "2"}
        assert (await client.get(at, params=wrong)).status_code == 400


async def test_the_newest_rows_of_the_streams_say_words_and_no_codes(world: World) -> None:
    await page(world, "any", {"阀": "开"})
    async with world.client("data_officer") as client:
        shown = (await client.get("/data/stream?lang=zh")).text
        assert "{&#34;阀&#34;:&#34;开&#34;}" in shown
        assert "不是数值" in shown
