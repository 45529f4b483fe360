"""The leader's morning on a phone: from the closing rate to a case that is late, an instruction with a clock, its answer and its end."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Opener

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WORDS, ANSWER = "请说明超期原因并于当日反馈", "处置车辆故障，已调用备用车辆"


def looked_at(page: Page) -> None:
    """No barrier that axe knows."""
    found = Axe().run(page)
    assert [(rule["id"], node["html"][:200]) for rule in found.response["violations"] for node in rule["nodes"]] == []


def fall(page: Page, figure: str) -> None:
    """From a figure of the cockpit to the first of the cases that it counts."""
    page.locator(f"#figure-{figure} a").first.click()
    page.locator("#table-rows a[href^='/desk/']").first.click()
    expect(page.locator(".case-head .number")).to_be_visible()


def test_a_leader_goes_from_the_closing_rate_to_a_case_and_what_was_instructed_is_followed_to_its_end(opened: Opener) -> None:
    leader = opened("/cockpit", "leader", PHONE)
    page = leader.page
    fall(page, "on_time_closing_rate")
    expect(page.locator(".case-head .state")).to_have_text("已结案")
    page.goto(page.url.partition("/desk")[0] + "/cockpit")
    fall(page, "overdue_cases")
    expect(page.locator(".case-head")).to_contain_text("超期")
    number = page.locator(".case-head .number").inner_text()
    due = page.locator(".facts dd").last.inner_text()
    looked_at(page)
    folded = page.locator(".instructions > details > summary")
    if folded.count():
        folded.click()
    page.locator("#instruct-words").fill(WORDS)
    page.locator("#instruct-term").select_option("4h")
    page.get_by_role("button", name="批示并督办").click()
    given = page.locator(".instruction", has_text=WORDS)
    expect(given.locator(".state")).to_have_text("待反馈")
    expect(given).to_contain_text(re.compile(r"剩余|超期"))
    assert page.locator(".facts dd").last.inner_text() == due
    looked_at(page)

    unit = opened(f"/desk/{number}", "dispatcher", PHONE).page
    asked = unit.locator(".instruction", has_text=WORDS)
    asked.locator("textarea").fill(ANSWER)
    looked_at(unit)
    asked.get_by_role("button", name="反馈办理情况").click()
    expect(unit.locator(".message")).to_contain_text("已办理")

    page.reload()
    expect(given.locator(".state")).to_have_text("已反馈")
    expect(given).to_contain_text(ANSWER)
    given.get_by_role("button", name="督办办结").click()
    expect(given.locator(".state")).to_have_text("督办办结")
    expect(page.locator(".timeline")).to_contain_text("反馈督办事项")
    assert leader.said == []
