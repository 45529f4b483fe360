"""Cases over HTTP: filed, listed, moved with the version that was seen, and only by whom policy and flow allow."""

from typing import Any

import pytest
from httpx import Response

from tests.doors.conftest import World

CASES = "/api/v1/act/cases"
FILING = {"title": "井盖缺失", "words": "路口东侧井盖缺失", "duty": "water"}


def version(answer: Response) -> dict[str, str]:
    return {"If-Match": answer.headers["etag"]}


async def test_a_case_is_filed_moved_and_closed_by_those_whose_turn_it_is(world: World) -> None:
    async with world.client("dispatcher") as desk, world.client("handler") as handler:
        filed = await desk.post(CASES, json=FILING, headers={"Idempotency-Key": "one"})
        assert (filed.status_code, filed.json()["number"], filed.json()["unit"]) == (201, "NK-20261122-000001", "water")
        assert (await desk.post(CASES, json=FILING, headers={"Idempotency-Key": "one"})).json()["id"] == filed.json()["id"]
        case = filed.headers["location"]
        seen = await desk.get(case)
        assert [move["name"] for move in seen.json()["moves"]] == ["accept", "dismiss"]
        accepted = await desk.post(f"{case}/moves", json={"move": "accept"}, headers=version(seen))
        assigned = await desk.post(f"{case}/moves", json={"move": "assign", "to_unit": "water"}, headers=version(accepted))
        taken = await handler.post(f"{case}/moves", json={"move": "take"}, headers=version(assigned))
        assert (taken.status_code, taken.json()["case"]["state"]) == (200, "handling")
        noted = await handler.post(f"{case}/notes", json={"words": "已到现场"})
        assert (noted.status_code, noted.headers["etag"]) == (201, taken.headers["etag"])
        done = await handler.post(f"{case}/moves", json={"move": "finish", "note": "已更换"}, headers=version(taken))
        closed = await desk.post(f"{case}/moves", json={"move": "approve"}, headers=version(done))
    sheet = closed.json()
    assert (sheet["case"]["state"], sheet["moves"]) == ("closed", [])
    assert [step["move"] for step in sheet["steps"]["items"]] == ["open", "accept", "assign", "take", "note", "finish", "approve"]


async def test_a_move_needs_the_version_that_was_seen(world: World) -> None:
    async with world.client("dispatcher") as desk:
        case = (await desk.post(CASES, json=FILING)).json()["number"]
        url = f"{CASES}/{case}/moves"
        without = await desk.post(url, json={"move": "accept"})
        assert (without.status_code, without.json()["code"], without.json()["version"]) == (428, "needs_version", 1)
        for tag in ('"7"', "1", '"x"', "*"):
            stale = await desk.post(url, json={"move": "accept"}, headers={"If-Match": tag})
            assert (stale.status_code, stale.json()["code"]) == (412, "stale"), tag
        refused = await desk.post(url, json={"move": "approve"}, headers={"If-Match": '"1"'})
        assert (refused.status_code, refused.json()["code"], refused.json()["allowed"]) == (
            409,
            "refused_move",
            ["accept", "dismiss"],
        )


async def test_a_handler_sees_and_moves_the_cases_of_the_own_unit_alone(world: World) -> None:
    async with world.client("dispatcher") as desk, world.client("handler") as handler:
        own = (await desk.post(CASES, json=FILING)).json()
        other = (await desk.post(CASES, json={**FILING, "duty": "roads"})).json()
        listed = (await handler.get(f"{CASES}?count=true")).json()
        assert ([row["id"] for row in listed["items"]], listed["total"]) == ([own["id"]], 1)
        assert (await handler.get(f"{CASES}/{other['number']}")).status_code == 404
        foreign = await handler.post(f"{CASES}/{other['id']}/moves", json={"move": "take"}, headers={"If-Match": '"1"'})
        assert foreign.status_code == 404
        early = await handler.post(f"{CASES}/{own['id']}/moves", json={"move": "accept"}, headers={"If-Match": '"1"'})
        assert (early.status_code, early.json()["code"]) == (403, "forbidden")


async def test_lists_filter_sort_page_and_count(world: World) -> None:
    async with world.client("dispatcher") as desk:
        for grade in (1, 2, 3):
            await desk.post(CASES, json={**FILING, "grade": grade, "title": f"第{grade}件"})
        first = (await desk.get(f"{CASES}?sort=grade&limit=2&count=true")).json()
        then = (await desk.get(f"{CASES}?sort=grade&limit=2&cursor={first['next']}")).json()
        found = (await desk.get(f"{CASES}?grade.in=1,3&title.contains=第3&opened.le=2026-11-22T07:00:00Z")).json()
    assert ([row["grade"] for row in first["items"]], first["total"]) == ([1, 2], 3)
    assert ([row["grade"] for row in then["items"]], then["next"]) == ([3], None)
    assert "total" not in then
    assert [row["grade"] for row in found["items"]] == [3]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("colour=red", 400),
        ("limit=0", 400),
        ("limit=10000", 400),
        ("cursor=x", 400),
        ("cursor=%FF%FE", 400),
        ("grade=three", 400),
        ("opened.ge=2026-11-22", 400),
        ("title=%00", 400),
        ("sort=words", 422),
        ("bbox=117,39,118,40&lang=en", 200),
    ],
)
async def test_words_that_a_list_cannot_serve_are_refused(world: World, words: str, status: int) -> None:
    async with world.client("dispatcher") as desk:
        assert (await desk.get(f"{CASES}?{words}")).status_code == status


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"title": "a\u0000b"},
        {"grade": 5},
        {"colour": "red"},
        {"place": {"lon": 200, "lat": 0}},
        {"place": {"lon": 1, "lat": 1}},
        {"area": "Nankai"},
        {"allowance": {"amount": 1_000_000_000, "counting": "working_days"}},
        {"words": 5},
    ],
)
async def test_a_filing_that_is_not_as_it_must_be_opens_nothing(world: World, change: dict[str, Any]) -> None:
    async with world.client("dispatcher") as desk:
        answer = await desk.post(CASES, json={**FILING, **change})
        assert answer.status_code == 400, answer.text
        assert (await desk.get(f"{CASES}?count=true")).json()["total"] == 0


async def test_a_place_finds_its_area(world: World) -> None:
    async with world.client("dispatcher") as desk:
        made = await desk.post(CASES, json={**FILING, "place": {"lon": 117.1, "lat": 39.1}})
        assert (await desk.get(made.headers["location"])).json()["case"]["area"] == "120104"


async def test_a_session_by_cookie_must_show_its_word_on_changes(world: World) -> None:
    async with world.client("dispatcher") as desk:
        del desk.headers["X-CSRF-Token"]
        assert (await desk.post(CASES, json=FILING)).status_code == 403
        assert (await desk.post(CASES, json=FILING, headers={"X-CSRF-Token": "x"})).status_code == 403
        good = desk.cookies["csrf"]
        outside = {"X-CSRF-Token": good, "Sec-Fetch-Site": "cross-site"}
        assert (await desk.post(CASES, json=FILING, headers=outside)).status_code == 403
        assert (await desk.post(CASES, json=FILING, headers={"X-CSRF-Token": good})).status_code == 201
        token = desk.cookies["session"]
    async with world.client() as script:
        assert (await script.post(CASES, json=FILING, headers={"Authorization": f"Bearer {token}"})).status_code == 201
