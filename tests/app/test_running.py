"""A district in one process: it listens on IPv4 and IPv6, ends when asked, and its duties outlive their faults."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bench.program import free_port
from citybrain.app.loops import Wake, follow, regularly
from citybrain.app.sockets import listen
from citybrain.kernel.errors import BusyError, ConflictError
from citybrain.kernel.text import same

PROGRAM = Path(sys.executable).with_name("citybrain")


@pytest.mark.slow
def test_a_district_is_begun_served_on_both_protocols_and_ends_within_seconds(tmp_path: Path) -> None:
    folder, port = tmp_path / "district", free_port()
    subprocess.run([str(PROGRAM), "init", "--district", "120104", "--folder", str(folder)], check=True, capture_output=True)
    command = [str(PROGRAM), "--config", str(folder / "citybrain.toml"), "serve", "--state", str(folder / "var")]
    with subprocess.Popen([*command, "--port", str(port), "--mqtt-port", "0"], stdout=subprocess.DEVNULL) as process:
        assert _ready(port) == 200
        # A device that sends every few seconds over one connection is not cut off as it sends.
        device = HTTPConnection("127.0.0.1", port, timeout=10)
        for pause in (0, 7):
            time.sleep(pause)
            device.request("GET", "/readyz")
            with device.getresponse() as answer:
                assert (answer.status, bool(answer.read()), answer.will_close) == (200, True, False)
        device.close()
        for host in ("127.0.0.1", "[::1]"):
            with urllib.request.urlopen(f"http://{host}:{port}/", timeout=10) as answer:
                assert "南开" in answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def _ready(port: int) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return int(answer.status)
        except OSError:
            time.sleep(0.2)
    return 0


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConflictError, match="PORT="):
            listen(("127.0.0.1",), int(other.getsockname()[1]))


def test_both_protocols_listen_on_one_port_each_for_itself() -> None:
    bound = listen(("127.0.0.1", "::1"), free_port())
    assert [one.family for one in bound] == [socket.AF_INET, socket.AF_INET6]
    for one in bound:
        one.close()


@pytest.mark.thorough
async def test_a_duty_that_fails_is_tried_again_and_its_work_is_done() -> None:
    done: list[int] = []
    thrice = asyncio.Event()

    async def work() -> int:
        done.append(len(done))
        if len(done) == 1:
            raise ValueError("once")
        if len(done) == 3:
            thrice.set()
        return 0

    wake = Wake()
    task = asyncio.create_task(follow("trial", work, wake, idle=0.05))
    await asyncio.wait_for(thrice.wait(), 20)
    task.cancel()
    assert done[:3] == [0, 1, 2]


async def test_a_duty_works_until_nothing_is_left_and_then_waits_to_be_woken() -> None:
    left, turns = [3], asyncio.Event()

    async def work() -> int:
        left[0] -= 1
        if left[0] <= 0:
            turns.set()
        return max(left[0], 0)

    wake = Wake()
    task = asyncio.create_task(follow("trial", work, wake, idle=60))
    await asyncio.wait_for(turns.wait(), 30)
    await asyncio.sleep(0.05)
    assert left == [0]
    turns.clear()
    wake.ring()
    await asyncio.wait_for(turns.wait(), 30)
    assert left == [-1]
    task.cancel()


async def test_what_is_done_regularly_goes_on_after_a_fault() -> None:
    turns: list[int] = []
    thrice = asyncio.Event()

    async def work() -> None:
        turns.append(len(turns))
        if len(turns) == 3:
            thrice.set()
        raise ValueError("always")

    task = asyncio.create_task(regularly("trial", work, 0.01))
    await asyncio.wait_for(thrice.wait(), 20)
    task.cancel()
    assert turns[:3] == [0, 1, 2]


@pytest.mark.thorough
async def test_what_is_away_is_said_once_and_once_when_it_is_back() -> None:
    turns: list[int] = []
    done = asyncio.Event()

    async def work() -> int:
        turns.append(len(turns))
        if len(turns) < 3:
            raise BusyError(same("grpc://elsewhere does not answer"))
        if len(turns) > 3:
            done.set()
        return 0

    for started in (follow("trial", work, Wake(), idle=0.01), regularly("trial", work, 0.01)):
        turns.clear()
        done.clear()
        with capture_logs() as said:
            task = asyncio.create_task(started)
            await asyncio.wait_for(done.wait(), 20)
            task.cancel()
        assert [(one["event"], one["duty"], one["log_level"]) for one in said] == [
            ("duty_waits", "trial", "warning"),
            ("duty_goes_on", "trial", "info"),
        ]
        assert said[0]["why"] == "grpc://elsewhere does not answer"
