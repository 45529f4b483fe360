"""Observations in: what is acknowledged is stored, what is refused is named, and nothing a sender writes is a 500."""

import gzip
import json

import pytest

from citybrain.brain.observe import FORMS
from citybrain.engines.space import FreeSpace, full
from tests.doors.conftest import World, basic

URL = "/api/v1/observe/observations"
GOOD = {"stream": "well-1.level", "time": "2026-11-22T06:59:00Z", "value": 12.5}
JSON = {"Content-Type": "application/json"}


async def test_good_rows_are_stored_and_bad_ones_named_in_the_same_sending(world: World) -> None:
    rows = [
        GOOD,
        GOOD,
        {**GOOD, "stream": "well-9.level"},
        {**GOOD, "value": "much"},
        {**GOOD, "time": "2026-11-22T09:00:00Z"},
        {**GOOD, "stream": "well-2.level"},
    ]
    async with world.client("device") as device:
        answer = await device.post(URL, json={"observations": rows})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["stored"], found["duplicate"]) == (1, 1)
    assert [(refusal["row"], refusal["code"]) for refusal in found["refused"]] == [
        (2, "forbidden_stream"),
        (3, "bad_value"),
        (4, "future_time"),
        (5, "forbidden_stream"),
    ]
    async with world.client("admin") as admin:
        ledger = (await admin.get("/api/v1/observe/doors")).json()[0]
    assert ledger["received"] == 6 == ledger["stored"] + ledger["duplicate"] + sum(ledger["refused"].values())
    assert ledger["refused"] == {"bad_value": 1, "forbidden_stream": 2, "future_time": 1}


@pytest.mark.parametrize(
    ("headers", "whys"),
    [
        ({}, ("该发送者无权写入此数据流，请由管理员授权给该设备。", "值不是数。", "时间比城市时钟超前 5 分钟以上。")),
        (
            {"Accept-Language": "en"},
            (
                "This sender may not write this stream. Ask the administrator to entrust it to the device.",
                "The value is no number.",
                "The time is more than 5 minutes ahead of the city's clock.",
            ),
        ),
    ],
)
async def test_each_refused_row_says_why_in_the_language_of_its_sender(
    world: World, headers: dict[str, str], whys: tuple[str, ...]
) -> None:
    bad = [{**GOOD, "stream": "well-9.level"}, {**GOOD, "value": "much"}, {**GOOD, "time": "2026-11-22T09:00:00Z"}]
    async with world.client("device") as device:
        some = await device.post(URL, json=[GOOD, *bad], headers=headers)
        none = await device.post(URL, json=bad, headers=headers)
    assert (some.status_code, none.status_code) == (200, 422)
    assert tuple(one["why"] for one in some.json()["refused"]) == whys
    assert [one["why"] for one in none.json()["refused"]] == [*whys]
    assert [one["code"] for one in none.json()["refused"]] == ["forbidden_stream", "bad_value", "future_time"]


async def test_a_sending_of_which_every_row_is_refused_is_a_422_with_the_reasons(world: World) -> None:
    async with world.client("device") as device:
        answer = await device.post(URL, json=[{**GOOD, "stream": "well-2.level"}])
    assert answer.status_code == 422
    assert answer.json()["code"] == "all_rows_refused"
    assert answer.json()["refused"][0]["code"] == "forbidden_stream"


async def test_the_same_idempotency_key_stores_nothing_twice_but_is_each_callers_own(world: World) -> None:
    other = world.parts.accounts.devices.create("另一探头", "other", ["well-2"])
    async with world.client("device") as device:
        first = await device.post(URL, json=[GOOD], headers={"Idempotency-Key": "k1"})
        again = await device.post(URL, json=[GOOD], headers={"Idempotency-Key": "k1"})
        theirs = await device.post(
            URL,
            json=[{**GOOD, "stream": "well-2.level"}],
            headers={"Idempotency-Key": "k1", "Authorization": basic("other", other)},
        )
        bad = await device.post(URL, json=[GOOD], headers={"Idempotency-Key": "x" * 201})
    assert first.json() == again.json() == {"stored": 1, "duplicate": 0, "refused": []}
    assert theirs.json()["stored"] == 1
    assert bad.status_code == 400


