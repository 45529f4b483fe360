"""Observations in: one, or many as data arrays, each row with its verdict; what is not held is refused and says so."""

from typing import Any

from httpx import Response

from citybrain.kernel.instant import parse
from tests.doors.conftest import World, basic
from tests.doors.sensorthings.conftest import ROOT, desk

AT = "2026-11-22T06:59:00Z"
ID = f"1.{parse(AT)}"
LINK = f"http://city{ROOT}/Observations('{ID}')"


def level(**more: object) -> dict[str, object]:
    return {"phenomenonTime": AT, "result": 12.5, "Datastream": {"@iot.id": "well-1.level"}, **more}


def array(stream: str, components: list[str], *rows: list[object]) -> dict[str, object]:
    return {"Datastream": {"@iot.id": stream}, "components": components, "dataArray@iot.count": len(rows), "dataArray": rows}


async def ledger(world: World) -> dict[str, Any]:
    async with world.client("admin") as admin:
        found: list[dict[str, Any]] = (await admin.get("/api/v1/observe/doors")).json()
    return next(each for each in found if each["door"] == "sensorthings")


async def test_an_observation_that_is_acknowledged_is_stored_under_the_address_given(sta: World) -> None:
    async with sta.client("device") as device:
        made = await device.post(f"{ROOT}/Observations", json=level())
        again = await device.post(f"{ROOT}/Datastreams('well-1.level')/Observations", json={"phenomenonTime": AT, "result": 12.5})
        now = await device.post(f"{ROOT}/Datastreams('well-1.level')/Observations", json={"result": 13})
        feature = await device.post(f"{ROOT}/Observations", json=level(FeatureOfInterest={"@iot.id": "well-1"}, resultTime=AT))
    assert [answer.status_code for answer in (made, again, now, feature)] == [201] * 4
    assert made.headers["location"] == again.headers["location"] == LINK
    async with desk(sta) as someone:
        found = await someone.get(f"/Observations('{ID}')")
        listed = (await someone.get("/Datastreams('well-1.level')/Observations"))["value"]
    assert (found["result"], found["phenomenonTime"]) == (12.5, AT)
    assert [(each["phenomenonTime"], each["result"]) for each in listed] == [("2026-11-22T07:00:00Z", 13.0), (AT, 12.5)]
    account = await ledger(sta)
    assert (account["received"], account["stored"], account["duplicate"]) == (4, 2, 2)


async def test_an_observation_that_cannot_be_kept_whole_is_refused_with_its_reason(sta: World) -> None:
    async with sta.client("device") as device:

        async def said(body: object, path: str = "/Observations") -> tuple[int, str]:
            answer: Response = await device.post(ROOT + path, json=body)
            assert answer.headers["content-type"] == "application/problem+json"
            return answer.status_code, answer.json().get("reason", "")

        assert await said(level(Datastream={"@iot.id": "well-2.level"})) == (403, "forbidden")
        assert await said(level(Datastream={"@iot.id": "well-1.nothing"})) == (400, "unknown_stream")
        assert await said(level(phenomenonTime="2026-11-22T09:00:00Z")) == (400, "future_time")
        assert await said(level(phenomenonTime="yesterday")) == (400, "bad_time")
        assert await said(level(phenomenonTime="2026-11-22T07:00:00Z/2026-11-22T06:00:00Z")) == (400, "bad_time")
        assert await said(level(result="high")) == (400, "bad_value")
        assert await said({"result": 1}) == (400, "bad_input")
        assert await said([]) == (400, "unreadable")
        assert await said(level(resultTime="tomorrow")) == (400, "bad_input")
        assert await said(level(parameters="by hand")) == (400, "bad_input")
        assert await said(level(colour="blue")) == (501, "not_held")
        assert await said(level(FeatureOfInterest={"@iot.id": "well-9"})) == (400, "bad_input")
        assert await said(level(), "/Datastreams('well-1.salt')/Observations") == (400, "bad_input")
        assert await said({"name": "x"}, "/Things") == (403, "forbidden")
        broken = await device.post(f"{ROOT}/Observations", content=b"{", headers={"Content-Type": "application/json"})
        assert (broken.status_code, broken.json()["reason"]) == (400, "unreadable")
        other = await device.post(f"{ROOT}/Observations", content=b"x", headers={"Content-Type": "text/plain"})
        assert (other.status_code, other.json()["code"]) == (415, 415)
    account = await ledger(sta)
    assert account["stored"] == 0
    assert account["refused"] == {"forbidden_stream": 1, "unknown_stream": 1, "future_time": 1, "bad_time": 2, "bad_value": 1}


