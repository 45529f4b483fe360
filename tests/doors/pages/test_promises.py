"""The page of a stream: what it promises, what its own readings suggest, and who may agree on it."""

import re

import pytest
from httpx import AsyncClient
from msgspec import json

from citybrain.brain.observe import Draft, MadeProperty, MadeSensor, MadeStream, MadeThing, MadeUnit, read_rows
from citybrain.kernel.instant import HOUR, MINUTE, Instant, rfc3339
from citybrain.kernel.things import Contract
from tests.doors.pages.conftest import NOW, World

FORM = {"every": "10", "silent_after": "30", "stuck_after": "", "low": "0", "high": "50", "opens": "", "closes": ""}


@pytest.fixture
async def page(world: World) -> str:
    """The address of a stream that somebody made, of which nobody promised anything, with four days of readings."""
    draft = Draft(
        MadeStream("", "温度", "", "", MadeUnit("C", "°C", None), {}),
        MadeSensor("", "探头", "", "text/plain", "", {}),
        MadeProperty("", "温度", "", "", {}),
        Contract(),
    )
    made = world.city.making.thing("冷库", MadeThing("", "", {}), (), (draft,))
    (stream,) = world.city.registry.streams_of(made.id)
    rows = [
        {"stream": stream.id, "time": rfc3339(Instant(NOW - at * 10 * MINUTE)), "value": 4.0 + (at % 7) / 10} for at in range(576)
    ]
    await world.city.intake.take(read_rows(json.encode(rows)), "test", None)
    return f"/admin/streams/{stream.id}"


async def token(client: AsyncClient, page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get(page)).text)
    assert found
    return found[1]


async def test_the_data_officer_agrees_on_the_proposal_and_takes_it_back(world: World, page: str) -> None:
    async with world.client("data_officer") as client:
        listed = (await client.get("/admin/streams?life=none")).text
        assert f'href="{page}"' in listed
        shown = (await client.get(f"{page}?lang=zh")).text
        assert "只用前三分之二学习" in shown
        assert re.search(r'name="silent_after"[^>]* value="30"', shown)
        csrf = await token(client, page)
        sent = await client.post(f"{page}/promise", data={**FORM, "csrf": csrf, "version": "0", "why": "冷库须随时可查"})
        assert (sent.status_code, sent.headers["location"]) == (303, f"{page}?done=agreed")
        shown = (await client.get(f"{page}?lang=zh")).text
        assert "冷库须随时可查" in shown
        version = re.search(r'name="version" value="(\d+)"', shown)
        assert version
        assert f'href="{page}"' not in (await client.get("/admin/streams?life=none")).text
        back = {"csrf": csrf, "version": version[1], "why": "探头已拆除"}
        assert (await client.post(f"{page}/promise/end", data=back)).status_code == 303
        assert "探头已拆除" in (await client.get(page)).text


async def test_a_refusal_keeps_what_was_typed_beside_what_is_wrong(world: World, page: str) -> None:
    async with world.client("data_officer") as client:
        csrf = await token(client, page)
        wrong = {**FORM, "low": "90", "csrf": csrf, "version": "0", "why": "试一试看"}
        answer = await client.post(f"{page}/promise", data=wrong)
        assert answer.status_code == 400
        assert 'id="low-error"' in answer.text
        assert re.search(r'name="low"[^>]* value="90"', answer.text)
        for field, typed in (("every", "ten"), ("opens", "8 o'clock")):
            answer = await client.post(
                f"{page}/promise", data={**FORM, field: typed, "csrf": csrf, "version": "0", "why": "试一试看"}
            )
            assert answer.status_code == 400
            assert f'id="{field}-error"' in answer.text
        gone = await client.post(f"{page}/promise", data={**FORM, "csrf": csrf, "version": "7", "why": "试一试看"})
        assert gone.status_code == 412


async def test_what_is_missing_of_a_week_is_told_with_its_estimate(world: World, page: str) -> None:
    now = world.city.clock.city()
    rows = [
        {"stream": "air-01.temperature", "time": rfc3339(Instant(now - at * HOUR)), "value": 10 + at % 24}
        for at in range(96)
        if at not in (30, 31)
    ]
    await world.city.intake.take(read_rows(json.encode(rows)), "test", None)
    async with world.client("data_officer") as client:
        shown = (await client.get("/admin/streams/air-01.temperature?lang=zh")).text
        unpromised = (await client.get(f"{page}?lang=zh")).text
    table = shown[shown.index("近 7 日的数据缺口") :]
    assert "误差约" in table
    assert "16 至 17 " in table
    assert "没有约定上报间隔" in unpromised


async def test_others_look_and_a_declared_contract_is_shown_without_a_form(world: World, page: str) -> None:
    async with world.client("admin") as client:
        shown = (await client.get(f"{page}?lang=en")).text
        assert "the data officer agrees on promises" in shown
        assert 'name="silent_after"' not in shown
        assert shown.count("observation.read") == 2
        assert "Seen between" not in shown
        sent = await client.post(f"{page}/promise", data={**FORM, "csrf": "x", "version": "0", "why": "试一试看"})
        assert sent.status_code == 403
    async with world.client("data_officer") as client:
        declared = (await client.get("/admin/streams/air-01.pm25?lang=en")).text
        assert "changed there" in declared
        assert 'id="promise"' not in declared
        assert (await client.get("/admin/streams/nothing.here")).status_code == 404


async def test_a_stream_that_never_reported_is_not_said_to_have_no_gaps(world: World) -> None:
    unit, kind = MadeUnit("metre", "m", "ucum:m"), "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
    draft = Draft(
        MadeStream("", "水位", "", kind, unit, {}),
        MadeSensor("", "探头", "", "text/plain", "", {}),
        MadeProperty("", "水位", "", "", {}),
        Contract(every=MINUTE),
        "number",
    )
    made = world.city.making.thing("水位站", MadeThing("never-1", "", {}), (), (draft,))
    (stream,) = world.city.registry.streams_of(made.id)
    async with world.client("data_officer") as client:
        for lang, said, not_said in (
            ("zh", "缺口从第一个读数之后算起", "近 7 日没有缺口"),
            ("en", "gaps are counted after the first", "No gaps in"),
        ):
            shown = (await client.get(f"/admin/streams/{stream.id}?lang={lang}")).text
            assert (said in shown, not_said in shown) == (True, False)
