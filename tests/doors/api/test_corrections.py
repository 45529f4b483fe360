"""Corrections over HTTP: looked at first, made over what was seen, in the audit trail, marked for every reader, taken back."""

import asyncio
import csv
import io
import json
from collections import Counter

import pyarrow.parquet as pq
import pytest
from httpx import AsyncClient

from citybrain.brain import exchange, observe
from citybrain.brain.observe import MARKS, read_rows
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from tests.doors.conftest import NOW, World

LEVEL = "/api/v1/observe/streams/well-1.level/corrections"
WHY = "探头换后单位设为厘米"


async def fill(world: World, *values: float) -> None:
    """A reading a minute, the last one now."""
    last = len(values) - 1
    rows = [
        f'{{"stream": "well-1.level", "time": "{rfc3339(Instant(NOW - (last - at) * MINUTE))}", "value": {value}}}'
        for at, value in enumerate(values)
    ]
    await world.parts.intake.take(read_rows(f"[{','.join(rows)}]".encode()), "test", None)


def span(first: int, last: int = 0) -> dict[str, object]:
    """Centimetres that were taken for metres, between two minutes before now, both included."""
    since, until = (rfc3339(Instant(NOW - ago * MINUTE + more)) for ago, more in ((first, 0), (last, 1)))
    return {"since": since, "until": until, "factor": 0.01}


async def corrected(client: AsyncClient, body: dict[str, object]) -> dict[str, object]:
    shown = await client.post(f"{LEVEL}?preview=true", json=body)
    assert shown.status_code == 200, shown.text
    made = await client.post(LEVEL, json={**body, "why": WHY}, headers={"If-Match": shown.headers["etag"]})
    assert made.status_code == 201, made.text
    found: dict[str, object] = made.json()
    return found


async def test_a_span_is_looked_at_corrected_over_what_was_seen_and_taken_back(world: World) -> None:
    await fill(world, 3.0, 310.0, 320.0, 3.3)
    async with world.client("data_officer") as client:
        shown = await client.post(f"{LEVEL}?preview=true", json=span(2, 1))
        sheet = shown.json()
        assert (sheet["rows"], sheet["before"], sheet["after"], sheet["outside"]) == (2, [310.0, 320.0], [3.1, 3.2], 0)
        assert sheet["first"] == {"time": rfc3339(Instant(NOW - 2 * MINUTE)), "before": 310.0, "after": 3.1}
        assert (await client.get(LEVEL)).json()["items"] == []
        body = {**span(2, 1), "why": WHY}
        assert (await client.post(LEVEL, json=body)).status_code == 428
        assert (await client.post(LEVEL, json=body, headers={"If-Match": '"7"'})).status_code == 412
        made = await client.post(LEVEL, json=body, headers={"If-Match": shown.headers["etag"]})
        assert (made.status_code, made.json()["rows"], made.json()["state"]) == (201, 2, "standing")
        assert (await client.post(LEVEL, json=body, headers={"If-Match": shown.headers["etag"]})).status_code == 412
        one = (await client.get(f"{LEVEL}/{made.json()['no']}")).json()
        assert [(row["measured"], row["door"], row["after"]) for row in one["readings"]] == [
            (310.0, "test", 3.1),
            (320.0, "test", 3.2),
        ]
        back = await client.post(f"{LEVEL}/{made.json()['no']}/end", json={"why": "原来就是厘米"})
        assert (back.status_code, back.json()["state"], back.json()["ended"]["restored"]) == (201, "ended", 2)
        assert (await client.post(f"{LEVEL}/{made.json()['no']}/end", json={"why": "原来就是厘米"})).status_code == 409
        assert (await client.get(f"{LEVEL}/99")).status_code == 404
        assert [(item["why"], item["ended"]["why"]) for item in (await client.get(LEVEL)).json()["items"]] == [
            (WHY, "原来就是厘米")
        ]
    async with world.client("auditor") as client:
        rows = (await client.get("/api/v1/protect/audit?action=observation.correct&allowed=true")).json()["items"]
    assert [row["resource"] for row in rows] == ["stream:well-1.level"] * 5, "looking leaves no row, each attempt does"