async def test_an_idempotency_key_does_not_acknowledge_readings_that_it_was_not_used_for(world: World) -> None:
    async with world.client("device") as device:
        await device.post(URL, json=[GOOD], headers={"Idempotency-Key": "k1"})
        other = await device.post(URL, json=[{**GOOD, "value": 77}], headers={"Idempotency-Key": "k1"})
        alone = await device.post(URL, json=[{**GOOD, "value": 77}], headers={"Idempotency-Key": "k2"})
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    assert alone.json()["stored"] == 1


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "unreadable"),
        (b"", JSON, 400, "unreadable"),
        (b"null", JSON, 400, "unreadable"),
        (b'{"rows": []}', JSON, 400, "unreadable"),
        ('[{"stream": "你好", "time": "x"}]'.encode("gbk"), JSON, 400, "unreadable"),
        (b"[" * 200_000, JSON, 400, "unreadable"),
        (b'{"observations":' * 50_000, JSON, 400, "unreadable"),
        (b'[{"stream": "a\\u0000b", "time": "2026-11-22T06:59:00Z", "value": 1}]', JSON, 422, "all_rows_refused"),
        (b'[{"stream": "well-1.level", "time": "2026-11-22T06:59:00Z", "value": NaN}]', JSON, 422, "all_rows_refused"),
        (b'[{"stream": "well-1.level", "time": "9999-12-31T23:59:59Z", "value": 1e999}]', JSON, 422, "all_rows_refused"),
        (b'[{"stream": "well-1.level", "time": "0001-01-01T00:00:00+14:00", "value": 1}]', JSON, 422, "all_rows_refused"),
        (b"[" + b" " * 1_000_000 + b"]", JSON, 413, "too_large"),
        (b"[]", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        (b"[]", {"Content-Type": "text/csv"}, 400, "unreadable"),
        (b"[]", {"Content-Type": "application/vnd.apache.arrow.stream"}, 400, "unreadable"),
        (b"[]", {"Content-Type": "application/json; charset=gbk"}, 415, "unsupported_media_type"),
        (gzip.compress(b"[]", mtime=0), {**JSON, "Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        (b"[]", {}, 415, "unsupported_media_type"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_its_reason(
    world: World, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    async with world.client("device") as device:
        answer = await device.post(URL, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_type_that_is_not_taken_is_answered_with_those_that_are(world: World) -> None:
    async with world.client("device") as device:
        packed = await device.post(URL, content=gzip.compress(b"[]", mtime=0), headers={**JSON, "Content-Encoding": "gzip"})
    assert "不压缩" in packed.json()["detail"]
    assert packed.headers["accept-encoding"] == "identity"
    assert packed.headers["accept"].split(", ") == list(FORMS)


async def test_an_empty_sending_is_taken(world: World) -> None:
    async with world.client("device") as device:
        assert (await device.post(URL, json=[])).json() == {"stored": 0, "duplicate": 0, "refused": []}


async def test_a_wrong_secret_and_another_scheme_are_401_with_a_way_to_sign_in(world: World) -> None:
    async with world.client() as anyone:
        for value in ("Basic cHJvYmU6d3Jvbmc=", "Basic !", "Basic cHJvYmU=", "Bearer nothing", "Digest x"):
            answer = await anyone.post(URL, json=[GOOD], headers={"Authorization": value})
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="citybrain"'), value


async def test_values_come_back_with_their_life_and_the_mark_of_demo_data(world: World) -> None:
    async with world.client("device") as device:
        await device.post(URL, json=[GOOD, {**GOOD, "time": "2026-11-22T06:54:00Z", "value": 11.5}])
    async with world.client("dispatcher") as desk:
        latest = (await desk.get("/api/v1/observe/latest")).json()
        one = (await desk.get("/api/v1/observe/streams/well-1.level")).json()
        rows = (await desk.get("/api/v1/observe/observations?stream=well-1.level&since=2026-11-22T06:55:00Z&limit=1")).json()
        hours = (await desk.get("/api/v1/observe/streams/well-1.level/history?bucket=PT1H")).json()
        things = (await desk.get("/api/v1/observe/entities?kind=well&bbox=117,39,117.2,39.065&count=true")).json()
        thing = (await desk.get("/api/v1/observe/entities/well-2")).json()
    lives = {row["id"]: (row["value"], row["life"], row["demo"]) for row in latest}
    assert lives["well-1.level"] == (12.5, "live", True)
    assert lives["well-2.level"] == (None, "never", True)
    assert (one["time"], one["unit"], one["demo"]) == ("2026-11-22T06:59:00Z", "m", True)
    assert [(row["value"], row["time"]) for row in rows["items"]] == [(12.5, "2026-11-22T06:59:00Z")]
    assert rows["origin"]["kind"] == "real"
    assert (hours["items"], hours["demo"]) == (
        [{"time": "2026-11-22T06:00:00Z", "mean": 12.0, "low": 11.5, "high": 12.5, "count": 2}],
        True,
    )
    assert ([row["id"] for row in things["items"]], things["total"]) == (["well-1"], 1)
    assert thing["demo"] is True


async def test_a_stream_or_thing_that_is_not_there_is_a_404(world: World) -> None:
    async with world.client("dispatcher") as desk:
        for path in ("streams/well-9.level", "streams/well-9.level/history", "entities/no%00pe", "entities/x"):
            answer = await desk.get(f"/api/v1/observe/{path}")
            assert answer.status_code == (400 if "%00" in path else 404), path


async def test_a_span_that_is_none_is_refused(world: World) -> None:
    base = "/api/v1/observe/streams/well-1.level/history"
    async with world.client("dispatcher") as desk:
        for words in (
            "bucket=1h",
            "bucket=PT0S",
            "since=tomorrow",
            "since=2026-11-23T00:00:00Z",
            "form=csv",
            "bucket=P999999999999D",
        ):
            answer = await desk.get(f"{base}?{words}")
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_input"), (words, answer.text)


async def test_nothing_is_stored_when_the_disk_is_full(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_: FreeSpace) -> None:
        raise full()

    monkeypatch.setattr(FreeSpace, "check", none_left)
    async with world.client("device") as device:
        answer = await device.post(URL, content=json.dumps([GOOD]), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
