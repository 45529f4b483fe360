"""Pages in a real browser, under the program's content policy: accessibility, live swaps, fallbacks, and no word lost."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize, expect, sync_playwright
from playwright.sync_api import TimeoutError as StayedError

from citybrain.web import assets
from tests.web import examples
from tests.web.stage import CHROMIUM, FLAGS, WITH_GPU, WITHOUT_GPU, stage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not on this machine"),
    pytest.mark.skipif(not assets.read(), reason="the front end is not built here: run make web"),
]
DESK, PHONE, WALL = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844), ViewportSize(width=3840, height=2160)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with stage() as running:
        yield running


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(driver: Playwright) -> Iterator[Browser]:
    launched = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *WITH_GPU])
    yield launched
    launched.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> BrowserContext:
    """For pages that are only looked at."""
    return browser.new_context()


def opened(place: Browser | BrowserContext, url: str, size: ViewportSize = DESK) -> tuple[Page, list[str]]:
    """A page in a fresh context of a browser, or in one that is there, with what its console complained of."""
    page = place.new_page(viewport=size) if isinstance(place, Browser) else place.new_page()
    page.set_viewport_size(size)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url, wait_until="load")
    return page, said


@pytest.mark.parametrize("name", sorted(examples.PAGES))
def test_a_page_has_no_accessibility_violation_and_no_complaint_and_fits_every_screen(
    context: BrowserContext, address: str, name: str
) -> None:
    """In large letters; the pages of a running district are looked at in every other look (tests/browser)."""
    page, said = opened(context, f"{address}/{name}?lang=zh&size=large")
    page.wait_for_timeout(300)
    found = Axe().run(page)
    broken = [(rule["id"], node["html"][:160]) for rule in found.response["violations"] for node in rule["nodes"]]
    wide = [size["width"] for size in (PHONE, DESK, WALL) if _too_wide(page, size)]
    page.close()
    assert broken == []
    assert said == []
    assert wide == []


def _too_wide(page: Page, size: ViewportSize) -> bool:
    """Whether something stays past the edge: a chart is drawn anew a moment after its page has become narrower."""
    page.set_viewport_size(size)
    try:
        page.wait_for_function(f"document.documentElement.scrollWidth <= {size['width']}", timeout=5_000)
    except StayedError:
        return True
    return False


def test_letters_are_large_on_a_wall_and_in_the_large_mode(browser: Browser, address: str) -> None:
    size = "parseFloat(getComputedStyle(document.body).fontSize)"
    page, _ = opened(browser, f"{address}/cockpit", WALL)
    assert page.evaluate(size) >= 28
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('main *')].filter(e => e.textContent.trim() && !e.closest('svg,.sr-only') && !e.children.length)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
    )
    assert smallest >= 28
    page.context.close()
    large, _ = opened(browser, f"{address}/portal?size=large")
    assert large.evaluate(size) >= 24
    low = large.evaluate(
        "[...document.querySelectorAll('header a, main summary, main button')].filter(e => e.offsetHeight && e.offsetHeight < 60).map(e => e.textContent)"
    )
    large.context.close()
    assert low == []


def test_the_live_stream_changes_one_card_and_leaves_the_rest(browser: Browser, address: str) -> None:
    page, _ = opened(browser, f"{address}/cockpit")
    page.wait_for_selector("#figure-late_cases data[value='4']", timeout=5000)
    assert page.locator("#figure-closing_rate data").inner_text() == "94.6"
    assert page.locator("cb-live").get_attribute("data-state") == "on"
    page.context.close()


def test_a_lost_connection_is_told_with_its_time_and_blanks_nothing(browser: Browser, address: str) -> None:
    page = browser.new_context(viewport=DESK).new_page()
    page.route("**/api/v1/see/live*", lambda route: route.abort())
    page.goto(f"{address}/cockpit", wait_until="load")
    page.wait_for_selector("cb-live[data-state=lost]", timeout=5000)
    assert "起与服务器的连接中断" in page.locator("cb-live").inner_text()
    assert page.locator("#figure-late_cases data").inner_text() == "3"
    page.context.close()


def test_the_map_draws_and_a_click_on_a_place_opens_it(browser: Browser, address: str) -> None:
    page, said = opened(browser, f"{address}/cockpit")
    page.wait_for_selector("cb-map[data-drawn]", timeout=20_000)
    page.evaluate(
        "document.addEventListener('cb-place', e => { e.preventDefault(); document.body.dataset.chosen = e.detail.href; })"
    )
    assert [rule["id"] for rule in Axe().run(page).response["violations"]] == [], "what is drawn is a landmark of another name"
    box = page.locator(".map-canvas canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("body")).to_have_attribute("data-chosen", re.compile(r"^/figures/index\?area=S\d\d$"))
    page.context.close()
    assert said == []


def test_without_webgl_the_picture_and_its_list_stay(driver: Playwright, address: str) -> None:
    plain = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *WITHOUT_GPU])
    page, _ = opened(plain, f"{address}/cockpit")
    page.wait_for_selector(".map-note", timeout=10_000)
    assert page.locator(".map-picture").is_visible()
    assert page.locator("cb-map canvas").count() == 0
    assert page.locator(".places li").count() == len(examples.SHAPES) + len(examples.POINTS)
    plain.close()


def test_without_script_a_page_says_the_same(browser: Browser, address: str) -> None:
    page = browser.new_context(java_script_enabled=False, viewport=DESK).new_page()
    page.goto(f"{address}/cockpit")
    assert page.locator(".map-picture").is_visible()
    assert page.locator("#chart-pm25 .chart-picture").is_visible()
    assert page.locator("#chart-pm25 table tbody tr").count() == len(examples.PM.rows)
    page.context.close()


def test_what_is_typed_survives_a_reload_until_it_is_sent(browser: Browser, address: str) -> None:
    page, _ = opened(browser, f"{address}/case", PHONE)
    page.fill("#finish-note", "已覆盖，王䶮")
    page.reload(wait_until="load")
    expect(page.locator("#finish-note")).to_have_value("已覆盖，王䶮")
    page.context.close()


def test_a_table_is_filtered_by_words(browser: Browser, address: str) -> None:
    page, _ = opened(browser, f"{address}/dataset")
    page.fill(".filter input", "兴隆")
    assert page.locator("#table-preview tbody tr:visible").count() == 1
    assert page.locator(".filter output").inner_text() == "显示 1 / 12 行"
    page.context.close()


def test_the_city_clock_runs_at_the_speed_of_the_replay(browser: Browser, address: str) -> None:
    page, _ = opened(browser, f"{address}/desk")
    expect(page.locator("cb-clock time")).not_to_have_text("2026年11月22日 星期日 07:55", timeout=8000)
    said = page.locator("cb-clock time").inner_text()
    page.context.close()
    assert said.startswith("2026年11月22日 星期日 07:5")


def test_rare_letters_have_a_glyph_of_our_own(browser: Browser, address: str) -> None:
    page, _ = opened(browser, f"{address}/admin")
    loaded = page.evaluate(
        "Promise.all(['䶮', '𠅤'].map(c => document.fonts.load('16px \"CityBrain Rare\"', c))).then(found => found.map(f => f.length))"
    )
    page.context.close()
    assert loaded == [1, 1]
