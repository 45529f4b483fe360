"""Streams whose results are no numbers on pages: their words with their times, no line of codes, and no form that reckons."""

from msgspec import json

from citybrain.brain.observe import (
    Draft,
    MadeProperty,
    MadeSensor,
    MadeStream,
    MadeThing,
    MadeUnit,
    read_rows,
    setting,
    spelt_number,
)
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.things import Contract, Sort
from tests.doors.pages.conftest import NOW, World

UNIT = MadeUnit(None, None, None)
KIND = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CategoryObservation"


async def page(world: World, sort: Sort, *values: object) -> str:
    """The address of a stream that somebody made, with a result every half hour."""
    watched = MadeProperty("", f"状态-{sort}", "", "", {})
    draft = Draft(
        MadeStream("", "状态", "", KIND, UNIT, {}), MadeSensor("", "探头", "", "text/plain", "", {}), watched, Contract(), sort
    )
    made = world.city.making.thing(f"闸门-{sort}", MadeThing(f"a-{sort}", "", {}), (), (draft,))
    (stream,) = world.city.registry.streams_of(made.id)
    rows = [
        {"stream": stream.id, "time": rfc3339(Instant(NOW - at * 30 * MINUTE)), "value": values[at % len(values)]}
        for at in range(200)
    ]
    verdict = await world.city.intake.take(read_rows(json.encode(rows)), "test", None)
    assert verdict.stored == 200
    return f"/admin/streams/{stream.id}"


async def test_the_page_of_a_stream_shows_words_in_a_table(world: World) -> None:
    at = await page(world, "category", "半开", "<b>全关</b>")
    async with world.client("data_officer") as client:
        shown = (await client.get(f"{at}?lang=zh")).text
        assert ("半开" in shown, "&lt;b&gt;全关&lt;/b&gt;" in shown, "<b>全关" in shown) == (True, True, False)
        assert ("city-chart" in shown, "<polyline" in shown, 'name="factor"' in shown) == (False, False, False)
        assert ('name="low"' in shown, "量程下限" in shown, 'name="strike_since"' in shown) == (False, False, True)
        assert "读数范围" not in shown
        listed = (await client.get("/admin/streams?life=none&lang=zh")).text
        assert "半开" in listed
        since = {"strike_since": "2026-11-22T14:30:00", "strike_until": "2026-11-22T15:00:01"}
        looked = (await client.get(at, params={**since, "lang": "zh"})).text
        assert "→ 作废" in looked
        assert "半开 → 作废" in looked


async def test_truths_are_said_in_both_languages_and_a_correction_in_words(world: World) -> None:
    at = await page(world, "truth", *(True, False))
    city = world.city
    stream = city.registry.stream(at.rpartition("/")[2])
    change = setting(Instant(NOW), spelt_number(city.registry.worded, stream, result=False))
    seen = city.corrections.preview(stream, change).seen
    await city.corrections.correct(stream, change, seen, "data_officer", "门磁接反了")
    async with world.client("data_officer") as client:
        shown = (await client.get(f"{at}?lang=zh")).text
        assert ("是（true） → 否（false）" in shown, "由人员更正" in shown) == (True, True)
        assert ("true → false" in (await client.get(f"{at}?lang=en")).text) is True
        wrong = {"since": "2026-11-22T14:30:00", "until": "2026-11-22T15:00:01", "factor": "2"}
        assert (await client.get(at, params=wrong)).status_code == 400


async def test_the_newest_rows_of_the_streams_say_words_and_no_codes(world: World) -> None:
    await page(world, "any", {"阀": "开"})
    async with world.client("data_officer") as client:
        shown = (await client.get("/data/stream?lang=zh")).text
        assert "{&#34;阀&#34;:&#34;开&#34;}" in shown
        assert "不是数值" in shown
