"""``$batch`` as multipart/mixed: application/http parts and change sets, read, done and answered as the standard describes."""

from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import msgspec
import pytest
from httpx import AsyncClient, Response
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.sensorthings import multipart
from citybrain.doors.sensorthings.batched import Answer, Part
from citybrain.kernel.errors import BadInputError
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT
from tests.doors.sensorthings.test_batch import sent as sent_as_json
from tests.doors.sensorthings.test_making import GAUGE, LEVEL, PLACE, SENSOR, STREAM, posted, said
from tests.doors.sensorthings.test_together import READING, standing

KIND = "multipart/mixed; boundary=batch_1"
Piece = str | list[str]
"""A part, or those of a change set."""


def asking(line: str, body: object = None, name: str | None = None, kind: str = "application/json", **headers: str) -> str:
    """An application/http part: its request line, body and Content-ID."""
    own = [line, "Host: host", f"Content-Type: {kind}", *(f"{key.replace('_', '-')}: {value}" for key, value in headers.items())]
    outer = ["Content-Type: application/http", "Content-Transfer-Encoding: binary", *([f"Content-ID: {name}"] if name else [])]
    text = "" if body is None else body if isinstance(body, str) else msgspec.json.encode(body).decode()
    return "\r\n".join([*outer, "", *own, "", text])


def mixed(*pieces: Piece, boundary: str = "batch_1") -> str:
    """A body of parts, and of change sets of parts."""
    lines: list[str] = []
    for number, piece in enumerate(pieces):
        inner = f"set_{number}"
        whole = piece if isinstance(piece, str) else f'Content-Type: multipart/mixed; boundary="{inner}"\r\n\r\n'
        lines += [f"--{boundary}", whole if isinstance(piece, str) else whole + mixed(*piece, boundary=inner)]
    return "\r\n".join([*lines, f"--{boundary}--"])


async def answered(client: AsyncClient, body: str | bytes, kind: str = KIND, **headers: str) -> Response:
    """What a batch is answered."""
    content = body.encode() if isinstance(body, str) else body
    return await client.post(f"{ROOT}/$batch", content=content, headers={"Content-Type": kind, **headers})


def parted(answer: Response) -> list[Any]:
    """Status, Content-ID and body of each answer, and lists of such for change sets, as another reader of MIME finds them."""
    assert answer.status_code == 200, answer.text
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    return _parts(BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(head + answer.content))


def _parts(message: EmailMessage) -> list[Any]:
    assert message.get_content_type() == "multipart/mixed"
    assert not message.defects
    found: list[Any] = []
    for part in message.iter_parts():
        assert isinstance(part, EmailMessage)
        if part.is_multipart():
            found.append(_parts(part))
            continue
        assert (part.get_content_type(), part["Content-Transfer-Encoding"]) == ("application/http", "binary")
        line, _, rest = _content(part).partition(b"\r\n")
        inner = BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(rest)
        text = _content(inner)
        assert inner["Content-Length"] == str(len(text))
        body = msgspec.json.decode(text) if text and inner.get_content_type().endswith("json") else text.decode()
        found.append((int(line.split()[1]), part["Content-ID"], str(inner["Location"]) if "Location" in inner else body))
    return found


def _content(message: EmailMessage) -> bytes:
    content = message.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


async def sent(client: AsyncClient, *pieces: Piece, **headers: str) -> list[Any]:
    """The answers of parts."""
    return parted(await answered(client, mixed(*pieces), **headers))


THING = asking("POST /sta/v1.1/Things HTTP/1.1", {"name": "Gauge", "description": "A gauge"}, "1")
BAD = asking("POST Things HTTP/1.1", {"name": "No description"}, "bad")
LINKS: dict[str, Any] = {"Sensor": {"@iot.id": "$s"}, "ObservedProperty": {"@iot.id": "$p"}}
WHOLE = [
    THING,
    asking("POST Sensors", SENSOR, "s"),
    asking("POST http://host/sta/v1.1/ObservedProperties HTTP/1.1", LEVEL, "p"),
    asking("POST $1/Datastreams HTTP/1.1", {**STREAM, **LINKS}, "d"),
    asking("PATCH $1 HTTP/1.1", {"description": "Changed"}, "2", If_Match="xxxxx"),
]
EVERYTHING = asking("GET Things('gauge')?$expand=Datastreams($expand=Sensor) HTTP/1.1")


