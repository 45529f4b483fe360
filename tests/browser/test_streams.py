"""Streams by life on a phone: the moment and the reason of each are on the screen, and nothing of them is past its edge."""

import pytest

from tests.browser.conftest import FITS, PHONE, Opener, on_the_screen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_each_stream_tells_its_moment_and_its_reason_on_a_phone(opened: Opener) -> None:
    page = opened("/admin/streams?life=all&lang=en", "admin", PHONE).page
    assert page.locator("#table-streams .scroll").evaluate(FITS)
    on_the_screen(page.locator("#table-streams tbody tr").first.locator("th, td"), 6)


def test_the_count_of_each_life_is_on_the_screen_of_a_phone(opened: Opener) -> None:
    page = opened("/admin?lang=en", "admin", PHONE).page
    assert page.locator("#table-lives .scroll").evaluate(FITS)
    edges = page.locator("#table-lives tbody td").evaluate_all("found => found.map(one => one.getBoundingClientRect().right)")
    assert edges
    assert max(edges) <= PHONE["width"]
