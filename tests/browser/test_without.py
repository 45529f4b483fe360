"""Where something is missing: no script, no WebGL, no header, no right, no IPv4."""

import re
import urllib.request
import zlib

import pytest
from playwright.sync_api import Playwright, expect

from tests.browser.conftest import Opener
from tests.browser.district import District
from tests.web.stage import CHROMIUM, FLAGS, WITHOUT_GPU

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]
RARE = "王䶮、李𠅤·阿不都"


@pytest.fixture
def case(demo: District) -> str:
    """The number of a new case that waits to be accepted."""
    body = {"title": "Case 5", "words": "示范路 1 号门前", "duty": "environment", "area": "990104001"}
    return demo.post("dispatcher", "/api/v1/act/cases", body)["number"]


def test_without_script_a_dispatcher_signs_in_reads_and_takes_a_step(demo: District, opened: Opener, case: str) -> None:
    page = opened("/", script=False).page
    expect(page.locator("section.topic[aria-labelledby=topic-air_station] .place-lines li")).to_have_count(12)
    page.goto(f"{demo.root}/desk/{case}")
    expect(page.locator("h1")).to_have_text("登录")
    page.fill("#name", "dispatcher")
    page.fill("#password", "Chengqu-2026")
    page.locator("main form button[type=submit]").click()
    expect(page.locator(".case-head .state")).to_have_text("待受理")
    page.get_by_role("button", name="受理立案").click()
    expect(page.locator(".case-head .state")).to_have_text("已立案，待派遣")
    expect(page.locator("main")).to_contain_text("已办理，案件状态已更新。")
    page.goto(f"{demo.root}/desk?q={case}")
    expect(page.locator(".case-line")).to_have_count(1)


def test_without_webgl_the_drawn_map_and_its_list_stay(driver: Playwright, opened: Opener) -> None:
    plain = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *WITHOUT_GPU])
    tab = opened("/cockpit", "leader", own=plain)
    tab.page.wait_for_selector(".map-note", timeout=15_000)
    assert tab.page.locator("#map-air_station .map-picture").is_visible()
    assert tab.page.locator("cb-map canvas").count() == 0
    assert tab.page.locator("#map-air_station .places ul:first-of-type li").count() == 23
    plain.close()


def test_with_webgl_the_map_is_drawn_by_the_browser(opened: Opener) -> None:
    tab = opened("/cockpit", "leader")
    tab.page.wait_for_selector("cb-map[data-drawn]", timeout=30_000)
    assert tab.said == []


def test_an_embedded_page_has_no_header_and_no_footer_of_its_own(opened: Opener) -> None:
    page = opened("/?embed=1").page
    assert page.locator("header.top, footer.foot").count() == 0
    assert page.locator(".banner .demo-mark").inner_text() == "演示数据"


def test_a_data_officer_reads_data_and_may_not_open_the_desk(opened: Opener) -> None:
    page = opened("/data", "data_officer").page
    assert page.locator('nav.sections a[href="/desk"]').count() == 0
    page = opened("/desk", "data_officer").page
    expect(page.locator("h1")).to_have_text("没有权限")


def test_a_leader_opens_a_case_and_takes_no_step_of_it(opened: Opener, case: str) -> None:
    page = opened(f"/desk/{case}", "leader").page
    expect(page.locator("#instruct-words")).to_be_visible()
    assert page.locator("#todo form").count() == 0


def test_rare_letters_survive_the_form_the_page_and_the_search(demo: District, opened: Opener, case: str) -> None:
    page = opened(f"/desk/{case}", "dispatcher").page
    page.locator("details", has_text="不予受理").locator("summary").click()
    page.locator("#dismiss-note").fill(RARE)
    page.get_by_role("button", name="不予受理").click()
    expect(page.locator(".step-note", has_text=RARE)).to_be_visible()
    words = {"title": f"噪声 {RARE}", "words": RARE, "duty": "environment", "area": "990104001"}
    number = demo.post("dispatcher", "/api/v1/act/cases", words)["number"]
    page = opened(f"/desk?q={RARE}", "dispatcher").page
    expect(page.locator(".case-line", has_text=number)).to_be_visible()


def test_rare_letters_are_drawn_by_a_font_of_our_own(opened: Opener) -> None:
    page = opened("/signin").page
    loaded = page.evaluate(
        "Promise.all(['䶮', '𠅤'].map(c => document.fonts.load('16px \"CityBrain Rare\"', c))).then(found => found.map(f => f.length))"
    )
    assert loaded == [1, 1]


def test_rare_letters_are_letters_on_paper_too(opened: Opener, demo: District) -> None:
    """A printed case keeps them as text that can be searched: the file maps its glyphs to 䶮 (U+4DAE) and 𠅤 (U+20164)."""
    words = {"title": f"打印 {RARE}", "words": RARE, "duty": "environment", "area": "990104001"}
    number = demo.post("dispatcher", "/api/v1/act/cases", words)["number"]
    page = opened(f"/desk/{number}", "dispatcher").page
    page.evaluate("document.fonts.ready")
    printed = page.pdf()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", printed, re.DOTALL)
    maps = "".join(text for text in map(_inflated, streams) if "beginbfchar" in text or "beginbfrange" in text)
    assert "<4DAE>" in maps.upper()
    assert "<D840DD64>" in maps.upper()


def _inflated(stream: bytes) -> str:
    """A stream of a PDF as text; empty where it is packed otherwise."""
    try:
        return zlib.decompress(stream).decode("latin-1")
    except zlib.error:
        return ""


def test_what_was_typed_comes_back_with_what_is_wrong(opened: Opener, case: str) -> None:
    here, there = opened(f"/desk/{case}", "dispatcher").page, opened(f"/desk/{case}", "dispatcher").page
    here.get_by_role("button", name="受理立案").click()
    expect(here.locator(".case-head .state")).to_have_text("已立案，待派遣")
    there.locator("#accept-note").fill("请核实，王䶮")
    there.get_by_role("button", name="受理立案").click()
    expect(there.locator(".error-summary")).to_be_visible()
    expect(there.locator("body")).to_contain_text("待派遣")


def test_the_portal_answers_on_ipv6(demo: District) -> None:
    with urllib.request.urlopen(f"http://[::1]:{demo.port}/", timeout=30) as answer:
        assert answer.status == 200
        assert "空气质量" in answer.read().decode()