async def test_a_batch_is_answered_part_by_part_in_its_order(sta: World) -> None:
    version = sta.parts.registry.version
    async with sta.client("admin") as client:
        first, changes, read, none = await sent(
            client, asking("GET /sta/v1.1/Things('well-1')"), WHOLE, EVERYTHING, asking("GET Things('none') HTTP/1.1", name="last")
        )
    assert (first[0], first[1], first[2]["@iot.id"]) == (200, None, "well-1")
    assert [one[:2] for one in changes] == [(201, "1"), (201, "s"), (201, "p"), (201, "d"), (200, "2")]
    assert changes[3][2].endswith("/Datastreams('gauge.water-level')")
    assert (read[0], read[2]["description"], read[2]["Datastreams"][0]["Sensor"]["metadata"]) == (200, "Changed", "type U-7")
    assert (none[0], none[1], none[2]["code"]) == (404, "last", 404)
    assert sta.parts.registry.version == version + 1
    standing(sta)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_change_set_that_fails_by_what_it_depends_on_is_one_answer_too(place: int) -> None:
    told = [Answer(424, {}, b"lost" if number == place else b"other", own=number == place) for number in range(3)]
    done = [(Part(f"1.{number}", "POST", "Things", group="1", name=f"n{number}"), one) for number, one in enumerate(told)]
    body = multipart.written([*done, (Part("2", "GET", "Things"), Answer(200, {}, b"{}"))], "b")
    assert body.count(b"HTTP/1.1 424") == 1
    assert f"Content-ID: n{place}".encode() in body
    assert body.count(b"multipart/mixed") == body.count(b"other") == 0


async def test_a_change_set_that_fails_is_one_answer_and_nothing_of_it_is_done(sta: World) -> None:
    before = standing(sta)
    async with sta.client("admin") as client:
        (failed,) = await sent(client, [THING, BAD, *WHOLE[1:]], THING)
        assert (failed[0], failed[1], failed[2]["type"]) == (400, "bad", "/docs/errors#bad_input")
        assert standing(sta) == before
        going_on = await answered(client, mixed([THING, BAD], THING), Prefer="odata.continue-on-error")
        assert going_on.headers["preference-applied"] == "odata.continue-on-error"
        failed, alone = parted(going_on)
    assert (failed[:2], alone[:2]) == ((400, "bad"), (201, "1"))
    assert [one.id for one in sta.parts.registry.entities("thing")] == ["gauge"]


async def test_nothing_is_done_after_a_failure_unless_the_sender_prefers_to_go_on(sta: World) -> None:
    pieces = (asking("GET Things('none')"), THING)
    async with sta.client("admin") as client:
        assert [one[0] for one in await sent(client, *pieces)] == [404]
        assert not list(sta.parts.registry.entities("thing"))
        for prefer in ("respond-async, odata.continue-on-error=true", "continue-on-error"):
            assert [one[0] for one in await sent(client, *pieces, Prefer=prefer)] == [404, 201]
        assert [one[0] for one in await sent(client, *pieces, Prefer="odata.continue-on-error=false")] == [404]


async def test_a_name_is_known_in_its_own_change_set_alone(sta: World) -> None:
    other = asking("POST Things", {"name": "Other", "description": "Another"}, "1")
    async with sta.client("admin") as client:
        first, second, outside = await sent(
            client, [THING], [other, asking("PATCH $1", {"name": "Renamed"}, "2")], asking("GET $1", name="3")
        )
        assert ([one[0] for one in (*first, *second)], outside[0]) == ([201, 201, 200], 404)
        assert (await said(client, "/Things('other')"))["name"] == "Renamed"
        assert (await said(client, "/Things('gauge')"))["name"] == "Gauge"


