"""A report from a phone to its end and back: filed, handled, checked, closed, rated, not solved, reopened; each step also looked at."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.brain.act.photographs import photograph
from tests.browser.conftest import PHONE, Opener

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WORDS, NOTE = "公园北门外的路灯不亮，晚上一片黑", "灯泡已更换，当晚亮灯"
COMMUNITY = "area:990104002003"
_WIDE = "[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 80))"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    made = tmp_path / "lamp.jpg"
    Image.new("RGB", (640, 480), "#334455").save(made)
    return made


def looked_at(page: Page) -> None:
    """No barrier that axe knows, and nothing wider than the phone."""
    found = Axe().run(page)
    assert [(rule["id"], node["html"][:200]) for rule in found.response["violations"] for node in rule["nodes"]] == []
    assert page.evaluate(_WIDE) == []


def filed(page: Page, photo: Path) -> str:
    """Both steps, as a person takes them; returns the number."""
    page.fill("#words", WORDS)
    page.select_option("#where", COMMUNITY)
    page.fill("#spot", "北门外")
    page.set_input_files("#photo", photo)
    page.locator(".report-form button[type=submit]").click()
    expect(page.locator("input[name=code][value='01037']")).to_be_checked()
    looked_at(page)
    page.locator("button[name=step][value=send]").click()
    expect(page.locator(".ticket")).to_be_visible()
    looked_at(page)
    return page.locator(".ticket dd").first.inner_text()


def take(opened: Opener, number: str, role: str, button: str, note: str = "") -> Page:
    """Open the case as a role and take a step by its button."""
    page = opened(f"/desk/{number}", role, PHONE).page
    form = page.locator("form.move", has=page.get_by_role("button", name=button, exact=True))
    if form.locator("xpath=ancestor::details").count():
        form.locator("xpath=ancestor::details/summary").click()
    if form.locator("select").count():
        form.locator("select").select_option(index=1)
    if note:
        form.locator("textarea").fill(note)
    form.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(".message")).to_contain_text("已办理")
    return page


def handled(opened: Opener, number: str) -> None:
    """From the unit's hands to the checked end."""
    take(opened, number, "handler-city_management", "受理任务")
    take(opened, number, "handler-city_management", "处置完成", NOTE)
    take(opened, number, "dispatcher", "核查通过，结案")


def proven(opened: Opener, number: str, tmp_path: Path) -> Page:
    """The unit tries to finish with a photo from before the report, and then with one of now."""
    here = ZoneInfo("Asia/Shanghai")
    for name, at in (("old.jpg", datetime(2020, 1, 1, tzinfo=here)), ("new.jpg", datetime.now(here))):
        (tmp_path / name).write_bytes(photograph(at))
    page = opened(f"/desk/{number}", "handler-city_management", PHONE).page
    due = page.locator(".facts dd").last.inner_text()
    for name in ("old.jpg", "new.jpg"):
        page.locator("#finish-note").fill(NOTE)
        page.set_input_files("#finish-photo", tmp_path / name)
        looked_at(page)
        page.get_by_role("button", name="处置完成", exact=True).click()
        if name == "old.jpg":
            expect(page.locator("#finish-photo-error")).to_contain_text("早于立案时间")
            expect(page.locator("#finish-note")).to_have_value(NOTE)
            expect(page.locator(".tag.state").first).to_have_text("处置中")
            assert page.locator(".facts dd").last.inner_text() == due
            looked_at(page)
    expect(page.locator(".message")).to_contain_text("已办理")
    return page


def test_a_report_on_a_phone_is_handled_checked_closed_rated_and_reopened_where_it_is_not_solved(
    opened: Opener, photo: Path, tmp_path: Path
) -> None:
    citizen = opened("/report", "", PHONE)
    number = filed(citizen.page, photo)
    assert re.fullmatch(r"[A-Z]{2}-\d{8}-\d{6}", number)
    desk = opened(f"/desk/{number}", "dispatcher", PHONE).page
    expect(desk.locator(".reported .said")).to_have_text(WORDS)
    expect(desk.locator(".reported img")).to_have_js_property("naturalWidth", 640)
    looked_at(desk)
    take(opened, number, "dispatcher", "受理立案")
    take(opened, number, "dispatcher", "派遣")
    handled(opened, number)

    citizen.page.reload()
    expect(citizen.page.locator("main")).to_contain_text(NOTE)
    due = citizen.page.locator(".facts dd").nth(1).inner_text()
    looked_at(citizen.page)
    citizen.page.get_by_label("非常不满意").check()
    citizen.page.get_by_label("未解决，请继续办理").check()
    citizen.page.fill("#words", "第二天又灭了")
    citizen.page.get_by_role("button", name="提交评价").click()

    expect(citizen.page.locator(".message")).to_contain_text("已转回承办单位继续办理")
    expect(citizen.page.locator(".tag.state").first).to_have_text("已派遣，待处置")
    assert citizen.page.locator(".facts dd").nth(1).inner_text() == due
    take(opened, number, "handler-city_management", "受理任务")
    unit = proven(opened, number, tmp_path)
    expect(unit.locator(".timeline img")).to_have_js_property("naturalWidth", 64)
    looked_at(unit)
    take(opened, number, "dispatcher", "核查通过，结案")
    citizen.page.goto(citizen.page.url.partition("?")[0])
    expect(citizen.page.locator(".timeline")).to_contain_text("反映人表示未解决，继续办理")
    citizen.page.get_by_label("满意", exact=True).check()
    citizen.page.get_by_label("已解决").check()
    citizen.page.get_by_role("button", name="提交评价").click()
    expect(citizen.page.locator(".message")).to_contain_text("感谢您的评价")
    assert citizen.said == []


