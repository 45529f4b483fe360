"""Observations in plain JSON on the short way and on the whole way: one answer, one account, and both are timed."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from httpx import AsyncClient, Response
from litestar.types import Message, Receive, ReceiveMessage, Scope, Send

from citybrain.app.problems import MEDIA_TYPE
from citybrain.app.shortcut import Shortcut
from citybrain.brain.observe import Intake
from citybrain.brain.protect import Accounts
from citybrain.doors import api
from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Text
from tests.doors.conftest import World, own

URL = "/api/v1/observe/observations"
GOOD = {"stream": "well-1.level", "time": "2026-11-22T06:59:00Z", "value": 12.5}
JSON = {"Content-Type": "application/json"}
EN = {**JSON, "Accept-Language": "en"}
BAD = b'{"stream": "well-1.level", "time": "2026-11-22T06:59:00Z", "value": "much"}'
FOREIGN = b'{"stream": "well-2.level", "time": "2026-11-22T06:59:00Z", "value": 1}'
SENT: dict[str, tuple[bytes, dict[str, str]]] = {
    "one_is_bad": (b"[%b, %b]" % (BAD, FOREIGN), JSON),
    "one_is_bad_in_english": (b'{"observations": [%b]}' % BAD, EN),
    "none_may_be_written": (b"[%b]" % FOREIGN, JSON),
    "empty": (b"[]", JSON),
    "no_list": (b'"well"', JSON),
    "broken": (b"[", EN),
    "no_utf8": ('[{"stream": "你好", "time": "x"}]'.encode("gbk"), JSON),
    "nan": (b'[{"stream": "well-1.level", "time": "2026-11-22T06:59:00Z", "value": NaN}]', JSON),
    "too_large": (b"[" + b" " * 1_000_000 + b"]", JSON),
    "a_charset": (b"[]", {"Content-Type": "application/json; charset=gbk"}),
    "a_table": (b"stream,time,value\n", {"Content-Type": "text/csv"}),
}


class Counted:
    """The routes, how many requests reached them, and what times both ways."""

    def __init__(self, world: World) -> None:
        self.reached = 0
        self.numbers = api.Metrics(world.parts)
        self._routes = own(world.parts, self.numbers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached += 1
        await self._routes(scope, receive, send)

    def timed(self) -> int:
        """How many requests to the address were timed."""
        found = re.findall(rf'citybrain_request_seconds_count{{.*route="{URL}".*}} (\S+)', self.numbers.text().decode())
        return int(sum(map(float, found)))


@pytest.fixture
def routes(world: World) -> Counted:
    return Counted(world)


def before(world: World, routes: Counted) -> Shortcut:
    """The short way before these routes."""
    return Shortcut(routes, world.parts.accounts, api.may(world.parts), (api.Bulk(world.parts, routes.numbers),))


@pytest.fixture
async def device(world: World, routes: Counted) -> AsyncIterator[AsyncClient]:
    """The device on the short way, before routes that count."""
    async with replace(world, front=before(world, routes)).client("device") as client:
        yield client


def said(answer: Response) -> tuple[int, dict[str, str], Any]:
    return answer.status_code, {name: text for name, text in answer.headers.items() if name != "vary"}, answer.json()


async def test_readings_are_stored_without_the_routes_and_timed_like_theirs(device: AsyncClient, routes: Counted) -> None:
    answer = await device.post(URL, json={"observations": [GOOD]})
    assert said(answer)[::2] == (200, {"stored": 1, "duplicate": 0, "refused": []})
    assert (routes.reached, routes.timed()) == (0, 1)


@pytest.mark.parametrize("name", SENT)
async def test_both_ways_give_the_same_answer(world: World, device: AsyncClient, name: str) -> None:
    body, headers = SENT[name]
    short = said(await device.post(URL, content=body, headers=headers))
    async with world.client("device") as slow:
        assert said(await slow.post(URL, content=body, headers=headers)) == short
    account = next((one for one in world.series.doors() if one.door == "api"), None)
    assert account is None or set(account.refused.values()) <= {2}


async def test_a_sending_that_says_more_or_comes_from_somebody_else_goes_through_the_routes(
    device: AsyncClient, routes: Counted
) -> None:
    for number, (headers, words, status) in enumerate(
        (
            ({"Idempotency-Key": "a"}, {}, 200),
            ({"X-Purpose": "test"}, {}, 200),
            ({"Cookie": "lang=en"}, {}, 200),
            ({}, {"purpose": "test"}, 200),
            ({"Authorization": "Basic cHJvYmU6d3Jvbmc="}, {}, 401),
            ({"Authorization": "Bearer nothing"}, {}, 401),
        ),
        1,
    ):
        answer = await device.post(URL, json=[GOOD], headers=headers, params=words)
        assert (answer.status_code, routes.reached) == (status, number), headers


def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    """A body as it comes over a slow line."""

    async def come() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), size):
            yield body[begin : begin + size]

    return come()


@pytest.mark.parametrize(("spaces", "reached"), [(0, 0), (600_000, 1)], ids=["a small one", "one for the routes"])
async def test_a_body_that_comes_in_pieces_is_read_whole(
    world: World, device: AsyncClient, routes: Counted, spaces: int, reached: int
) -> None:
    body = msgspec.json.encode([GOOD]) + b" " * spaces
    headers = {**JSON, "Content-Length": str(len(body))}
    answer = await device.post(URL, content=pieces(body, 65_000 if spaces else 7), headers=headers)
    assert (answer.json()["stored"], routes.reached) == (1, reached)
    assert [one.received for one in world.parts.intake.accounts() if one.door == "api"] == [1]


async def test_a_body_whose_sender_hangs_up_stores_nothing(world: World, device: AsyncClient, routes: Counted) -> None:
    come: list[ReceiveMessage] = [
        {"type": "http.request", "body": msgspec.json.encode([GOOD]), "more_body": True},
        {"type": "http.disconnect"},
    ]
    answers: list[Message] = []

    async def receive() -> ReceiveMessage:
        return come.pop(0)

    async def send(message: Message) -> None:
        answers.append(message)

    headers = {**JSON, "Host": "city", "Authorization": device.headers["Authorization"], "Content-Length": "1000"}
    scope: Any = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": URL,
        "raw_path": URL.encode(),
        "query_string": b"",
        "root_path": "",
        "http_version": "1.1",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "extensions": {},
        "state": {},
    }
    await before(world, routes)(scope, receive, send)
    assert ([one["status"] for one in answers if one["type"] == "http.response.start"], routes.reached) == ([400], 1)
    assert list(world.series.doors()) == []


async def test_what_nobody_foresaw_is_a_problem_document_here_too(
    device: AsyncClient, routes: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Intake, "take", breaks)
    answer = await device.post(URL, json=[GOOD], headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.headers["content-type"], answer.json()["code"]) == (500, MEDIA_TYPE, "internal")
    assert (answer.json()["incident"] in answer.json()["detail"], routes.reached) == (True, 0)
    assert f'route="{URL}",status="500"' in routes.numbers.text().decode()


async def test_a_device_that_cannot_be_looked_up_is_told_why(device: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise BusyError(Text("忙", "busy"), retry_after=7)

    monkeypatch.setattr(Accounts, "device_caller", away)
    answer = await device.post(URL, json=[GOOD])
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "7", "busy")