async def test_both_forms_are_done_alike(sta: World) -> None:
    requests: list[dict[str, Any]] = [
        {"id": "1", "method": "post", "url": "Things", "body": {"name": "Gauge", "description": "A gauge"}, "atomicityGroup": "g"},
        {"id": "2", "method": "post", "url": "$1/Locations", "body": PLACE, "atomicityGroup": "g"},
        {"id": "3", "method": "get", "url": "Things('gauge')/name"},
        {"id": "4", "method": "delete", "url": "Things('gauge')"},
        {"id": "5", "method": "delete", "url": "Things('gauge')"},
    ]
    pieces = [asking(f"{one['method'].upper()} {one['url']} HTTP/1.1", one.get("body"), one["id"]) for one in requests]
    async with sta.client("admin") as client:
        changes, *others = await sent(client, pieces[:2], *pieces[2:])
        other: dict[str, Any] = {"@iot.id": "gauge-2", **requests[0]["body"]}
        again = await sent_as_json(
            client,
            *[one | {"url": one["url"].replace("gauge", "gauge-2")} for one in (requests[0] | {"body": other}, *requests[1:])],
        )
    shown = [(one["status"], one["id"], one["headers"].get("location") or one["body"] or "") for one in again]
    assert [status for status, _, _ in shown] == [201, 201, 200, 200, 404]
    assert str(shown).replace("gauge-2", "gauge") == str([*changes, *others])


async def test_readings_of_a_device_are_a_change_set_too(sta: World) -> None:
    one = asking("POST Datastreams('well-1.level')/Observations HTTP/1.1", READING, "1")
    two = asking("POST Observations HTTP/1.1", {**READING, "Datastream": {"@iot.id": "well-1.salt"}}, "2")
    barred = asking("POST Datastreams('well-2.level')/Observations HTTP/1.1", READING, "3")
    async with sta.client("device") as device:
        assert [(each[0], each[1]) for each in await sent(device, [one, two, barred])] == [(403, "3")]
        assert sta.series.latest().num_rows == 0
        ((first, second), unread) = await sent(device, [one, two], asking("GET Things"))
        assert (first[0], second[0], unread[0]) == (201, 201, 403)
        assert sta.series.latest().num_rows == 2
        (kept, again) = await sent(
            device, *[asking("POST Observations", READING | {"Datastream": {"@iot.id": "well-1.level"}}, Idempotency_Key="k")] * 2
        )
        assert (kept[0], again) == (201, kept)


async def test_a_json_patch_and_words_of_any_script_are_heard(sta: World) -> None:
    operations = [{"op": "replace", "path": "/name", "value": "量水尺"}]
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        ((patched,), found) = await sent(
            client,
            [asking("PATCH Things('river-gauge')", operations, "1", "application/json-patch+json")],
            asking("GET Things?$filter=name%20eq%20'量水尺'"),
        )
        assert (patched[0], [one["@iot.id"] for one in found[2]["value"]]) == (200, ["river-gauge"])
        (plain,) = await sent_as_json(client, {"id": "1", "method": "get", "url": "Things?$filter=name eq '量水尺'"})
        assert [one["@iot.id"] for one in plain["body"]["value"]] == ["river-gauge"]


async def test_lines_may_end_plainly_and_text_around_the_parts_is_passed_over(sta: World) -> None:
    body = "Preamble\n" + mixed([THING], EVERYTHING).replace("\r\n", "\n") + "\nEpilogue\n--batch_1\n"
    async with sta.client("admin") as client:
        ((made,), read) = parted(await answered(client, body, 'Multipart/Mixed;charset=utf-8;BOUNDARY="batch_1"'))
    assert (made[0], read[0]) == (201, 200)


def _less(text: str, what: str) -> str:
    assert what in text
    return text.replace(what, "", 1)


