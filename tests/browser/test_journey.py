"""The whole way, as people walk it: a reading over MQTT, the alert on the cockpit, the case at the desk, the figure, the trace."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from citybrain.kernel.instant import HOUR, MINUTE, Instant, local
from tests.browser.conftest import Opener, Tab
from tests.browser.district import District

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
PM25 = 187.5
"""µg/m³; an AQI over 200 by HJ 633-2026, and a number that the replay does not send."""
FOUL: dict[str, float | str] = {"pm25": PM25, "pm10": 210.0, "so2": 9.0, "no2": 41.0, "co": 1.1, "o3": 24.0}
CLEAN: dict[str, float | str] = {"pm25": 12.0, "pm10": 30.0, "so2": 4.0, "no2": 20.0, "co": 0.4, "o3": 40.0}
"""Ends what the replay may have begun."""
NOTE = "现场核查完毕，已责令停工覆盖，联系人王䶮、李𠅤·阿不都"


def test_a_reading_becomes_an_alert_a_case_a_figure_and_can_be_traced_back(demo: District, opened: Opener) -> None:
    cockpit = opened("/cockpit", "dispatcher")
    expect(cockpit.page.locator("cb-live")).to_have_attribute("data-state", "on")
    station, title = _in_peace(demo)
    said = _pollute(demo, cockpit.page, station, title)
    number = _take_and_finish(opened, said)
    before = _settled(demo, cockpit.page)
    _approve(opened, number)
    expect(cockpit.page.locator("#figure-closed_today data")).to_have_attribute("value", f"{before + 1:.1f}", timeout=45_000)
    _trace(cockpit, number, said, station)
    _reads_the_note(opened, number)


def _in_peace(demo: District) -> tuple[str, str]:
    """A station without an open case, rather one without a lasting alert: on a day of smog the replay has many in alarm by itself."""
    stations = demo.rows("dispatcher", "/api/v1/observe/entities?kind=air_station&limit=100")
    alarmed = {
        row["entity"] for row in demo.rows("dispatcher", "/api/v1/detect/alerts?state=open&limit=1000") if "lasting" in row["rule"]
    }
    handled = {row["entity"] for row in demo.rows("dispatcher", "/api/v1/act/cases?limit=1000") if row["closed"] is None}
    free = sorted((one for one in stations if one["id"] not in handled), key=lambda one: one["id"] in alarmed)
    if not free:
        pytest.skip("every station of the replayed day has an open case already")
    return str(free[0]["id"]), str(free[0]["title"]["zh"])


def _pollute(demo: District, cockpit: Page, station: str, title: str) -> str:
    """Send two foul hours and wait, without a reload, for the alert that they have lasted; returns its words.

    The replay speaks at every full hour. Two minutes after an hour lie two foul minutes: a device may be five minutes ahead of
    the city, so both are sent just before the hour, and what the replay says of the hour itself comes too late to clear them.
    """
    lasting = cockpit.locator("section.alerts .line-title", has_text=re.compile(rf"{title} AQI 为 \d+，中度及以上污染已持续1小时"))
    for _ in range(5):
        hour = demo.wait_until_minute(57.2)
        demo.publish(
            station, {Instant(hour + MINUTE): CLEAN, Instant(hour + 2 * MINUTE): FOUL, Instant(hour + HOUR + 2 * MINUTE): FOUL}
        )
        if _appears(lasting):
            return lasting.first.inner_text().strip()
    raise AssertionError("No alert came onto the cockpit in five city hours.")


def _appears(place: Locator) -> bool:
    try:
        expect(place.first).to_be_visible(timeout=12_000)
    except AssertionError:
        return False
    return True


def _take_and_finish(opened: Opener, said: str) -> str:
    """The handler of the office finds the case by the alert's words, takes it and finishes it with a note."""
    desk = opened("/desk", "handler").page
    desk.fill("#q", said)
    desk.locator("form.search button").click()
    case = desk.locator(".case-line", has_text="空气质量持续超标核查").first
    expect(case.locator(".state")).to_have_text("已派遣，待处置")
    case.locator("a").click()
    number = desk.locator(".case-head .number").inner_text()
    desk.locator("form.move", has_text="受理任务").get_by_role("button", name="受理任务").click()
    expect(desk.locator(".case-head .state")).to_have_text("处置中")
    desk.locator("#finish-note").fill(NOTE)
    desk.get_by_role("button", name="处置完成").click()
    expect(desk.locator(".case-head .state")).to_have_text("已处置，待核查")
    return number


def _settled(demo: District, cockpit: Page) -> float:
    """What the cockpit says is closed today, not so near to midnight that today could be another day a moment later."""
    now = local(demo.city())
    if now.hour == 23 and now.minute > 30:
        demo.wait_until_minute(5)
    return float(cockpit.locator("#figure-closed_today data").get_attribute("value") or "nan")


def _approve(opened: Opener, number: str) -> None:
    case = opened(f"/desk/{number}", "dispatcher").page
    case.get_by_role("button", name="核查通过，结案").click()
    expect(case.locator(".case-head .state")).to_have_text("已结案")


def _trace(cockpit: Tab, number: str, said: str, station: str) -> None:
    """From the figure down to the reading: its value, the door and when it was received."""
    page = cockpit.page
    page.locator("#figure-closed_today a").click()
    expect(page.locator("#table-rows")).to_contain_text(number)
    page.get_by_role("link", name="从这个数字查到读数").click()
    chain = page.locator("ol.chain")
    expect(chain).to_contain_text(number)
    expect(chain).to_contain_text(said)
    expect(chain).to_contain_text("aqi_lasting")
    reading = chain.locator("li", has_text=f"{station}.pm25").first
    facts = dict(zip(reading.locator("dt").all_inner_texts(), reading.locator("dd").all_inner_texts(), strict=True))
    assert float(facts["数值"]) == PM25
    assert "mqtt" in facts["接入方式"].lower()
    assert re.search(r"\d{4}年\d+月\d+日 星期. \d\d:\d\d", facts["收到时间"])
    expect(chain.locator("li[data-broken=true]")).to_have_count(0)
    assert cockpit.said == []


def _reads_the_note(opened: Opener, number: str) -> None:
    """Rare letters stand in the page, are found, and leave in the file."""
    leader = opened(f"/desk?tab=closed&q={number}", "dispatcher").page
    leader.locator(".case-line a").first.click()
    expect(leader.locator(".step-note", has_text=NOTE)).to_be_visible()
