"""Every page in two languages, light and dark, large and small: accessible, quiet, whole, and from our own house alone."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from citybrain.web import samples
from tests.browser.conftest import DESK, PHONE, Opener
from tests.browser.district import District

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]
PAGES: dict[str, tuple[str, str]] = {
    "portal": ("/", ""),
    "signin": ("/signin", ""),
    "report": ("/report", ""),
    "report_plan": ("/report", "dispatcher"),
    "follow": ("/report/follow", ""),
    "cockpit": ("/cockpit", "leader"),
    "desk": ("/desk", "dispatcher"),
    "desk_map": ("/desk?view=map", "dispatcher"),
    "case": ("/desk/{case}", "dispatcher"),
    "data": ("/data", "data_officer"),
    "dataset": ("/data/air_station", "data_officer"),
    "figure": ("/figures/open_cases", "leader"),
    "trace": ("/trace/figure/streams_live", "leader"),
    "decide": ("/decide", "leader"),
    "advice": ("/decide/parking_allocation", "dispatcher"),
    "prices": ("/decide/parking_price", "data_officer"),
    "studio": ("/studio", "data_officer"),
    "rule": ("/studio/air/aqi_light?limit=air.aqi_light_above&value=80&unit={{index}}", "data_officer"),
    "admin": ("/admin", "admin"),
    "streams": ("/admin/streams", "data_officer"),
    "stream": ("/admin/streams/air-01.pm25", "data_officer"),
    "nearby": ("/park?lon=117.15&lat=39.1", ""),
    "offers": ("/offers", ""),
    "bookings": ("/bookings", "citizen"),
    "owner": ("/offers/mine", "handler"),
    "error": ("/figures/nothing", "leader"),
    **{f"design-{state}": (f"/docs/design?state={state}", "") for state in samples.STATES},
}
"""Path and role of every page."""
LOOKS = {
    "zh-light": ("lang=zh&theme=light&size=normal", DESK),
    "en-dark": ("lang=en&theme=dark&size=normal", DESK),
    "zh-dark-large-phone": ("lang=zh&theme=dark&size=large", PHONE),
}
_SHOWN = ("en-dark", "zh-dark-large-phone")
"""Looks in which blocks are shown by themselves; light is where more contrast is asked for."""
_WORDS = """() => {
  const own = 'script, style, code, .user-name, [lang="zh-CN"]:not(html), [lang="en"]:not(html), .said, .step-note, ' +
    '#table-preview td, #table-preview th[scope=row], #table-people td, .case-side .handler';
  const found = [];
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    if (text && walker.currentNode.parentElement && !walker.currentNode.parentElement.closest(own)) found.push(text);
  }
  for (const one of document.querySelectorAll('[aria-label], [placeholder], [title], [alt]'))
    if (!one.closest(own)) for (const name of ['aria-label', 'placeholder', 'title', 'alt']) if (one.getAttribute(name)) found.push(one.getAttribute(name));
  return found;
}"""
_WIDE = """width => document.documentElement.scrollWidth <= width ? [] : [...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > width && !one.closest('svg')).map(one => one.outerHTML.slice(0, 120))"""
"""What makes a page scroll sideways; nothing where it does not."""
_HAN, _SENTENCE = re.compile(r"[㐀-鿿]"), re.compile(r"[A-Za-z]{2,}(?: [a-z]{2,}){2,}")


@pytest.fixture(scope="session")
def case(demo: District) -> str:
    """The number of a case of the environment office, filed by hand, in two languages' worth of words."""
    body = {"title": "Case 4", "words": "示范路 1 号门前扬尘", "duty": "environment", "area": "990104001"}
    return demo.post("dispatcher", "/api/v1/act/cases", body)["number"]


@pytest.fixture
def shown(looked_at: Opener, case: str) -> Callable[[str, str], tuple[Page, list[str], list[str]]]:
    def show(name: str, look: str) -> tuple[Page, list[str], list[str]]:
        path, role = PAGES[name]
        words, size = LOOKS[look]
        tab = looked_at(f"{path.format(case=case)}{'&' if '?' in path else '?'}{words}", role, size)
        tab.page.wait_for_timeout(250)
        return tab.page, tab.said, tab.asked

    return show


@pytest.mark.parametrize(
    ("name", "look"), [(name, look) for name in PAGES for look in LOOKS if look in _SHOWN or "design" not in name]
)
def test_a_page_is_accessible_quiet_whole_and_from_our_own_house(
    demo: District, shown: Callable[[str, str], tuple[Page, list[str], list[str]]], name: str, look: str
) -> None:
    page, said, asked = shown(name, look)
    found = Axe().run(page)
    broken = [(rule["id"], node["html"][:200]) for rule in found.response["violations"] for node in rule["nodes"]]
    assert broken == []
    own = [line for line in said if not (name == "error" and "404" in line)]
    assert own == []
    assert page.evaluate(_WIDE, LOOKS[look][1]["width"]) == []
    assert _on_a_phone(page) == []
    assert {address for address in asked if not address.startswith((demo.root, "data:", "blob:"))} == set()
    wrong = _HAN if look.startswith("en") else _SENTENCE
    assert [text for text in page.evaluate(_WORDS) if wrong.search(text)] == []


def _on_a_phone(page: Page) -> list[str]:
    """What makes a page scroll sideways that is made as narrow as a phone, once its charts have followed."""
    page.set_viewport_size(PHONE)
    wide: list[str] = []
    for _ in range(20):
        wide = page.evaluate(_WIDE, PHONE["width"])
        if not wide:
            break
        page.wait_for_timeout(100)
    return wide


@pytest.mark.parametrize("state", samples.STATES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_block_is_accessible_when_more_contrast_is_asked_for(looked_at: Opener, state: str, scheme: str) -> None:
    page = looked_at(f"/docs/design?state={state}&theme={scheme}").page
    page.emulate_media(contrast="more")
    assert page.evaluate("matchMedia('(prefers-contrast: more)').matches")
    assert [rule["id"] for rule in Axe().run(page).response["violations"]] == []


def test_the_states_are_told_apart_in_words(looked_at: Opener) -> None:
    said = {state: looked_at(f"/docs/design?state={state}").page.locator("#figure-sample").inner_text() for state in samples.STATES}
    assert "36+1" in said["stale"].replace("\n", "")
    assert "数据中断" in said["stale"]
    assert "您无权查看" in said["denied"]
    assert "正在计算" in said["loading"]
    assert "未能计算" in said["error"] or "计算失败" in said["error"]
    assert "演示数据" in said["demo"]
    assert "演示数据" not in said["ready"]
    assert not any("0件" in words.replace("\n", "") for words in said.values())
