"""What people say anew of Observations that are there: words, features and times, each with a record of what was known before."""

from collections.abc import Sequence

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import Anew, Featured, Restated, Signed
from citybrain.doors.sensorthings.altering import PATCH
from citybrain.kernel.errors import ConflictError, StorageFullError
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Json, same
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, entrusted, fill
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_correcting import CHANGED, LISTED, corrections, newest, officer, patched, results, trail
from tests.doors.sensorthings.test_featuring import POND, made, reading
from tests.doors.sensorthings.test_making import posted, said
from tests.doors.sensorthings.test_together import of_group, status

VALID = "2026-11-22T06:00:00Z/2026-11-22T07:00:00Z"
LATE = "2026-11-22T07:30:00Z"


def records(world: World, stream: str = "well-1.level") -> tuple[Restated, ...]:
    """What people said anew of a stream, newest first."""
    return world.parts.corrections.restated(world.parts.registry.stream(stream))


def mark(*names: str) -> Json:
    """The mark of an Observation of which these were said anew."""
    about = "由人员改写，不是发送者所说 · Said anew by a person, not by the sender"
    return {"nameOfMeasure": "restated", "measureDescription": about, "fields": [*names]}


SET: dict[str, Json] = {
    "nameOfMeasure": "correction",
    "measureDescription": "由人员更正，不是测得的值 · Set by a person, not measured",
}
"""The mark of a result that a person set."""


async def about(client: AsyncClient, at: str) -> str:
    """The id of what an Observation is about."""
    return str((await said(client, f"{at}/FeatureOfInterest"))["@iot.id"])


