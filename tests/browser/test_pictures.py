"""The pictures of the README are taken of the real program: CITYBRAIN_PICTURES=1 takes them anew, otherwise they must be there."""

import os
import struct
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from tests.browser.conftest import DESK, PHONE, Opener

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]
FOLDER = Path(__file__).parents[2] / "docs" / "images"
WALL = ViewportSize(width=3840, height=2160)
PICTURES = {
    "cockpit-zh-wall": ("/cockpit?lang=zh&theme=dark", "leader", WALL),
    "cockpit-zh-light": ("/cockpit?lang=zh&theme=light", "leader", DESK),
    "cockpit-en-dark": ("/cockpit?lang=en&theme=dark", "leader", DESK),
    "cockpit-zh-contrast": ("/cockpit?lang=zh&theme=light", "leader", DESK),
    "portal-zh-large-phone": ("/?lang=zh&theme=light&size=large", "", PHONE),
    "desk-en-light": ("/desk?lang=en&theme=light", "dispatcher", DESK),
    "desk-zh-phone": ("/desk?lang=zh&theme=light", "dispatcher", PHONE),
    "portal-zh-light": ("/?lang=zh&theme=light", "", DESK),
    "portal-en-dark": ("/?lang=en&theme=dark", "", DESK),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_the_program_as_it_is(request: pytest.FixtureRequest, name: str) -> None:
    file = FOLDER / f"{name}.png"
    if os.environ.get("CITYBRAIN_PICTURES") == "1":
        _take(request.getfixturevalue("opened"), name, file)
    content = file.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (PICTURES[name][2]["width"], PICTURES[name][2]["height"])
    assert 10_000 < len(content) < (1_200_000 if PICTURES[name][2] is WALL else 350_000)


def _take(opened: Opener, name: str, file: Path) -> None:
    path, role, size = PICTURES[name]
    page = opened(path, role, size).page
    if "contrast" in name:
        page.emulate_media(contrast="more")
    if path.startswith("/cockpit"):
        page.wait_for_selector("cb-map[data-drawn]", timeout=30_000)
    page.wait_for_timeout(4000)
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(file))
