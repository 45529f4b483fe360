"""What pages say of themselves and of the city: policy of content, language, figures, traces, and errors as pages."""

import re
from dataclasses import replace

import msgspec
import pytest

from citybrain.app.parts import pages
from citybrain.doors.pages import cockpit
from citybrain.kernel.access import Role
from citybrain.kernel.instant import Instant, rfc3339
from tests.doors.pages.conftest import World


@pytest.mark.parametrize(
    ("path", "role"), [("/", None), ("/cockpit", "leader"), ("/nowhere", None), ("/figures/nothing", "leader")]
)
async def test_a_page_runs_own_scripts_alone_and_is_framed_by_whom_settings_name(
    world: World, path: str, role: Role | None
) -> None:
    async with world.client(role) as client:
        headers = (await client.get(path)).headers
    if path == "/nowhere":
        assert headers["content-type"].startswith(("text/html", "application/problem+json"))
        return
    rules = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == "'self' https://portal.example"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "shown"),
    [
        ("en", "zh", "zh-CN", "en"),
        ("", "en", "zh-CN", "en"),
        ("", "", "en-GB,en;q=0.9", "en"),
        ("", "", "zh-CN,zh", "zh-CN"),
        ("", "", "fr", "zh-CN"),
        ("xx", "", "", "zh-CN"),
    ],
)
async def test_the_language_is_the_address_then_the_cookie_then_the_browser(
    world: World, asked: str, cookie: str, accepted: str, shown: str
) -> None:
    async with world.client() as client:
        if cookie:
            client.cookies.set("lang", cookie)
        address = f"/?lang={asked}" if asked else "/"
        text = (await client.get(address, headers={"Accept-Language": accepted})).text
    assert f'<html lang="{shown}"' in text


async def test_the_public_portal_shows_no_coordinate_without_an_approval_number(world: World) -> None:
    async with world.client() as client:
        text = (await client.get("/")).text
    assert "117." not in text
    assert 'data-tiles="true"' in text
    assert "/layers/" not in text


async def test_a_figure_opens_on_its_definition_its_parts_and_its_rows(world: World) -> None:
    async with world.client("leader") as client:
        text = (await client.get("/figures/open_cases")).text
    assert "尚未结案的案件数（待受理至待核查）。" in text
    assert "一街道" in text
    assert f'href="/desk/{world.number}"' in text
    assert "/trace/figure/open_cases" in text


async def test_a_trace_goes_from_the_figure_to_the_reading_its_door_and_the_time_of_receipt(world: World) -> None:
    async with world.client("leader") as client:
        text = (await client.get("/trace/figure/open_cases?lang=en")).text
    for words in (world.number, "aqi_lasting", "air-01.pm25", "187.5", "MQTT", "Sun 22 Nov 2026, 15:00"):
        assert words in text
    assert 'data-broken="true"' not in text


async def test_an_alert_is_shown_by_its_rule_and_its_readings(world: World) -> None:
    async with world.client("leader") as client:
        text = (await client.get(f"/alerts/{world.alert}")).text
    assert "aqi &gt; aqi_moderate_above" in text
    assert 'data-broken="true"' not in text


@pytest.mark.parametrize(
    "path", ["/figures/nothing", "/trace/figure/nothing", "/trace/moon/x", "/alerts/x", "/desk/YS-1", "/data/x"]
)
async def test_what_is_not_there_is_a_page_that_says_so(world: World, path: str) -> None:
    async with world.client("dispatcher") as client:
        answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "not_found" in answer.text


async def test_a_dataset_that_is_asked_by_stream_says_so_and_is_no_error(world: World) -> None:
    async with world.client("leader") as client:
        answer = await client.get("/data/observation")
    assert answer.status_code == 200
    assert "最多 200" in answer.text or "200" in answer.text


async def test_the_night_is_told_in_words(world: World) -> None:
    async with world.client("leader") as client:
        text = (await client.get("/cockpit")).text
    assert ">None<" not in text
    assert "：None" not in text


async def test_a_long_night_is_counted_and_only_its_newest_lines_are_listed(world: World) -> None:
    parts = pages(world.city, None)
    told = parts.night()
    row = {"alert": world.alert, "because": {"zh": "细颗粒物超标", "en": "PM2.5 too high"}}
    many = tuple({**row, "time": rfc3339(Instant(told.since + index))} for index in range(100))
    night = msgspec.structs.replace(told, told=many, counts={**told.counts, "told": 640})
    shown = cockpit.night(replace(parts, night=lambda: night))
    assert len(shown.items) == 40
    assert shown.items[-1].at > shown.items[0].at > told.since
    assert shown.more == sum(night.counts.values()) - 40
    assert shown.counts[0].value.zh == "640"


async def test_an_embedded_page_has_no_header_of_its_own(world: World) -> None:
    async with world.client() as client:
        assert '<header class="top">' in (await client.get("/")).text
        assert '<header class="top">' not in (await client.get("/?embed=1")).text


async def test_the_map_counts_in_an_area_what_the_layers_hold_there(world: World) -> None:
    """The drawn picture, the areas' labels and the layers from near say the same number of cases and alerts."""
    async with world.client("leader") as client:
        page = (await client.get("/cockpit")).text
        areas = (await client.get("/layers/air_station/areas.geojson")).json()["features"]
        for layer, sign in (("case", "◆"), ("alert", "▲")):
            points = (await client.get(f"/layers/{layer}/points.geojson")).json()["features"]
            here = sum(one["properties"].get("count", 1) for one in points if one["properties"].get("area") == "990104001")
            assert here > 0
            assert areas[0]["properties"][f"{layer}_count"] == here
            assert re.search(rf'<tspan data-layer="{layer}"><tspan[^>]*>{sign}</tspan>{here} </tspan>', page)
        assert 'class="diamond"' not in page
