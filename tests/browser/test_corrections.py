"""A data officer corrects a span and takes it back: without a script at a desk, on a phone with one; no barrier at any step."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from citybrain.kernel.instant import MINUTE, Instant, local
from tests.browser.conftest import DESK, PHONE, Opener
from tests.browser.district import District

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WHY = "单位误设，差十倍"


def looked_at(page: Page) -> None:
    """No barrier that axe knows, and nothing past the edge."""
    found = Axe().run(page)
    assert [(rule["id"], node["html"][:200]) for rule in found.response["violations"] for node in rule["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("stream", "script"), [("air-02.no2", False), ("air-02.so2", True)])
def test_a_span_is_looked_at_corrected_and_taken_back(opened: Opener, stream: str, *, script: bool) -> None:
    page = opened(f"/admin/streams/{stream}?lang=zh", "data_officer", PHONE if script else DESK, script=script).page
    times = page.locator(".chart-rows tbody th time").evaluate_all("found => found.map(one => one.getAttribute('datetime'))")
    middle = datetime.fromisoformat(times[len(times) // 2]).astimezone(timezone(timedelta(hours=8)))
    since, until = (f"{middle + timedelta(hours=away):%Y-%m-%dT%H:%M}" for away in (-1, 2))
    page.locator("#corrections summary", has_text="更正一段时间").click()
    page.locator("#since").fill(since)
    page.locator("#until").fill(until)
    page.locator("#factor").fill("0.1")
    if script:
        looked_at(page)
    page.locator("#corrections").get_by_role("button", name="预览").first.click()
    expect(page.locator("#corrections")).to_contain_text("预览：将会这样更正")
    page.locator("#fix-why").fill(WHY)
    page.get_by_role("button", name="确认更正").click()
    expect(page.locator(".message")).to_contain_text("已更正")
    made = page.locator("#corrections .timeline > li").first
    expect(made).to_contain_text(WHY)
    expect(page.locator(".chart-legend")).to_contain_text("由人员更正")
    if script:
        looked_at(page)
    made.locator("summary").click()
    made.locator("textarea").fill("单位原来没有错")
    made.get_by_role("button", name="撤回更正").click()
    expect(page.locator(".message")).to_contain_text("更正已撤回")
    expect(page.locator("#corrections .timeline > li").first).to_contain_text("单位原来没有错")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_word_is_set_to_the_right_one_by_the_keyboard_alone(demo: District, opened: Opener, size: ViewportSize) -> None:
    name = f"gate-at-{size['width']}"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {demo.token('admin')}"}
    made = opened("/").page.request.post(f"{demo.root}/sta/v1.1/Things", data=json.dumps(_gate(name)), headers=headers)
    assert made.status == 201, made.text()
    at = Instant(demo.city() // MINUTE * MINUTE - MINUTE)
    demo.publish(name, {Instant(at - MINUTE): {name: "关"}, at: {name: "开"}})
    page = opened(f"/admin/streams/{name}.{name}?lang=zh", "data_officer", size).page
    expect(page.locator("#table-results tbody tr")).to_have_count(2)
    page.locator("#corrections summary", has_text="更正一个读数").focus()
    page.keyboard.press("Enter")
    page.locator("#at").fill(f"{local(at):%Y-%m-%dT%H:%M}")
    page.locator("#value").focus()
    page.keyboard.type("半开")
    assert sorted(page.locator("#value-known option").evaluate_all("all => all.map(one => one.value)")) == ["关", "开"]
    looked_at(page)
    page.keyboard.press("Enter")
    expect(page.locator("#corrections")).to_contain_text("开 → 半开")
    looked_at(page)
    page.locator("#fix-why").focus()
    page.keyboard.type("现场看是半开")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".message")).to_contain_text("已更正")
    expect(page.locator("#table-results tbody tr").first).to_contain_text("半开")
    expect(page.locator("#corrections .timeline > li").first).to_contain_text("现场看是半开")
    looked_at(page)


def _gate(name: str) -> dict[str, object]:
    stream = {
        "name": "状态",
        "description": "演示",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CategoryObservation",
        "unitOfMeasurement": {"name": None, "symbol": None, "definition": None},
        "ObservedProperty": {"@iot.id": name, "name": "闸机状态", "definition": "-", "description": "演示"},
        "Sensor": {"@iot.id": name, "name": "红外", "description": "演示", "encodingType": "text/plain", "metadata": "-"},
    }
    return {"@iot.id": name, "name": "闸机", "description": "演示", "Datastreams": [stream]}


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_what_was_said_anew_of_an_observation_fits_its_page(demo: District, opened: Opener, size: ViewportSize) -> None:
    page = opened("/", "data_officer", size).page
    road, headers = (
        f"{demo.root}/sta/v1.1",
        {"Authorization": f"Bearer {demo.token('data_officer')}", "Content-Type": "application/json"},
    )
    newest = page.request.get(f"{road}/Datastreams('air-04.o3')/Observations?$top=1&$orderby=phenomenonTime desc", headers=headers)
    (found,) = newest.json()["value"]
    said = {
        "parameters": {"remark": "a_word_that_is_longer_than_a_phone_is_wide_" * 2, "批次": size["width"]},
        "resultQuality": "suspect",
    }
    answer = page.request.patch(f"{road}/Observations('{found['@iot.id']}')", data=json.dumps(said), headers=headers)
    assert answer.status == 200, answer.text()
    for lang, told in (("zh", f"参数 批次 … {size['width']}"), ("en", f"Parameter 批次 … {size['width']}")):
        page.goto(f"{demo.root}/admin/streams/air-04.o3?lang={lang}")
        title, _, value = told.partition(" … ")
        newest_line = page.locator("#restated .timeline > li").first
        expect(newest_line.locator("dt", has_text=title)).to_be_visible()
        expect(newest_line).to_contain_text(value)
        looked_at(page)


def test_a_span_is_struck_out_on_a_phone_where_the_table_of_gaps_fits(opened: Opener) -> None:
    page = opened("/admin/streams/air-02.co?lang=zh", "data_officer", PHONE).page
    times = page.locator(".chart-rows tbody th time").evaluate_all("found => found.map(one => one.getAttribute('datetime'))")
    middle = datetime.fromisoformat(times[len(times) // 2]).astimezone(timezone(timedelta(hours=8)))
    page.locator("#corrections summary", has_text="作废一段时间").click()
    for name, away in (("strike_since", -1), ("strike_until", 2)):
        page.locator(f"#{name}").fill(f"{middle + timedelta(hours=away):%Y-%m-%dT%H:%M}")
    page.locator("#corrections details[open]").get_by_role("button", name="预览").click()
    expect(page.locator("#corrections")).to_contain_text("→ 作废")
    page.locator("#fix-why").fill("校准时的试气")
    page.get_by_role("button", name="确认更正").click()
    expect(page.locator(".chart-legend")).to_contain_text("由人员作废")
    expect(page.locator("#table-gaps")).to_contain_text("作废")
    assert page.locator("#table-gaps .scroll").evaluate("one => one.scrollWidth <= one.clientWidth"), "nothing is cut at the edge"
    looked_at(page)
    made = page.locator("#corrections .timeline > li").first
    made.locator("summary").click()
    made.locator("textarea").fill("其实不是试气")
    made.get_by_role("button", name="撤回更正").click()
    expect(page.locator(".message")).to_contain_text("更正已撤回")
    expect(page.locator(".chart-legend")).not_to_contain_text("作废")
