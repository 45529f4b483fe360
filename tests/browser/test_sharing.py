"""Berths near and berths shared, as drivers, owners and leaders see them; each page also looked at by axe."""

import re

import pytest
from playwright.sync_api import Geolocation, Page, expect

from tests.browser.conftest import DESK, PHONE, Opener
from tests.browser.test_reports import looked_at

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
_HERE = Geolocation(longitude=117.15678912, latitude=39.11234567)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_of_sharing_have_something_on_them_and_no_barrier(opened: Opener, size: dict[str, int]) -> None:
    for path, role, there in (
        ("/offers", "", ".offer .hours a"),
        ("/bookings", "citizen", ".booking"),
        ("/offers/mine", "handler-traffic", ".past"),
        ("/park?from=990104001", "", ".spot"),
    ):
        page = opened(path, role, size).page
        assert page.locator(there).count() > 0
        expect(page.get_by_text("演示数据").first).to_be_visible()
        looked_at(page)


def test_a_driver_books_a_shared_berth_and_cancels_it(opened: Opener) -> None:
    page = opened("/offers", "citizen", PHONE).page
    page.locator("nav.tabs a").nth(2).click()
    page.locator(".hours a").first.click()
    looked_at(page)
    page.get_by_role("button", name="预订", exact=True).click()
    mine = page.locator(".booking", has=page.get_by_role("button", name="取消", exact=True)).first
    expect(mine).to_contain_text("已预订")
    code = mine.locator(".tag[data-tone=info]", has_text="预订码").inner_text()
    mine.get_by_role("button", name="取消", exact=True).click()
    expect(page.locator(".booking", has_text=code)).to_contain_text("已取消")


@pytest.mark.parametrize(
    ("figure", "columns"),
    [
        ("parking_turnover_gained", ["预订码", "地点"]),
        ("parking_hours_released", ["地点", "区域"]),
        ("report_satisfaction", ["编号", "案由"]),
    ],
)
def test_a_gain_opens_to_its_definition_and_the_rows_it_counts(opened: Opener, figure: str, columns: list[str]) -> None:
    page = opened(f"/figures/{figure}", "leader").page
    rows = page.locator("section", has=page.get_by_role("heading", name="背后的记录"))
    assert rows.locator("th").all_inner_texts()[:2] == columns
    assert rows.locator("tbody tr").count() > 3
    expect(rows).to_contain_text("演示数据")
    if figure.startswith("parking"):
        expect(page.locator("main")).to_contain_text("不采取行动的预测")
    looked_at(page)
    page.get_by_role("link", name="从这个数字查到读数").click()
    expect(page.locator(".chain-kind, [class*=chain]").first).to_be_visible()
    looked_at(page)


def here(opened: Opener) -> Page:
    page = opened("/park", "", PHONE).page
    expect(page.get_by_role("button", name="用我的位置")).to_be_visible()
    return page


def test_my_position_is_asked_for_when_pressed_and_sent_with_that_one_question_to_ten_metres(opened: Opener) -> None:
    page = here(opened)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation(_HERE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="用我的位置").click()
    expect(page.locator(".spot").first).to_be_visible()
    told = [url for url in asked if "117.1" in url]
    assert len(told) == 1
    assert re.search(r"/park\?.*lon=117\.1568&lat=39\.1123$", told[0])
    assert page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])").count("117.15") == 0
    looked_at(page)


def test_a_position_that_is_refused_says_what_to_do_and_the_places_stay(opened: Opener) -> None:
    page = here(opened)
    page.context.clear_permissions()
    page.get_by_role("button", name="用我的位置").click()
    expect(page.locator(".here [role=status]")).to_contain_text("您未允许使用位置")
    page.select_option("#from", "990104002")
    page.get_by_role("button", name="查找", exact=True).click()
    expect(page.locator(".spot").first).to_be_visible()


def test_without_script_there_is_no_button_that_does_nothing(opened: Opener) -> None:
    page = opened("/park", "", PHONE, script=False).page
    expect(page.get_by_role("button", name="用我的位置")).to_be_hidden()
    page.select_option("#from", "990104002")
    page.get_by_role("button", name="查找", exact=True).click()
    expect(page.locator(".spot").first).to_be_visible()
