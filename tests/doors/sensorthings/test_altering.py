"""Entities said anew: in part, whole, or by operations of a JSON Patch."""

from typing import Any

import pytest

from citybrain.brain.observe import AreaBook, Registry
from citybrain.doors.sensorthings.altering import Change
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Json
from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT, Desk
from tests.doors.sensorthings.test_making import GAUGE, LEVEL, SENSOR, STREAM, posted, said

BEFORE: dict[str, Json] = {"name": "Gauge", "properties": {"a": 1, "list": [1, 2, 3], "odd/name~": "x"}}


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ({"op": "add", "path": "/properties/b", "value": 2}, {"a": 1, "list": [1, 2, 3], "odd/name~": "x", "b": 2}),
        ({"op": "add", "path": "/properties/list/1", "value": 9}, {"a": 1, "list": [1, 9, 2, 3], "odd/name~": "x"}),
        ({"op": "add", "path": "/properties/list/-", "value": 4}, {"a": 1, "list": [1, 2, 3, 4], "odd/name~": "x"}),
        ({"op": "remove", "path": "/properties/list/0"}, {"a": 1, "list": [2, 3], "odd/name~": "x"}),
        ({"op": "replace", "path": "/properties/odd~1name~0", "value": "y"}, {"a": 1, "list": [1, 2, 3], "odd/name~": "y"}),
        ({"op": "move", "from": "/properties/a", "path": "/properties/c"}, {"list": [1, 2, 3], "odd/name~": "x", "c": 1}),
        ({"op": "copy", "from": "/properties/list/2", "path": "/properties/a"}, {"a": 3, "list": [1, 2, 3], "odd/name~": "x"}),
        ({"op": "test", "path": "/properties/list", "value": [1, 2, 3]}, BEFORE["properties"]),
    ],
)
def test_each_operation_does_what_rfc_6902_says(operation: Json, after: Json) -> None:
    assert Change("patch", [operation]).of(BEFORE) == {"name": "Gauge", "properties": after}
    assert BEFORE["properties"] == {"a": 1, "list": [1, 2, 3], "odd/name~": "x"}


def test_a_link_is_bound_by_the_address_of_what_it_leads_to() -> None:
    sent: Json = {"Thing@odata.bind": "Things('a''b')", "Sensor": {"@iot.id": "s"}}
    assert Change("merge", sent).of({"name": "x"}) == {"name": "x", "Thing": {"@iot.id": "a'b"}, "Sensor": {"@iot.id": "s"}}
    many: Json = {"Locations@odata.bind": [f"http://host{ROOT}/Locations(1)", "Things('a')/Locations('b')"]}
    assert Change("replace", many).of({}) == {"Locations": [{"@iot.id": "1"}, {"@iot.id": "b"}]}
    nowhere: tuple[Json, ...] = ("a", "Things", "", 5, {"@iot.id": "a"}, None)
    for none in nowhere:
        with pytest.raises(BadInputError, match="address of an entity"):
            Change("merge", {"Thing@odata.bind": none}).of({})


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "steal", "path": "/name"},
        {"op": "add", "path": "name", "value": 1},
        {"op": "add", "path": "/name"},
        {"op": "add", "path": "/none/deep", "value": 1},
        {"op": "add", "path": "/properties/list/01", "value": 1},
        {"op": "add", "path": "/properties/list/5", "value": 1},
        {"op": "remove", "path": "/none"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/none", "value": 1},
        {"op": "move", "from": "/properties", "path": "/properties/a"},
        {"op": "test", "path": "/name", "value": "Other"},
        "remove",
    ],
)
def test_what_cannot_be_done_is_refused(operation: Json) -> None:
    with pytest.raises(BadInputError):
        Change("patch", [operation]).of(BEFORE)


def test_copies_of_copies_come_to_an_end() -> None:
    doubling: list[Json] = [{"op": "copy", "from": "/properties", "path": f"/properties/x{number}"} for number in range(60)]
    with pytest.raises(BadInputError, match="100000 bytes"):
        Change("patch", doubling).of(BEFORE)
    with pytest.raises(BadInputError, match="100 at most"):
        Change("patch", [{"op": "test", "path": "/name", "value": "Gauge"}] * 101).of(BEFORE)


async def test_a_json_patch_that_fails_in_its_last_step_changes_nothing(sta: World) -> None:
    good: dict[str, Any] = {"op": "replace", "path": "/name", "value": "Other"}
    kind = {"Content-Type": "application/json-patch+json"}
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        answer = await client.request(
            "PATCH",
            ROOT + at,
            content=b'[{"op":"replace","path":"/name","value":"Other"},{"op":"remove","path":"/none"}]',
            headers=kind,
        )
        assert answer.status_code == 400, answer.text
        assert "Operation 2" in answer.json()["message"]
        assert (await said(client, at))["name"] == "River gauge"
        answer = await client.patch(ROOT + at, json=[good], headers=kind)
        assert answer.status_code == 200, answer.text
        assert (await said(client, at))["name"] == "Other"
        assert (await client.put(ROOT + at, json=[good], headers=kind)).status_code == 415