GET = asking("GET Things HTTP/1.1")
WRONG: list[tuple[str | bytes, str, str]] = [
    ("", KIND, "nothing stands between"),
    (mixed(), KIND, "nothing stands between"),
    (mixed([THING]), "multipart/mixed", "says its boundary"),
    (mixed([THING]), 'multipart/mixed; boundary="ends "', "nothing stands between"),
    (mixed([THING], boundary="other"), KIND, "nothing stands between"),
    (_less(mixed([THING]), "--batch_1--"), KIND, "its last line '--batch_1--' is missing"),
    (_less(mixed([THING]), "--set_0--"), KIND, "part 1: its last line '--set_0--' is missing"),
    (mixed([THING], []), KIND, "part 2: nothing stands between"),
    (mixed([THING], asking("POST Things", "--batch_1 " * 100_000)), KIND, "its boundary stands too often"),
    (mixed([THING], [GET]), KIND, "Nothing is read in an atomicityGroup (a change set)"),
    (mixed([THING, THING]), KIND, "part 1: the Content-IDs of a change set are unlike one another"),
    (mixed([THING, f"Content-Type: multipart/mixed; boundary=x\r\n\r\n{mixed(THING, boundary='x')}"]), KIND, "a change set holds no other"),
    (mixed([THING], _less(GET, "application/http")), KIND, "part 2: its Content-Type is application/http or multipart/mixed"),
    (mixed([THING], GET.replace("binary", "base64")), KIND, "its Content-Transfer-Encoding is binary"),
    (mixed([THING], asking("GET Things", name="a b")), KIND, "its Content-ID cannot be read"),
    (mixed([THING], asking("STEAL Things")), KIND, "its first line is"),
    (mixed([THING], asking("GET Things?$filter=name eq 'a'")), KIND, "its first line is"),
    (mixed([THING], asking("GET " + "x" * 4001)), KIND, "its first line is"),
    (mixed([THING], asking("GET Things", Host="twice")), KIND, "it says host twice"),
    (mixed([THING], GET.replace("Host: host", "Host host")), KIND, "'Host host' is no header"),
    (mixed([THING], GET.replace("Host: host", f"Host: {'h' * 16_000}")), KIND, "its headers are more than 16000 bytes"),
    (mixed([THING], GET).encode().replace(b"Host: host", b"Host: \xff"), KIND, "its headers are not UTF-8"),
    (mixed([THING], asking("POST $batch", {"requests": []})), KIND, "A batch holds no batch."),
    (mixed([THING], *[GET] * 500), KIND, "at most 500 requests"),
    (mixed([THING], *[[BAD] * 1] * 250, *[GET] * 250), KIND, "at most 500 requests"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "why"), WRONG)
async def test_what_is_no_batch_is_refused_and_nothing_of_it_is_done(sta: World, body: str | bytes, kind: str, why: str) -> None:
    async with sta.client("admin") as client:
        answer = await answered(client, body, kind)
    assert answer.status_code == 400, answer.text
    assert why in answer.json()["message"]
    assert not list(sta.parts.registry.entities("thing"))


async def test_what_is_wrong_with_one_request_is_its_own_answer(sta: World) -> None:
    async with sta.client("admin") as client:
        found = await sent(
            client,
            asking("POST Things", "{", "1"),
            asking("POST Things", "a,b", "2", "text/csv"),
            asking("GET $9"),
            [asking("POST Sensors", SENSOR, "s"), asking("POST Things", "{$s", "3")],
            Prefer="odata.continue-on-error",
        )
    assert [one[:2] for one in found] == [(400, "1"), (415, "2"), (404, None), (400, "3")]


async def test_another_kind_of_body_is_refused(sta: World) -> None:
    async with sta.client("admin") as client:
        assert (await answered(client, mixed([THING]), "multipart/form-data; boundary=batch_1")).status_code == 415
        assert (await client.post(f"{ROOT}/Things", content=mixed([THING]), headers={"Content-Type": KIND})).status_code == 415


