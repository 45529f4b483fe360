"""Correcting readings on the page of a stream: looked at first, made with a reason, marked, taken back; without a script."""

import csv
import html
import io
import re
from urllib.parse import urlencode

from httpx import AsyncClient
from msgspec import json

from citybrain.brain.observe import Act, read_rows, setting
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from tests.doors.pages.conftest import NOW, World

STATION = "/admin/streams/air-01"
"""The city is shared by all tests: each corrects a field of its own."""
SPAN = {"since": "2026-11-22T14:50", "until": "2026-11-22T15:00:01", "factor": "0.001", "offset": "0"}
WHY = "单位误为微克"


async def fill(world: World, field: str) -> str:
    """The address of a field with a reading every five minutes of half an hour before 15:00, the last three a thousand times too great."""
    rows = [
        {
            "stream": f"air-01.{field}",
            "time": rfc3339(Instant(NOW - ago * 5 * MINUTE)),
            "value": (80 + ago) * (1000 if ago < 3 else 1),
        }
        for ago in range(6)
    ]
    await world.city.intake.take(read_rows(json.encode(rows)), "test", None)
    return f"{STATION}.{field}"


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def number(page: str) -> str:
    """Of the newest correction on a page."""
    found = re.search(r'id="correction-([0-9]+)"', page)
    assert found
    return found[1]


