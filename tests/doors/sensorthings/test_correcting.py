"""Observations changed and deleted: corrections of readings, for those who may correct, with what was measured kept."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import numpy as np
import pytest
from httpx import AsyncClient, Response

from citybrain.brain.observe import Act, Correction, Rows, Wanted, read_rows, setting
from citybrain.doors.sensorthings.altering import PATCH
from citybrain.doors.sensorthings.together import Group, begun
from citybrain.kernel.access import Role
from citybrain.kernel.errors import BadInputError, StaleError, StorageFullError
from citybrain.kernel.instant import MINUTE, Instant
from citybrain.kernel.text import Json, same
from tests.doors.conftest import NOW, PASSWORD, World
from tests.doors.sensorthings import test_multipart as parts
from tests.doors.sensorthings.conftest import ROOT, Desk, fill, parts_of
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_making import said
from tests.doors.sensorthings.test_together import of_group, status

LISTED = "/Datastreams('well-1.level')/Observations"
NEWEST = "2026-11-22T06:59:00Z"
CHANGED = "经 SensorThings 修改 · Changed over SensorThings"
DELETED = "经 SensorThings 删除 · Deleted over SensorThings"


async def newest(client: AsyncClient) -> str:
    """The address of the newest Observation of the level of well 1."""
    (found,) = (await said(client, LISTED, _orderby="phenomenonTime desc", _top="1"))["value"]
    return f"/Observations('{found['@iot.id']}')"


async def results(client: AsyncClient, path: str = LISTED) -> list[Json]:
    return [one["result"] for one in (await said(client, path, _orderby="phenomenonTime desc"))["value"]]


async def patched(client: AsyncClient, at: str, body: object, **headers: str) -> Response:
    return await client.patch(ROOT + at, json=body, headers=headers)


def corrections(world: World, stream: str = "well-1.level") -> tuple[Correction, ...]:
    return world.parts.corrections.of(world.parts.registry.stream(stream))


def officer(world: World) -> str:
    """The id of the data officer's account."""
    return next(account.id for account in world.parts.accounts.all() if account.login == "data_officer")


async def trail(world: World) -> list[dict[str, Any]]:
    async with world.client("auditor") as client:
        rows = (await client.get("/api/v1/protect/audit?action=observation.correct")).json()["items"]
    found: list[dict[str, Any]] = rows
    return found


