"""The desk under the hands of those who work at it: nothing typed is lost without a network, and no mouse is needed."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Opener
from tests.browser.district import District

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]
NOTE = "现场照片已拍，王䶮签收"


@pytest.fixture
def case(demo: District) -> str:
    """A fresh case, filed by hand."""
    body = {"title": "Case 6", "words": "示范路 3 号夜间施工噪声", "duty": "environment", "area": "990104001"}
    return demo.post("dispatcher", "/api/v1/act/cases", body)["number"]


def test_what_is_typed_in_a_basement_is_still_there_and_can_be_sent_outside(opened: Opener, case: str) -> None:
    page = opened(f"/desk/{case}", "dispatcher", PHONE).page
    page.locator("#accept-note").fill(NOTE)
    page.context.set_offline(True)
    page.get_by_role("button", name="受理立案").click()
    expect(page.locator(".kept")).to_contain_text("尚未提交")
    expect(page.locator("#accept-note")).to_have_value(NOTE)

    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#accept-note")).to_have_value(NOTE)
    page.get_by_role("button", name="受理立案").click()
    expect(page.locator(".case-head .state")).to_have_text("已立案，待派遣")
    expect(page.locator(".step-note", has_text=NOTE)).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('cb-keep:'))") == []


def test_a_page_that_never_came_back_has_taken_nothing(opened: Opener, demo: District, case: str) -> None:
    """The network looks whole, and the answer is lost on the way: what was typed comes back with the next page."""
    page = opened(f"/desk/{case}", "dispatcher").page
    page.locator("#accept-note").fill(NOTE)
    page.route("**/moves", lambda route: route.abort())
    page.get_by_role("button", name="受理立案").click()
    page.wait_for_timeout(500)
    page.unroute("**/moves")
    page.goto(f"{demo.root}/desk/{case}")
    expect(page.locator("#accept-note")).to_have_value(NOTE)
    expect(page.locator(".kept")).to_be_visible()


def test_a_case_is_reached_and_opened_by_keyboard_alone(opened: Opener, case: str) -> None:
    page = opened(f"/desk?q={case}", "dispatcher").page
    page.keyboard.press("j")
    expect(page.locator(".case-line .line-title a").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator(".keys dl")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".case-head .number")).to_have_text(case)


def test_letters_typed_into_the_search_are_letters_and_the_shortcuts_can_be_turned_off(opened: Opener) -> None:
    page = opened("/desk", "dispatcher").page
    page.keyboard.press("/")
    page.keyboard.type("jk?")
    expect(page.locator("#q")).to_have_value("jk?")
    page.locator(".keys summary").click()
    page.locator(".keys input").uncheck()
    page.locator(".keys summary").focus()
    page.keyboard.press("/")
    expect(page.locator("#q")).not_to_be_focused()


@pytest.mark.usefixtures("case")
def test_a_list_is_never_changed_under_the_hands_but_says_that_it_is_old(opened: Opener, demo: District) -> None:
    page = opened("/desk?tab=new", "dispatcher").page
    expect(page.locator("cb-live")).to_have_attribute("data-state", "on")
    lines = page.locator(".case-line .number").all_inner_texts()
    body = {"title": "Case 7", "words": "示范路 5 号", "duty": "environment", "area": "990104001"}
    later = demo.post("dispatcher", "/api/v1/act/cases", body)["number"]
    expect(page.locator("#news a")).to_be_visible()
    assert page.locator(".case-line .number").all_inner_texts() == lines
    page.locator("#news a").click()
    expect(page.locator(".case-line .number", has_text=later)).to_be_visible()


def test_the_layers_of_the_cockpit_are_taken_away_by_keyboard_and_stay_away(opened: Opener) -> None:
    page = opened("/cockpit", "leader").page
    page.wait_for_selector("cb-map[data-drawn]", timeout=30_000)
    box = page.get_by_role("checkbox", name="在办案件")
    expect(box).to_be_checked()
    box.focus()
    page.keyboard.press("Space")
    expect(box).not_to_be_checked()
    assert page.locator(".map-picture g[data-layer=case]").evaluate("part => part.style.display") == "none"
    page.reload()
    expect(page.get_by_role("checkbox", name="在办案件")).not_to_be_checked()


def test_a_wall_that_was_cut_off_shows_on_its_return_what_happened_meanwhile(opened: Opener, demo: District) -> None:
    page = opened("/cockpit", "leader").page
    expect(page.locator("cb-live")).to_have_attribute("data-state", "on")
    page.context.set_offline(True)
    page.evaluate("document.querySelector('cb-live').remove()")
    body = {"title": "Case 8", "words": "示范路 7 号", "duty": "environment", "area": "990104001"}
    demo.post("dispatcher", "/api/v1/act/cases", body)
    page.wait_for_timeout(3000)
    page.context.set_offline(False)
    page.evaluate(
        "() => { const live = document.createElement('cb-live'); live.setAttribute('src', '/live/cockpit?lang=zh'); "
        "document.querySelector('.cockpit-head').append(live); }"
    )
    expect(page.locator("#cases-cases", has_text="Case 8")).to_be_visible()
