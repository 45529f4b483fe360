"""Limits over HTTP: tried on history, published with a reason and a version, refused with one, rolled back, and in the audit trail."""

from citybrain.brain.observe import read_rows
from citybrain.kernel.instant import HOUR, Instant, rfc3339
from tests.doors.conftest import NOW, World

LIMIT = "/api/v1/detect/limits/wells.well_limit"


async def fill(world: World, *levels: float) -> None:
    """One reading an hour of the first well, the last of them now."""
    for hours, value in enumerate(reversed(levels)):
        at = rfc3339(Instant(NOW - hours * HOUR))
        row = f'[{{"stream": "well-1.level", "time": "{at}", "value": {value}}}]'
        world.clock.set(Instant(NOW - hours * HOUR))
        await world.parts.intake.take(read_rows(row.encode()), "test", None)
    world.clock.set(NOW)


async def test_a_limit_is_listed_with_its_range_and_rules(world: World) -> None:
    async with world.client("leader") as client:
        (limit,) = (await client.get("/api/v1/detect/limits")).json()
    assert (limit["value"], limit["low"], limit["high"], limit["unit"], limit["version"]) == (40.0, 10.0, 60.0, "m", 0)
    assert limit["rules"] == ["well_high"]


async def test_a_trial_says_what_would_appear_and_how_much_history_it_rests_on(world: World) -> None:
    await fill(world, 30.0, 36.0, 30.0, 45.0)
    async with world.client("dispatcher") as client:
        found = (await client.post(f"{LIMIT}/trial", json={"value": 35.0, "unit": "m", "days": 3})).json()
    assert (found["before"], found["after"], found["rows"], found["days"]) == (1, 2, 4, 3)
    assert [(each["change"], each["after"]["entity"]) for each in found["shifts"]] == [("appears", "well-1")]


async def test_a_leader_sees_limits_and_neither_tries_nor_publishes_them(world: World) -> None:
    async with world.client("leader") as client:
        assert (await client.post(f"{LIMIT}/trial", json={"value": 35.0, "unit": "m"})).status_code == 403
        answer = await client.post(
            f"{LIMIT}/versions", json={"value": 35.0, "unit": "m", "why": "汛期"}, headers={"If-Match": '"0"'}
        )
        assert answer.status_code == 403


async def test_publishing_needs_the_version_seen_and_stands_in_the_audit_trail(world: World) -> None:
    body = {"value": 42.0, "unit": "m", "why": "汛期前调整"}
    async with world.client("data_officer") as client:
        assert (await client.post(f"{LIMIT}/versions", json=body)).status_code == 428
        made = await client.post(f"{LIMIT}/versions", json=body, headers={"If-Match": '"0"'})
        assert (made.status_code, made.headers["etag"], made.json()["limit"]["value"]) == (201, '"1"', 42.0)
        assert made.json()["history"][0]["why"] == "汛期前调整"
        assert made.json()["history"][0]["since"] == "2026-11-22T07:00:00Z"
        assert (
            await client.post(f"{LIMIT}/versions", json={**body, "value": 43.0}, headers={"If-Match": '"0"'})
        ).status_code == 412
        back = await client.post(f"{LIMIT}/rollback", json={"to": 0, "why": "恢复原值"}, headers={"If-Match": '"1"'})
        assert (back.json()["limit"]["value"], back.headers["etag"]) == (40.0, '"2"')
    async with world.client("auditor") as client:
        rows = (await client.get("/api/v1/protect/audit?action=rule.publish&allowed=true")).json()["items"]
    assert [row["resource"] for row in rows] == ["limit:wells.well_limit"] * 3


async def test_a_value_out_of_range_in_another_unit_or_against_an_example_is_refused_with_its_reason(world: World) -> None:
    async with world.client("data_officer") as client:
        for body, field in (
            ({"value": 99.0, "unit": "m", "why": "汛期前调整"}, "value"),
            ({"value": 42.0, "unit": "cm", "why": "汛期前调整"}, "unit"),
            ({"value": 50.0, "unit": "m", "why": "汛期前调整"}, "note"),
            ({"value": 42.0, "unit": "m", "why": ""}, "why"),
        ):
            answer = await client.post(f"{LIMIT}/versions", json=body, headers={"If-Match": '"0"'})
            assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (400, "bad_input", field)
