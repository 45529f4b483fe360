"""A single reading, and arrays of them, on the short way and on the whole way: one answer, one row each, one account."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from httpx import AsyncClient, Response
from litestar.types import Receive, Scope, Send

from citybrain.brain.observe import Featured, Intake
from citybrain.engines.space import FreeSpace, full
from citybrain.kernel.instant import parse
from citybrain.kernel.observations import SeriesQuery
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, before

LEVEL = {"Datastream": {"@iot.id": "well-1.level"}}
SINCE, UNTIL = parse("2026-11-22T00:00:00Z"), parse("2026-11-23T00:00:00Z")
BODIES: dict[str, dict[str, Any]] = {
    "plain": {**LEVEL, "phenomenonTime": "2026-11-22T06:59:00Z", "result": 4.5},
    "whole": {**LEVEL, "phenomenonTime": "2026-11-22T06:59:00.250Z", "result": 4},
    "offset": {**LEVEL, "phenomenonTime": "2026-11-22T14:58:00+08:00", "result": -1.25},
    "now": {**LEVEL, "result": 7.0},
    "result_time": {**LEVEL, "phenomenonTime": "2026-11-22T06:57:00Z", "resultTime": "2026-11-22T06:57:00Z", "result": 1.0},
    "feature": {**LEVEL, "phenomenonTime": "2026-11-22T06:56:00Z", "result": 1.0, "FeatureOfInterest": {"@iot.id": "well-1"}},
    "unknown": {"Datastream": {"@iot.id": "well-9.level"}, "result": 1.0},
    "foreign": {"Datastream": {"@iot.id": "well-2.salt"}, "result": 1.0},
    "nothing": {"result": 1.0},
    "text": {**LEVEL, "result": "high"},
    "naive": {**LEVEL, "phenomenonTime": "2026-11-22T06:59:00", "result": 1.0},
    "future": {**LEVEL, "phenomenonTime": "2026-11-22T07:06:00Z", "result": 1.0},
    "ancient": {**LEVEL, "phenomenonTime": "1999-01-01T00:00:00Z", "result": 1.0},
    "more": {**LEVEL, "result": 1.0, "validTime": "2026-11-22/2026-11-23"},
    "said": {**LEVEL, "phenomenonTime": "2026-11-22T06:55:00Z", "resultTime": "2026-11-22T06:56:00Z", "result": 1.0},
    "mean": {**LEVEL, "phenomenonTime": "2026-11-22T05:00:00Z/2026-11-22T06:00:00Z", "parameters": {"by": "hand"}, "result": 1.0},
    "late": {**LEVEL, "resultTime": "2026-11-22T06:54:00Z", "result": 1.0},
    "no_object": {**LEVEL, "parameters": "by hand", "result": 1.0},
    "own_id": {**LEVEL, "result": 1.0, "@iot.id": "9"},
}


class _Counted:
    """The routes, and how many requests reached them."""

    def __init__(self, sta: World) -> None:
        self.reached = 0
        self._app = sta.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached += 1
        await self._app(scope, receive, send)


@pytest.fixture
def routes(sta: World) -> _Counted:
    return _Counted(sta)


@pytest.fixture
async def device(sta: World, routes: _Counted) -> AsyncIterator[AsyncClient]:
    """The device on the short way, before routes that count."""
    front = before(sta, routes)
    async with replace(sta, front=front).client("device") as client:
        yield client


@pytest.fixture
async def slow(sta: World) -> AsyncIterator[AsyncClient]:
    """The device on the whole way alone."""
    async with replace(sta, front=None).client("device") as client:
        yield client


def _values(sta: World) -> list[tuple[int, float]]:
    number = sta.parts.registry.stream("well-1.level").no
    table = sta.series.scan(SeriesQuery((number,), SINCE, UNTIL))
    times, values = table["time"].to_numpy().tolist(), table["value"].to_numpy().tolist()
    return list(zip(times, values, strict=True))


def _account(sta: World) -> tuple[int, int, dict[str, int]]:
    found = next((door for door in sta.series.doors() if door.door == "sensorthings"), None)
    return (0, 0, {}) if found is None else (found.stored, found.duplicate, dict(found.refused))


def _said(answer: Response) -> tuple[int, str | None, str | None, Any]:
    body = answer.json() if answer.content else None
    return answer.status_code, answer.headers.get("location"), answer.headers.get("content-type"), body


@pytest.mark.parametrize("name", BODIES)
async def test_both_ways_give_the_same_answer(sta: World, device: AsyncClient, slow: AsyncClient, name: str) -> None:
    short, whole = [_said(await client.post(f"{ROOT}/Observations", json=BODIES[name])) for client in (device, slow)]
    assert short == whole
    stored, duplicate, refused = _account(sta)
    assert (stored, duplicate) == ((1, 1) if short[0] == 201 else (0, 0))
    assert set(refused.values()) <= {2}
    assert len(_values(sta)) == stored


async def test_a_plain_reading_does_not_reach_the_routes(device: AsyncClient, routes: _Counted, sta: World) -> None:
    answer = await device.post(f"{ROOT}/Observations", json=BODIES["plain"])
    at = parse("2026-11-22T06:59:00Z")
    assert (answer.status_code, routes.reached) == (201, 0)
    assert answer.headers["location"] == f"http://city{ROOT}/Observations('{sta.parts.registry.stream('well-1.level').no}.{at}')"
    assert _values(sta) == [(at, 4.5)]


async def test_readings_that_say_more_do_not_reach_the_routes_and_are_stored_together(
    device: AsyncClient, routes: _Counted, sta: World
) -> None:
    bodies = [{**LEVEL, "phenomenonTime": f"2026-11-22T06:{minute}:00Z", "result": minute} for minute in range(30, 50)]
    for minute in (31, 35, 40):
        bodies[minute - 30] |= {"resultTime": "2026-11-22T06:59:00Z", "parameters": {"by": f"m{minute}"}}
    answers = await asyncio.gather(*(device.post(f"{ROOT}/Observations", json=body) for body in bodies))
    assert ({answer.status_code for answer in answers}, routes.reached) == ({201}, 0)
    number = sta.parts.registry.stream("well-1.level").no
    found = Featured(sta.transactions).of([number], 0, 2**60).values()
    assert [(one.time, one.words()["parameters"]) for one in found] == [
        (parse(f"2026-11-22T06:{minute}:00Z"), {"by": f"m{minute}"}) for minute in (31, 35, 40)
    ]
    back = {**bodies[1], "resultTime": bodies[1]["phenomenonTime"], "parameters": {}}
    assert (await device.post(f"{ROOT}/Observations", json=back)).status_code == 201
    assert [one.time for one in Featured(sta.transactions).of([number], 0, 2**60).values()] == [
        parse(f"2026-11-22T06:{minute}:00Z") for minute in (35, 40)
    ]
    assert routes.reached == 0


async def test_the_address_may_name_the_stream(device: AsyncClient, routes: _Counted, sta: World) -> None:
    body = {"phenomenonTime": "2026-11-22T06:59:00Z", "result": 2.0}
    path = f"{ROOT}/Datastreams('well-1.level')/Observations"
    assert (await device.post(path, json=body)).status_code == 201
    assert (await device.post(path, json={**body, **LEVEL})).status_code == 201
    assert routes.reached == 0
    assert (await device.post(path, json={**body, "Datastream": {"@iot.id": "well-2.salt"}})).status_code == 400
    assert routes.reached == 1
    assert _account(sta)[:2] == (1, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Idempotency-Key": "a"},
        {"X-Purpose": "a"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=gb18030"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Bearer nobody"},
    ],
)
async def test_what_says_more_goes_the_whole_way(device: AsyncClient, routes: _Counted, headers: dict[str, str]) -> None:
    sent = {"Content-Type": "application/json", **headers}
    answer = await device.post(f"{ROOT}/Observations", content=json.dumps(BODIES["plain"]), headers=sent)
    assert routes.reached == 1
    assert answer.status_code == (
        201 if {"Idempotency-Key", "X-Purpose"} & headers.keys() else 401 if "Authorization" in headers else 415
    )


async def test_many_at_once_are_stored_together_and_each_has_its_own_answer(
    sta: World, device: AsyncClient, routes: _Counted
) -> None:
    bodies = [{**LEVEL, "phenomenonTime": f"2026-11-22T06:{minute:02d}:00Z", "result": float(minute)} for minute in range(50)]
    wrong = [BODIES["unknown"], BODIES["future"], BODIES["text"]]
    sent = [device.post(f"{ROOT}/Observations", json=body) for body in (*bodies, *wrong)]
    answers = await asyncio.gather(*sent)
    assert [answer.status_code for answer in answers] == [201] * 50 + [403, 400, 400]
    assert len({answer.headers["location"] for answer in answers[:50]}) == 50
    assert [value for _, value in _values(sta)] == [float(minute) for minute in range(50)]
    assert routes.reached == 3


async def test_a_reading_that_the_intake_refuses_is_one_refusal_and_answered_as_by_the_routes(
    sta: World, device: AsyncClient, slow: AsyncClient, routes: _Counted
) -> None:
    assert isinstance(sta.parts.intake, Intake)
    sta.parts.intake.kept_by(lambda _, time: time < parse("2026-11-22T06:00:00Z"))
    old, young = ({**LEVEL, "phenomenonTime": f"2026-11-22T{hour}:59:00Z", "result": 1.0} for hour in ("05", "06"))
    short, other = await asyncio.gather(*(device.post(f"{ROOT}/Observations", json=body) for body in (old, young)))
    assert (short.status_code, other.status_code, routes.reached, _account(sta)) == (400, 201, 0, (1, 0, {"expired": 1}))
    assert _said(await slow.post(f"{ROOT}/Observations", json=old)) == _said(short)


@pytest.mark.parametrize(
    "host", ["city:80", "CITY", "[::1]:8000", "[::1", "city:99999", "city:b", "ci ty", "a/b", "city?x", "é", ""]
)
async def test_addresses_are_of_the_host_that_was_asked_and_one_that_is_none_is_refused(
    device: AsyncClient, slow: AsyncClient, host: str
) -> None:
    headers = {b"Host": host.encode()}
    short, whole = [
        _said(await client.post(f"{ROOT}/Observations", json=BODIES["plain"], headers=headers)) for client in (device, slow)
    ]
    assert short == whole


async def test_a_device_that_was_shut_out_is_shut_out_here_too(sta: World, device: AsyncClient) -> None:
    assert (await device.post(f"{ROOT}/Observations", json=BODIES["plain"])).status_code == 201
    sta.parts.accounts.devices.remove("probe")
    assert (await device.post(f"{ROOT}/Observations", json=BODIES["plain"])).status_code == 401


def _array(stream: str, *rows: Sequence[Any], components: Sequence[str] = ("phenomenonTime", "result")) -> dict[str, Any]:
    return {"Datastream": {"@iot.id": stream}, "components": components, "dataArray": rows}


EARLY, LATER = "2026-11-22T06:41:00Z", "2026-11-22T06:42:00Z"
ARRAYS: dict[str, list[Any]] = {
    "plain": [_array("well-1.level", [EARLY, 1.0], [LATER, 2.5])],
    "two": [_array("well-1.level", [EARLY, 1]), _array("well-1.level", [LATER, 2])],
    "foreign": [_array("well-1.level", [EARLY, 1.0]), _array("well-2.salt", [EARLY, 1.0])],
    "all foreign": [_array("well-2.salt", [EARLY, 1.0])],
    "unknown": [_array("well-1.level", [EARLY, 1.0]), _array("well-9.level", [EARLY, 1.0])],
    "bad time": [_array("well-1.level", ["yesterday", 1.0], [LATER, 2.0])],
    "future": [_array("well-1.level", ["2026-11-22T07:16:00Z", 1.0], [LATER, 2.0])],
    "text": [_array("well-1.level", [EARLY, "high"], [LATER, 2.0])],
    "more": [_array("well-1.level", [EARLY, LATER, 1.0], components=("phenomenonTime", "resultTime", "result"))],
    "empty": [_array("well-1.level")],
    "nothing": [],
    "no list": [7],
}


@pytest.mark.parametrize("name", ARRAYS)
async def test_both_ways_give_the_same_answer_to_arrays(sta: World, device: AsyncClient, slow: AsyncClient, name: str) -> None:
    short, whole = [_said(await client.post(f"{ROOT}/CreateObservations", json=ARRAYS[name])) for client in (device, slow)]
    assert short == whole
    rows = len(short[3]) if isinstance(short[3], list) else 0
    refused = sum(said.startswith("error") for said in short[3]) if rows else 0
    stored, duplicate, counted = _account(sta)
    assert (stored, duplicate, sum(counted.values())) == (rows - refused, rows - refused, 2 * refused)
    assert len(_values(sta)) == stored


@pytest.mark.parametrize(
    ("name", "reached"), [("plain", 0), ("foreign", 0), ("unknown", 0), ("text", 1), ("more", 1), ("empty", 1)]
)
async def test_plain_arrays_do_not_reach_the_routes(device: AsyncClient, routes: _Counted, name: str, reached: int) -> None:
    await device.post(f"{ROOT}/CreateObservations", json=ARRAYS[name])
    assert routes.reached == reached


@pytest.mark.parametrize("path", ["Observations", "CreateObservations"])
async def test_what_cannot_be_stored_is_told_by_the_routes(
    sta: World, device: AsyncClient, routes: _Counted, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def no_room(space: FreeSpace) -> None:
        assert isinstance(space, FreeSpace)
        raise full()

    monkeypatch.setattr(FreeSpace, "check", no_room)
    answer = await device.post(f"{ROOT}/{path}", json=(BODIES if path == "Observations" else ARRAYS)["plain"])
    assert (answer.status_code, routes.reached) == (507, 1)
    assert _values(sta) == []