async def looked(client: AsyncClient, page: str, asked: dict[str, str]) -> str:
    answer = await client.get(f"{page}?{urlencode({**asked, 'lang': 'zh'})}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_data_officer_looks_corrects_and_takes_back(world: World) -> None:
    page = await fill(world, "pm10")
    async with world.client("data_officer") as client:
        shown = await looked(client, page, SPAN)
        assert "预览：将会这样更正" in shown
        assert "82000 → 82" in shown
        assert "80000 – 82000 → 80 – 82" in shown
        form = {**SPAN, "seen": hidden(shown, "seen"), "csrf": hidden(shown, "csrf"), "why": WHY}
        sent = await client.post(f"{page}/corrections", data=form)
        assert (sent.status_code, sent.headers["location"]) == (303, f"{page}?done=corrected#corrections")
        shown = await looked(client, page, {})
        assert WHY in shown
        assert "其中 3 个由人员更正" in shown
        assert len(re.findall(r'<th scope="row">.*?<span class="tag" data-tone="info">更正</span></th>', shown)) == 3
        assert "82000 → 82" in shown
        made = number(shown)
        back = await client.post(f"{page}/corrections/{made}/end", data={"csrf": form["csrf"], "why": "原来没有错"})
        assert (back.status_code, back.headers["location"]) == (303, f"{page}?done=restored#corrections")
        shown = await looked(client, page, {})
        assert "原来没有错" in shown
        assert "由人员更正" not in shown
        assert f'action="{page}/corrections/{made}/end"' not in shown


async def test_a_span_is_struck_out_and_every_table_says_so(world: World) -> None:
    page = await fill(world, "o3")
    asked = {"strike_since": "2026-11-22T14:50", "strike_until": "2026-11-22T15:00:01"}
    async with world.client("data_officer") as client:
        answer = await client.get(f"{page}?{urlencode({**asked, 'strike_until': '2026-11-22T14:49'})}")
        assert (answer.status_code, 'id="strike_since-error"' in answer.text) == (400, True)
        shown = await looked(client, page, asked)
        assert re.search(r"82000 \S+ → 作废", shown)
        form = {**asked, "seen": hidden(shown, "seen"), "csrf": hidden(shown, "csrf"), "why": "校准时的试气"}
        assert (await client.post(f"{page}/corrections", data=form)).status_code == 303
        shown = await looked(client, page, {})
        assert "另有 3 个由人员作废" in shown
        assert len(re.findall(r'<th scope="row">.*?作废</span></th><td class="numeric">—</td>', shown)) == 3
        assert "校准时的试气" in shown
        assert "inf" not in shown.replace("info", "")
        sent = await client.post(f"{page}/corrections/{number(shown)}/end", data={"csrf": form["csrf"], "why": "原来没有错"})
        assert sent.status_code == 303
        assert "由人员作废" not in await looked(client, page, {})


async def test_the_data_officer_carries_readings_away_and_sees_how_many_are_what(world: World) -> None:
    page = await fill(world, "co")
    strike = {"strike_since": "2026-11-22T14:50", "strike_until": "2026-11-22T15:00:01"}
    async with world.client("data_officer") as client:
        shown = await looked(client, page, strike)
        form = {**strike, "seen": hidden(shown, "seen"), "csrf": hidden(shown, "csrf"), "why": "校准时的试气"}
        assert (await client.post(f"{page}/corrections", data=form)).status_code == 303
        shown = await looked(client, page, {})
        assert re.search(r"作废</dt><dd>3</dd>", shown)
        files = [html.unescape(href) for href in re.findall(r'href="([^"]*/observation/export[^"]*)"', shown)]
        assert len(files) == 4
        plain, every = [list(csv.DictReader(io.StringIO((await client.get(files[at])).text))) for at in (0, 2)]
        assert {line["mark"] for line in plain} == {"measured"}
        assert [line["mark"] for line in every].count("struck") == 3
        assert (await client.get(files[3])).json()["readings"]["rows"]["struck"] == 3
    async with world.client("leader") as client:
        assert "/observation/export" not in await looked(client, page, {})


async def test_one_reading_is_found_by_its_second(world: World) -> None:
    page = await fill(world, "so2")
    async with world.client("data_officer") as client:
        shown = await looked(client, page, {"at": "2026-11-22T15:00", "value": "81"})
        form = {"at": "2026-11-22T15:00", "value": "81", "seen": hidden(shown, "seen"), "csrf": hidden(shown, "csrf"), "why": WHY}
        assert (await client.post(f"{page}/corrections", data=form)).status_code == 303
        assert "设为 81" in await looked(client, page, {})
        figure = await looked(client, "/figures/streams_live", {})
        assert re.search(r"其中由人员更正的读数</dt><dd>[1-9]", figure), "whatever else was corrected in this city"
        assert "由人员更正</span>" in figure
        assert "算出以后" not in figure
        answer = await client.get(f"{page}?{urlencode({'at': '2026-11-22T14:58', 'value': '81'})}")
        assert (answer.status_code, 'id="at-error"' in answer.text) == (400, True)
        answer = await client.get(f"{page}?{urlencode({'at': '2026-11-22T15:00', 'value': '81'})}")
        assert (answer.status_code, 'id="value-error"' in answer.text) == (400, True), "it stands already"


async def test_a_refusal_keeps_what_was_typed_and_shows_how_it_stands_now(world: World) -> None:
    page = await fill(world, "no2")
    async with world.client("data_officer") as client:
        for name, said in (("since", "gestern"), ("until", ""), ("factor", "ten"), ("offset", "nan")):
            answer = await client.get(f"{page}?{urlencode({**SPAN, name: said})}")
            assert (answer.status_code, f'id="{name}-error"' in answer.text) == (400, True), name
        shown = await looked(client, page, SPAN)
        form = {**SPAN, "seen": hidden(shown, "seen"), "csrf": hidden(shown, "csrf"), "why": "错"}
        answer = await client.post(f"{page}/corrections", data=form)
        assert (answer.status_code, 'id="fix-why-error"' in answer.text) == (400, True)
        late = [{"stream": "air-01.no2", "time": rfc3339(Instant(NOW - 7 * MINUTE)), "value": 81500}]
        await world.city.intake.take(read_rows(json.encode(late)), "test", None)
        answer = await client.post(f"{page}/corrections", data={**form, "why": WHY})
        assert answer.status_code == 412
        assert WHY in answer.text
        again = await client.post(f"{page}/corrections", data={**form, "why": WHY, "seen": hidden(answer.text, "seen")})
        assert again.status_code == 303
        made = number(await looked(client, page, {}))
        answer = await client.post(f"{page}/corrections/{made}/end", data={"csrf": form["csrf"], "why": "错"})
        assert (answer.status_code, f'id="end-{made}-error"' in answer.text) == (400, True)
        assert (await client.post(f"{page}/corrections/999/end", data={"csrf": form["csrf"], "why": WHY})).status_code == 404


async def test_others_see_what_was_corrected_and_have_no_form(world: World) -> None:
    page = await fill(world, "pm25")
    async with world.client("data_officer") as client:
        shown = await looked(client, page, SPAN)
        form = {**SPAN, "seen": hidden(shown, "seen"), "csrf": hidden(shown, "csrf"), "why": WHY}
        assert (await client.post(f"{page}/corrections", data=form)).status_code == 303
    for role in ("leader", "admin"):
        async with world.client(role) as client:
            shown = await looked(client, page, SPAN)
            assert WHY in shown
            assert 'name="factor"' not in shown
            assert 'name="seen"' not in shown
            for address in (f"{page}/corrections", f"{page}/corrections/1/end"):
                assert (await client.post(address, data={**form, "csrf": "x"})).status_code == 403


async def test_a_reading_that_was_set_where_none_was_says_so(world: World) -> None:
    page = await fill(world, "so2")
    corrections, stream = world.city.corrections, world.city.registry.stream("air-01.so2")
    added = corrections.addition(stream, setting(Instant(NOW - 7 * MINUTE), 3.5))
    ((one,),) = await corrections.acts([Act([added], "移自别的监测项")], "system")
    async with world.client("data_officer") as client:
        shown = (await client.get(f"{page}?lang=zh")).text
        assert ("没有读数 → 3.5" in shown, f'id="correction-{one.no}"' in shown) == (True, True)
