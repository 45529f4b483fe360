"""Results that are no numbers corrected, deleted and put back: what was measured is kept, as words too."""

from typing import Any

import pytest

from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT
from tests.doors.sensorthings.test_correcting import patched
from tests.doors.sensorthings.test_making import said
from tests.doors.sensorthings.worded import RESULTS, alike, filled, results, stream

NEW: dict[str, Any] = {"door": False, "sky": "hail", "cars": 7, "log": {"b": ["c"]}, "heat": 9.5}
WRONG: dict[str, list[Any]] = {
    "door": [1, "true", None],
    "sky": [1, True, {}, None, "x" * 9000],
    "cars": [1.5, "3", None],
    "log": [None, "x" * 9000],
    "heat": ["3", True, None],
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", NEW)
async def test_a_result_is_changed_struck_out_and_stands_again(sta: World, name: str) -> None:
    await filled(sta)
    before, road = RESULTS[name], f"/api/v1/observe/streams/box.{name}/corrections"
    async with sta.client("data_officer") as client:
        listed = (await said(client, stream(name), _orderby="phenomenonTime desc"))["value"]
        at = f"/Observations('{listed[0]['@iot.id']}')"
        for wrong in WRONG[name]:
            answer = await patched(client, at, {"result": wrong})
            assert answer.status_code == 400, answer.text
        assert (await patched(client, at, {"result": before[-1]})).status_code == 200
        assert (await client.get(road)).json()["items"] == [], "nothing was changed"
        assert (await patched(client, at, {"result": NEW[name]})).status_code == 200
        assert alike(await results(client, stream(name)), [*before[:-1], NEW[name]])
        found = await said(client, at)
        assert found["resultQuality"][0]["nameOfMeasure"] == "correction"
        assert (await client.put(ROOT + at, json={**found, "result": NEW[name]})).status_code == 200
        assert (await client.delete(ROOT + at)).status_code == 200
        assert alike(await results(client, stream(name)), before[:-1])
        assert alike((await said(client, f"/Datastreams('box.{name}')"))["properties"]["latest"]["value"], before[-2])
        for no in (2, 1):
            assert (await client.post(f"{road}/{no}/end", json={"why": "原来没有错"})).status_code == 201
        assert alike(await results(client, stream(name)), before)
