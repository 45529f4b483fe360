"""What else an Observation says: kept beside its reading over every form in which it is sent, and given back wherever it is read."""

import json
from typing import Any

import pytest

from citybrain.brain.observe import Featured, Verdict
from citybrain.doors.mqtt import MqttDoor
from citybrain.doors.sensorthings import Messages, saying
from citybrain.kernel.errors import BadInputError, StorageFullError
from citybrain.kernel.instant import parse
from citybrain.kernel.text import same
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, desk, entrusted, parts_of
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_corrected import SAID, correct
from tests.doors.sensorthings.test_featuring import made, reading
from tests.doors.sensorthings.test_feeds import LEVEL, Wire, granted, heard, wire
from tests.doors.sensorthings.test_making import STREAM, posted, said
from tests.doors.sensorthings.test_multi import OBSERVED, observation
from tests.doors.sensorthings.test_tabled import at, sent_arrays
from tests.doors.sensorthings.test_together import of_group, status

__all__ = ["wire"]
PATH = "/Datastreams('well-1.level')/Observations"
WORDS: dict[str, Any] = {
    "resultTime": "2026-11-22T14:53:04+08:00",
    "validTime": "2026-11-22T06:50:00Z/2026-11-22T15:50:00+08:00",
    "resultQuality": [{"nameOfMeasure": "spread", "measureDescription": "Of ten"}],
    "parameters": {"by": "hand", "depth": {"m": 1.5}, "received": "never"},
}
KEPT: dict[str, Any] = {
    "resultTime": "2026-11-22T06:53:04Z",
    "validTime": "2026-11-22T06:50:00Z/2026-11-22T07:50:00Z",
    "resultQuality": WORDS["resultQuality"],
}
HOUR = "2026-11-22T05:00:00Z/2026-11-22T06:00:00Z"


def plain(minute: int, value: object = 1.0, **more: object) -> dict[str, Any]:
    return {**reading(minute, value, None), **more}


def kept(found: dict[str, Any]) -> dict[str, Any]:
    """What an Observation says that is kept beside it."""
    return {name: found[name] for name in KEPT if name in found} | {"by": found["parameters"].get("by")}


async def test_all_of_it_is_given_back_beside_what_is_ours(sta: World) -> None:
    async with sta.client("device") as client:
        one = await posted(client, "/Observations", plain(51, 1.5, **WORDS))
        two = await posted(client, PATH, {name: each for name, each in plain(52).items() if name != "Datastream"})
    async with sta.client("dispatcher") as client:
        found = await said(client, one)
        assert (kept(found), found["phenomenonTime"], found["result"]) == ({**KEPT, "by": "hand"}, at(51), 1.5)
        ours = {"received": "2026-11-22T07:00:00Z", "origin": "demo", "demo": True}
        assert found["parameters"] == {"by": "hand", "depth": {"m": 1.5}} | ours
        other = await said(client, two)
        assert (other["resultTime"], other["parameters"], "validTime" in other) == (at(52), ours, False)
        listed = (await said(client, PATH, _orderby="phenomenonTime asc"))["value"]
        assert listed == [found, other]
        expanded = await said(client, "/Datastreams('well-1.level')", _expand="Observations($orderby=phenomenonTime asc)")
        assert expanded["Observations"] == listed
        assert (await said(client, f"{one}/parameters/depth"))["depth"] == {"m": 1.5}
        (array,) = (
            await said(client, PATH, _resultFormat="dataArray", _select="resultTime,resultQuality", _orderby="phenomenonTime")
        )["value"]
        assert array["dataArray"] == [[KEPT["resultTime"], KEPT["resultQuality"]], [at(52), None]]