async def test_words_are_said_anew_with_a_record_of_what_was_known(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        body = {"resultTime": LATE, "validTime": VALID, "parameters": {"depth": 3}, "resultQuality": {"nameOfMeasure": "accuracy"}}
        assert (await patched(client, at, body)).status_code == 200
        found = await said(client, at)
        assert {name: found[name] for name in ("result", "resultTime", "validTime")} == {
            "result": 12.5,
            "resultTime": LATE,
            "validTime": VALID,
        }
        assert found["parameters"]["depth"] == 3
        names = ("resultTime", "validTime", "resultQuality", "parameters")
        assert found["resultQuality"] == [mark(*names), {"nameOfMeasure": "accuracy"}]
        assert (await patched(client, at, body)).status_code == 200, "what stands already"
        assert (await client.put(ROOT + at, json=found)).status_code == 200, "what was read may be sent back whole"
        assert len(records(sta)) == 1
        assert (await patched(client, at, {"validTime": None, "result": 12})).status_code == 200
        found = await said(client, at)
        assert ("validTime" in found, found["result"], found["parameters"]["depth"]) == (False, 12, 3)
        assert [one["nameOfMeasure"] for one in found["resultQuality"]] == ["correction", "restated", "accuracy"]
        assert (await client.put(ROOT + at, json={"result": 12})).status_code == 200
        found = await said(client, at)
        assert (found["resultTime"], found["resultQuality"][1:]) == (found["phenomenonTime"], [mark(*names)])
        assert "depth" not in found["parameters"]
        listed = (await client.get("/api/v1/observe/streams/well-1.level/corrections")).json()["restated"]
        assert [one["said"] for one in listed] == [one.said for one in records(sta)]
        assert (listed[0]["by"], listed[0]["names"]) == (officer(sta), [*names])
    third, second, first = records(sta)
    assert (first.was_said, first.names, first.by, first.why) == ({}, names, officer(sta), CHANGED)
    assert second.was_said == first.said == {**body, "resultQuality": {"nameOfMeasure": "accuracy"}}
    assert (second.said == third.was_said, third.said, len(corrections(sta))) == (True, {}, 1)
    facts = [one["detail"]["facts"] for one in await trail(sta) if "said" in one["detail"]["facts"]]
    assert [one["said"] for one in reversed(facts)] == [first.said, second.said, {}]
    assert Featured(sta.transactions).verify() == 1
    with sta.transactions.begin() as tx:
        tx.connection.exec_driver_sql('UPDATE featured SET said = \'{"parameters":{"depth":4}}\'')
    with pytest.raises(ConflictError, match="not as its record says"):
        Featured(sta.transactions).verify()


async def test_a_json_patch_changes_what_it_names(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        operations: list[Json] = [
            {"op": "add", "path": "/validTime", "value": VALID},
            {"op": "add", "path": "/parameters/depth", "value": 3},
        ]
        assert (await patched(client, at, operations, **{"Content-Type": PATCH})).status_code == 200
        found = await said(client, at)
    assert (found["validTime"], found["parameters"]["depth"], found["result"]) == (VALID, 3, 12.5)


async def test_a_sender_who_sends_again_undoes_nothing_and_who_says_more_is_heard(sta: World) -> None:
    await fill(sta)
    async with sta.client("device") as device, sta.client("data_officer") as client:
        one = reading(51, 1.5, about=None) | {"parameters": {"depth": 1}}
        at = await posted(device, "/Observations", one)
        assert (await patched(client, at, {"parameters": {"depth": 2}})).status_code == 200
        for body in (one, reading(51, 1.5, about=None) | {"parameters": {"depth": 2}}):
            await posted(device, "/Observations", body)
            assert (await said(client, at))["parameters"]["depth"] == 2
            assert (await said(client, at))["resultQuality"] == [mark("parameters")]
        await posted(device, "/Observations", one | {"parameters": {"depth": 5}})
        found = await said(client, at)
        assert (found["parameters"]["depth"], "resultQuality" in found) == (5, False)
        assert Featured(sta.transactions).verify() == 0
        plain = await posted(device, "/Observations", reading(52, 2.5, about=None))
        assert (await patched(client, plain, {"parameters": {"depth": 7}})).status_code == 200
        await posted(device, "/Observations", reading(52, 2.5, about=None))
        assert (await said(client, plain))["parameters"]["depth"] == 7, "a reading that never said anything takes nothing back"


async def test_what_an_observation_is_about_is_changed_by_id_by_description_and_by_its_link(sta: World) -> None:
    await fill(sta)
    await made(sta, POND)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        link = f"{at}/FeatureOfInterest/$ref"
        assert (await patched(client, at, {"FeatureOfInterest": {"@iot.id": "pond"}})).status_code == 200
        assert (await about(client, at), await results(client, "/FeaturesOfInterest('pond')/Observations")) == ("pond", [12.5])
        assert (await said(client, at))["resultQuality"] == [mark("FeatureOfInterest")]
        assert (await client.delete(ROOT + link)).status_code == 200
        assert (await about(client, at), len(records(sta))) == ("well-1", 2)
        for method in ("PUT", "POST"):
            assert (await client.request(method, ROOT + link, json={"@iot.id": "pond"})).status_code == 200
            assert await about(client, at) == "pond"
        assert (await client.put(ROOT + link, json={"name": "Pond"})).status_code == 400
        assert (await client.put(ROOT + link, json={"@iot.id": "none"})).status_code == 400
        assert (
            await client.put(ROOT + link.replace("Observations('", "Observations('9"), json={"@iot.id": "pond"})
        ).status_code == 404
        assert (await patched(client, at, {"FeatureOfInterest": POND, "result": 9})).status_code == 200, "one that is there"
        assert (await about(client, at), (await said(client, at))["result"]) == ("pond", 9)
        spring = {**POND, "name": "Spring"}
        refused = await patched(client, at, {"FeatureOfInterest": spring, "result": 8})
        assert (refused.status_code, (await said(client, at))["result"]) == (403, 9), "who corrects makes no features"
    async with sta.client("device") as device:
        assert (await device.put(ROOT + link, json={"@iot.id": "pond"})).status_code == 403
    assert [one.feature for one in reversed(records(sta))] == ["pond", None, "pond"]
    async with sta.client("admin") as admin:
        assert (await admin.delete(f"{ROOT}/FeaturesOfInterest('pond')")).status_code == 403


async def test_an_observation_is_moved_to_another_time_and_its_old_id_leads_to_it(sta: World) -> None:
    await fill(sta)
    async with sta.client("device") as device:
        at = await posted(device, "/Observations", reading(51, 1.5, about=None) | {"parameters": {"depth": 1}})
    async with sta.client("data_officer") as client:
        assert (await patched(client, at, {"phenomenonTime": "2026-11-22T06:52:00Z", "result": 2})).status_code == 200
        found = await said(client, at)
        assert (found["phenomenonTime"], found["resultTime"], found["result"]) == (*["2026-11-22T06:52:00Z"] * 2, 2)
        assert (found["@iot.id"] != at, found["parameters"]["depth"]) == (True, 1)
        assert found["resultQuality"] == [SET, mark("phenomenonTime", "result")], "nobody measured 2"
        assert await results(client) == [12.5, 11.0, 2.0, 10.0]
        span = "2026-11-22T06:53:00Z/2026-11-22T06:54:00Z"
        assert (await patched(client, at, {"phenomenonTime": span})).status_code == 200
        again = await said(client, f"/Datastreams('well-1.level'){at}")
        assert (again["phenomenonTime"], again["resultTime"], again["result"]) == (span, "2026-11-22T06:54:00Z", 2)
        assert (await patched(client, at, {"phenomenonTime": "2026-11-22T06:53:00Z/2026-11-22T06:58:00Z"})).status_code == 200
        assert (await said(client, at))["resultTime"] == "2026-11-22T06:58:00Z"
        taken = await patched(client, at, {"phenomenonTime": "2026-11-22T06:50:00Z"})
        assert (taken.status_code, "There is a reading at" in taken.json()["message"]) == (409, True)
        early = await patched(client, at, {"phenomenonTime": "1999-06-01T00:00:00Z"})
        assert early.status_code == 400
        assert "too_old）：时间早于 2000 年" in early.json()["detail"] + early.json()["message"], early.text
        assert "(too_old): The time is before the year 2000" in early.json()["detail"] + early.json()["message"], early.text
        assert [one.change.strikes for one in corrections(sta)] == [True, False, True, False]
        assert sta.parts.corrections.verify() == 3
        assert [one.moved for one in records(sta)] == [None, parse("2026-11-22T06:53:00Z"), parse("2026-11-22T06:52:00Z")]
        assert Featured(sta.transactions).verify() == 1, "one Observation, however often it was moved"
        async with sta.client("device") as device:
            await posted(device, "/Observations", reading(51, 1.5, about=None) | {"parameters": {"depth": 1}})
        assert (await said(client, at))["result"] == 2, "what is sent again undoes nothing"
        road = "/api/v1/observe/streams/well-1.level/corrections/2/end"
        assert (await client.post(road, json={"why": "原来没有错"})).status_code == 201
        assert ((await said(client, at))["result"], (await said(client, at))["parameters"]["depth"]) == (1.5, 1)
        assert (await client.delete(ROOT + at)).status_code == 200
        assert (await said(client, at))["result"] == 2, "the other one is still there"
        assert (await client.get(ROOT + LISTED.replace("Observations", "Observations('1.1')"))).status_code == 404


async def test_the_observation_of_a_multidatastream_is_changed_with_all_its_readings(masts: World) -> None:
    await made(masts, POND)
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-*")
        body = {"phenomenonTime": "2026-11-22T06:50:00Z", "result": [1, None, 90]}
        at = await posted(device, "/MultiDatastreams('mast-1')/Observations", body)
    async with masts.client("data_officer") as client:
        assert (await patched(client, at, {"FeatureOfInterest": {"@iot.id": "pond"}, "validTime": VALID})).status_code == 200
        assert (await about(client, at), (await said(client, at))["validTime"]) == ("pond", VALID)
        assert (await patched(client, at, {"phenomenonTime": "2026-11-22T06:40:00Z", "result": [2, None, 91]})).status_code == 200
        found = await said(client, at)
        assert (found["phenomenonTime"], found["result"], found["validTime"]) == ("2026-11-22T06:40:00Z", [2, None, 91], VALID)
        assert (found["@iot.id"], await about(client, at)) == (f"mast-1@{parse('2026-11-22T06:40:00Z')}", "pond")
    assert [len(records(masts, f"mast-1.{field}")) for field in ("wind", "gust", "bearing")] == [2, 0, 2]


async def test_a_result_that_was_corrected_bears_its_mark_after_a_move(sta: World) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        plain, corrected = [f"/Observations('1.{parse(f'2026-11-22T06:{minute}:00Z')}')" for minute in (50, 55)]
        assert (await patched(client, corrected, {"result": 4})).status_code == 200
        for minute, at in enumerate((plain, corrected), 30):
            assert (await patched(client, at, {"phenomenonTime": f"2026-11-22T06:{minute}:00Z"})).status_code == 200
        assert (await said(client, plain))["resultQuality"] == [SET, mark("phenomenonTime")]
        found = await said(client, corrected)
        assert (found["result"], found["resultQuality"]) == (4, [SET, mark("phenomenonTime", "result")])
        assert Featured(sta.transactions).verify() == 2


async def test_an_id_leads_to_the_observation_that_had_it_last(masts: World) -> None:
    async with masts.client("device") as device:
        entrusted(masts, device, "mast-*")
        body = {"phenomenonTime": "2026-11-22T06:50:00Z", "result": [1, 2, 90]}
        at = await posted(device, "/MultiDatastreams('mast-1')/Observations", body)
    async with masts.client("data_officer") as client:
        single = (await said(client, "/Datastreams('mast-1.wind')/Observations"))["value"][0]["@iot.id"]
        alone = f"/Observations('{single}')"
        assert (await patched(client, alone, {"phenomenonTime": "2026-11-22T06:41:00Z"})).status_code == 200
        assert (await said(client, at))["result"] == [None, 2, 90]
        assert (await patched(client, at, {"phenomenonTime": "2026-11-22T06:42:00Z"})).status_code == 200
        found = await said(client, at)
        assert (found["phenomenonTime"], found["result"]) == ("2026-11-22T06:42:00Z", [None, 2, 90])
        assert (await client.delete(ROOT + at)).status_code == 200
        assert [one["result"] for one in (await said(client, "/MultiDatastreams('mast-1')/Observations"))["value"]] == [
            [1, None, None]
        ]
        assert (await said(client, alone))["result"] == 1, "what was moved alone is still there"


async def test_in_a_change_set_all_is_done_or_nothing(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(sta)
    async with sta.client("data_officer") as client:
        at = (await newest(client)).removeprefix("/")
        words = {"id": "w", "method": "patch", "url": at, "body": {"parameters": {"depth": 3}, "result": 7}}
        bad = {"id": "b", "method": "patch", "url": at, "body": {"validTime": "now"}}
        assert status(await sent(client, *of_group(words, bad))) == [424, 400]
        assert status(await sent(client, *of_group(words, {**words, "id": "x", "body": {"validTime": VALID}}))) == [424, 400]
        move = {"id": "m", "method": "patch", "url": at, "body": {"phenomenonTime": "2026-11-22T06:58:00Z", "validTime": VALID}}
        with monkeypatch.context() as patch:

            async def full(*_: object) -> None:
                raise StorageFullError(same("full"))

            patch.setattr(sta.parts.corrections, "acts", full)
            assert (await patched(client, f"/{at}", {"parameters": {"depth": 3}, "result": 7})).status_code == 507
            assert status(await sent(client, *of_group(move))) == [507]
        assert (records(sta), corrections(sta)) == ((), ())
        assert "resultQuality" not in await said(client, f"/{at}")
        assert status(await sent(client, *of_group(words))) == [200]
        found = await said(client, f"/{at}")
        assert (found["parameters"]["depth"], found["result"], len(records(sta))) == (3, 7, 1)
        assert status(await sent(client, *of_group(move))) == [200]
        found = await said(client, f"/{at}")
        assert (found["phenomenonTime"], found["validTime"], found["result"]) == ("2026-11-22T06:58:00Z", VALID, 7)


async def test_words_that_somebody_changed_meanwhile_are_looked_at_again(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(sta)
    other = Featured(sta.transactions)
    async with sta.client("data_officer") as client:
        at = await newest(client)
        assert (await patched(client, at, {"parameters": {"a": 1}})).status_code == 200
        parts = other.of([1], 0, 2**60)
        (stood,) = parts.values()
        real = Featured.restate
        tries: list[int] = []

        def late(self: Featured, listed: Sequence[tuple[Anew, Signed]]) -> None:
            tries.append(1)
            if len(tries) == 1:
                other.put([stood._replace(said='{"parameters":{"a":2}}', restated=None)])
            real(self, listed)

        monkeypatch.setattr(Featured, "restate", late)
        assert (await patched(client, at, {"validTime": VALID})).status_code == 200
        found = await said(client, at)
    assert (len(tries), found["parameters"]["a"], found["validTime"]) == (2, 2, VALID)
