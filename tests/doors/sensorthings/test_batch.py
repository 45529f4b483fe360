"""``$batch``: many requests in one, each asked, answered and refused by itself, in their order."""

from typing import Any

from httpx import AsyncClient

from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import ROOT
from tests.doors.sensorthings.test_making import GAUGE, LEVEL, SENSOR, STREAM


async def sent(client: AsyncClient, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of a batch."""
    answer = await client.post(f"{ROOT}/$batch", json={"requests": list(requests)})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["responses"]
    return found


async def test_requests_are_answered_in_their_order_and_speak_of_what_earlier_ones_made(sta: World) -> None:
    links = {"Sensor": {"@iot.id": "$s"}, "ObservedProperty": {"@iot.id": "$p"}}
    async with sta.client("admin") as client:
        said = await sent(
            client,
            {"id": "t", "method": "post", "url": "Things", "body": {"name": "Gauge", "description": "A gauge"}},
            {"id": "s", "method": "post", "url": "/Sensors", "body": SENSOR},
            {"id": "p", "method": "post", "url": f"{ROOT}/ObservedProperties", "body": LEVEL},
            {"id": "d", "method": "post", "url": "$t/Datastreams", "body": {**STREAM, **links}},
            {"id": "r", "method": "get", "url": "$t?$expand=Datastreams&$select=name"},
            {"id": "x", "method": "delete", "url": "$t"},
            {"id": "y", "method": "get", "url": "Things('gauge')"},
        )
    assert [(one["id"], one["status"]) for one in said] == [
        ("t", 201), ("s", 201), ("p", 201), ("d", 201), ("r", 200), ("x", 200), ("y", 404),
    ]  # fmt: skip
    assert said[3]["headers"]["location"].endswith("/Datastreams('gauge.water-level')")
    assert (said[4]["body"]["name"], len(said[4]["body"]["Datastreams"])) == ("Gauge", 1)


async def test_each_request_is_asked_of_policy_by_itself(sta: World) -> None:
    reading = {"phenomenonTime": "2026-11-22T06:50:00Z", "result": 2.5, "Datastream": {"@iot.id": "well-1.level"}}
    async with sta.client("device") as device:
        said = await sent(
            device,
            {"id": "1", "method": "POST", "url": "Observations", "body": reading},
            {"id": "2", "method": "POST", "url": "Things", "body": GAUGE},
            {"id": "3", "method": "GET", "url": "Things"},
        )
    assert [one["status"] for one in said] == [201, 403, 403]
    async with sta.client() as nobody:
        (refused,) = await sent(nobody, {"id": "1", "method": "POST", "url": "Things", "body": GAUGE})
    assert refused["status"] == 401
    assert "river-gauge" not in {thing.id for thing in sta.parts.registry.entities("thing")}


async def test_what_is_no_batch_is_refused_whole(sta: World) -> None:
    one = {"id": "1", "method": "post", "url": "Things", "body": GAUGE}
    wrong: list[tuple[Any, int]] = [
        ({}, 400),
        ({"requests": [{"id": "1", "method": "steal", "url": "Things"}]}, 400),
        ({"requests": [one, one]}, 400),
        ({"requests": [one | {"atomicityGroup": "g", "method": "get"}]}, 400),
        ({"requests": [one | {"atomicityGroup": "1"}]}, 400),
        ({"requests": [one | {"atomicityGroup": "g"}, one | {"id": "2"}, one | {"id": "3", "atomicityGroup": "g"}]}, 400),
        ({"requests": [one | {"dependsOn": ["2"]}, one | {"id": "2"}]}, 400),
        ({"requests": [{"id": "1", "method": "post", "url": "$batch", "body": {"requests": []}}]}, 400),
        ({"requests": [{"id": str(number), "method": "get", "url": "Things"} for number in range(501)]}, 400),
    ]
    async with sta.client("admin") as client:
        for body, status in wrong:
            answer = await client.post(f"{ROOT}/$batch", json=body)
            assert (answer.status_code, answer.json()["code"]) == (status, status), (body, answer.text)
    assert "river-gauge" not in {thing.id for thing in sta.parts.registry.entities("thing")}