@pytest.mark.thorough
async def test_an_interval_is_of_its_begin_and_has_its_result_at_its_end(sta: World) -> None:
    async with sta.client("device") as client:
        mean = await posted(client, "/Observations", plain(0, 4.0, phenomenonTime="2026-11-22T13:00:00+08:00/2026-11-22T06:00:00Z"))
        late = await posted(client, "/Observations", plain(0, 5.0, phenomenonTime=f"{at(0)}/{at(30)}", resultTime=at(59)))
        point = await posted(client, "/Observations", plain(0, 6.0, phenomenonTime=f"{at(10)}/{at(10)}"))
    assert mean == f"/Observations('1.{parse('2026-11-22T05:00:00Z')}')"
    async with desk(sta) as someone:
        found = await someone.get(mean)
        assert (found["phenomenonTime"], found["resultTime"]) == (HOUR, "2026-11-22T06:00:00Z")
        assert (await someone.get(late))["resultTime"] == at(59)
        assert (await someone.get(point))["phenomenonTime"] == at(10)

        async def results(where: str, path: str = PATH) -> list[float]:
            found = await someone.get(path, _filter=where, _count="true", _orderby="phenomenonTime asc")
            assert found["@iot.count"] == len(found["value"])
            return [one["result"] for one in found["value"]]

        for path in (PATH, "/Observations"):
            assert await results(f"phenomenonTime ge {at(0)}", path) == [5, 6]
            assert await results(f"phenomenonTime gt {at(0)}", path) == [6]
            assert await results(f"phenomenonTime lt {at(20)}", path) == [4, 6]
            assert await results(f"phenomenonTime le {at(0)}", path) == [4]
            assert await results(f"phenomenonTime eq {at(0)}", path) == []
            assert await results(f"phenomenonTime eq {HOUR}", path) == [4]
            assert await results(f"phenomenonTime lt {at(0)}/{at(30)}", path) == [4]
            assert await results(f"not (phenomenonTime le {at(0)})", path) == [5, 6]
            assert await results(f"resultTime ge {at(0)} and resultTime lt {at(20)}", path) == [4, 6]
        assert await results("year(phenomenonTime) eq 2026 and minute(phenomenonTime) eq 10") == [6]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"resultTime": "2026-11-22T14:51:00+08:00"},
        {"resultTime": None, "validTime": None, "resultQuality": "", "parameters": {}},
        {"parameters": {"received": "2026-11-22T07:00:00Z", "origin": "demo", "demo": True}},
    ],
)
async def test_what_says_nothing_new_keeps_nothing(sta: World, more: dict[str, Any]) -> None:
    async with sta.client("device") as client:
        await posted(client, "/Observations", plain(51, **more))
        names = ["phenomenonTime", "result", *more]
        await sent_arrays(
            client, {"Datastream": {"@iot.id": "well-1.level"}, "components": names, "dataArray": [[at(51), 2, *more.values()]]}
        )
    assert (Featured(sta.transactions).saying(), Featured(sta.transactions).of([1], 0, 2**60)) == (frozenset(), {})
    assert sta.series.latest().num_rows == 1


async def test_sent_again_it_is_replaced_by_what_is_said_and_stays_where_nothing_is(sta: World) -> None:
    await made(sta)
    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (WORDS, {**KEPT, "by": "hand"}),
        ({}, {**KEPT, "by": "hand"}),
        ({"FeatureOfInterest": {"@iot.id": "pond"}}, {**KEPT, "by": "hand"}),
        ({"parameters": {"by": "car"}}, {"resultTime": at(51), "by": "car"}),
        ({"resultTime": at(52), "FeatureOfInterest": {"@iot.id": "well-1"}}, {"resultTime": at(52), "by": None}),
        ({"resultTime": at(51)}, {"resultTime": at(51), "by": None}),
    ]
    async with sta.client("device") as device, sta.client("dispatcher") as client:
        for value, (more, wanted) in enumerate(steps):
            one = await posted(device, "/Observations", plain(51, float(value), **more))
            found = await said(client, one, _expand="FeatureOfInterest")
            assert (found["result"], kept(found)) == (value, wanted)
            assert found["FeatureOfInterest"]["@iot.id"] == ("pond" if value in (2, 3) else "well-1")
    assert Featured(sta.transactions).of([1], 0, 2**60) == {}


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"resultTime": "tomorrow"}, "resultTime"),
    ({"resultTime": "2026-11-22T06:51:00"}, "resultTime"),
    ({"resultTime": 5}, "resultTime"),
    ({"validTime": at(51)}, "validTime"),
    ({"validTime": f"{at(52)}/{at(51)}"}, "validTime"),
    ({"parameters": ["by hand"]}, "parameters"),
    ({"parameters": {"long": "长" * 2731}}, "8192 bytes"),
    ({"resultQuality": "x" * 9000}, "8192 bytes"),
)


