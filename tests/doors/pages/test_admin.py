"""Administration and the page of streams: what is dead is named to those who may see streams, and never passed off as calm."""

import asyncio
import re

import numpy as np
import pytest

from citybrain.brain.observe import read_rows
from citybrain.engines.duckdb import Due
from citybrain.kernel.access import Role
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.text import Text
from citybrain.kernel.things import Life
from tests.doors.pages.conftest import World


@pytest.mark.parametrize(("role", "linked"), [("admin", True), ("auditor", False)])
async def test_the_counts_of_lives_lead_to_their_streams_for_whom_may_see_them(*, world: World, role: Role, linked: bool) -> None:
    async with world.client(role) as client:
        answer = await client.get("/admin?lang=en")
        streams = await client.get("/admin/streams?lang=en")

    assert answer.status_code == 200
    assert ('href="/admin/streams?life=never"' in answer.text) is linked
    assert streams.status_code == (200 if linked else 403)


async def test_each_stream_that_ails_stands_with_its_moment_and_its_reason(world: World) -> None:
    stream = world.city.registry.stream("air-01.pm25")
    since = Instant(world.city.clock.city() - 2 * HOUR)
    world.city.latest.doubt(stream.no, Life.CONTRADICTED, since, Text("疑似单位错误", "probably in a wrong unit"))
    try:
        async with world.client("data_officer") as client:
            contradicted = (await client.get("/admin/streams?lang=en&life=contradicted")).text
            never = (await client.get("/admin/streams?lang=zh&life=never")).text
            api = (await client.get("/api/v1/observe/streams/air-01.pm25")).json()
    finally:
        world.city.latest.clear(stream.no)

    assert "probably in a wrong unit" in contradicted
    assert "13:00" in contradicted
    # The stream, and the index that is computed from it.
    assert contradicted.count('<th scope="row">') == 2
    assert "computed from PM2.5: probably in a wrong unit" in contradicted
    assert "登记以来没有收到过读数" in never
    assert (api["life"], api["since"], api["why"]["zh"]) == ("contradicted", "2026-11-22T05:00:00Z", "疑似单位错误")


async def test_the_pages_of_streams_hold_each_stream_once(world: World) -> None:
    seen: list[str] = []
    address = "/admin/streams?life=all&lang=en"
    async with world.client("admin") as client:
        while True:
            text = (await client.get(address)).text
            seen += re.findall(r'<th scope="row"><a href="/admin/streams/([^"]+)">', text)
            found = re.search(r'rel="next" href="([^"]+)"', text)
            if found is None:
                break
            address = found[1].replace("&amp;", "&")

    assert sorted(seen) == sorted(stream.id for stream in world.city.registry.present())


async def test_rows_that_were_kept_long_enough_stand_in_the_ledger_as_deleted_and_not_as_a_difference(world: World) -> None:
    async with world.client("admin") as client:
        before = (await client.get("/admin?lang=en")).text
        streams = np.array([stream.no for stream in world.city.registry.streams()], np.int32)
        now = world.city.clock.city()
        old = Instant(now - 40 * DAY)
        await world.city.intake.take_columns(streams[:3], np.full(3, old, np.int64), np.ones(3), "import", None)
        await asyncio.to_thread(world.city.stores.mine.close_days, Instant(now - 30 * DAY))
        due = Due("air_station", 30, Instant(now - 30 * DAY), streams, now)
        assert [one.rows for one in await asyncio.to_thread(world.city.stores.mine.delete, [due])] == [3]
        after = (await client.get("/admin?lang=en")).text
        sheet = (await client.get("/api/v1/observe/doors")).json()

    assert '<th scope="col" class="numeric">Deleted</th>' in before
    (line,) = (
        line for line in after.splitlines() if line.startswith("<tr><th") and '<span class="of">Deleted</span> 3</td>' in line
    )
    assert ('data-tone="good"' in line, 'data-tone="bad"' in line) == (True, False)
    assert {one["door"]: one["deleted"] for one in sheet}["import"] == 3


async def test_the_ledger_says_why_rows_were_refused(world: World) -> None:
    rows = read_rows(b'[{"stream": "nowhere.x", "time": "2026-11-22T07:00:00Z", "value": 1}, {"stream": "a", "value": 1}]')
    await world.city.intake.take(rows, "api", None)
    async with world.client("admin") as client:
        zh, en = (await client.get("/admin")).text, (await client.get("/admin?lang=en")).text

    assert "时间写法有误 bad_time 1、没有这个监测项 unknown_stream 1" in zh
    assert "The time cannot be read bad_time 1, No such stream unknown_stream 1" in en