async def test_one_reading_is_set(world: World) -> None:
    await fill(world, 3.0, 3.1, 49.0)
    async with world.client("data_officer") as client:
        await corrected(client, {"at": rfc3339(NOW), "value": 3.2})
        row = (await client.get("/api/v1/observe/streams/well-1.level")).json()
    assert row["value"] == 3.2


async def test_a_corrected_value_is_told_from_a_measured_one_by_every_reader(world: World) -> None:
    await fill(world, 3.0, 310.0, 320.0)
    async with world.client("data_officer") as client:
        made = await corrected(client, span(1))
        listed = (await client.get("/api/v1/observe/observations?stream=well-1.level")).json()["items"]
        assert [(row["value"], row["door"]) for row in listed] == [(3.2, "correction"), (3.1, "correction"), (3.0, "test")]
        answer = await client.get("/api/v1/exchange/datasets/observation/export.csv?stream=well-1.level")
        assert answer.status_code == 200, answer.text
        lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert {(float(line["value"]), line["door"]) for line in lines} == {(3.2, "correction"), (3.1, "correction"), (3.0, "test")}
        await client.post(f"{LEVEL}/{made['no']}/end", json={"why": "原来就是厘米"})
        listed = (await client.get("/api/v1/observe/observations?stream=well-1.level")).json()["items"]
        assert [(row["value"], row["door"]) for row in listed] == [(320.0, "restored"), (310.0, "restored"), (3.0, "test")]


async def test_what_is_struck_out_is_told_of_and_left_out_by_every_reader(world: World) -> None:
    await fill(world, *(3.0 + at / 10 for at in range(11)))
    strike = {name: value for name, value in span(8, 2).items() if name != "factor"} | {"strike": True}
    road = "/api/v1/observe"
    async with world.client("data_officer") as client:
        shown = (await client.post(f"{LEVEL}?preview=true", json=strike)).json()
        assert (shown["rows"], shown["first"]["after"], shown["change"]["strikes"]) == (7, None, True)
        made = await corrected(client, strike)
        set_ = await corrected(client, {"at": rfc3339(NOW), "value": 4.1})
        one = (await client.get(f"{LEVEL}/{made['no']}")).json()
        assert [(row["measured"], row["after"]) for row in one["readings"]][:2] == [(3.2, None), (3.3, None)]
        listed = (await client.get(f"{road}/observations?stream=well-1.level")).json()
        assert (len(listed["items"]), listed["struck"]) == (4, 7)
        before = (await client.get(f"{road}/observations?stream=well-1.level&until={rfc3339(Instant(NOW - 8 * MINUTE))}")).json()
        assert "struck" not in before
        lines = (await client.get("/api/v1/exchange/datasets/observation/export.csv?stream=well-1.level")).text.splitlines()
        assert len(lines) == 5
        since = rfc3339(Instant(NOW - 3 * MINUTE))
        history = (await client.get(f"{road}/streams/well-1.level/history?bucket=PT1M&since={since}")).json()["items"]
        struck = {"mean": None, "low": None, "high": None, "count": 0, "struck": 1}
        assert [{name: value for name, value in row.items() if name != "time"} for row in history] == [
            *([struck] * 2),
            {"mean": 3.9, "low": 3.9, "high": 3.9, "count": 1},
            {"mean": 4.1, "low": 4.1, "high": 4.1, "count": 1, "corrected": 1},
        ]
        (gap,) = (await client.get(f"{road}/streams/well-1.level/gaps")).json()["items"]
        assert (gap["missing"], gap["struck"], len(gap["readings"])) == (1, 7, 1)
        for done in (set_, made):
            await client.post(f"{LEVEL}/{done['no']}/end", json={"why": "原来没有错"})
        listed = (await client.get(f"{road}/observations?stream=well-1.level")).json()
        assert (len(listed["items"]), "struck" in listed) == (11, False)