async def test_data_arrays_are_taken_row_by_row_and_each_has_its_verdict(sta: World) -> None:
    body = [
        array("well-1.level", ["phenomenonTime", "result"], [AT, 12.5], ["2026-11-22T06:58:00Z", "much"], [AT]),
        array("well-1.salt", ["result", "resultTime", "phenomenonTime"], [3, AT, AT], [3, AT, "2026-11-22T06:50:00Z"]),
        array("well-2.level", ["phenomenonTime", "result"], [AT, 1]),
    ]
    async with sta.client("device") as device:
        answer = await device.post(f"{ROOT}/CreateObservations", json=body, headers={"Idempotency-Key": "k1"})
        again = await device.post(f"{ROOT}/CreateObservations", json=body, headers={"Idempotency-Key": "k1"})
        none = await device.post(f"{ROOT}/CreateObservations", json=body[2:])
        secret = sta.parts.accounts.devices.create("井", "few", ["well-2"])
        device.headers["Authorization"] = basic("few", secret)
        short = [array("well-1.level", ["phenomenonTime", "result"], [AT, 12.5])]
        barred = await device.post(f"{ROOT}/CreateObservations", json=short)
        lost = await device.post(f"{ROOT}/CreateObservations", json=[array("well-1.level", ["result", "colour"], [1, {}])])
        timeless = [array("well-1.level", ["result"], [1])]
        again_when = await device.post(f"{ROOT}/CreateObservations", json=timeless, headers={"Idempotency-Key": "k2"})
    assert (again_when.status_code, again_when.json()["parameter"]) == (400, "phenomenonTime")
    assert answer.status_code == 201
    said = answer.json()
    assert [each if each.startswith("http") else each.partition(":")[0] for each in said] == [
        LINK,
        "error bad_value",
        "error bad_row",
        LINK.replace(ID, f"2.{parse(AT)}"),
        LINK.replace(ID, f"2.{parse('2026-11-22T06:50:00Z')}"),
        "error forbidden_stream",
    ]
    assert again.json() == said
    assert said[1] == "error bad_value: 值不是数。 The value is no number."
    assert [(one.status_code, [each.partition(":")[0] for each in one.json()]) for one in (none, barred)] == [
        (201, ["error forbidden_stream"])
    ] * 2, "the answer says of each row whether it was taken, on the short way too"
    assert lost.status_code == 501
    account = await ledger(sta)
    assert account["received"] == 8 == account["stored"] + account["duplicate"] + sum(account["refused"].values())
    assert account["refused"]["forbidden_stream"] == 3


async def test_what_a_pack_declares_is_not_changed_here_and_the_answer_says_so(sta: World) -> None:
    async with sta.client("admin") as admin:
        for method in ("PATCH", "PUT", "DELETE"):
            answer = await admin.request(method, f"{ROOT}/Things('well-1')", json={"name": "x"})
            assert (answer.status_code, answer.json()["reason"]) == (409, "conflict")
    async with desk(sta) as someone:
        assert (await someone.client.patch(f"{ROOT}/Things('well-1')", json={})).status_code == 403
        assert (await someone.client.post(f"{ROOT}/Observations", json=level())).status_code == 403


async def test_a_row_about_another_feature_than_the_thing_is_refused_and_not_stored_as_if_it_were_the_things(sta: World) -> None:
    names = ["phenomenonTime", "result", "FeatureOfInterest/id"]
    body = [array("well-1.level", names, [AT, 12.5, "well-1"], ["2026-11-22T06:58:00Z", 3, "well-9"])]
    async with sta.client("device") as device:
        said = (await device.post(f"{ROOT}/CreateObservations", json=body)).json()
    assert [each if each.startswith("http") else each.partition(":")[0] for each in said] == [LINK, "error bad_feature"]
    assert (await ledger(sta))["stored"] == 1


async def test_plain_arrays_are_answered_as_all_others_are(sta: World) -> None:
    times = ["2026-11-22T06:50:00Z", "2026-11-22T14:51:00+08:00", "2026-11-22T06:50:00.000001Z"]
    good = {"well-1.level": times, "well-1.flow": times[:0], "well-1.salt": times[1:]}
    mixed = good | {"well-1.nothing": times[:1], "well-2.level": times[:2]}
    async with sta.client("device") as device:
        for asked in (good, mixed):
            plain = [array(stream, ["phenomenonTime", "result"], *([time, 1] for time in given)) for stream, given in asked.items()]
            other = [array(stream, ["result", "phenomenonTime"], *([1, time] for time in given)) for stream, given in asked.items()]
            said, again = [await device.post(f"{ROOT}/CreateObservations", json=body) for body in (plain, other)]
            assert (said.status_code, said.json()) == (again.status_code, again.json())
            assert len({each for each in said.json() if each.startswith(f"http://city{ROOT}/Observations(")}) == 5
