"""What goes wrong out there: bad rows, bad bodies, a full disk, a second program; each refused with its reason, nothing lost, no 500."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from bench import program
from bench.program import Running
from citybrain.kernel.coordinates import gcj02_from_wgs84, likely

pytestmark = [pytest.mark.kill, pytest.mark.timeout(180)]
STREAM, PATH = "bench-00-000.a", "/api/v1/observe/observations"
GIB = 1 << 30


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with program.running(tmp_path_factory.mktemp("faults")) as found:
        yield found


@pytest.fixture
def device(bench: Running) -> Iterator[httpx.Client]:
    with client(bench) as found:
        yield found


def client(running: Running) -> httpx.Client:
    """A client with the device's credentials."""
    root = f"http://{running.target.host}:{running.target.port}"
    return httpx.Client(base_url=root, auth=("device", running.secret), timeout=60, headers={"Content-Type": "application/json"})


def ago(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


def row(stream: str, seconds: int, value: object, **more: object) -> dict[str, object]:
    return {"stream": stream, "time": ago(seconds), "value": value, **more}


def send(device: httpx.Client, *rows: dict[str, object]) -> httpx.Response:
    return device.post(PATH, content=json.dumps({"observations": rows}))


def history(bench: Running, stream: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(bench.get(f"/api/v1/observe/observations?stream={stream}"))["items"]
    return found


def balanced(bench: Running) -> dict[str, int]:
    """The door's ledger, which must add up."""
    account = bench.ledger("api")
    assert account["received"] == account["stored"] + account["duplicate"] + sum(account["refused"].values())
    return {**account["refused"], "stored": account["stored"], "duplicate": account["duplicate"]}


def test_each_bad_row_is_refused_by_its_own_reason_and_the_good_ones_are_stored(bench: Running, device: httpx.Client) -> None:
    good, again = row(STREAM, 900, 1.5), row("bench-00-001.a", 900, 2.5)
    bad: dict[str, dict[str, object]] = {
        "not_a_number": row(STREAM, 800, float("nan")),
        "bad_value": row(STREAM, 800, "12 m"),
        "wrong_unit": row(STREAM, 800, 1.0, unit="ug/m3"),
        "unknown_stream": row("bench-00-000.z", 800, 1.0),
        "forbidden_stream": row("air-01.pm25", 800, 1.0),
        "future_time": row(STREAM, -3600, 1.0),
        "too_old": {"stream": STREAM, "time": "1999-12-31T23:59:59Z", "value": 1.0},
        "bad_time": {"stream": STREAM, "time": "2026-11-22 15:30", "value": 1.0},
        "bad_row": {"stream": 7},
    }
    answer = send(device, good, again, again, *bad.values())
    assert answer.status_code == 200
    verdict = answer.json()
    assert {one["row"]: one["code"] for one in verdict["refused"]} == dict(enumerate(bad, start=3))
    assert all(one["why"].endswith("。") for one in verdict["refused"])
    assert (verdict["stored"], verdict["duplicate"]) == (2, 1)
    ledger = balanced(bench)
    assert all(ledger[code] >= 1 for code in bad)


def test_a_value_in_another_unit_of_its_kind_is_turned_and_not_refused(bench: Running, device: httpx.Client) -> None:
    assert send(device, row("bench-00-002.a", 900, 50.0, unit="%")).json()["stored"] == 1
    assert history(bench, "bench-00-002.a")[0]["value"] == pytest.approx(0.5)


def test_rows_that_come_late_or_out_of_order_stand_at_their_own_time(bench: Running, device: httpx.Client) -> None:
    stream = "bench-00-003.a"
    for seconds, value in ((600, 3.0), (7200, 1.0), (1800, 2.0)):
        assert send(device, row(stream, seconds, value)).json()["stored"] == 1
    assert [each["value"] for each in history(bench, stream)] == [3.0, 2.0, 1.0]
    assert json.loads(bench.get(f"/api/v1/observe/streams/{stream}"))["value"] == 3.0


def test_a_sending_that_comes_again_is_known_and_a_corrected_value_is_a_revision(bench: Running, device: httpx.Client) -> None:
    stream = "bench-00-004.a"
    first = row(stream, 600, 3.0)
    assert send(device, first).json() == {"stored": 1, "duplicate": 0, "refused": []}
    assert send(device, first).json() == {"stored": 0, "duplicate": 1, "refused": []}
    assert send(device, {**first, "value": 4.0}).json()["stored"] == 1
    assert [each["value"] for each in history(bench, stream)] == [4.0]
    balanced(bench)


def test_a_sending_of_bad_rows_alone_is_refused_as_a_whole_with_every_reason(bench: Running, device: httpx.Client) -> None:
    answer = send(device, row("nobody.a", 600, 1.0), row("bench-00-000\x00.a", 600, 1.0))
    assert (answer.status_code, answer.json()["code"]) == (422, "all_rows_refused")
    assert [one["code"] for one in answer.json()["refused"]] == ["forbidden_stream", "unknown_stream"]
    balanced(bench)


BODIES = {
    "broken": (b'{"observations": [', "application/json", 400),
    "empty": (b"", "application/json", 400),
    "text": (b"level 4", "text/plain", 415),
    "headless": (b"level,4", "text/csv", 400),
    "gbk": ('{"observations": [{"stream": "监测点.a"}]}'.encode("gbk"), "application/json", 400),
    "charset": (b"[]", "application/json; charset=gbk", 415),
    "deep": (b"[" * 200_000, "application/json", 400),
    "nothing": (b"null", "application/json", 400),
    "nul": (b"\x00\x00", "application/json", 400),
    "large": (b" " * 33_000_000, "application/json", 413),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_read_is_refused_with_its_reason_and_stores_nothing(
    bench: Running, device: httpx.Client, name: str
) -> None:
    body, kind, status = BODIES[name]
    before = balanced(bench)["stored"]
    answer = device.post(PATH, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 10
    assert balanced(bench)["stored"] == before


def test_a_full_disk_refuses_writes_whole_and_the_service_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stats = os.statvfs(tmp_path)
    free = stats.f_bavail * stats.f_frsize
    if free < 8 * GIB:
        pytest.skip(f"Only {free // GIB} GiB are free here: filling the disk could hurt others.")
    monkeypatch.setenv("CITYBRAIN_LOW_WATER", str(free - 2 * GIB))
    rows = [row(f"bench-00-{number:03d}.a", 600, 1.0) for number in range(50)]
    with program.running(tmp_path / "state") as running, client(running) as device:
        filler = tmp_path / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 4 * GIB)
        full = send(device, *rows)
        assert (full.status_code, full.json()["code"]) == (507, "storage_full")
        assert "MiB" in full.json()["detail"]
        assert device.get("/readyz").status_code == 503
        assert history(running, "bench-00-000.a") == []
        filler.unlink()
        assert send(device, *rows).json() == {"stored": 50, "duplicate": 0, "refused": []}
        assert running.ledger("api")["stored"] == 50
        assert device.get("/readyz").status_code == 200


def test_a_second_program_on_the_same_state_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with program.running(tmp_path) as running:
        command = [str(Path(sys.executable).with_name("citybrain")), "verify", "--state", str(tmp_path)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 2
        assert str(running.process.pid) in second.stderr
        assert "--state" in second.stderr
        assert running.process.poll() is None
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def test_a_layer_in_the_wrong_coordinate_system_is_told_by_control_points() -> None:
    """Nothing in the product imports layers yet: this is the kernel's answer, which an import will ask."""
    lon, lat = np.linspace(117.12, 117.19, 12), np.linspace(39.07, 39.15, 12)
    shifted = gcj02_from_wgs84(lon, lat)
    told = likely(*shifted, lon, lat)
    assert min(told, key=lambda system: told[system]) == "GCJ02"
    assert told["GCJ02"] < 0.01
    assert told["WGS84"] > 300