async def test_a_result_is_corrected_what_was_measured_is_kept_and_stands_again_when_that_is_taken_back(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        assert (await patched(client, at, {"result": 12})).status_code == 200
        found = await said(client, at)
        assert (found["result"], found["resultQuality"][0]["nameOfMeasure"]) == (12.0, "correction")
        assert await results(client) == [12.0, 11.0, 10.0]
        road = "/api/v1/observe/streams/well-1.level/corrections"
        one = (await client.get(f"{road}/1")).json()
        assert [(row["measured"], row["before"], row["after"]) for row in one["readings"]] == [(12.5, 12.5, 12.0)]
        assert (one["correction"]["by"], one["correction"]["why"]) == (officer(sta), CHANGED)
        assert (await client.post(f"{road}/1/end", json={"why": "原来没有错"})).status_code == 201
        assert (await said(client, at))["result"] == 12.5
    first = (await trail(sta))[-1]
    assert (first["account"], first["resource"], first["allowed"]) == (officer(sta), "stream:well-1.level", True)
    assert (first["detail"]["facts"]["door"], first["detail"]["facts"]["why"]) == ("sensorthings", CHANGED)


async def test_the_purpose_that_is_said_stands_first_in_the_reason(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        assert (await patched(client, await newest(client), {"result": 12}, **{"X-Purpose": "probe 7"})).status_code == 200
    (one,) = corrections(sta)
    assert one.why == f"probe 7 · {CHANGED}"
    assert (await trail(sta))[0]["purpose"] == "probe 7"


async def test_what_was_read_may_be_sent_back_whole(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        for count, (method, path) in enumerate((("PUT", at), ("PATCH", at), ("PUT", LISTED.removesuffix("/Observations") + at)), 1):
            whole = await said(client, at)
            links = {"Datastream": {"@iot.id": "well-1.level"}, "FeatureOfInterest": {"@iot.id": "well-1"}}
            body = {**whole, **links, "phenomenonTime": "2026-11-22T14:59:00+08:00", "result": float(count), "validTime": None}
            answer = await client.request(method, ROOT + path, json=body)
            assert answer.status_code == 200, answer.text
            assert (await said(client, at))["result"] == count
    assert [one.change.offset for one in corrections(sta)] == [3.0, 2.0, 1.0]


async def test_a_json_patch_is_done_whole_or_not_at_all(sta: World) -> None:
    await fill(sta)
    kind = {"Content-Type": PATCH}
    better: dict[str, Any] = {"op": "replace", "path": "/result", "value": 12}
    async with sta.client("data_officer") as client:
        at = await newest(client)
        for wrong, why in (
            ({"op": "test", "path": "/result", "value": 99}, 400),
            ({"op": "replace", "path": "/phenomenonTime", "value": "six o'clock"}, 400),
            ({"op": "remove", "path": "/result"}, 400),
            ({"op": "add", "path": "/validTime", "value": "2026-11-22T06:58:00Z"}, 400),
        ):
            assert (await patched(client, at, [better, wrong], **kind)).status_code == why
        assert (await said(client, at))["result"] == 12.5
        assert (await patched(client, at, [{"op": "test", "path": "/result", "value": 12.5}, better], **kind)).status_code == 200
        assert (await said(client, at))["result"] == 12
    assert len(corrections(sta)) == 1


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"result": 12, "phenomenonTime": "yesterday"}, 400, "phenomenonTime is an RFC 3339 instant"),
        ({"result": 12, "phenomenonTime": "2026-11-22T07:00:00Z/2026-11-22T06:59:00Z"}, 400, "phenomenonTime"),
        ({"result": 12, "phenomenonTime": "2026-11-22T06:55:00Z"}, 409, "There is a reading at 2026-11-22T06:55:00Z"),
        ({"result": 12, "phenomenonTime": "2027-11-22T06:55:00Z"}, 400, "cannot be moved to 2027"),
        ({"result": 12, "resultTime": "later"}, 400, "resultTime is an RFC 3339 instant"),
        ({"result": 12, "validTime": "2026-11-22T06:59:00Z"}, 400, "validTime is an interval"),
        ({"result": 12, "Datastream": {"@iot.id": "none"}}, 400, "no Datastream 'none'"),
        ({"Datastream@odata.bind": "well-2.level"}, 400, "the address of an entity"),
        ({"result": 12, "Datastream": {"@iot.id": "well-1.level", "name": "Level"}}, 400, "nothing else"),
        (
            {"result": 12, "MultiDatastream": {"@iot.id": "well-1"}},
            409,
            "is of a Datastream, and is not moved to a MultiDatastream",
        ),
        ({"result": 12, "FeatureOfInterest": {"@iot.id": "none"}}, 400, "no FeatureOfInterest 'none'"),
        ({"result": 12, "FeatureOfInterest": {"name": "Nowhere"}}, 400, "encodingType"),
        ({"result": 12, "parameters": [3]}, 400, "parameters is an object"),
        ({"result": 12, "parameters": {"depth": "3" * 9000}}, 400, "8192 bytes at most"),
        ({"result": 12, "colour": "blue"}, 501, "colour would not be kept"),
        ({"result": "12"}, 400, "a finite number"),
        ({"result": True}, 400, "a finite number"),
        ({"result": None}, 400, "use DELETE"),
        ({"result": [12]}, 400, "a finite number"),
        ([], 400, "an object"),
    ],
)
async def test_anything_else_that_would_be_another_is_refused_and_nothing_is_changed(
    sta: World, body: Json, code: int, words: str
) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        answer = await patched(client, await newest(client), body)
        assert (answer.status_code, answer.json()["code"]) == (code, code)
        assert words in answer.json()["message"]
        assert await results(client) == [12.5, 11.0, 10.0]
        without = await client.put(ROOT + await newest(client), json={"phenomenonTime": NEWEST})
        assert without.status_code == 400, "what replaces says its result"
    assert (corrections(sta), await trail(sta)) == ((), [])


