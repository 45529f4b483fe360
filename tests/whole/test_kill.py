"""kill -9 at any moment: every acknowledged observation, case step and audit row is there after restart, and no alert is missed."""

import asyncio
import json
import os
import random
import time
from pathlib import Path

import pytest

from bench import program, wire
from tests.whole.senders import GONE, Sender, balances, missing, rows, send, senders

KILLS = int(os.environ.get("CITYBRAIN_KILLS", "5"))


@pytest.mark.kill
@pytest.mark.timeout(3600)
# The MQTT client of the tests leaves its socket to be collected where the program dies just as it connects.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")
def test_nothing_acknowledged_is_lost_when_the_program_is_killed(tmp_path: Path) -> None:
    """Mixed ingest over every door and form; after each kill the ledger of every door balances to the row."""
    chance, devices = random.Random(20261122), senders()
    notes: list[str] = []
    case = ""
    for _ in range(KILLS):
        running = program.start(tmp_path, mqtt=program.free_port())
        try:
            balances(running, devices)
            case = case or _file_case(running)
            asyncio.run(_work(running, devices, notes, chance.uniform(0.5, 2.5), case))
        finally:
            running.kill()
    assert all(device.sure for device in devices)
    with program.running(tmp_path) as running:
        balances(running, devices)
        _settle(running)
        assert missing(running, {key: value for device in devices for key, value in device.sure.items()}) == []
        assert {entity for device in devices for entity in device.hot} <= _alerted(running)
        assert set(notes) <= _notes(running, case)
        assert json.loads(running.get("/api/v1/protect/audit/verify"))["rows"] > 0


@pytest.mark.kill
@pytest.mark.timeout(300)
def test_asked_to_end_under_load_with_streams_open_it_ends_clean_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    device = senders()[0]
    running = program.start(tmp_path)
    asyncio.run(_asked_to_end(running, device))
    assert running.process.wait(30) == 0
    with program.running(tmp_path) as running:
        assert missing(running, device.sure) == []
        assert device.sure
        balances(running, (device,))


async def _asked_to_end(running: program.Running, device: Sender) -> None:
    """Two readers of events and a writer; SIGTERM a second later, under their hands."""
    listening = [asyncio.create_task(_listen(running.staff)) for _ in range(2)]
    asyncio.get_running_loop().call_later(1.0, running.process.terminate)
    done = await asyncio.gather(send(device, running), *listening, return_exceptions=True)
    assert all(error is None or isinstance(error, (*GONE, asyncio.IncompleteReadError)) for error in done), done


async def _listen(target: wire.Target) -> None:
    """Read live events until the program closes the stream."""
    async for _ in wire.events(target, "/api/v1/see/live"):
        pass


async def _work(running: program.Running, devices: tuple[Sender, ...], notes: list[str], seconds: float, case: str) -> None:
    """Devices and a member of staff until the program is killed under their hands."""
    loop = asyncio.get_running_loop()
    loop.call_later(seconds, running.process.kill)
    writers = [*(send(device, running) for device in devices), _annotate(running.staff, notes, case)]
    done = await asyncio.gather(*writers, return_exceptions=True)
    assert [error for error in done if not isinstance(error, (*GONE, asyncio.IncompleteReadError))] == []


async def _annotate(target: wire.Target, notes: list[str], case: str) -> None:
    async with await wire.Connection.to(target) as connection:
        while True:
            words = f"note {len(notes)}"
            status, answer = await connection.post(f"/api/v1/act/cases/{case}/notes", json.dumps({"words": words}).encode())
            assert status == 201, answer
            notes.append(words)


def _file_case(running: program.Running) -> str:
    body = {"title": "井盖破损", "words": "示范路 1 号门前", "duty": "bench"}

    async def file() -> str:
        async with await wire.Connection.to(running.staff) as connection:
            status, answer = await connection.post("/api/v1/act/cases", json.dumps(body).encode())
        assert status == 201, answer
        return str(json.loads(answer)["id"])

    return asyncio.run(file())


def _settle(running: program.Running) -> None:
    deadline = time.monotonic() + 60
    while running.metric("citybrain_rules_lag_rows") > 0 and time.monotonic() < deadline:
        time.sleep(0.2)


def _alerted(running: program.Running) -> set[str]:
    return {row["entity"] for row in rows(running, "/api/v1/detect/alerts")}


def _notes(running: program.Running, case: str) -> set[str]:
    return {row["note"] for row in rows(running, f"/api/v1/exchange/datasets/step/rows?case={case}")}
