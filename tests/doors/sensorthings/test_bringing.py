"""Observations that come with a new Thing or Datastream: all of it, or nothing; and devices that make their own things."""

from typing import Any

import numpy as np
import pytest

from citybrain.brain.observe import Horizon, Intake
from citybrain.kernel.access import Caller, Query
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk
from tests.doors.sensorthings.test_making import GAUGE, PLACE, STREAM, posted
from tests.doors.sensorthings.test_together import maker, standing

TWO: list[dict[str, Any]] = [
    {"phenomenonTime": "2026-11-22T06:50:00Z", "result": 2.5},
    {"phenomenonTime": "2026-11-22T06:55:00Z", "result": 2.75},
]
BARE = {"@iot.id": "gauge-1", "name": "Gauge", "description": "Bare"}


def bringing(*brought: list[dict[str, Any]]) -> dict[str, Any]:
    """A gauge with a Datastream for each list of observations."""
    return {**GAUGE, "@iot.id": "gauge-1", "Datastreams": [{**STREAM, "Observations": each} for each in brought]}


async def test_observations_of_each_datastream_are_stored_with_it(sta: World) -> None:
    version = sta.parts.registry.version
    async with maker(sta) as device:
        assert await posted(device, "/Things", bringing([], TWO, [{"result": 7}])) == "/Things('gauge-1')"
    assert sta.parts.registry.version == version + 1
    async with sta.client("dispatcher") as client:
        made = sta.parts.registry.streams_of("gauge-1")
        for stream, results in zip(made, ([], [2.5, 2.75], [7]), strict=True):
            found = await Desk(client).get(f"/Datastreams('{stream.id}')/Observations", _orderby="phenomenonTime asc")
            assert [one["result"] for one in found["value"]] == results


@pytest.mark.parametrize("path", ["/Things('gauge-1')/Datastreams", "/Datastreams"])
async def test_a_new_datastream_of_a_thing_brings_observations(sta: World, path: str) -> None:
    about = {"FeatureOfInterest": {"@iot.id": "gauge-1"}}
    async with maker(sta) as device:
        await posted(device, "/Things", BARE)
        brought = {**STREAM, "Thing": {"@iot.id": "gauge-1"}, "Observations": [TWO[0] | about, TWO[1]]}
        at = await posted(device, path, brought)
    async with sta.client("dispatcher") as client:
        found = await Desk(client).get(f"{at}/Observations", _orderby="phenomenonTime asc")
    assert [one["result"] for one in found["value"]] == [2.5, 2.75]


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({"result": "much"}, 400),
        ({"result": 1, "phenomenonTime": "2027-01-01T00:00:00Z"}, 400),
        ({"result": 1, "phenomenonTime": "1999-01-01T00:00:00Z"}, 400),
        ({"result": 1, "phenomenonTime": "yesterday"}, 400),
        ({"result": 1, "Datastream": {"@iot.id": "well-1.level"}}, 400),
        ({"result": 1, "parameters": "good"}, 400),
        ({"result": 1, "colour": "blue"}, 501),
        ({"result": 1, "FeatureOfInterest": {"@iot.id": "well-9"}}, 400),
    ],
)
async def test_one_bad_observation_and_nothing_is_made(sta: World, bad: dict[str, Any], status: int) -> None:
    before = standing(sta)
    async with maker(sta) as device:
        answer = await device.post(f"{ROOT}/Things", json=bringing(TWO, [*TWO, bad]))
        assert answer.status_code == status, answer.text
    assert standing(sta) == before
    assert sta.series.latest().num_rows == 0


async def test_a_day_that_is_kept_no_more_is_refused_before_anything_is_made(sta: World) -> None:
    horizon = Horizon({"thing": 2}, sta.parts.registry, sta.clock)
    assert isinstance(sta.parts.intake, Intake)
    sta.parts.intake.kept_by(horizon.expired)
    assert not horizon.expired(np.array([1, 0], np.int32), np.array([0, 0])).any()
    version = sta.parts.registry.version
    async with maker(sta) as device:
        old = {"phenomenonTime": "2026-11-12T06:50:00Z", "result": 2.5}
        answer = await device.post(f"{ROOT}/Things", json=bringing([*TWO, old]))
        assert (answer.status_code, answer.json()["reason"]) == (400, "expired"), answer.text
    assert sta.parts.registry.version == version


async def test_a_bad_draft_stores_no_observation(sta: World) -> None:
    async with maker(sta) as device:
        answer = await device.post(f"{ROOT}/Things", json={**bringing(TWO), "description": None})
        assert answer.status_code == 400
    assert sta.series.latest().num_rows == 0


async def test_who_may_not_write_observations_makes_nothing_and_hears_why(sta: World) -> None:
    async with sta.client("admin") as client:
        answer = await client.post(f"{ROOT}/Things", json=bringing(TWO))
        assert answer.status_code == 403
        assert "无权写入观测值" in answer.json()["message"]
        assert "may not write" in answer.json()["message"]
        assert (await client.get(f"{ROOT}/Things('gauge-1')")).status_code == 404


async def test_a_device_makes_and_moves_the_things_of_its_list_and_changes_and_ends_none(sta: World) -> None:
    async with maker(sta) as device:
        at = await posted(device, "/Things", BARE)
        await posted(device, f"{at}/Datastreams", STREAM)
        await posted(device, f"{at}/Locations", PLACE)
        refused = [
            ("POST", "/Things", {**BARE, "@iot.id": "other-1"}),
            ("POST", "/Things", {"name": "gauge-2", "description": "No id is asked for"}),
            ("POST", "/Things('well-1')/Datastreams", STREAM),
            ("POST", "/Datastreams", {**STREAM, "Thing": {"@iot.id": "well-1"}}),
            ("POST", "/Locations", {**PLACE, "Things": [{"@iot.id": "well-1"}]}),
            ("POST", "/Sensors", STREAM["Sensor"]),
            ("PATCH", at, {"name": "Other"}),
            ("PUT", "/Datastreams('gauge-1.water-level')", STREAM),
            ("DELETE", at, None),
            ("GET", at, None),
        ]
        for method, path, body in refused:
            answer = await device.request(method, ROOT + path, json=body)
            assert answer.status_code == 403, (method, path, answer.text)
    assert [one.id for one in sta.parts.registry.entities("thing")] == ["gauge-1"]
    rows = sta.parts.guard.reader(Caller("x", "x", frozenset({"auditor"})), "").read(Query("audit")).rows
    allowed = {row["resource"] for row in rows if row["action"] == "entity.write" and row["allowed"]}
    assert allowed == {"sensorthings:Things", "sensorthings:Things(gauge-1)/Datastreams", "sensorthings:Things(gauge-1)/Locations"}


async def test_a_device_without_the_sign_writes_and_makes_nothing(sta: World) -> None:
    async with sta.client("device") as device:
        answer = await device.post(f"{ROOT}/Things", json={**BARE, "@iot.id": "well-1"})
        assert answer.status_code == 403
