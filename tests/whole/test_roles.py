"""A district in several processes gives the answers of one process, and loses nothing when one of them is killed."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest

from bench.program import free_port
from tests import several
from tests.engines import servers
from tests.several import LOTS, STATIONS, District

pytestmark = [pytest.mark.kill, pytest.mark.postgres, pytest.mark.timeout(400)]
PATH = "/api/v1/observe/observations"
HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("several")


@dataclass(frozen=True, slots=True)
class Sail:
    """A Sail server: where it answers, and its process."""

    address: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def sail() -> Iterator[Sail]:
    with servers.sail() as (address, process):
        yield Sail(address, process)


@pytest.fixture(scope="module")
def split(folder: Path, postgres_url: str, sail: Sail) -> Iterator[District]:
    """ingest, worker and two api on PostgreSQL, NATS, and Sail in the place of Spark."""
    port = free_port()
    roles, bus = ("ingest", "worker", "api", "api-2"), f"nats://127.0.0.1:{port}"
    with (
        several.nats(folder, port),
        several.database(postgres_url, "several") as store,
        several.district(folder / "split", roles, store, bus, ARCHIVE=(folder / "archive").as_uri(), SPARK=sail.address) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[District]:
    """The same district in one process."""
    with several.district(folder / "one", ("all",)) as made:
        yield made


@pytest.fixture(scope="module")
def day() -> list[bytes]:
    """A day up to this hour, an hour a sending: lots that fill up one after another, air that turns foul towards the end."""
    begin = int(time.time()) // HOUR * HOUR - 23 * HOUR
    return [hour_of(begin, hour) for hour in range(24)]


def hour_of(begin: int, hour: int) -> bytes:
    """The readings of one hour of the day that begins there."""
    rows: list[dict[str, object]] = []
    for number, lot in enumerate(LOTS):
        for minute in range(0, 60 if hour < 23 else 1, 5):
            free = 3 - minute // 30 if hour == 9 + number else 40 + (7 * hour + minute + number) % 50
            rows.append({"stream": f"{lot}.free", "time": _at(begin + hour * HOUR + minute * 60), "value": free})
    for number, station in enumerate(STATIONS):
        foul = 260.0 if hour > 20 and number < 3 else 30.0
        for name, share in (("pm25", 1.0), ("pm10", 1.4), ("o3", 0.5), ("no2", 0.8), ("so2", 0.2)):
            rows.append({"stream": f"{station}.{name}", "time": _at(begin + hour * HOUR), "value": foul * share + number})
    return json.dumps({"observations": rows}).encode()


def _at(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def send(device: httpx.Client, body: bytes) -> httpx.Response:
    return device.post(PATH, content=body, headers={"Content-Type": "application/json"})


def until(found: Callable[[], Any], wanted: object, seconds: float = 60) -> None:
    """Wait for an answer; what came instead is shown."""
    deadline = time.monotonic() + seconds
    while (last := found()) != wanted:
        if time.monotonic() > deadline:
            assert last == wanted
        time.sleep(0.3)


def agree(asked: Callable[[httpx.Client], object], one: httpx.Client, other: httpx.Client, seconds: float = 60) -> None:
    """Wait until two districts answer the same."""
    deadline = time.monotonic() + seconds
    while (wanted := asked(one)) != (found := asked(other)):
        if time.monotonic() > deadline:
            assert found == wanted
        time.sleep(0.3)


def items(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def kept(client: httpx.Client, sure: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """What a district says of these observations."""
    found: dict[tuple[str, str], float] = {}
    for stream in sorted({stream for stream, _ in sure}):
        road, cursor = f"{PATH}?stream={stream}&limit=1000", ""
        while True:
            page = client.get(road + cursor).json()
            found |= {(one["stream"], one["time"]): one["value"] for one in page["items"]}
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
    return {row: found[row] for row in sure if row in found}


def alerts(client: httpx.Client) -> list[tuple[str, str, str, str]]:
    """Rule, thing, when it began and how it stands, of all but lost feeds: those depend on the minute in which a program starts."""
    found = [(one["rule"], one["entity"], one["began"], one["state"]) for one in items(client, "/api/v1/detect/alerts?limit=500")]
    return sorted(one for one in found if "feed" not in one[0])


def readings(client: httpx.Client, stream: str) -> list[tuple[str, float, str]]:
    return [(one["time"], one["value"], one["door"]) for one in items(client, f"{PATH}?stream={stream}&limit=500")]


def histories(client: httpx.Client, streams: list[str]) -> list[list[tuple[str, float, str]]]:
    return [readings(client, name) for name in streams]


def latest(client: httpx.Client) -> list[tuple[object, ...]]:
    return [(row["id"], row["time"], row["value"], row["life"]) for row in items(client, "/api/v1/observe/streams?limit=500")]


def figures(client: httpx.Client) -> list[tuple[object, ...]]:
    sheets = client.get("/api/v1/see/figures").json()
    return sorted((one["indicator"], row["area"] or "", row["value"], row["unknown"]) for one in sheets for row in one["figures"])


def test_the_same_day_gives_the_same_answers(split: District, one: District, day: list[bytes]) -> None:
    with one.device("all") as alone, split.device("api") as device:
        for body in day:
            assert send(device, body).json() == send(alone, body).json()
        assert send(device, day[3]).json() == send(alone, day[3]).json(), "and what comes twice is known"
        with one.officer("all") as desk, split.officer("api") as first, split.officer("api-2") as second:
            until(lambda: len(alerts(desk)) > 3, wanted=True)
            agree(alerts, desk, first)
            streams = [f"{station}.pm25" for station in STATIONS] + [f"{lot}.free" for lot in LOTS[:3]] + ["air-01.aqi"]
            for client in (first, second):
                agree(partial(histories, streams=streams), desk, client)
                agree(latest, desk, client)
                agree(figures, desk, client)


def test_history_that_was_closed_is_read_through_spark_with_the_same_answer_and_by_its_owner_without_it(
    split: District, one: District, folder: Path, sail: Sail
) -> None:
    begin = int(time.time()) // DAY * DAY - 14 * DAY
    days = [_aqi(begin + number * DAY) for number in range(11)]
    for made, name in ((one, "all"), (split, "ingest")):
        with made.device(name) as device:
            assert all(send(device, body).status_code == 200 for body in days)
    # Days are closed, and copied to the archive, when the process that keeps them starts.
    for made, name in ((one, "all"), (split, "ingest")):
        made.kill(name)
        made.start(name)
    until(lambda: len(list((folder / "archive").glob("day*.parquet"))) > 10, wanted=True)
    with one.officer("all") as desk, split.officer("api") as first:
        agree(partial(difference, value=150.0), desk, first)
        agree(partial(difference, value=90.0), desk, first)
        before = split.log("api").count("history_asked_of_its_owner")
        sail.process.kill()
        agree(partial(difference, value=80.0), desk, first)
        assert split.log("api").count("history_asked_of_its_owner") > before


def _aqi(begin: int) -> bytes:
    """A day of every station, some of its hours foul."""
    rows = [
        {
            "stream": f"{station}.{name}",
            "time": _at(begin + hour * HOUR),
            "value": (40.0 + 25 * ((hour + number) % 7)) * share,
        }
        for number, station in enumerate(STATIONS)
        for hour in range(24)
        for name, share in (("pm25", 1.0), ("pm10", 1.4), ("o3", 0.5), ("no2", 0.8), ("so2", 0.2), ("co", 0.01))
    ]
    return json.dumps({"observations": rows}).encode()


def difference(client: httpx.Client, value: float) -> object:
    """What another limit would have told over the last weeks."""
    asked = {"value": value, "unit": "{index}", "days": 28}
    headers = {"X-CSRF-Token": client.cookies["csrf"]}
    answer = client.post("/api/v1/detect/limits/air.aqi_light_above/trial", json=asked, headers=headers)
    if answer.status_code == 429:
        # The one that was started a moment ago is met again within a second.
        return None
    assert answer.status_code == 200, answer.text
    return {name: said for name, said in answer.json().items() if name not in ("since", "until")}


def test_nothing_acknowledged_is_lost_when_the_process_that_keeps_it_is_killed(split: District) -> None:
    begin = int(time.time()) // HOUR * HOUR - 20 * 24 * HOUR
    bodies = [
        json.dumps({"observations": [{"stream": "lot-04.free", "time": _at(begin + 60 * minute), "value": minute % 90}]}).encode()
        for minute in range(200)
    ]
    with split.device("api") as device, ThreadPoolExecutor(8) as senders:
        sent = [senders.submit(send, device, body) for body in bodies]
        while sum(one.done() for one in sent) < 60:
            time.sleep(0.01)
        split.kill("ingest")
        split.start("ingest")
        answers = [one.result() for one in sent]
        assert {answer.status_code for answer in answers} <= {200, 429}
        again = [send(device, body).json() for body, answer in zip(bodies, answers, strict=True) if answer.status_code == 429]
        assert all(one["stored"] + one["duplicate"] == 1 for one in again)
    with split.officer("api-2") as desk:
        span = f"&time.ge={_at(begin)}&time.lt={_at(begin + 200 * 60)}"
        kept = items(desk, f"{PATH}?stream=lot-04.free&limit=1000{span}")
        assert sorted(one["value"] for one in kept) == sorted(minute % 90 for minute in range(200))
    with split.officer("api-2", "admin") as admin:
        # What was handed over but not confirmed when it was killed is handed over again, perhaps at this moment.
        account = next(one for one in sheet(admin) if one["door"] == "api")
        assert (
            account["received"] == account["stored"] + account["duplicate"] + sum(account["refused"].values()) + account["pending"]
        )


def sheet(admin: httpx.Client) -> list[dict[str, Any]]:
    """The ledger of every door, but for what the worker computes meanwhile."""
    found: list[dict[str, Any]] = admin.get("/api/v1/observe/doors").json()
    return [one for one in found if one["door"] != "derived"]


def of_api(admin: httpx.Client) -> dict[str, Any]:
    return next(one for one in sheet(admin) if one["door"] == "api")


def test_the_ledger_is_that_of_the_process_that_keeps_it_and_what_waits_for_it_is_pending_while_it_is_away(split: District) -> None:
    admins = split.officer("api", "admin"), split.officer("api-2", "admin"), split.officer("ingest", "admin")
    with admins[0] as admin, admins[1] as other, admins[2] as keeper:
        with split.device("api") as device:
            row = {"stream": "lot-04.free", "time": _at(int(time.time()) - 7200), "value": 5.0}
            assert send(device, json.dumps({"observations": [row, {**row, "stream": "nobody.a"}]}).encode()).status_code == 200
        # What was handed over when it was killed before, and not confirmed, is handed over again after a while.
        until(lambda: {one["pending"] for one in sheet(admin)}, {0})
        for client in (admin, other):
            agree(sheet, keeper, client)
        before = sheet(admin)
        assert "citybrain_door_ledger_current 1.0" in admin.get("/metrics").text
        split.kill("ingest")
        assert sheet(admin) == before
        page = admin.get("/admin?lang=en")
        assert page.status_code == 200
        assert "does not answer: these are the counts it last told" in page.text
        api = of_api(admin)
        late = [row | {"time": _at(int(time.time()) - 7100 + second), "value": 6.0} for second in range(3)]
        with split.device("api") as device, ThreadPoolExecutor(1) as sender:
            sent = sender.submit(send, device, json.dumps({"observations": late}).encode())
            waits = api | {"received": api["received"] + 3, "pending": 3}
            for client in (admin, other):
                until(partial(of_api, client), waits, seconds=10)
            metrics = admin.get("/metrics").text
            assert "citybrain_door_ledger_current 0.0" in metrics
            assert 'citybrain_door_pending_rows{door="api"} 3.0' in metrics
            assert '<span class="of">Pending</span> 3</td>' in admin.get("/admin?lang=en").text
            split.start("ingest")
            assert sent.result().status_code in (200, 429)
        stored = api | {"received": api["received"] + 3, "stored": api["stored"] + 3}
        until(lambda: of_api(admin) | {"last": 0}, stored | {"last": 0}, seconds=20)
        assert {one["pending"] for one in sheet(admin)} == {0}
        assert "does not answer" not in admin.get("/admin?lang=en").text


def gauge(maker: httpx.Client, kind: str = "Measurement") -> tuple[str, str]:
    """A thing made over SensorThings: where it stands there, and its stream, whose results are of a kind."""
    described = {"description": "made over SensorThings"}
    stream = {
        "name": "Level",
        "observationType": f"http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_{kind}",
        "unitOfMeasurement": {"name": "metre", "symbol": "m", "definition": "http://unitsofmeasure.org/ucum.html#m"},
        "Sensor": {"name": "float", "encodingType": "text/plain", "metadata": "none", **described},
        "ObservedProperty": {"name": "level", "definition": "http://example.org/level", **described},
        **described,
    }
    token = {"X-CSRF-Token": maker.cookies["csrf"]}
    made = maker.post("/sta/v1.1/Things", json={"name": "Gauge", "Datastreams": [stream], **described}, headers=token)
    assert made.status_code == 201, made.text
    place = made.headers["location"].partition("/sta/")[2]
    return place, str(maker.get(f"/sta/{place}/Datastreams").json()["value"][0]["@iot.id"])


def test_a_thing_made_at_one_process_takes_readings_at_another_at_once_and_is_seen_by_all(split: District) -> None:
    with split.officer("api", "admin") as maker, split.device("api-2", "probe") as probe, split.officer("api-2") as desk:
        place, name = gauge(maker)
        rows = {"observations": [{"stream": name, "time": _at(int(time.time()) - 60), "value": 1.5}]}
        until(lambda: desk.get(f"/sta/{place}").status_code, 200, seconds=5)
        assert send(probe, json.dumps(rows).encode()).json() == {"stored": 1, "duplicate": 0, "refused": []}
        until(lambda: desk.get(f"/api/v1/observe/streams/{name}").json().get("value"), 1.5, seconds=5)


def said(reader: httpx.Client, listed: str) -> list[object]:
    """The results of Observations as they are listed."""
    return [one["result"] for one in reader.get(listed).json().get("value", ())]


def test_words_said_at_one_process_are_read_and_corrected_at_another(split: District) -> None:
    with split.officer("api", "admin") as maker, split.device("api-2", "probe") as probe:
        _, name = gauge(maker, "CategoryObservation")
        now = int(time.time())
        values = {_at(now - 120): "雨", _at(now - 90): 3, _at(now - 60): "雪"}
        body = json.dumps({"observations": [{"stream": name, "time": at, "value": value} for at, value in values.items()]}).encode()
        answer = send(probe, body).json()
        assert (answer["stored"], [(one["row"], one["code"]) for one in answer["refused"]]) == (2, [(1, "bad_value")])
        with split.officer("api") as officer, split.officer("api-2") as desk:
            listed = f"/sta/v1.1/Datastreams('{name}')/Observations"
            for reader in (officer, desk):
                until(partial(said, reader, listed), ["雪", "雨"], seconds=5)
                (found,) = reader.get(listed, params={"$filter": "result eq '雨'"}).json()["value"]
            road, token = f"/sta/v1.1/Observations('{found['@iot.id']}')", {"X-CSRF-Token": officer.cookies["csrf"]}
            assert officer.patch(road, json={"result": "雾"}, headers=token).status_code == 200
            until(lambda: desk.get(road).json().get("result"), "雾", seconds=5)
            assert send(probe, body).json()["duplicate"] == 2


def test_what_is_struck_out_at_one_process_is_left_out_by_all_and_put_back(split: District) -> None:
    with split.officer("api", "admin") as maker, split.device("api-2", "probe") as probe:
        _, name = gauge(maker)
        now = int(time.time())
        values = {_at(now - 120): 1.5, _at(now - 60): 99.0}
        body = json.dumps({"observations": [{"stream": name, "time": at, "value": value} for at, value in values.items()]}).encode()
        assert send(probe, body).json() == {"stored": 2, "duplicate": 0, "refused": []}
        with split.officer("api") as officer, split.officer("api-2") as desk:
            road, newest = f"/api/v1/observe/streams/{name}", _at(now - 60)
            token, strike = {"X-CSRF-Token": officer.cookies["csrf"]}, {"at": newest, "strike": True, "why": "校准时的试气"}
            until(lambda: desk.get(road).json().get("value"), 99.0, seconds=5)
            seen = officer.post(f"{road}/corrections?preview=true", json=strike, headers=token).headers["etag"]
            made = officer.post(f"{road}/corrections", json=strike, headers={**token, "If-Match": seen})
            assert made.status_code == 201, made.text
            until(lambda: desk.get(road).json().get("value"), 1.5, seconds=5)
            assert [value for _, value, _ in readings(desk, name)] == [1.5]
            history = items(desk, f"{road}/history?bucket=PT1M&since={newest}&until={_at(now)}")
            assert [(one["count"], one["struck"]) for one in history] == [(0, 1)]
            assert send(probe, body).json()["duplicate"] == 2
            back = officer.post(f"{road}/corrections/{made.json()['no']}/end", json={"why": "其实不是试气"}, headers=token)
            assert back.status_code == 201, back.text
            until(lambda: desk.get(road).json().get("value"), 99.0, seconds=5)


def test_an_observation_changed_and_deleted_at_one_process_is_so_at_all(split: District) -> None:
    about, unit = {"description": "made over SensorThings"}, {"symbol": "m", "definition": "http://unitsofmeasure.org/ucum.html#m"}
    joint: dict[str, Any] = {
        "name": "Levels",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation",
        "multiObservationDataTypes": ["http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"] * 2,
        "unitOfMeasurements": [{"name": "metre", **unit}] * 2,
        "Sensor": {"name": "float", "encodingType": "text/plain", "metadata": "none", **about},
        "ObservedProperties": [{"name": name, "definition": f"http://example.org/{name}", **about} for name in ("upper", "lower")],
        **about,
    }
    with split.officer("api", "admin") as maker, split.officer("api") as officer, split.officer("api-2") as desk:
        forged = {"X-CSRF-Token": maker.cookies["csrf"]}
        made = maker.post("/sta/v1.1/Things", json={"name": "Gauge", "MultiDatastreams": [joint], **about}, headers=forged)
        assert made.status_code == 201, made.text
        thing = made.headers["location"].partition("/sta/")[2]
        streams = [one["@iot.id"] for one in maker.get(f"/sta/{thing}/Datastreams").json()["value"]]
        at = _at(int(time.time()) - 30)
        rows = [{"stream": name, "time": at, "value": 6.0} for name in streams]
        with split.device("api-2", "probe") as probe:
            assert send(probe, json.dumps({"observations": rows}).encode()).json()["stored"] == 2
        key = maker.get(f"/sta/{thing}/MultiDatastreams").json()["value"][0]["@iot.id"]
        listed = f"/sta/v1.1/MultiDatastreams('{key}')/Observations"
        until(lambda: len(officer.get(listed).json().get("value", ())), 1, seconds=5)
        found = officer.get(listed).json()["value"][0]["@iot.id"]
        road, token = f"/sta/v1.1/Observations('{found}')", {"X-CSRF-Token": officer.cookies["csrf"]}
        answer = officer.patch(road, json={"result": [7.0, 8.0]}, headers=token)
        assert answer.status_code == 200, answer.text
        until(lambda: desk.get(road).json().get("result"), [7.0, 8.0], seconds=5)
        newest = [items(desk, f"/api/v1/observe/streams/{name}/corrections")[0] for name in streams]
        assert [(one["why"], one["state"]) for one in newest] == [
            ("经 SensorThings 修改 · Changed over SensorThings", "standing")
        ] * 2
        body = {"phenomenonTime": _at(int(time.time()) - 20), "result": [7.0, 9.0], "parameters": {"depth": 3}}
        answer = officer.patch(road, json=body, headers=token)
        assert answer.status_code == 200, answer.text
        until(lambda: desk.get(road).json().get("result"), [7.0, 9.0], seconds=5)
        assert desk.get(road).json()["parameters"]["depth"] == 3, "words and readings are moved in one act there"
        assert officer.delete(road, headers=token).status_code == 200
        until(lambda: desk.get(road).status_code, 404, seconds=5)
        assert officer.delete(road, headers=token).status_code == 404
        assert [readings(desk, name) for name in streams] == [[], []]


def test_what_is_said_anew_at_one_process_is_told_to_whoever_subscribed_at_another(split: District) -> None:
    with split.officer("api", "admin") as maker, split.device("api-2", "probe") as probe, split.officer("api") as officer:
        _, name = gauge(maker)
        row = {"stream": name, "time": _at(int(time.time()) - 60), "value": 1.5}
        assert send(probe, json.dumps({"observations": [row]}).encode()).json()["stored"] == 1
        listed = f"v1.1/Datastreams('{name}')/Observations"
        until(partial(said, officer, f"/sta/{listed}"), [1.5], seconds=5)
        found = officer.get(f"/sta/{listed}").json()["value"][0]["@iot.id"]
        token = {"X-CSRF-Token": officer.cookies["csrf"]}

        async def told() -> dict[str, Any]:
            client = aiomqtt.Client("127.0.0.1", split.mqtt, username="officer", password=split.secrets["officer"], timeout=30)
            async with client as reader, asyncio.timeout(30):
                await reader.subscribe(listed, qos=1)
                answer = officer.patch(f"/sta/v1.1/Observations('{found}')", json={"parameters": {"depth": 3}}, headers=token)
                assert answer.status_code == 200, answer.text
                heard: dict[str, Any] = json.loads((await anext(aiter(reader.messages))).payload)
                return heard

        heard = asyncio.run(told())
        assert (heard["@iot.id"], heard["parameters"]["depth"], heard["result"]) == (found, 3, 1.5)


def test_of_the_one_that_keeps_there_is_one_and_a_second_is_told_why_it_may_not_start(split: District) -> None:
    with pytest.raises(pytest.fail.Exception, match="runs on this database already"):
        split.start("ingest-2")


def test_a_worker_that_is_away_stops_nobody_and_catches_up(split: District) -> None:
    split.kill("worker")
    with split.device("api") as device, split.officer("api") as desk:
        now = int(time.time())
        row = {"stream": "air-05.pm25", "time": _at(now), "value": 33.0}
        assert send(device, json.dumps({"observations": [row]}).encode()).json()["stored"] == 1
        assert desk.get("/cockpit").status_code == 200
        assert desk.get("/desk").status_code == 200
        split.start("worker")
        until(lambda: desk.get("/api/v1/observe/streams/air-05.pm25").json()["value"], 33.0)
        with split.officer("api", "admin") as admin:
            until(lambda: "citybrain_rules_lag_rows 0.0" in admin.get("/metrics").text, wanted=True)
