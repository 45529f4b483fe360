"""The studio's pages: rules with their limits, a trial, a publication with its reason, a roll-back, each as far as the role goes."""

import re

from httpx import AsyncClient

from tests.doors.pages.conftest import World

RULE = "/studio/air/aqi_moderate"
TRIAL = f"{RULE}?limit=air.aqi_moderate_above&value=190&unit={{index}}&days=7"


async def token(client: AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get(RULE)).text)
    assert found is not None
    return found[1]


async def test_the_studio_shows_every_rule_with_condition_basis_limits_and_version(world: World) -> None:
    async with world.client("leader") as client:
        text = (await client.get("/studio")).text
    assert "〔监测站〕 AQI 为 〔" in text or "AQI 为" in text
    assert "aqi &gt; aqi_light_above &amp;&amp; aqi &lt;= aqi_moderate_above" in text
    assert "轻度污染预警线（AQI）：100" in text
    assert "HJ 633" in text


async def test_a_leader_looks_and_is_told_who_may_do_more(world: World) -> None:
    async with world.client("leader") as client:
        text = (await client.get(RULE)).text
        assert "您的角色可以查看限值" in text
        assert "试算值" not in text
        assert (await client.get(TRIAL)).status_code == 403


async def test_a_dispatcher_tries_and_may_not_publish(world: World) -> None:
    async with world.client("dispatcher") as client:
        answer = await client.get(TRIAL)
        assert answer.status_code == 200
        assert "试算结果" in answer.text
        assert "发布此限值" not in answer.text
        sent = await client.post(f"{RULE}/publish", data={"csrf": await token(client), "limit": "air.aqi_moderate_above"})
        assert sent.status_code == 403


async def test_a_value_that_cannot_be_comes_back_with_what_is_wrong(world: World) -> None:
    async with world.client("data_officer") as client:
        for value, why in (("900", "超出合理范围"), ("many", "不是数")):
            answer = await client.get(f"{RULE}?limit=air.aqi_moderate_above&value={value}&unit={{index}}")
            assert answer.status_code == 400
            assert why in answer.text
            assert f'value="{value}"' in answer.text


async def test_a_limit_is_published_with_a_reason_and_rolled_back_in_one_act(world: World) -> None:
    form = {"limit": "air.aqi_moderate_above", "value": "190", "unit": "{index}", "version": "0"}
    async with world.client("data_officer") as client:
        csrf = await token(client)
        refused = await client.post(f"{RULE}/publish", data={**form, "csrf": csrf, "why": "减少误报"})
        assert refused.status_code == 400
        assert "新限值与规则示例矛盾" in refused.text
        assert "减少误报" in refused.text
        sent = await client.post(f"{RULE}/publish", data={**form, "csrf": csrf, "why": "减少误报", "note": "示例待修订"})
        assert sent.headers["location"] == f"{RULE}?done=published#history"
        text = (await client.get(RULE)).text
        assert "150 → 190" in text
        assert "减少误报" in text
        back = {"csrf": csrf, "back": "air.aqi_moderate_above|0|1", "why": "恢复国标值"}
        assert (await client.post(f"{RULE}/rollback", data=back)).status_code == 303
        assert "退回声明值" in (await client.get(RULE)).text
        assert (await client.post(f"{RULE}/rollback", data={**back, "csrf": "x"})).status_code == 403
    assert world.city.limits.limit("air.aqi_moderate_above").value == 150.0
    assert [step.by for step in world.city.limits.history("air.aqi_moderate_above")] == [
        step.by for step in world.city.limits.published()
    ]


async def test_a_rule_that_does_not_exist_is_not_found(world: World) -> None:
    async with world.client("leader") as client:
        assert (await client.get("/studio/air/nothing")).status_code == 404
