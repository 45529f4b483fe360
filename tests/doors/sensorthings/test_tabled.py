"""Data arrays whose elements say what they are about: element by element, each with its feature or not at all."""

from typing import Any

import pytest
from httpx import AsyncClient

from citybrain.brain.observe import About, Featured, Registry, Rows, Verdict
from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.instant import parse
from citybrain.kernel.observations import Refusal
from citybrain.kernel.text import Text, same
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, entrusted, parts_of
from tests.doors.sensorthings.test_batch import sent
from tests.doors.sensorthings.test_featuring import POND, SPRING, made, reading, results
from tests.doors.sensorthings.test_making import said
from tests.doors.sensorthings.test_multi import OBSERVED
from tests.doors.sensorthings.test_together import of_group, status

WELL = {"Datastream": {"@iot.id": "well-1.level"}, "components": ["phenomenonTime", "result", "FeatureOfInterest/id"]}
MAST = {"MultiDatastream": {"@iot.id": "mast-1"}, "components": ["FeatureOfInterest/id", "result", "phenomenonTime"]}


def at(minute: int) -> str:
    return f"2026-11-22T06:{minute:02}:00Z"


async def sent_arrays(client: AsyncClient, *arrays: dict[str, Any], key: str | None = None) -> list[str]:
    """What each element was answered: its id, or why it was refused."""
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await client.post(f"{ROOT}/CreateObservations", json=list(arrays), headers=headers)
    assert answer.status_code == 201, answer.text
    return [one if one.startswith("error") else one.split("'")[1] for one in answer.json()]


async def test_each_row_is_about_the_feature_that_it_names(sta: World) -> None:
    await made(sta, POND, SPRING)
    rows = [[at(50), 1, "pond"], [at(51), 2, "spring"], [at(52), 3, None], [at(53), 4, "well-1"], [at(54), 5, "none"]]
    rows += [[at(55), 6, "well-9"], [at(56), 7, {"name": "Pond"}], [at(57), "much", "pond"], [at(58), 8], [at(59), 9, "pond"]]
    async with sta.client("device") as client:
        told = await sent_arrays(client, {**WELL, "dataArray": rows})
    codes = [one.split()[1] if one.startswith("error") else "" for one in told]
    assert codes == ["", "", "", "", "bad_feature:", "bad_feature:", "bad_feature:", "bad_value:", "bad_row:", ""]
    assert "There is no FeatureOfInterest 'none'" in told[4]
    assert "There is no FeatureOfInterest 'well-9'" in told[5]
    assert "is the id of a feature" in told[6]
    async with sta.client("dispatcher") as client:
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [9, 1]
        assert await results(client, "/FeaturesOfInterest('spring')/Observations") == [2]
        assert sorted(await results(client, "/FeaturesOfInterest('well-1')/Observations")) == [3, 4]
        assert (await said(client, f"/Observations('{told[0]}')/FeatureOfInterest"))["@iot.id"] == "pond"
    (account,) = (each for each in sta.series.doors() if each.door == "sensorthings")
    assert (account.received, dict(account.refused)) == (10, {"bad_feature": 3, "bad_value": 1, "bad_row": 1})


async def test_a_row_that_names_its_thing_is_set_back_and_one_that_names_nothing_keeps_its_feature(sta: World) -> None:
    await made(sta, POND)
    async with sta.client("device") as client:
        await sent_arrays(client, {**WELL, "dataArray": [[at(50), 1, "pond"], [at(51), 2, "pond"]]})
        await sent_arrays(client, {**WELL, "dataArray": [[at(50), 3, None], [at(51), 4, "well-1"]]})
    async with sta.client("dispatcher") as client:
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [3]


async def test_rows_that_were_sent_with_a_key_are_sent_again_without_harm(sta: World) -> None:
    await made(sta, POND)
    arrays = {**WELL, "dataArray": [[at(50), 1, "pond"], [at(51), 2, "none"]]}
    async with sta.client("device") as client:
        first = await sent_arrays(client, arrays, key="k")
        assert await sent_arrays(client, arrays, key="k") == first
    async with sta.client("dispatcher") as client:
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1]


async def test_elements_of_a_multidatastream_name_features_too(masts: World) -> None:
    await made(masts, POND)
    wells = {**WELL, "dataArray": [[at(30), 1, "pond"]]}
    arrays = {**MAST, "dataArray": [["pond", [1, None, 90], at(30)], ["none", [1, 2, 3], at(31)], ["mast-1", [4, 5, 6], at(32)]]}
    async with masts.client("device") as client:
        entrusted(masts, client, "mast-*", "well-1")
        told = await sent_arrays(client, arrays, wells)
        assert [one.partition(":")[0] for one in told][1] == "error bad_feature"
    async with masts.client("dispatcher") as client:
        found = (await said(client, OBSERVED, _expand="FeatureOfInterest", _orderby="phenomenonTime"))["value"]
        about = [(each["@iot.id"], each["result"], each["FeatureOfInterest"]["@iot.id"]) for each in found]
        assert about == [(told[0], [1, None, 90], "pond"), (told[2], [4, 5, 6], "mast-1")]
        assert sorted(await results(client, "/FeaturesOfInterest('pond')/Observations")) == [1, 1, 90]


