"""One demo district and one browser for all browser tests; a signed-in state for every role."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    StorageState,
    ViewportSize,
    expect,
    sync_playwright,
)

from citybrain.app.demo import PASSWORD
from tests.browser import district
from tests.browser.district import District
from tests.web.stage import CHROMIUM, FLAGS, WITH_GPU

DESK, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
expect.set_options(timeout=15_000)


@dataclass
class Tab:
    """A page with what its console complained of and every address it asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


Opener = Callable[..., Tab]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    with district.running(tmp_path_factory.mktemp("demo") / "var") as found:
        yield found


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not on this machine")
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(driver: Playwright) -> Iterator[Browser]:
    launched = driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, *WITH_GPU])
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def sessions(demo: District, browser: Browser) -> Callable[[str], StorageState | None]:
    """The cookies of a role, signed in by the form the first time they are asked for; none for nobody."""
    known: dict[str, StorageState] = {}

    def state(role: str) -> StorageState | None:
        if role and role not in known:
            context = browser.new_context(locale="zh-CN")
            page = context.new_page()
            sign_in(page, demo.root, role)
            known[role] = context.storage_state()
            context.close()
        return known.get(role)

    return state


@pytest.fixture
def opened(demo: District, browser: Browser, sessions: Callable[[str], StorageState | None]) -> Iterator[Opener]:
    """Open an address as a role, in a fresh context."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, role: str = "", size: ViewportSize = DESK, *, script: bool = True, own: Browser = browser) -> Tab:
        context = own.new_context(viewport=size, locale="zh-CN", java_script_enabled=script, storage_state=sessions(role))
        contexts.append(context)
        tab = _watched(context.new_page())
        tab.page.goto(demo.root + path, wait_until="load")
        return tab

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def contexts(browser: Browser, sessions: Callable[[str], StorageState | None]) -> Iterator[Callable[[str], BrowserContext]]:
    """One context a role, for pages that leave nothing in it: a fresh one for each page is a third of the time that it takes."""
    known: dict[str, BrowserContext] = {}

    def context(role: str) -> BrowserContext:
        if role not in known:
            known[role] = browser.new_context(locale="zh-CN", storage_state=sessions(role))
        return known[role]

    yield context
    for one in known.values():
        one.close()


@pytest.fixture
def looked_at(demo: District, contexts: Callable[[str], BrowserContext]) -> Iterator[Opener]:
    """Open an address as a role, only to look at it, in the role's one context."""
    pages: list[Page] = []

    def open_page(path: str, role: str = "", size: ViewportSize = DESK) -> Tab:
        pages.append(contexts(role).new_page())
        pages[-1].set_viewport_size(size)
        tab = _watched(pages[-1])
        tab.page.goto(demo.root + path, wait_until="load")
        return tab

    yield open_page
    for page in pages:
        page.close()


def _watched(page: Page) -> Tab:
    tab = Tab(page)
    page.on("console", lambda message: tab.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: tab.said.append(str(error)))
    page.on("request", lambda request: tab.asked.append(request.url))
    return tab


FITS = "one => one.scrollWidth <= one.clientWidth"
"""Whether nothing of an element is past its edge."""


def on_the_screen(cells: Locator, count: int) -> None:
    """Hold that there are so many cells, all of them within a phone's width and nothing in them past their edge."""
    expect(cells).to_have_count(count)
    edges = cells.evaluate_all("found => found.map(one => Math.round(one.getBoundingClientRect().right))")
    assert max(edges) <= PHONE["width"]
    assert all(cells.evaluate_all(f"found => found.map({FITS})"))


def sign_in(page: Page, root: str, role: str) -> None:
    """Sign in by the form, as a person does."""
    page.goto(f"{root}/signin")
    page.fill("#name", role)
    page.fill("#password", PASSWORD)
    page.locator("main form button[type=submit]").click()
    expect(page.locator(".user-name")).to_be_visible()