def test_a_report_is_filed_without_script(opened: Opener, photo: Path) -> None:
    page = opened("/report", "", PHONE, script=False).page
    page.fill("#words", "河边栏杆断了一截")
    page.select_option("#where", "area:990104004001")
    page.set_input_files("#photo", photo)
    page.locator(".report-form button[type=submit]").click()
    page.locator("input[name=code]").first.check()
    page.locator("button[name=step][value=send]").click()
    expect(page.locator(".ticket")).to_be_visible()


def test_a_click_on_the_plan_is_a_point_within_the_subdistrict_that_was_clicked(opened: Opener) -> None:
    page = opened("/report", "citizen").page
    area = page.locator("svg.pick path[data-code='990104008']")
    name = area.locator("xpath=../*[local-name()='text']").text_content()
    area.click()
    expect(page.locator("cb-place [role=status]")).to_have_text("已在图上选定位置。")
    page.fill("#words", "垃圾桶满了没人收")
    page.locator(".report-form button[type=submit]").click()
    expect(page.locator("main .card .line-foot").first).to_contain_text(name or "")


def test_a_click_on_the_schematic_leads_to_the_communities_of_the_subdistrict(opened: Opener) -> None:
    page = opened("/report").page
    page.locator("svg.pick path[data-code='990104005']").click()

    expect(page.locator("#where")).to_have_value("area:990104005")
    assert page.locator("optgroup:not([hidden])").count() == 1


def test_what_was_typed_comes_back_after_the_page_was_left(opened: Opener) -> None:
    page = opened("/report", "", PHONE).page
    page.fill("#words", WORDS)
    page.goto("about:blank")
    page.go_back()
    page.reload()

    expect(page.locator("#words")).to_have_value(WORDS)
    expect(page.locator(".kept")).to_be_visible()


def test_a_grid_officer_offline_joins_what_a_citizen_gave_and_three_reporters_get_three_answers(
    opened: Opener, photo: Path
) -> None:
    spot, words = "area:990104006002", "桥下路面有个大坑，电动车差点摔倒"

    def typed(page: Page, said: str) -> None:
        page.fill("#words", said)
        page.select_option("#where", spot)
        page.set_input_files("#photo", photo)
        page.locator(".report-form button[type=submit]").click()

    first = opened("/report", "", PHONE).page
    typed(first, words)
    first.locator("button[name=step][value=send]").click()
    expect(first.locator(".ticket")).to_be_visible()
    number = first.locator(".ticket dd").first.inner_text()

    officer = opened("/report", "handler-city_management", PHONE).page
    officer.context.set_offline(True)
    typed(officer, "巡查发现桥下路面坑洞")
    expect(officer.locator(".kept")).to_be_visible()
    expect(officer.locator("#words")).to_have_value("巡查发现桥下路面坑洞")
    officer.context.set_offline(False)
    officer.locator(".report-form button[type=submit]").click()
    neighbour = opened("/report", "", PHONE).page
    typed(neighbour, "桥下坑洞还没修")
    for page in (officer, neighbour):
        looked_at(page)
        page.get_by_role("button", name=re.compile(number)).click()
        expect(page.locator(".ticket dd").first).to_have_text(number)

    take(opened, number, "dispatcher", "受理立案")
    take(opened, number, "dispatcher", "派遣")
    desk = opened(f"/desk/{number}", "dispatcher", PHONE).page
    assert desk.locator(".reported .said").count() == 3
    handled(opened, number)
    keys = {page.locator(".ticket dd").nth(1).inner_text() for page in (first, officer, neighbour)}
    assert len(keys) == 3
    for page, grade in ((first, "满意"), (officer, "非常满意"), (neighbour, "不满意")):
        page.goto(page.url.partition("?")[0])
        expect(page.locator("main")).to_contain_text(NOTE)
        page.get_by_label(grade, exact=True).check()
        page.get_by_label("已解决").check()
        page.get_by_role("button", name="提交评价").click()
        expect(page.locator(".message")).to_contain_text("感谢您的评价")