@pytest.mark.parametrize("name", ["@iot.id", "id"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_an_id_in_what_is_changed_is_passed_over(sta: World, method: str, name: str) -> None:
    """OGC 18-088 clause 10.3: the service ignores it."""
    async with sta.client("admin") as client:
        at, well = await posted(client, "/Things", GAUGE), await said(client, "/Things('well-1')")
        for number, key in enumerate(("well-1", "river-gauge", 7)):
            answer = await client.request(method, ROOT + at, json={"name": f"Other {number}", "description": "Other", name: key})
            assert answer.status_code == 200, answer.text
            found = await said(client, at)
            assert (found["@iot.id"], found["name"]) == ("river-gauge", f"Other {number}")
        assert await said(client, "/Things('well-1')") == well


@pytest.mark.parametrize("name", ["@iot.id", "id"])
async def test_an_id_that_a_json_patch_adds_is_passed_over(sta: World, name: str) -> None:
    kind = {"Content-Type": "application/json-patch+json"}
    async with sta.client("admin") as client:
        at = await posted(client, "/Things", GAUGE)
        both = [{"op": "add", "path": f"/{name}", "value": "x"}, {"op": "replace", "path": "/name", "value": "Other"}]
        answer = await client.patch(ROOT + at, json=both, headers=kind)
        assert answer.status_code == 200, answer.text
        found = await said(client, at)
        assert (found["@iot.id"], found["name"]) == ("river-gauge", "Other")


async def test_a_datastream_comes_from_another_sensor_and_watches_another_property_and_keeps_its_readings(sta: World) -> None:
    secret = sta.parts.accounts.devices.create("水位计", "gauge", ["river-gauge"])
    at = "/Datastreams('river-gauge.water-level')"
    async with sta.client("admin") as client:
        await posted(client, "/Things", GAUGE)
        await posted(client, "/Sensors", {**SENSOR, "name": "Radar"})
        await posted(client, "/ObservedProperties", {**LEVEL, "name": "Depth"})
        async with sta.client("device") as device:
            device.auth = ("gauge", secret)
            device.headers.pop("Authorization")
            await posted(device, f"{at}/Observations", {"phenomenonTime": "2026-11-22T06:50:00Z", "result": 2.5})
        everyone = Desk(client)
        links = {
            "Sensor": {"@iot.id": "radar"},
            "ObservedProperty": {"@iot.id": "thing.depth"},
            "Thing": {"@iot.id": "river-gauge"},
        }
        before = sta.parts.registry.stream("river-gauge.water-level")
        for how, body in (("PATCH", links), ("PATCH", {"description": "Same"}), ("PUT", {**STREAM, **links})):
            answer = await client.request(how, ROOT + at, json=body)
            assert answer.status_code == 200, answer.text
            found = await said(client, at, _expand="Sensor,ObservedProperty")
            assert (found["Sensor"]["@iot.id"], found["ObservedProperty"]["@iot.id"]) == ("radar", "thing.depth")
        after = sta.parts.registry.stream("river-gauge.water-level")
        assert (after.no, after.unit, after.entity) == (before.no, before.unit, before.entity)
        assert await everyone.ids("/Sensors('radar')/Datastreams") == ["river-gauge.water-level"]
        assert await everyone.ids("/Sensors('ultrasonic-gauge')/Datastreams") == []
        assert await everyone.ids("/ObservedProperties('thing.depth')/Datastreams") == ["river-gauge.water-level"]
        wrong: tuple[tuple[dict[str, Any], int, str], ...] = (
            ({"Sensor": SENSOR}, 400, "named by its @iot.id"),
            ({"Sensor": {"@iot.id": "none"}}, 404, "no sensor"),
            ({"ObservedProperty": {"@iot.id": "thing.none"}}, 404, "no observed property"),
            ({"Thing": {"@iot.id": "well-1"}}, 409, "declared by a pack"),
        )
        for change, code, why in wrong:
            answer = await client.patch(ROOT + at, json=change)
            assert (answer.status_code, why in answer.json()["message"]) == (code, True), answer.text
        assert sta.parts.registry.stream("river-gauge.water-level") == after
        anew = Registry(sta.transactions, (), AreaBook(sta.transactions))
        assert anew.streams() == sta.parts.registry.streams()
        assert (await client.delete(f"{ROOT}/Sensors('ultrasonic-gauge')")).status_code == 200
        assert await everyone.ids("/Things('river-gauge')/Datastreams") == ["river-gauge.water-level"]
    async with sta.client("dispatcher") as client:
        (kept,) = (await said(client, f"{at}/Observations", _expand="Datastream($expand=Sensor)"))["value"]
        assert (kept["result"], kept["Datastream"]["Sensor"]["@iot.id"]) == (2.5, "radar")
