"""Figures, layers, exports and traces over HTTP; and the live stream, which resumes and shows each caller their own rows alone."""

import asyncio
import dataclasses
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from csv import DictReader

import pyarrow.parquet as pq
from httpx import AsyncClient

from citybrain.doors import api
from citybrain.kernel.text import Text
from tests.doors.conftest import World, own

CASES = "/api/v1/act/cases"
FILING = {"title": "井盖缺失", "words": "路口东侧井盖缺失", "duty": "water"}
HIGH = {"stream": "well-1.level", "time": "2026-11-22T06:59:00Z", "value": 45.0}


async def flood(world: World) -> None:
    """A reading that sets the rule off: one alert, one case."""
    async with world.client("device") as device:
        assert (await device.post("/api/v1/observe/observations", json=[HIGH])).json()["stored"] == 1
    await asyncio.to_thread(world.watch.run_once)
    await asyncio.to_thread(world.feed.run_once)
    await asyncio.to_thread(world.indicators.run_once)


async def test_an_alert_its_rule_its_case_and_the_figure_lead_back_to_the_reading(world: World) -> None:
    await flood(world)
    async with world.client("dispatcher") as desk:
        alert = (await desk.get("/api/v1/detect/alerts?state=open&entity=well-1")).json()["items"][0]
        assert (alert["rule"], alert["grade"], alert["demo"]) == ("wells.well_high", 3, True)
        assert (await desk.get(f"/api/v1/detect/alerts/{alert['id']}")).json()["id"] == alert["id"]
        assert [rule["when"] for rule in (await desk.get("/api/v1/detect/rules")).json()] == ["level > well_limit"]
        figures = {sheet["indicator"]: sheet for sheet in (await desk.get("/api/v1/see/figures")).json()}
        assert figures["open_cases"]["figures"][0]["value"] == 1.0
        one = (await desk.get("/api/v1/see/figures/open_cases")).json()
        assert one["figures"][0]["as_of"] == "2026-11-22T07:00:00Z"
        assert len((await desk.get("/api/v1/see/figures/open_cases/history?since=2026-11-22T00:00:00Z")).json()["figures"]) >= 1
        behind = (await desk.get("/api/v1/see/figures/open_cases/rows")).json()
        assert (len(behind["items"]), behind["hidden"]) == (1, 0)
        tree = (await desk.get("/api/v1/see/trace/figures/open_cases")).json()
        case = tree["parts"][0]
        assert (tree["link"], case["link"], case["parts"][0]["link"]) == ("figure", "case", "alert")
        reading = case["parts"][0]["parts"][1]
        assert (reading["key"], reading["said"]["value"], reading["said"]["door"]) == ("well-1.level", 45.0, "api")
        assert (await desk.get(f"/api/v1/see/trace/alerts/{alert['id']}")).json()["link"] == "alert"
        assert (await desk.get("/api/v1/see/figures/none")).status_code == 404
        assert (await desk.get("/api/v1/detect/algorithms")).json() == []
        assert (await desk.get("/api/v1/detect/forecasts/well-1.level")).status_code == 404


async def test_an_alert_and_its_case_say_what_its_reading_was_and_is(world: World) -> None:
    await flood(world)
    async with world.client("dispatcher") as desk, world.client("data_officer") as officer:
        (alert,) = (await desk.get("/api/v1/detect/alerts?state=open&entity=well-1")).json()["items"]
        road = f"/api/v1/detect/alerts/{alert['id']}"
        rows = "/api/v1/see/figures/open_cases/rows"
        assert "changed" not in (await desk.get(rows)).json()
        assert (await desk.get(road)).json()["changed"] == []
        change = {"at": HIGH["time"], "value": 0.45}
        fix = "/api/v1/observe/streams/well-1.level/corrections"
        shown = await officer.post(f"{fix}?preview=true", json=change)
        made = await officer.post(fix, json={**change, "why": "误为厘米"}, headers={"If-Match": shown.headers["etag"]})
        assert made.status_code == 201
        told = {
            "stream": "well-1.level",
            "time": HIGH["time"],
            "unit": "m",
            "was": 45.0,
            "now": 0.45,
            "how": "corrected",
            "at": "2026-11-22T07:00:00Z",
            "correction": made.json()["no"],
        }
        assert (await desk.get(road)).json()["changed"] == [told]
        case = (await desk.get("/api/v1/act/cases?limit=1")).json()["items"][0]
        assert (await desk.get(f"/api/v1/act/cases/{case['id']}")).json()["changed"] == [told]
        found = (await desk.get(rows)).json()
        assert (found["changed"], [row.get("changed") for row in found["items"]]) == (1, [True])
        assert (await officer.post(f"{fix}/{told['correction']}/end", json={"why": "原来是米"})).status_code == 201
        assert (await desk.get(road)).json()["changed"] == []
        assert "changed" not in (await desk.get(rows)).json()