NAMES = st.from_regex(r"[A-Za-z0-9_.:,;@!é-]{1,12}", fullmatch=True)
URLS = st.from_regex(r"[$/]?[A-Za-z('é)]{1,9}(\?\$filter=[a-z%20]{1,5})?", fullmatch=True)
BODIES = st.one_of(
    st.just(""), st.text(max_size=40), st.sampled_from(["\r\n", "\n\n--batch_1x", "--batch_1 a", "\r\n--set_0--x\r\n"])
)
REQUESTS = st.builds(Part, st.just(""), st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]), URLS, BODIES.map(str.encode))


def _numbered(pieces: Sequence[Part | list[tuple[str | None, Part]]]) -> list[Part]:
    """Parts as they are read from a body that holds them."""
    found: list[Part] = []
    for number, piece in enumerate(pieces, 1):
        at = str(number)
        inside = [(at, None, None, piece)] if isinstance(piece, Part) else [
            (f"{at}.{place}", at, name, part) for place, (name, part) in enumerate(piece, 1)
        ]  # fmt: skip
        for key, group, name, part in inside:
            kind = {"host": "host", "content-type": "application/json"}
            found.append(Part(key, part.method, part.url, part.body, kind, group, (), name, at))
    return found


def _line(part: Part, name: str | None) -> str:
    return asking(f"{part.method} {part.url} HTTP/1.1", part.body.decode(), name)


SETS = st.lists(st.tuples(st.none() | NAMES, REQUESTS), min_size=1, max_size=3, unique_by=lambda pair: pair[0] or object())
PIECES = st.lists(st.one_of(REQUESTS, SETS), min_size=1, max_size=4)


@given(PIECES)
def test_a_batch_is_read_as_it_was_written(pieces: list[Part | list[tuple[str | None, Part]]]) -> None:
    body = mixed(*([_line(part, name) for name, part in one] if isinstance(one, list) else _line(one, None) for one in pieces))
    batch = multipart.read(KIND, body.encode(), halts=True)
    assert (list(batch.parts), batch.halts) == (_numbered(pieces), True)


@given(PIECES, st.data())
def test_answers_are_read_as_they_were_written(pieces: list[Part | list[tuple[str | None, Part]]], data: st.DataObject) -> None:
    parts = _numbered(pieces)
    answers = [Answer(data.draw(st.sampled_from([200, 201, 404])), {"content-type": "text/plain"}, part.body) for part in parts]
    body = multipart.written(list(zip(parts, answers, strict=True)), "b")
    expected: list[Any] = []
    for number, piece in enumerate(pieces, 1):
        own = [(answer, part) for part, answer in zip(parts, answers, strict=True) if part.scope == str(number)]
        shown = [(answer.status, part.name, answer.body) for answer, part in own]
        bad = [one for one in shown if one[0] == 404]
        expected.append(shown[0] if isinstance(piece, Part) else bad[0] if bad else shown)
    assert _read(multipart.content_type("b"), body) == expected


def _read(kind: str, body: bytes) -> list[Any]:
    """Answers, read with the parts of the reader of requests."""
    found: list[Any] = []
    for raw in multipart.between(kind, body, ""):
        outer, rest = multipart.headed(raw, "")
        if outer["content-type"] != "application/http":
            found.append(_read(outer["content-type"], rest))
            continue
        line, _, more = rest.partition(b"\r\n")
        inner, text = multipart.headed(more, "")
        assert inner == {"content-type": "text/plain", "content-length": str(len(text))}
        found.append((int(line.split()[1]), outer.get("content-id"), text))
    return found


@given(st.one_of(st.binary(), st.lists(st.sampled_from(
    [b"--batch_1", b"\r\n", b"\n", b"--", b"Content-Type: application/http", b"Content-Type: multipart/mixed; boundary=batch_1",
     b"GET x", b": ", b"\xff", b"\x00"])).map(b"".join)))  # fmt: skip
def test_any_bytes_are_a_batch_or_refused(body: bytes) -> None:
    try:
        batch = multipart.read(KIND, body, halts=False)
    except BadInputError:
        return
    assert batch.parts
