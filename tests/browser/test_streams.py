"""Streams by life on a phone: the moment and the reason of each are on the screen, and nothing of them is past its edge."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Opener

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
_FITS = "one => one.scrollWidth <= one.clientWidth"


def test_each_stream_tells_its_moment_and_its_reason_on_a_phone(opened: Opener) -> None:
    page = opened("/admin/streams?life=all&lang=en", "admin", PHONE).page
    assert page.locator("#table-streams .scroll").evaluate(_FITS)
    cells = page.locator("#table-streams tbody tr").first.locator("th, td")
    expect(cells).to_have_count(6)
    edges = cells.evaluate_all("found => found.map(one => Math.round(one.getBoundingClientRect().right))")
    assert max(edges) <= PHONE["width"]
    assert all(cells.evaluate_all(f"found => found.map({_FITS})"))


def test_the_count_of_each_life_is_on_the_screen_of_a_phone(opened: Opener) -> None:
    page = opened("/admin?lang=en", "admin", PHONE).page
    assert page.locator("#table-lives .scroll").evaluate(_FITS)
    edges = page.locator("#table-lives tbody td").evaluate_all("found => found.map(one => one.getBoundingClientRect().right)")
    assert edges
    assert max(edges) <= PHONE["width"]