async def test_what_stands_already_is_answered_and_changes_nothing(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        for body in ({"result": 12.5}, {"@iot.id": "1.1"}, {"result": 12.500000000000000001}):
            assert (await patched(client, at, body)).status_code == 200
        for _ in range(2):
            assert (await patched(client, at, {"result": 0.30000000000000004})).status_code == 200
        assert (await said(client, at))["result"] == 0.3
    assert (len(corrections(sta)), len(await trail(sta))) == (1, 1)


async def test_what_is_deleted_is_in_no_list_and_no_count_and_can_be_taken_back(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        assert (await client.delete(ROOT + at)).status_code == 200
        for method, body in (("DELETE", None), ("GET", None), ("PATCH", {"result": 1}), ("PUT", {"result": 1})):
            assert (await client.request(method, ROOT + at, json=body)).status_code == 404, method
        found = await said(client, LISTED, _orderby="phenomenonTime desc", _count="true")
        assert ([one["result"] for one in found["value"]], found["@iot.count"]) == ([11.0, 10.0], 2)
        stream = await said(client, "/Datastreams('well-1.level')")
        assert stream["properties"]["latest"]["value"] == 11.0
        assert (
            await client.post("/api/v1/observe/streams/well-1.level/corrections/1/end", json={"why": "没有错"})
        ).status_code == 400
        assert (
            await client.post("/api/v1/observe/streams/well-1.level/corrections/1/end", json={"why": "原来没有错"})
        ).status_code == 201
        assert await results(client) == [12.5, 11.0, 10.0]
    (one,) = corrections(sta)
    assert (one.change.strikes, one.rows, one.by, one.why) == (True, 1, officer(sta), DELETED)


async def test_what_is_not_there_is_not_found(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = (await newest(client)).removeprefix("/")
        number, _, time = at.removeprefix("Observations('").removesuffix("')").partition(".")
        for path in (
            f"/Observations('{number}.{int(time) + 1}')",
            f"/Observations('999.{time}')",
            "/Observations('none')",
            "/Observations('none@1')",
            f"/Datastreams('well-2.salt')/{at}",
            f"/Things('well-1')/{at}",
        ):
            for method in ("PATCH", "PUT", "DELETE"):
                assert (await client.request(method, ROOT + path, json={"result": 1})).status_code == 404, (method, path)
        answer = await client.delete(f"{ROOT}/{at}/Datastream")
        assert answer.status_code == 403, "what is no Observation asks for another action"
        assert await results(client) == [12.5, 11.0, 10.0]


@pytest.mark.parametrize("role", [None, "device", "admin", "dispatcher", "handler", "leader", "auditor", "citizen"])
async def test_others_are_refused_as_over_the_api(sta: World, role: Role | None) -> None:
    await fill(sta)
    async with sta.client("data_officer") as desk:
        at = await newest(desk)
    async with sta.client(role) as client:
        over = await client.post("/api/v1/observe/streams/well-1.level/corrections?preview=true", json={"at": NEWEST, "value": 1})
        assert over.status_code in (401, 403)
        for method in ("PATCH", "PUT", "DELETE"):
            answer = await client.request(method, ROOT + at, json={"result": 1})
            assert (answer.status_code, answer.json()["reason"]) == (over.status_code, over.json()["code"])
    async with sta.client("data_officer") as desk:
        assert await results(desk) == [12.5, 11.0, 10.0]


async def test_what_was_computed_is_refused_as_corrections_do(sta: World) -> None:
    await fill(sta)
    row = f'[{{"stream": "well-2.level", "time": "{NEWEST}", "value": 3}}]'
    await sta.parts.intake.take(read_rows(row.encode()), "derived", None)
    async with sta.client("data_officer") as client:
        (found,) = (await said(client, "/Datastreams('well-2.level')/Observations"))["value"]
        at = f"{ROOT}/Observations('{found['@iot.id']}')"
        for method in ("PATCH", "DELETE"):
            answer = await client.request(method, at, json={"result": 1})
            assert (answer.status_code, answer.json()["message"].endswith("correct those instead.")) == (400, True)
    assert corrections(sta, "well-2.level") == ()


async def test_of_two_who_delete_the_same_one_finds_nothing_there(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        answers = await asyncio.gather(*(client.delete(ROOT + at) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
        at = await newest(client)
        changed = await asyncio.gather(*(patched(client, at, {"result": value}) for value in (7, 8, 8)))
        assert [answer.status_code for answer in changed] == [200] * 3
        assert (await said(client, at))["result"] in (7, 8)


async def test_a_reading_that_never_rests_is_given_up(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    async def stale(acts: Sequence[Act], by: str) -> None:
        tries.append(f"{by} {acts[0].why}")
        raise StaleError(same("stale"))

    await fill(sta)
    monkeypatch.setattr(sta.parts.corrections, "acts", stale)
    async with sta.client("data_officer") as client:
        assert (await patched(client, await newest(client), {"result": 1})).status_code == 412
    assert tries == [f"{officer(sta)} {CHANGED}"] * 3


async def test_a_batch_holds_them_as_requests_of_their_own(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = (await newest(client)).removeprefix("/")
        answers = await sent(
            client,
            {"id": "1", "method": "patch", "url": at, "body": {"result": 12}},
            {"id": "2", "method": "get", "url": at},
            {"id": "3", "method": "delete", "url": at},
            {"id": "4", "method": "delete", "url": at},
        )
        assert (status(answers), answers[1]["body"]["result"]) == ([200, 200, 200, 404], 12)
        at = (await newest(client)).removeprefix("/")
        operations: list[Json] = [{"op": "replace", "path": "/result", "value": 9}]
        found = await parts.sent(
            client,
            parts.asking(f"PATCH {at} HTTP/1.1", operations, kind=PATCH),
            parts.asking(f"GET {at}?$select=result HTTP/1.1"),
            parts.asking(f"DELETE {at} HTTP/1.1"),
        )
        assert [each[0] for each in found] == [200] * 3
        assert found[1][2] == {"result": 9}
        assert await results(client) == [10.0]


@asynccontextmanager
async def both(world: World) -> AsyncIterator[AsyncClient]:
    """One who may make things, write readings as a device would not, and correct them."""
    world.parts.accounts.create("两者", "both", PASSWORD, ["admin", "data_officer"])
    async with world.client() as client:
        signed = await client.post("/api/v1/protect/session", json={"login": "both", "password": PASSWORD})
        client.headers["X-CSRF-Token"] = signed.json()["csrf"]
        yield client


THING: dict[str, Json] = {"method": "post", "url": "Things", "body": {"name": "Gauge", "description": "A gauge"}}


async def test_in_a_change_set_they_stand_or_fall_with_the_rest(sta: World) -> None:
    await fill(sta)
    async with both(sta) as client:
        first, second = await Desk(client).ids("/Datastreams('well-1.level')/Observations", _top="2")
        change = {"method": "patch", "url": f"Observations('{first}')", "body": {"result": 9}}
        strike = {"method": "delete", "url": f"Observations('{second}')"}
        bad: dict[str, Json] = {"method": "post", "url": "Things", "body": {"name": ""}}
        assert status(await sent(client, *of_group(THING, change, strike, bad))) == [424, 424, 424, 400]
        for again in (change, strike):
            twice = {**again, "url": change["url"]}
            assert status(await sent(client, *of_group(change, twice))) == [424, 400]
        assert status(await sent(client, *of_group(change, {**strike, "url": "Observations('1.7')"}))) == [424, 404]
        assert await results(client) == [12.5, 11.0, 10.0]
        assert corrections(sta) == ()
        assert status(await sent(client, *of_group(THING, change, strike))) == [201, 200, 200]
        assert await results(client) == [9.0, 10.0]
        (await client.get(f"{ROOT}/Things('gauge')")).raise_for_status()
        assert [one.state for one in corrections(sta)] == ["standing", "standing"]
        (done,) = await parts.sent(client, [parts.asking(f"DELETE Observations('{first}') HTTP/1.1", None, "2")])
        assert done[0][0] == 200
        assert await results(client) == [10.0]


async def test_in_a_change_set_readings_come_in_beside_corrections_or_not_at_all(
    sta: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(sta)
    # Nobody but a test is both: roles are kept apart by policy, devices write and people correct.
    stream = sta.parts.registry.stream("well-1.level")
    at = Instant(NOW - MINUTE)

    def begin() -> Group:
        group = begun(parts_of(sta))
        change = setting(at, 9.0)
        group.correct([Wanted(stream, change, sta.parts.corrections.preview(stream, change).seen)], "经变更集", "both")
        return group

    group = begin()
    await group.take(rows(("well-1.level", at, 7.0)), "sensorthings", None)
    with pytest.raises(BadInputError, match="once"):
        await group.enter()
    group = begin()
    await group.take(rows(("well-1.level", NOW, 13.5)), "sensorthings", None)
    with monkeypatch.context() as patch:
        patch.setattr(sta.parts.intake, "_append", full)
        with pytest.raises(StorageFullError):
            await group.enter()
    async with sta.client("dispatcher") as client:
        assert await results(client) == [12.5, 11.0, 10.0]
        assert corrections(sta) == ()
        await group.enter()
        assert await results(client) == [13.5, 9.0, 11.0, 10.0]
    with pytest.raises(BadInputError, match="already"):
        await group.enter()
    assert len(corrections(sta)) == 1


async def full(_: object) -> NoReturn:
    """A store that takes nothing."""
    raise StorageFullError(same("full"))


def rows(*listed: tuple[str, int, float]) -> Rows:
    """Rows of the intake."""
    told = zip(*listed, strict=True)
    streams, time, value = (list(one) for one in told)
    return Rows([str(one) for one in streams], np.array(time, np.int64), np.array(value, np.float64), None, np.arange(len(listed)))