EXPORT = "/api/v1/exchange/datasets/observation/export"


@pytest.mark.thorough
async def test_every_export_counts_what_was_struck_out_and_marks_each_row(world: World) -> None:
    await fill(world, *(3.0 + at / 10 for at in range(31)))
    strike = {name: value for name, value in span(28, 2).items() if name != "factor"} | {"strike": True}
    words = f"?stream=well-1.level&time.ge={rfc3339(Instant(NOW - 30 * MINUTE))}&time.lt={rfc3339(Instant(NOW + 1))}"
    every = f"{words}&mark.in={','.join(MARKS)}"
    plain = {"rows": dict.fromkeys(MARKS, 0) | {"measured": 3, "corrected": 1}, "left_out": {"struck": 27}}
    full = {"rows": plain["rows"] | {"struck": 27, "estimated": 5}, "left_out": {}}
    async with world.client("data_officer") as client:
        await corrected(client, strike)
        await corrected(client, {"at": rfc3339(NOW), "value": 4.1})
        for said, told, rows in ((words, plain, 4), (every, full, 36)):
            document = (await client.get(f"{EXPORT}.json{said}")).json()
            assert (len(document["items"]), document["readings"]) == (rows, told)
            sheet = pq.read_metadata(io.BytesIO((await client.get(f"{EXPORT}.parquet{said}")).content))
            assert (sheet.num_rows, json.loads((sheet.metadata or {})[b"readings"])) == (rows, told)
            answer = await client.get(f"{EXPORT}.csv{said}")
            lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
            assert dict(Counter(line["mark"] for line in lines)) == {mark: count for mark, count in told["rows"].items() if count}
            assert {line["value"] for line in lines if line["mark"] == "struck"} <= {""}
            link = answer.links["describedby"]["url"]
            told_apart = (await client.get(f"{EXPORT.rpartition('/')[0]}/{link}")).json()
            assert [told_apart[name] for name in ("rows", "readings", "made")] == [rows, told, rfc3339(NOW)]
        assert (await client.get(f"{EXPORT}.manifest")).status_code == 422
        stations = (await client.get(f"{EXPORT.replace('observation', 'well')}.manifest")).json()
        assert (stations["rows"], stations["readings"]) == (2, None)
        assert "readings" not in (await client.get(f"{EXPORT.replace('observation', 'well')}.json")).json()
    async with world.client("leader") as client:
        assert (await client.get(f"{EXPORT}.manifest{words}")).status_code == 403


def test_exchange_knows_the_marks_of_observe() -> None:
    assert (exchange.MARKS, exchange.UNASKED) == (observe.MARKS, observe.STANDING)


async def test_a_figure_says_how_many_of_its_readings_a_person_set(world: World) -> None:
    await fill(world, 3.0, 49.0)
    road = "/api/v1/see/figures/streams_live/rows"
    async with world.client("data_officer") as client:
        assert "corrected" not in (await client.get(road)).json()
        await corrected(client, {"at": rfc3339(NOW), "value": 3.2})
        assert (await client.get(road)).json()["corrected"] == 1