async def test_what_cannot_be_kept_is_refused_and_nothing_is_stored(sta: World) -> None:
    async with sta.client("device") as client:
        for more, why in WRONG:
            answer = await client.post(f"{ROOT}/Observations", json=plain(51, **more))
            assert (answer.status_code, why in answer.json()["message"]) == (400, True), answer.text
            assert status(await sent(client, *of_group({"method": "post", "url": "Observations", "body": plain(51, **more)}))) == [
                400
            ]
        assert (await client.post(f"{ROOT}/Observations", json=plain(51, "high", **WORDS))).json()["reason"] == "bad_value"
        other = await client.post(f"{ROOT}/Observations", json={**plain(51, **WORDS), "Datastream": {"@iot.id": "well-2.level"}})
        assert other.status_code == 403
        most = {"long": "长" * 2720}
        assert (await client.post(f"{ROOT}/Observations", json=plain(52, parameters=most))).status_code == 201
    assert list(Featured(sta.transactions).of([1, 2, 3, 4, 5, 6], 0, 2**60)) == [f"1.{parse(at(52))}"]
    assert sta.series.latest().num_rows == 1


async def test_data_arrays_keep_it_element_by_element(sta: World) -> None:
    names = ["resultTime", "result", "phenomenonTime", "parameters", "validTime", "resultQuality"]
    rows = [
        [at(52), 1, at(51), {"by": "hand"}, None, "good"],
        [None, 2, HOUR, None, WORDS["validTime"], None],
        ["then", 3, at(53), None, None, None],
        [None, 4, at(54), "x", None, None],
        [at(55), "much", at(55), {"by": "hand"}, None, None],
        [at(56), 6, at(56), None, None, None],
    ]
    array = {"Datastream": {"@iot.id": "well-1.level"}, "components": names, "dataArray": rows}
    spans = {"Datastream": {"@iot.id": "well-1.salt"}, "components": ["phenomenonTime", "result"], "dataArray": [[HOUR, 7]]}
    async with sta.client("device") as client:
        told = await sent_arrays(client, array, spans, key="k")
        assert await sent_arrays(client, array, spans, key="k") == told
        assert await sent_arrays(client, array, spans) == told
    codes = [one.split()[1] if one.startswith("error") else "" for one in told]
    assert codes == ["", "", "bad_said:", "bad_said:", "bad_value:", "", ""]
    async with sta.client("dispatcher") as client:
        found = (await said(client, PATH, _orderby="phenomenonTime asc"))["value"]
        (mean,) = (await said(client, "/Datastreams('well-1.salt')/Observations"))["value"]
    assert [(one["result"], one["resultTime"], one["parameters"].get("by")) for one in found] == [
        (2, "2026-11-22T06:00:00Z", None),
        (1, at(52), "hand"),
        (6, at(56), None),
    ]
    assert (found[0]["validTime"], found[1]["resultQuality"], mean["phenomenonTime"]) == (KEPT["validTime"], "good", HOUR)
    (account,) = (each for each in sta.series.doors() if each.door == "sensorthings")
    assert dict(account.refused) == {"bad_said": 4, "bad_value": 2}


