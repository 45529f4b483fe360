"""Promises over HTTP: read by staff, agreed on by the data officer with the version that was seen, and in the audit trail."""

from citybrain.brain.observe import read_rows
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from tests.doors.conftest import NOW, World

SALT = "/api/v1/observe/streams/well-1.salt/promise"
PROMISE = {"every": 600_000_000, "silent_after": 1_800_000_000, "low": 0.0, "high": 50.0}
BODY = {"contract": PROMISE, "why": "盐度每十分钟一次"}


async def fill(world: World) -> None:
    rows = [
        f'{{"stream": "well-1.salt", "time": "{rfc3339(Instant(NOW - at * 10 * MINUTE))}", "value": {20 + at % 5}}}'
        for at in range(400)
    ]
    await world.parts.intake.take(read_rows(f"[{','.join(rows)}]".encode()), "test", None)


async def test_a_proposal_is_read_by_staff_with_what_it_rests_on(world: World) -> None:
    await fill(world)
    async with world.client("leader") as client:
        answer = await client.get(SALT)
    sheet = answer.json()
    assert (answer.headers["etag"], sheet["free"], sheet["agreed"], sheet["history"]) == ('"0"', True, False, [])
    assert (sheet["proposal"]["contract"]["every"], sheet["proposal"]["readings"]) == (600_000_000, 400)
    assert sheet["proposal"]["until"] == rfc3339(NOW)


async def test_the_data_officer_agrees_and_takes_back_with_the_version_seen(world: World) -> None:
    async with world.client("admin") as client:
        assert (await client.post(SALT, json=BODY, headers={"If-Match": '"0"'})).status_code == 403
    async with world.client("data_officer") as client:
        assert (await client.post(SALT, json=BODY)).status_code == 428
        made = await client.post(SALT, json=BODY, headers={"If-Match": '"0"'})
        assert (made.status_code, made.json()["agreed"], made.json()["contract"]["high"]) == (201, True, 50.0)
        row = (await client.get("/api/v1/observe/streams/well-1.salt")).json()
        assert (row["contract"], row["every"], row["silent_after"]) == ("agreed", 600.0, 1800.0)
        assert (await client.post(SALT, json=BODY, headers={"If-Match": '"0"'})).status_code == 412
        back = await client.post(f"{SALT}/end", json={"why": "探头已拆"}, headers={"If-Match": made.headers["etag"]})
        assert (back.status_code, back.json()["agreed"], len(back.json()["history"])) == (201, False, 2)
    async with world.client("auditor") as client:
        rows = (await client.get("/api/v1/protect/audit?action=stream.promise&allowed=true")).json()["items"]
    assert [row["resource"] for row in rows] == ["stream:well-1.salt"] * 3


async def test_what_cannot_be_promised_is_refused_with_its_field(world: World) -> None:
    async with world.client("data_officer") as client:
        wrong = await client.post(SALT, json={**BODY, "contract": {"low": 5.0, "high": 1.0}}, headers={"If-Match": '"0"'})
        assert (wrong.status_code, wrong.json()["field"]) == (400, "low")
        declared = SALT.replace("salt", "level")
        refused = await client.post(declared, json=BODY, headers={"If-Match": '"0"'})
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert (await client.get(SALT.replace("salt", "none"))).status_code == 404
