"""What people said anew of Observations stands on the page of their stream: what each thing was and is, when, by whom and why."""

import html
import re
from urllib.parse import quote

import numpy as np
from httpx import AsyncClient

from citybrain.brain.observe import About, Anew, Featured, Signed, restated
from citybrain.kernel.instant import HOUR, Instant
from tests.doors.pages.conftest import NOW, World

PAGE = "/admin/streams/air-01."
WHY = "记错了采样时段"
BY = Signed("data_officer", WHY, NOW)


def identifier(world: World, field: str, time: Instant) -> str:
    return f"{world.city.registry.stream(f'air-01.{field}').no}.{time}"


async def patched(world: World, client: AsyncClient, key: str, body: dict[str, object]) -> None:
    headers = {"Authorization": f"Bearer {world.tokens['data_officer']}", "X-Purpose": quote(WHY)}
    answer = await client.patch(f"/sta/v1.1/Observations('{key}')", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def section(client: AsyncClient, field: str, lang: str) -> str:
    """The part of the page of a stream that says what was said anew; empty where there is none."""
    page = (await client.get(f"{PAGE}{field}?lang={lang}")).text
    found = re.search(r'<section class="card" id="restated".*?</section>', page, re.DOTALL)
    return html.unescape(found[0]) if found else ""


def facts(shown: str) -> list[tuple[str, str]]:
    return re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", shown)


async def test_each_thing_that_was_said_anew_says_what_it_was_and_is_in_both_languages(world: World) -> None:
    async with world.client("data_officer") as client:
        assert await section(client, "no2", "zh") == "", "nobody has said anything anew"
        key = identifier(world, "no2", NOW)
        await patched(world, client, key, {"validTime": "2026-11-22T07:00:00Z/2026-11-22T08:00:00Z", "parameters": {"批次": 3}})
        await patched(world, client, key, {"parameters": {"批次": 4, "<b>": "x"}, "resultQuality": "suspect"})
        shown = await section(client, "no2", "zh")
        titles = re.findall(r'class="step-title">第 ([0-9]+) 号：2026-11-22 15:00 的观测值</p>', shown)
        assert [int(titles[0]) - int(no) for no in titles] == [0, 1]
        assert facts(shown) == [
            ("质量", "（无） → suspect"),
            ("参数 <b>", "（无） → x"),
            ("参数 批次", "3 → 4"),
            ("有效时段", "（无） → 2026-11-22 15:00 – 16:00"),
            ("参数 批次", "（无） → 3"),
        ]
        assert (shown.count(WHY), shown.count("王䶮"), "<time datetime=" in shown) == (2, 2, True)
        assert "&lt;b&gt;" in (await client.get(f"{PAGE}no2?lang=zh")).text
        shown = await section(client, "no2", "en")
        assert (
            f"No. {titles[0]}: the Observation of 2026-11-22 15:00" in shown,
            ("Quality", "(nothing) → suspect") in facts(shown),
        ) == (True,) * 2


async def test_one_that_was_moved_says_from_when_to_when_and_one_about_a_feature_names_it(world: World) -> None:
    async with world.client("data_officer") as client:
        since = Instant(NOW - HOUR)
        await patched(world, client, identifier(world, "co", since), {"phenomenonTime": "2026-11-22T06:05:30Z", "result": 1.2})
        shown = facts(await section(client, "co", "zh"))
        assert shown == [
            ("观测时间", "2026-11-22 14:00 → 14:05:30"),
            ("结果", "不是测得的：移动时改写过，或此前更正过"),
        ]
        feature = {"name": "采样口", "description": "-", "encodingType": "application/geo+json"}
        place = {"type": "Point", "coordinates": [117.1, 39.1]}
        made = await client.post(
            "/sta/v1.1/FeaturesOfInterest",
            json={"@iot.id": "inlet", **feature, "feature": place},
            headers={"Authorization": f"Bearer {await token(world, 'admin')}"},
        )
        assert made.status_code == 201, made.text
        await patched(world, client, identifier(world, "o3", NOW), {"FeatureOfInterest": {"@iot.id": "inlet"}})
        assert facts(await section(client, "o3", "en")) == [("Feature of interest", "the place of its own thing → 采样口")]


async def token(world: World, role: str) -> str:
    async with world.client("admin"):
        return world.tokens[role]


async def test_of_many_the_newest_are_listed_and_all_are_counted(world: World) -> None:
    no = world.city.registry.stream("air-01.pm10").no
    featured = Featured(world.city.stores.transactions)
    plain = [About(no, Instant(NOW - at), None, None) for at in range(23)]
    featured.restate([(Anew(one, one._replace(said='{"resultQuality":"ok"}', restated="resultQuality")), BY) for one in plain])
    async with world.client("leader") as client:
        shown = await section(client, "pm10", "zh")
        assert (shown.count("step-title"), "共 23 条，列出最新 20 条。" in shown) == (20, True)


async def test_what_retention_has_emptied_is_said_to_be_deleted(world: World) -> None:
    no, at = world.city.registry.stream("air-01.pm25").no, Instant(NOW - HOUR)
    was = About(no, at, None, None)
    Featured(world.city.stores.transactions).restate(
        [(Anew(was, was._replace(said='{"resultQuality":"ok"}', restated="resultQuality")), BY)]
    )
    with world.city.stores.transactions.begin() as tx:
        restated.forget(tx.connection, np.array([no], np.int32), NOW)
    async with world.client("leader") as client:
        assert facts(await section(client, "pm25", "zh")) == [("内容", "已到期删除")]
