"""Reports over HTTP, by nobody: classes, likes, once, photos within limits, progress and photo by key alone, personal data masked."""

import io
import tracemalloc
from collections.abc import AsyncIterator

import msgspec
import pytest
from httpx import AsyncClient
from PIL import Image

from citybrain.brain.act import LARGEST_PHOTO
from citybrain.doors.api.reports import Filed
from citybrain.kernel.text import Json
from tests.doors.conftest import World

BASE = "/api/v1/act/reports"
KEY = {"Idempotency-Key": "0123456789abcdef0123"}


def saying(**changes: Json) -> dict[str, Json]:
    """A report as sent."""
    place: Json = {"lon": 117.1, "lat": 39.1}
    return {"form": "amiss", "words": "王奶奶家门口路灯不亮", "code": "01037", "place": place, "contact": "13800138000"} | changes


async def file(client: AsyncClient, **changes: Json) -> Filed:
    """File it and return what the reporter gets."""
    answer = await client.post(BASE, json=saying(**changes), headers=KEY)
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=Filed)


def photo() -> bytes:
    """A small photo with a note of the camera."""
    made, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "Kamera GmbH"
    Image.new("RGB", (40, 30), "red").save(made, "JPEG", exif=exif)
    return made.getvalue()


async def test_classes_are_found_by_everyday_words(world: World) -> None:
    async with world.client() as nobody:
        found = (await nobody.get(BASE + "/classes", params={"form": "amiss", "words": "路灯不亮"})).json()

    assert found[0]["code"] == "01037"


async def test_forms_say_their_catalogue_its_date_and_how_sure_it_is(world: World) -> None:
    async with world.client() as nobody:
        found = (await nobody.get(BASE + "/forms")).json()

    assert [(one["name"], one["since"], one["mark"]) for one in found] == [("amiss", "2026-07-01", "secondary")]


async def test_a_report_gets_a_number_a_unit_and_a_time_and_the_same_again_gets_the_same(world: World) -> None:
    async with world.client() as nobody:
        first, second = await file(nobody), await file(nobody)

    assert first == second
    assert (first.number, first.unit.zh) == ("NK-20261122-000001", "水务")
    assert first.due == "2026-11-27T09:30:00Z"


async def test_other_content_under_the_same_key_is_refused(world: World) -> None:
    async with world.client() as nobody:
        await file(nobody)
        answer = await nobody.post(BASE, json=saying(words="别的事"), headers=KEY)

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "short"}])
async def test_a_key_that_others_could_guess_is_refused(world: World, headers: dict[str, str]) -> None:
    async with world.client() as nobody:
        assert (await nobody.post(BASE, json=saying(), headers=headers)).status_code == 400


async def test_a_report_outside_the_district_says_so(world: World) -> None:
    async with world.client() as nobody:
        answer = await nobody.post(BASE, json=saying(place={"lon": 116.4, "lat": 39.9}), headers=KEY)

    assert (answer.status_code, answer.json()["field"]) == (400, "place")
    assert "不在本区范围内" in answer.json()["detail"]


async def test_likes_are_shown_without_what_others_said(world: World) -> None:
    async with world.client() as nobody:
        number = (await file(nobody)).number
        answer = await nobody.post(BASE + "/alike", json=saying(words="路灯又不亮了"))

    assert [one["number"] for one in answer.json()] == [number]
    assert "王奶奶" not in answer.text


async def test_progress_and_photo_open_to_the_key_alone(world: World) -> None:
    async with world.client() as nobody:
        held = (await nobody.post(BASE + "/photos", content=photo(), headers=KEY | {"Content-Type": "image/jpeg"})).json()
        filed = await file(nobody, photo=held["photo"])
        mine = {"X-Report-Key": filed.key}
        seen = await nobody.get(f"{BASE}/{filed.number}/progress", headers=mine)
        picture = await nobody.get(f"{BASE}/{filed.number}/photo", headers=mine)
        for path in ("progress", "photo"):
            assert (await nobody.get(f"{BASE}/{filed.number}/{path}")).status_code == 400
            refused = await nobody.get(f"{BASE}/{filed.number}/{path}", headers={"X-Report-Key": "a" * 16})
            assert refused.status_code == 404

    assert (seen.json()["words"], seen.json()["state"]["zh"], seen.json()["photo"]) == ("王奶奶家门口路灯不亮", "待受理", True)
    assert picture.headers["content-type"] == "image/jpeg"
    assert b"Kamera" not in picture.content


