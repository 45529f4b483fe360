"""A limit changed by a data officer: tried, seen, published, and its version found in the next alert, without a restart."""

import json
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from citybrain.kernel.instant import MINUTE, Instant
from tests.browser.conftest import PHONE, Opener
from tests.browser.district import District

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]
FOUL = {"pm25": 420.0, "pm10": 510.0, "so2": 9.0, "no2": 41.0, "co": 1.1, "o3": 24.0}


def test_a_limit_is_changed_the_difference_seen_and_its_version_stands_in_the_next_alert(demo: District, opened: Opener) -> None:
    page = opened("/studio", "data_officer").page
    page.locator('a[href="/studio/air/aqi_severe"]').click()
    page.get_by_label("试算值").fill("200")
    page.get_by_role("button", name="试算").click()
    expect(page.locator("#result")).to_be_visible()
    before, after = (int(page.locator(".compared data").nth(place).get_attribute("value") or 0) for place in (0, 1))
    assert after != before
    expect(page.locator("#table-rules tbody tr")).to_have_count(2)
    assert page.locator(".bars rect").count() >= 62
    expect(page.locator(".contradicted")).to_contain_text("应静默")
    page.locator("#why").fill("重污染天气从严")
    page.locator("#note").fill("示例待修订")
    page.get_by_role("button", name="发布 200").click()
    expect(page.locator("#history")).to_contain_text("300 → 200")
    expect(page.locator(".page-rule")).to_contain_text("已发布，自现在起生效。")
    alert = _next(demo, ".1")
    shown = opened(f"/alerts/{alert['id']}", "data_officer").page
    expect(shown.locator("main")).to_contain_text(alert["rule_version"])
    shown.locator('a[href="/studio/air/aqi_severe"]').click()
    expect(shown.locator("#history")).to_contain_text("重污染天气从严")
    shown.locator("summary", has_text="回退").click()
    shown.locator("#back-why").fill("恢复国标值")
    shown.get_by_role("button", name="回退").click()
    expect(shown.locator("#history")).to_contain_text("200 → 300")


def test_a_limit_is_tried_without_script_on_a_phone(opened: Opener) -> None:
    page = opened("/studio/air/aqi_light", "dispatcher", PHONE, script=False).page
    page.locator("#air\\.aqi_light_above-value").fill("80")
    page.locator("form.try button").first.click()
    expect(page.locator("#result")).to_contain_text("试算结果")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def _next(demo: District, ending: str) -> dict[str, str]:
    """The next alert of the gravest rule whose version ends so; a reading that a device sends calls for it."""
    token = demo.token("leader")
    ask = urllib.request.Request(
        f"{demo.root}/api/v1/detect/alerts?rule=air.aqi_severe", headers={"Authorization": f"Bearer {token}"}
    )
    for _ in range(4):
        demo.publish("air-03", {Instant(demo.city() + MINUTE): FOUL})
        for _ in range(10):
            time.sleep(0.5)
            with urllib.request.urlopen(ask, timeout=30) as answer:
                found: list[dict[str, str]] = json.loads(answer.read())["items"]
            told = [alert for alert in found if alert["rule_version"].endswith(ending)]
            if told:
                return told[0]
    raise AssertionError("No alert of the new version came.")