async def test_in_a_group_one_bad_feature_undoes_all(sta: World) -> None:
    await made(sta, POND)
    one = {"method": "post", "url": "Observations", "body": reading(49, 0.5)}

    def rows(*data: list[object]) -> dict[str, Any]:
        return {"method": "post", "url": "CreateObservations", "body": [{**WELL, "dataArray": list(data)}]}

    async with sta.client("device") as client:
        assert status(await sent(client, *of_group(one, rows([at(50), 1, "pond"], [at(51), 2, "none"])))) == [424, 422]
        assert sta.series.latest().num_rows == 0
        assert status(await sent(client, *of_group(one, rows([at(50), 1, "pond"], [at(51), 2, "well-1"])))) == [201, 201]
    async with sta.client("dispatcher") as client:
        assert await results(client, "/FeaturesOfInterest('pond')/Observations") == [1, 0.5]


async def test_a_store_that_takes_nothing_leaves_readings_about_what_they_were(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(sta, POND, SPRING)
    number = sta.parts.registry.stream("well-1.level").no
    seen = []

    async def full(*_: object) -> Verdict:
        seen.append({key: one.feature for key, one in Featured(sta.transactions).of([number], 0, 2**62).items()})
        raise StorageFullError(same("The store is full."))

    async with sta.client("device") as client:
        await sent_arrays(client, {**WELL, "dataArray": [[at(50), 1, "pond"]]})
        monkeypatch.setattr(sta.parts.intake, "take", full)
        arrays = {**WELL, "dataArray": [[at(50), 2, "spring"], [at(51), 3, "spring"]]}
        answer = await client.post(f"{ROOT}/CreateObservations", json=[arrays])
        assert answer.status_code == 507, answer.text
    first, second = parse(at(50)), parse(at(51))
    assert seen == [{f"{number}.{first}": "spring", f"{number}.{second}": "spring"}], "durable before the readings"
    assert [(one.time, one.feature) for one in Featured(sta.transactions).of([number], 0, 2**62).values()] == [(first, "pond")]


async def test_a_row_that_the_store_refuses_after_all_is_about_what_it_was(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day may end, or a stream may be entered elsewhere, between the look and the store."""
    await made(sta, POND, SPRING)
    take = sta.parts.intake.take

    async def later(rows: Rows, door: str, key: str | None) -> Verdict:
        verdict = await take(Rows(rows.streams[1:], rows.time[1:], rows.value[1:], None, rows.row[1:]), door, key)
        return Verdict(verdict.stored, verdict.duplicate, (Refusal(0, "expired", Text("已过保存期。", "The day has ended.")),))

    def unknown(*_: object) -> tuple[Refusal, ...]:
        return (Refusal(2, "unknown_stream", Text("尚不认识。", "Not known yet.")),)

    async with sta.client("device") as client:
        await sent_arrays(client, {**WELL, "dataArray": [[at(50), 1, "pond"]]})
        monkeypatch.setattr(sta.parts.intake, "take", later)
        monkeypatch.setattr(sta.parts.intake, "refused", unknown)
        rows = [[at(50), 2, "spring"], [at(51), 3, "spring"], [at(52), 4, "spring"]]
        told = await sent_arrays(client, {**WELL, "dataArray": rows})
        assert [one.startswith("error") for one in told] == [True, False, False]
    number = sta.parts.registry.stream("well-1.level").no
    found = Featured(sta.transactions).listed("spring", None, 9, descending=False)
    assert found == tuple(About(number, parse(at(minute)), "spring", None) for minute in (51, 52))
    about = Featured(sta.transactions).of([number], parse(at(50)), parse(at(50)))
    assert [(one.time, one.feature) for one in about.values()] == [(parse(at(50)), "pond")]


async def test_a_feature_that_is_deleted_meanwhile_is_not_observed(sta: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(sta, POND)
    refused = sta.parts.intake.refused

    def deleted(rows: Rows, registry: Registry) -> tuple[Refusal, ...]:
        """Just after it was looked for."""
        parts_of(sta).making.end_feature("pond")
        return refused(rows, registry)

    async with sta.client("admin") as admin:
        monkeypatch.setattr(sta.parts.intake, "refused", deleted)
        async with sta.client("device") as client:
            answer = await client.post(f"{ROOT}/CreateObservations", json=[{**WELL, "dataArray": [[at(50), 1, "pond"]]}])
            assert (answer.status_code, "just been deleted" in answer.json()["message"]) == (409, True), answer.text
        assert (await admin.get(f"{ROOT}/FeaturesOfInterest('pond')")).status_code == 404
    assert sta.series.latest().num_rows == 0