async def test_the_public_gets_areas_without_outlines_while_the_map_is_not_approved(world: World) -> None:
    async with world.client() as anyone, world.client("dispatcher") as desk:
        public = await anyone.get("/api/v1/see/layers/areas.geojson")
        assert public.headers["content-type"].startswith("application/geo+json")
        assert public.json()["features"][0]["geometry"] is None
        inside = (await desk.get("/api/v1/see/layers/well.geojson")).json()
        assert inside["features"][0]["geometry"]["coordinates"] == [117.1, 39.06]
        assert inside["features"][0]["properties"]["demo"] is True
        assert (await anyone.get("/api/v1/see/layers/areas")).status_code == 404
        assert (await anyone.get("/api/v1/see/layers")).json() == ["areas", "well"]


def csv_rows(text: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_rows_and_exports_of_a_dataset_are_for_those_whom_policy_lets(world: World) -> None:
    async with world.client() as anyone, world.client("data_officer") as officer:
        wells = (await anyone.get("/api/v1/exchange/datasets/well/rows?count=true")).json()
        assert (wells["total"], wells["items"][0]["demo"]) == (2, True)
        opened = await anyone.get("/api/v1/exchange/datasets/well/export.csv")
        assert [row["lon"] for row in csv_rows(opened.text)] == ["", ""]
        refused = await anyone.get("/api/v1/exchange/datasets/alert/export.csv")
        assert (refused.status_code, refused.json()["action"]) == (401, "alert.export")
        csv = await officer.get("/api/v1/exchange/datasets/well/export.csv?id=well-1")
        assert csv.content.startswith(b"\xef\xbb\xbf")
        lines = csv.text.splitlines()
        assert (len(lines), "demo" in lines[0], "true" in lines[1]) == (2, True, True)
        assert "well_20261122" in csv.headers["content-disposition"]
        table = pq.read_table(io.BytesIO((await officer.get("/api/v1/exchange/datasets/well/export.parquet")).content))
        assert table["id"].to_pylist() == ["well-1", "well-2"]
        assert len(json.loads((await officer.get("/api/v1/exchange/datasets/well/export.json")).content)["items"]) == 2
        assert (await officer.get("/api/v1/exchange/datasets/none/export.csv")).status_code == 404
        assert "well" in {entry["name"] for entry in (await anyone.get("/api/v1/exchange/datasets")).json()}
        assert (await anyone.get("/api/v1/exchange/datasets/well")).json()["dataset"]["owner"] == "water"
        assert (await officer.get("/api/v1/exchange/lineage")).json() == []


async def test_the_program_says_whether_it_is_alive_ready_and_how_busy(world: World) -> None:
    world = dataclasses.replace(world, build=lambda: own(world.parts, api.Metrics(world.parts)))
    await flood(world)
    async with world.client() as anyone:
        assert (await anyone.get("/healthz")).json() == {"alive": True}
        assert (await anyone.get("/readyz")).json() == {"ready": True, "wrong": {}}
        assert (await anyone.get("/metrics")).status_code == 401
    async with world.client("leader") as leader:
        text = (await leader.get("/metrics")).text
    assert 'citybrain_door_rows_total{door="api",fate="stored"} 1.0' in text
    assert 'citybrain_door_deleted_rows_total{door="api"} 0.0' in text
    assert 'citybrain_streams{life="never"} 3.0' in text
    assert 'citybrain_request_seconds_count{method="GET",route="/healthz",status="200"} 1.0' in text
    assert "citybrain_rules_lag_rows 0.0" in text


async def test_a_program_that_is_not_ready_says_what_is_wrong(world: World) -> None:
    world.parts.ready["space"] = lambda: Text("磁盘空间不足", "no disk space")  # type: ignore[index]  # the mapping handed to the door is read-only in its type
    async with world.client() as anyone:
        answer = await anyone.get("/readyz")
    assert (answer.status_code, answer.json()["wrong"]) == (503, {"space": {"zh": "磁盘空间不足", "en": "no disk space"}})


@asynccontextmanager
async def live(
    world: World, client: AsyncClient, query: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator["Stream"]:
    """The live stream of a client, driven over bare ASGI, for httpx would wait for its end."""
    request = client.build_request("GET", f"/api/v1/see/live{query}", headers=headers)
    stream = Stream()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": ("city", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    task = asyncio.create_task(world.app(scope, stream.receive, stream.send))  # type: ignore[arg-type]  # bare ASGI, which Litestar types more narrowly
    try:
        yield stream
    finally:
        stream.gone.set()
        await asyncio.wait_for(task, 30)


class Stream:
    """What came over one stream."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.status = 0
        self._parts: asyncio.Queue[bytes] = asyncio.Queue()
        self._asked = False

    async def receive(self) -> dict[str, object]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            self.status = int(str(message["status"]))
        body = message.get("body")
        if isinstance(body, bytes) and body:
            self._parts.put_nowait(body)

    async def next(self, wanted: str) -> dict[str, str]:
        """The next message with a field of that name (``event``) or a comment (empty name)."""
        while True:
            part = (await asyncio.wait_for(self._parts.get(), 20)).decode()
            fields = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line)
            if wanted in fields:
                return fields


async def test_a_case_that_is_opened_comes_over_the_stream_and_a_reconnect_reads_on(world: World) -> None:
    async with world.client("dispatcher") as desk:
        async with live(world, desk) as stream:
            await stream.next("retry")
            world.bus.publish("figure", {"indicator": "open_cases"})
            assert (await stream.next("event"))["event"] == "figure"
            filed = (await desk.post(CASES, json=FILING)).json()
            world.bus.publish("outbox", None)
            told = await stream.next("event")
            assert (told["event"], json.loads(told["data"])["case"]["id"]) == ("case", filed["id"])
        second = (await desk.post(CASES, json={**FILING, "title": "另一件"})).json()
        async with live(world, desk, headers={"Last-Event-ID": told["id"]}) as stream:
            again = await stream.next("event")
            assert json.loads(again["data"])["case"]["id"] == second["id"]
            assert int(again["id"]) > int(told["id"])
            assert "heartbeat" in (await stream.next(""))[""]


async def test_a_handler_hears_of_the_own_units_cases_alone(world: World) -> None:
    async with world.client("handler") as handler, world.client("dispatcher") as desk:
        await desk.post(CASES, json={**FILING, "duty": "roads"})
        own = (await desk.post(CASES, json=FILING)).json()
        async with live(world, handler, "?last_event_id=0") as stream:
            told = await stream.next("event")
    assert json.loads(told["data"])["case"]["id"] == own["id"]


async def test_a_session_that_ends_ends_its_stream_and_a_bad_place_is_refused(world: World) -> None:
    async with world.client("dispatcher") as desk:
        assert (await desk.get("/api/v1/see/live?last_event_id=x")).status_code == 400
        async with live(world, desk) as stream:
            await stream.next("retry")
            world.parts.accounts.sign_out(desk.cookies["session"])
            world.bus.publish("outbox", None)
        assert stream.status == 200


async def test_the_document_names_every_route_and_its_problems(world: World) -> None:
    async with world.client() as anyone:
        document = (await anyone.get("/api/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) > 40
    assert all(operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"} for operation in operations)
    words = {word["name"] for word in document["paths"]["/api/v1/act/cases"]["get"]["parameters"]}
    assert words == {"limit", "cursor", "count", "sort", "bbox", "lang", "purpose"}