async def test_a_store_that_takes_nothing_leaves_what_was_said_before(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> Verdict:
        raise StorageFullError(same("The store is full."))

    array = {"Datastream": {"@iot.id": "well-1.level"}, "components": ["phenomenonTime", "result", "parameters"]}
    async with sta.client("device") as client:
        await posted(client, "/Observations", plain(51, **WORDS))
        before = Featured(sta.transactions).of([1], 0, 2**60)
        monkeypatch.setattr(sta.parts.intake, "take", full)
        for minute in (51, 52):
            again = plain(minute, parameters={"by": "car"})
            assert (await client.post(f"{ROOT}/Observations", json=again)).status_code == 507
            assert status(await sent(client, *of_group({"method": "post", "url": "Observations", "body": again}))) == [507]
            rows = [[at(minute), 1, {"by": "car"}]]
            assert (await client.post(f"{ROOT}/CreateObservations", json=[{**array, "dataArray": rows}])).status_code == 507
    assert Featured(sta.transactions).of([1], 0, 2**60) == before


async def test_a_key_makes_sending_again_harmless(sta: World) -> None:
    async with sta.client("device") as client:
        for value, status in ((1.0, 201), (1.0, 201), (2.0, 409)):
            answer = await client.post(f"{ROOT}/Observations", json=plain(51, value, **WORDS), headers={"Idempotency-Key": "k"})
            assert answer.status_code == status, answer.text
        timeless = {name: one for name, one in plain(51, parameters={"a": 1}).items() if name != "phenomenonTime"}
        answer = await client.post(f"{ROOT}/Observations", json=timeless, headers={"Idempotency-Key": "l"})
        assert (answer.status_code, answer.json()["parameter"]) == (400, "phenomenonTime")
        now = await posted(client, "/Observations", timeless)
    async with desk(sta) as someone:
        assert [one["result"] for one in (await someone.get(PATH))["value"]] == [1.0, 1.0]
        assert (await someone.get(now))["parameters"]["a"] == 1


async def test_change_sets_and_new_things_bring_it_whole_or_not_at_all(sta: World) -> None:
    one = {"method": "post", "url": "Observations", "body": plain(51, **WORDS)}
    bad = {"method": "post", "url": "Observations", "body": plain(52, "much")}
    thing = {"@iot.id": "gauge-1", "name": "Gauge", "description": "New"}
    mean = {"phenomenonTime": HOUR, "result": 3, "parameters": {"by": "hand"}, "resultTime": at(1)}
    async with sta.client("device") as client:
        client.auth = ("maker", sta.parts.accounts.devices.create("自建", "maker", ["well-*", "+gauge-*"]))
        client.headers.pop("Authorization")
        assert status(await sent(client, *of_group(one, bad))) == [424, 400]
        assert Featured(sta.transactions).saying() == frozenset()
        assert status(await sent(client, *of_group(one, {**bad, "body": plain(52)}))) == [201, 201]
        await posted(
            client, "/Things", {**thing, "Datastreams": [{**STREAM, "Observations": [mean, {**mean, "phenomenonTime": at(2)}]}]}
        )
        described = {**STREAM, "name": "Depth", "Thing": {"@iot.id": "gauge-1"}}
        at_ = await posted(client, "/Observations", {**mean, "Datastream": described})
    async with desk(sta) as someone:
        assert kept((await someone.get(PATH, _orderby="phenomenonTime asc"))["value"][0]) == {**KEPT, "by": "hand"}
        found = (await someone.get("/Observations", _filter="startswith(Datastream/id,'gauge-1') and parameters/by eq 'hand'"))[
            "value"
        ]
        assert sorted((one["phenomenonTime"], one["resultTime"]) for one in found) == [(HOUR, at(1)), (HOUR, at(1)), (at(2), at(1))]
        assert (await someone.get(at_))["phenomenonTime"] == HOUR


async def test_over_mqtt_it_is_published_and_told(masts: World) -> None:
    door = MqttDoor(masts.parts.guard, masts.parts.accounts, masts.parts.intake, masts.clock, topics=(Messages(parts_of(masts)),))
    device = await door.authorise("mast", masts.parts.accounts.devices.create("塔", "mast", ["*"]))
    assert device is not None
    topic = "v1.1/Datastreams('well-1.level')/Observations"
    for body in (plain(51, **WORDS), plain(52, resultTime=at(52)), plain(53, phenomenonTime=HOUR)):
        assert (await door.take(topic, json.dumps(body).encode(), device)).stored == 1
    with pytest.raises(BadInputError):
        await door.take(topic, json.dumps(plain(54, parameters="x")).encode(), device)
    refused = await door.take(topic, json.dumps(plain(54, "high", **WORDS)).encode(), device)
    assert [one.code for one in refused.refused] == ["bad_value"]
    again = await door.take(topic, json.dumps(plain(51, 2.0, resultTime=at(51))).encode(), device)
    assert again.stored == 1
    array = observation("06:30", [1, None, 90], parameters={"by": "hand"})
    assert (await door.take(f"v1.1{OBSERVED}", json.dumps(array).encode(), device)).stored == 2
    async with desk(masts) as someone:
        found = (await someone.get(PATH, _orderby="phenomenonTime asc"))["value"]
        assert [(one["phenomenonTime"], one["resultTime"], one["result"]) for one in found] == [
            (HOUR, "2026-11-22T06:00:00Z", 1),
            (at(51), at(51), 2),
            (at(52), at(52), 1),
        ]
        ((one),) = (await someone.get(OBSERVED))["value"]
        assert (one["result"], one["parameters"]["by"]) == ([1, None, 90], "hand")


async def test_those_who_subscribed_are_told_all_of_it(wire: Wire) -> None:
    reader = await wire.person("dispatcher")
    assert await granted(reader, LEVEL) == [1]
    async with wire.world.client("device") as client:
        await posted(client, "/Observations", plain(51, **WORDS))
    ((_, told),) = await heard(reader, 1)
    assert kept(told) == {**KEPT, "by": "hand"}
    async with desk(wire.world) as asked:
        assert told == await asked.get(f"/Observations('{told['@iot.id']}')")


async def test_of_a_multidatastream_it_is_kept_filtered_and_ordered(masts: World) -> None:
    async with masts.client("device") as client:
        entrusted(masts, client, "mast-*")
        for minute, later in ((30, 50), (40, 45), (50, 50)):
            body = observation(f"06:{minute}", [1, None, minute], resultTime=at(later), parameters={"by": f"m{minute}"})
            assert (await client.post(ROOT + OBSERVED, json=body)).status_code == 201
        mean = observation("05:00", [7, 8, 9]) | {"phenomenonTime": HOUR}
        assert (await client.post(ROOT + OBSERVED, json=mean)).status_code == 201
        array = {"MultiDatastream": {"@iot.id": "mast-2"}, "components": ["phenomenonTime", "result", "parameters"]}
        rows = [[at(30), [1, 2, 3], {"by": "hand"}], [at(31), [1, 2, 3], "x"]]
        told = await sent_arrays(client, {**array, "dataArray": rows})
        assert (told[0], told[1].split()[1]) == (f"mast-2@{parse(at(30))}", "bad_said:")

    async with desk(masts) as someone:

        async def last(**words: str) -> list[int]:
            return [one["result"][2] for one in (await someone.get(OBSERVED, **words))["value"]]

        assert await last(_filter=f"resultTime ge {at(46)}", _orderby="phenomenonTime asc") == [30, 50]
        assert await last(_filter="parameters/by eq 'm40'") == [40]
        assert await last(_orderby="resultTime asc,phenomenonTime desc") == [9, 40, 50, 30]
        assert await last(_filter=f"phenomenonTime lt {at(30)}") == [9]
        (found,) = (await someone.get("/MultiDatastreams('mast-2')/Observations"))["value"]
        assert found["parameters"]["by"] == "hand"


async def test_a_corrected_value_is_marked_beside_its_own_quality(sta: World) -> None:
    async with sta.client("device") as client:
        one = await posted(client, "/Observations", plain(51, **WORDS))
        two = await posted(client, "/Observations", plain(52, resultQuality="good"))
    for minute in ("06:51", "06:52"):
        await correct(sta, "well-1.level", minute, 12.0)
    async with desk(sta) as asked:
        found = await asked.get(one)
        assert (found["result"], found["resultQuality"]) == (12.0, [SAID, *WORDS["resultQuality"]])
        assert (await asked.get(two))["resultQuality"] == [SAID, "good"]


async def test_what_was_read_is_sent_back_with_another_result_and_what_was_said_stays(sta: World) -> None:
    async with sta.client("device") as client:
        paths = [await posted(client, "/Observations", plain(51, **WORDS))]
        paths.append(await posted(client, "/Observations", plain(0, phenomenonTime=HOUR, resultQuality="good")))
    async with sta.client("data_officer") as client:
        for path, own in zip(paths, (WORDS["resultQuality"], ["good"]), strict=True):
            for how, value in (("PUT", 4.0), ("PATCH", 5.0)):
                found = await said(client, path)
                answer = await client.request(how, ROOT + path, json={**found, "result": value})
                assert answer.status_code == 200, answer.text
                again = await said(client, path)
                assert (again["result"], again["resultQuality"]) == (value, [SAID, *own])
                for name in ("phenomenonTime", "resultTime", "validTime"):
                    assert again.get(name) == found.get(name)
            other = await client.patch(ROOT + path, json={"parameters": {"by": "car"}})
            assert (other.status_code, "send the Observation again" in other.json()["message"]) == (501, True)
        assert (await client.delete(ROOT + paths[0])).status_code == 200
        assert (await client.get(ROOT + paths[0])).status_code == 404


async def test_those_about_a_feature_show_it_too(sta: World) -> None:
    await made(sta)
    async with sta.client("device") as client:
        await posted(client, "/Observations", {**reading(51, 1.0, "pond"), **WORDS})
    async with desk(sta) as someone:
        (found,) = (await someone.get("/FeaturesOfInterest('pond')/Observations"))["value"]
        assert kept(found) == {**KEPT, "by": "hand"}
        assert await someone.ids("/FeaturesOfInterest('pond')/Observations", _filter="parameters/by eq 'car'") == []


def test_what_is_kept_is_written_as_it_is_asked_for() -> None:
    text = saying.said({"phenomenonTime": HOUR, "resultTime": "2026-11-22T14:00:00+08:00"})
    assert json.loads(str(text)) == {"phenomenonTime": HOUR, "resultTime": "2026-11-22T06:00:00Z"}
    assert saying.said({"resultTime": at(1), "result": 1}) is None, "it is the time of the observation too"
    assert saying.said({"phenomenonTime": "yesterday/today", "result": 1}) == "", "the intake refuses it"
