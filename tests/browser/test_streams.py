"""Streams by life on a phone: the moment and the reason of each are on the screen, and nothing of them is past its edge."""

import json

import pytest
from playwright.sync_api import expect

from citybrain.kernel.instant import MINUTE, Instant
from tests.browser.conftest import FITS, PHONE, Opener, on_the_screen
from tests.browser.district import District

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


def test_how_a_stream_is_comes_first_on_a_phone(opened: Opener) -> None:
    page = opened("/admin/streams/air-02.pm25?lang=en", "data_officer", PHONE).page
    now, others = page.locator("#now"), page.locator(".case-grid .card:not(#now)")
    tops = others.evaluate_all("found => found.map(one => one.getBoundingClientRect().top)")
    assert now.evaluate("one => one.getBoundingClientRect().bottom") < min(tops)


def test_what_a_stream_says_in_words_is_read_whole_on_a_phone(demo: District, opened: Opener) -> None:
    said = "故障：红外遮挡，须人工复位；" * 6
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {demo.token('admin')}"}
    made = opened("/").page.request.post(f"{demo.root}/sta/v1.1/Things", data=json.dumps(_GATE), headers=headers)
    assert made.status == 201, made.text()
    now = demo.city()
    demo.publish(
        "gate-of-words", {Instant(now - 2 * MINUTE): {"state-of-words": said}, Instant(now - MINUTE): {"state-of-words": "开"}}
    )
    page = opened("/admin/streams/gate-of-words.state-of-words", "data_officer", PHONE).page
    table = page.locator("#table-results")
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table).to_contain_text(said)
    assert table.locator(".scroll").evaluate(FITS)
    assert page.locator("cb-chart").count() == 0


_KIND = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CategoryObservation"
_GATE = {
    "@iot.id": "gate-of-words",
    "name": "东门闸机",
    "description": "演示",
    "Datastreams": [
        {
            "name": "状态",
            "description": "演示",
            "observationType": _KIND,
            "unitOfMeasurement": {"name": None, "symbol": None, "definition": None},
            "ObservedProperty": {"@iot.id": "state-of-words", "name": "闸机状态", "definition": "-", "description": "演示"},
            "Sensor": {
                "@iot.id": "eye-of-words",
                "name": "红外",
                "description": "演示",
                "encodingType": "text/plain",
                "metadata": "-",
            },
        }
    ],
}