async def test_a_closing_is_rated_and_what_is_not_solved_is_reopened_and_stands_in_the_trail(world: World) -> None:
    cases = world.parts.cases
    async with world.client() as nobody, world.client("dispatcher") as desk, world.client("handler") as hands:
        filed = await file(nobody)
        for who, move, more in (
            (desk, "accept", {}),
            (desk, "assign", {"to_unit": "water"}),
            (hands, "take", {}),
            (hands, "finish", {"note": "灯泡已更换"}),
            (desk, "approve", {}),
        ):
            version = cases.by_number(filed.number).version
            done = await who.post(
                f"/api/v1/act/cases/{filed.number}/moves", json={"move": move, **more}, headers={"If-Match": f'"{version}"'}
            )
            assert done.status_code == 200, done.text
        mine, path = {"X-Report-Key": filed.key}, f"{BASE}/{filed.number}"
        seen = (await nobody.get(path + "/progress", headers=mine)).json()
        rated = await nobody.post(path + "/ratings", json={"grade": 2, "solved": False, "words": "又灭了"}, headers=mine)
        again = await nobody.post(path + "/ratings", json={"grade": 5, "solved": True}, headers=mine)

    assert (seen["answers"], seen["may_rate"], seen["may_reopen"]) == (["灯泡已更换"], True, True)
    assert (rated.json()["state"]["zh"], rated.json()["ratings"]) == ("已派遣，待处置", [[2, False]])
    assert again.status_code == 409
    assert cases.by_number(filed.number).closed is None
    async with world.client("auditor") as auditor:
        trail = (await auditor.get("/api/v1/protect/audit")).json()["items"]
    assert {"report.open", "report.rate"} <= {row["action"] for row in trail}


async def test_what_was_said_is_masked_without_a_purpose_and_a_look_with_one_stands_in_the_trail(world: World) -> None:
    async with world.client() as nobody, world.client("dispatcher") as desk, world.client("leader") as leader:
        await file(nobody)
        plain = (await desk.get(BASE)).json()
        told = (await desk.get(BASE, params={"purpose": "核实"})).json()["items"][0]
        overview = (await leader.get(BASE, params={"purpose": "看看"})).json()["items"][0]

    assert (plain["items"][0]["words"], plain["items"][0]["contact"]) == ("王********", "138******00")
    assert plain["masked"] == ["contact", "photo", "rating", "spot", "words"]
    assert told["words"] == "王奶奶家门口路灯不亮"
    assert overview["words"] == "王********"
    async with world.client("auditor") as auditor:
        trail = (await auditor.get("/api/v1/protect/audit")).json()["items"]
    assert [row["purpose"] for row in trail if row["action"] == "report.read"] == ["核实"]


async def test_a_handler_sees_the_reports_of_the_own_unit_alone(world: World) -> None:
    async with world.client() as nobody, world.client("handler") as hands:
        filed = await file(nobody)
        assert [row["number"] for row in (await hands.get(BASE)).json()["items"]] == [filed.number]
        case = world.parts.cases.by_number(filed.number)
        async with world.client("dispatcher") as desk:
            for move, more in (("accept", {}), ("assign", {"to_unit": "roads"})):
                version = world.parts.cases.by_number(filed.number).version
                await desk.post(
                    f"/api/v1/act/cases/{case.id}/moves", json={"move": move, **more}, headers={"If-Match": f'"{version}"'}
                )
        assert (await hands.get(BASE)).json()["items"] == []


async def test_200_megabytes_are_refused_while_they_come_in(world: World) -> None:
    piece, sent = b"\xff" * 1_000_000, 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += len(piece)
            yield piece

    tracemalloc.start()
    async with world.client() as nobody:
        answer = await nobody.post(BASE + "/photos", content=endless(), headers=KEY | {"Content-Type": "image/jpeg"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert sent <= LARGEST_PHOTO + 2 * len(piece)
    assert peak < 60_000_000


@pytest.mark.parametrize("junk", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff"])
async def test_what_is_no_photo_is_a_problem_and_no_error_of_ours(world: World, junk: bytes) -> None:
    async with world.client() as nobody:
        answer = await nobody.post(BASE + "/photos", content=junk, headers=KEY | {"Content-Type": "image/jpeg"})

    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
