"""Every error is a problem document: known ones say what to do, unexpected ones say nothing of the inside."""

from typing import cast

import msgspec
import pytest
from httpx import Response
from litestar import Litestar, get, post
from litestar.params import FromQuery, JSONBody
from litestar.testing import TestClient
from litestar.types import HTTPReceiveMessage, HTTPScope, Message
from structlog.testing import capture_logs

from citybrain.app import problems
from citybrain.kernel.errors import BusyError, CityError, NotFoundError, StaleError
from citybrain.kernel.text import Json, Text


class Body(msgspec.Struct, forbid_unknown_fields=True):
    amount: int


@get("/missing", sync_to_thread=False)
def missing() -> None:
    raise NotFoundError(Text("没有这个案件。", "There is no such case."), case="NK-1", status="not the status")


@get("/busy", sync_to_thread=False)
def busy() -> None:
    raise BusyError(Text("请稍后。", "Later."), retry_after=7)


@get("/broken", sync_to_thread=False)
def broken() -> None:
    message = "the password is 12345"
    raise RuntimeError(message)


@post("/body", sync_to_thread=False)
def body(data: JSONBody[Body]) -> int:
    return data.amount


@get("/number", sync_to_thread=False)
def number(amount: FromQuery[int]) -> int:
    return amount


@pytest.fixture
def client() -> TestClient[Litestar]:
    return TestClient(
        Litestar([missing, busy, broken, body, number], exception_handlers=problems.handlers()), raise_server_exceptions=False
    )


def read(answer: Response) -> dict[str, Json]:
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Json] = answer.json()
    return document


def test_a_city_error_speaks_the_callers_language_and_keeps_its_fields(client: TestClient[Litestar]) -> None:
    answer = client.get("/missing")
    assert answer.status_code == 404
    assert read(answer) == {
        "type": "/docs/errors#not_found",
        "title": "没有找到",
        "status": 404,
        "detail": "没有这个案件。",
        "code": "not_found",
        "instance": "/missing",
        "case": "NK-1",
    }
    assert read(client.get("/missing?lang=en"))["detail"] == "There is no such case."
    english = client.get("/missing", headers={"Accept-Language": "zh;q=0.3, en-GB"})
    assert (read(english)["title"], english.headers["content-language"]) == ("Not found", "en")


def test_a_busy_answer_says_when_to_come_back(client: TestClient[Litestar]) -> None:
    answer = client.get("/busy")
    assert (answer.status_code, answer.headers["retry-after"], read(answer)["code"]) == (429, "7", "busy")


def test_an_unexpected_error_tells_an_incident_and_nothing_of_the_inside(client: TestClient[Litestar]) -> None:
    answer = client.get("/broken")
    document = read(answer)
    assert (answer.status_code, document["code"]) == (500, "internal")
    assert len(str(document["incident"])) == 36
    assert "12345" not in answer.text
    assert "RuntimeError" not in answer.text


def test_litestars_own_errors_have_the_same_shape(client: TestClient[Litestar]) -> None:
    assert read(client.get("/nowhere"))["code"] == "not_found"
    wrong_method = client.post("/missing")
    assert (wrong_method.status_code, read(wrong_method)["code"], wrong_method.headers["allow"]) == (
        405,
        "method_not_allowed",
        "GET, OPTIONS",
    )
    wrong_value = client.get("/number?amount=many")
    assert (wrong_value.status_code, wrong_value.json()["errors"][0]["key"]) == (400, "amount")
    assert read(client.post("/body", json={"amount": 1, "more": 2}))["code"] == "bad_input"


def test_every_code_stands_once_in_the_table_with_its_status() -> None:
    codes = problems.codes()
    assert len({code for code, _, _ in codes}) == len(codes)
    assert (StaleError.code, StaleError.status, StaleError.title) in codes
    assert (CityError.code, 500, CityError.title) in codes
    assert ("method_not_allowed", 405) in {(code, status) for code, status, _ in codes}


async def test_who_hangs_up_in_the_midst_of_a_body_is_no_fault_of_ours_in_the_log() -> None:
    app = Litestar([body], exception_handlers=problems.handlers())
    given = iter([{"type": "http.request", "body": b'{"am', "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Message] = []

    async def receive() -> HTTPReceiveMessage:
        return cast("HTTPReceiveMessage", next(given))

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
    scope: dict[str, object] = {
        "type": "http",
        "method": "POST",
        "path": "/body",
        "raw_path": b"/body",
        "query_string": b"",
        "headers": headers,
    }
    scope |= {
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("city", 80),
        "client": None,
        "state": {},
    }
    with capture_logs() as said:
        await app(cast("HTTPScope", scope | {"root_path": ""}), receive, send)
    assert [entry["event"] for entry in said] == ["client_gone"]
    assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [400]
