"""The ledgers of the doors on a phone: what was refused, what waits and what is missing is on the screen, each with its word."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, FITS, PHONE, Opener, on_the_screen

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
_WORDS = ("received", "stored", "duplicate", "refused", "pending", "difference", "deleted")


def test_every_count_of_a_door_is_on_the_screen_of_a_phone_with_its_word(opened: Opener) -> None:
    page = opened("/admin?lang=en", "admin", PHONE).page
    assert page.locator(".ledgers .scroll").evaluate(FITS)
    cells = page.locator(".ledgers tbody tr").first.locator("th, td")
    on_the_screen(cells, 9)
    said = [text.lower() for text in cells.all_inner_texts()]
    assert all(said[place].startswith(word) for place, word in enumerate(_WORDS, 1)), said


def test_on_a_desk_the_words_stand_in_the_head_of_the_table_alone(opened: Opener) -> None:
    page = opened("/admin?lang=en", "admin", DESK).page
    expect(page.locator(".ledgers thead")).to_be_visible()
    expect(page.locator(".ledgers .of").first).to_be_hidden()
