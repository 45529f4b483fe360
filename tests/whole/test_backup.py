"""A district is backed up while devices send over every door: the copy is whole, of one instant, and the district goes on."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import program
from citybrain.app.backups import restore
from tests.whole.senders import GONE, Row, Sender, balances, missing, send, senders

DOORS = ("api", "sensorthings", "mqtt")
pytestmark = [pytest.mark.kill, pytest.mark.timeout(600)]


def test_a_district_that_runs_is_backed_up_to_the_row(tmp_path: Path) -> None:
    state, devices = tmp_path / "state", senders()
    running = program.start(state, mqtt=program.free_port())
    try:
        known, tried = asyncio.run(_backed_up(running, devices, state, tmp_path / "kept"))
        # What was sent after the backup had begun went on as if there were none.
        while any(running.ledger(door)["pending"] for door in DOORS):
            time.sleep(0.1)
        balances(running, devices)
        assert all(len(device.sure) > len(sure) for device, sure in zip(devices, known, strict=True))
    finally:
        running.kill()
    restore(tmp_path / "kept", tmp_path / "again")
    with program.running(tmp_path / "again", mqtt=program.free_port()) as again:
        accounts = [again.ledger(door) for door in DOORS]
        assert all(one["received"] == one["stored"] + one["duplicate"] + sum(one["refused"].values()) for one in accounts)
        assert sum(len(sure) for sure in known) <= sum(one["stored"] for one in accounts) == again.counted() <= tried
        assert missing(again, {key: value for sure in known for key, value in sure.items()}) == []
        assert b"rows" in again.get("/api/v1/protect/audit/verify")


async def _backed_up(
    running: program.Running, devices: Sequence[Sender], state: Path, target: Path
) -> tuple[list[dict[Row, float]], int]:
    """What was acknowledged before the backup began, and how many rows were sent by its end; a little later sending ends."""
    ended = asyncio.Event()
    sending = [asyncio.create_task(send(device, running, ended)) for device in devices]
    await asyncio.sleep(3)
    known = [dict(device.sure) for device in devices]
    done = await asyncio.to_thread(subprocess.run, _command(state, target), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    tried = sum(device.tries for device in devices)
    await asyncio.sleep(2)
    ended.set()
    await asyncio.gather(*sending)
    return known, tried


def test_killed_amid_a_backup_the_district_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    state, devices = tmp_path / "state", senders()
    running = program.start(state, mqtt=program.free_port())
    asyncio.run(_killed(running, devices, state, tmp_path / "kept"))
    assert not (tmp_path / "kept" / "manifest.json").exists()
    with program.running(state, mqtt=program.free_port()) as running:
        balances(running, devices)
        assert missing(running, {key: value for device in devices for key, value in device.sure.items()}) == []
        assert not (state / "series" / "saving").exists()


async def _killed(running: program.Running, devices: Sequence[Sender], state: Path, target: Path) -> None:
    sending = [asyncio.create_task(send(device, running)) for device in devices]
    await asyncio.sleep(2)
    assert await asyncio.to_thread(_begun_and_killed, running, state, target) == 2, "whoever asked is told that it is not whole"
    ended = await asyncio.gather(*sending, return_exceptions=True)
    assert all(isinstance(error, GONE) for error in ended)


def _begun_and_killed(running: program.Running, state: Path, target: Path) -> int:
    """Kill the program once the copy has begun; the status of the command."""
    with subprocess.Popen(_command(state, target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as backing:
        while not (state / "series" / "saving").exists():
            time.sleep(0.001)
        running.kill()
        return backing.wait(60)


def _command(state: Path, target: Path) -> list[str]:
    return [sys.executable, "-m", "citybrain.app.start", "backup", str(target), "--state", str(state)]
