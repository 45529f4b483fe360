"""A data officer corrects a span and takes it back: without a script at a desk, on a phone with one; no barrier at any step."""

from datetime import datetime, timedelta, timezone

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Opener

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WHY = "单位误设，差十倍"


def looked_at(page: Page) -> None:
    """No barrier that axe knows, and nothing past the edge."""
    found = Axe().run(page)
    assert [(rule["id"], node["html"][:200]) for rule in found.response["violations"] for node in rule["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("stream", "script"), [("air-02.no2", False), ("air-02.so2", True)])
def test_a_span_is_looked_at_corrected_and_taken_back(opened: Opener, stream: str, *, script: bool) -> None:
    page = opened(f"/admin/streams/{stream}?lang=zh", "data_officer", PHONE if script else DESK, script=script).page
    times = page.locator(".chart-rows tbody th time").evaluate_all("found => found.map(one => one.getAttribute('datetime'))")
    middle = datetime.fromisoformat(times[len(times) // 2]).astimezone(timezone(timedelta(hours=8)))
    since, until = (f"{middle + timedelta(hours=away):%Y-%m-%dT%H:%M}" for away in (-1, 2))
    page.locator("#corrections summary", has_text="更正一段时间").click()
    page.locator("#since").fill(since)
    page.locator("#until").fill(until)
    page.locator("#factor").fill("0.1")
    if script:
        looked_at(page)
    page.locator("#corrections").get_by_role("button", name="预览").first.click()
    expect(page.locator("#corrections")).to_contain_text("预览：将会这样更正")
    page.locator("#fix-why").fill(WHY)
    page.get_by_role("button", name="确认更正").click()
    expect(page.locator(".message")).to_contain_text("已更正")
    made = page.locator("#corrections .timeline > li").first
    expect(made).to_contain_text(WHY)
    expect(page.locator(".chart-legend")).to_contain_text("由人员更正")
    if script:
        looked_at(page)
    made.locator("summary").click()
    made.locator("textarea").fill("单位原来没有错")
    made.get_by_role("button", name="撤回更正").click()
    expect(page.locator(".message")).to_contain_text("更正已撤回")
    expect(page.locator("#corrections .timeline > li").first).to_contain_text("单位原来没有错")


def test_a_span_is_struck_out_on_a_phone_where_the_table_of_gaps_fits(opened: Opener) -> None:
    page = opened("/admin/streams/air-02.co?lang=zh", "data_officer", PHONE).page
    times = page.locator(".chart-rows tbody th time").evaluate_all("found => found.map(one => one.getAttribute('datetime'))")
    middle = datetime.fromisoformat(times[len(times) // 2]).astimezone(timezone(timedelta(hours=8)))
    page.locator("#corrections summary", has_text="作废一段时间").click()
    for name, away in (("strike_since", -1), ("strike_until", 2)):
        page.locator(f"#{name}").fill(f"{middle + timedelta(hours=away):%Y-%m-%dT%H:%M}")
    page.locator("#corrections details[open]").get_by_role("button", name="预览").click()
    expect(page.locator("#corrections")).to_contain_text("→ 作废")
    page.locator("#fix-why").fill("校准时的试气")
    page.get_by_role("button", name="确认更正").click()
    expect(page.locator(".chart-legend")).to_contain_text("由人员作废")
    expect(page.locator("#table-gaps")).to_contain_text("作废")
    assert page.locator("#table-gaps .scroll").evaluate("one => one.scrollWidth <= one.clientWidth"), "nothing is cut at the edge"
    looked_at(page)
    made = page.locator("#corrections .timeline > li").first
    made.locator("summary").click()
    made.locator("textarea").fill("其实不是试气")
    made.get_by_role("button", name="撤回更正").click()
    expect(page.locator(".message")).to_contain_text("更正已撤回")
    expect(page.locator(".chart-legend")).not_to_contain_text("作废")