async def test_a_figure_says_what_it_was_made_of_and_what_has_changed_since(world: World) -> None:
    road = "/api/v1/see/figures/streams_live"
    await fill(world, 3.0, 49.0)
    await asyncio.to_thread(world.indicators.compute, "streams_live")
    world.clock.set(Instant(NOW + 5 * MINUTE))
    async with world.client("data_officer") as client:
        (whole,) = [row for row in (await client.get(road)).json()["figures"] if row["area"] is None]
        assert (whole["corrected"], whole["changed"]) == (0, 0)
        made = await corrected(client, {"at": rfc3339(NOW), "value": 3.2})
    world.clock.set(Instant(NOW + 60 * MINUTE))
    await asyncio.to_thread(world.indicators.compute, "streams_live")
    async with world.client("data_officer") as client:
        told = [(row["corrected"], row["changed"]) for row in (await client.get(f"{road}/history")).json()["figures"]]
        assert (told[0], told[-1]) == ((0, 1), (1, 0)), "the first was made of what was measured"
        world.clock.set(Instant(NOW + 65 * MINUTE))
        await client.post(f"{LEVEL}/{made['no']}/end", json={"why": "原来没有错"})
        told = [(row["corrected"], row["changed"]) for row in (await client.get(f"{road}/history")).json()["figures"]]
        assert (told[0], told[-1]) == ((0, 0), (1, 1)), "and it is measured again"
        assert "changed" not in (await client.get("/api/v1/see/figures/open_cases/history")).text


async def test_the_newest_is_struck_out_alone(world: World) -> None:
    await fill(world, 3.0, 3.1, 49.0)
    async with world.client("data_officer") as client:
        made = await corrected(client, {"at": rfc3339(NOW), "strike": True})
        row = (await client.get("/api/v1/observe/streams/well-1.level")).json()
        assert (row["value"], row["time"], made["rows"]) == (3.1, rfc3339(Instant(NOW - MINUTE)), 1)


async def test_rules_judge_by_the_corrected_value(world: World) -> None:
    await fill(world, 3.0)
    await asyncio.to_thread(world.watch.run_once)
    async with world.client("data_officer") as client:
        await corrected(client, {"at": rfc3339(NOW), "value": 45.0})
        await asyncio.to_thread(world.watch.run_once)
        found = (await client.get("/api/v1/detect/alerts")).json()["items"]
    assert [alert["rule"] for alert in found] == ["wells.well_high"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"at": rfc3339(NOW)}, "at"),
        ({"at": rfc3339(NOW), "value": 3.0, "since": rfc3339(NOW)}, "at"),
        ({"since": rfc3339(NOW), "until": rfc3339(Instant(NOW + 1))}, "factor"),
        ({"since": rfc3339(NOW), "until": rfc3339(NOW), "factor": 2.0}, "since"),
        ({"at": rfc3339(Instant(NOW - 1)), "value": 3.0}, "since"),
        ({"at": rfc3339(Instant(NOW - 1)), "strike": True}, "since"),
        ({"at": rfc3339(NOW), "value": 3.0, "strike": True}, "at"),
        ({**span(0), "strike": True}, "factor"),
    ],
)
async def test_what_cannot_be_corrected_is_refused_with_its_field(world: World, body: dict[str, object], field: str) -> None:
    await fill(world, 3.0)
    async with world.client("data_officer") as client:
        answer = await client.post(f"{LEVEL}?preview=true", json=body)
    assert (answer.status_code, answer.json().get("field")) == (400, field)


async def test_others_look_and_do_not_correct(world: World) -> None:
    await fill(world, 310.0)
    for role in ("admin", "leader"):
        async with world.client(role) as client:
            for address in (f"{LEVEL}?preview=true", LEVEL, f"{LEVEL}/1/end"):
                body = {"why": "试一试看"} if address.endswith("end") else span(0)
                assert (await client.post(address, json=body, headers={"If-Match": '"0"'})).status_code == 403
            assert (await client.get(LEVEL)).json()["items"] == []


async def test_the_public_is_not_told_who_corrected_what(world: World) -> None:
    await fill(world, 310.0)
    async with world.client("data_officer") as client:
        await corrected(client, span(0))
    async with world.client() as client:
        assert [(await client.get(f"{LEVEL}{more}")).status_code for more in ("", "/1")] == [401, 401]
    async with world.client("citizen") as client:
        assert [(await client.get(f"{LEVEL}{more}")).status_code for more in ("", "/1")] == [403, 403]
