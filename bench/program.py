"""Starting and stopping the whole program as its own process, as an operator would."""

import base64
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil

from bench.server import PASSWORD
from bench.wire import Target


@dataclass(frozen=True, slots=True)
class Running:
    """A running program: its process and where it listens."""

    process: subprocess.Popen[bytes]
    target: Target
    """With the device's credentials: it may write observations."""
    staff: Target
    """With a session of a member of staff."""
    mqtt_port: int
    secret: str

    def get(self, path: str) -> bytes:
        """The body of a GET, as staff."""
        return _ask(self.staff, path)

    def metric(self, name: str) -> float:
        """A number of /metrics."""
        found = re.search(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", self.get("/metrics").decode(), re.MULTILINE)
        if found is None:
            raise KeyError(name)
        return float(found.group(1))

    def ledger(self, door: str) -> dict[str, Any]:
        """The account of a door; an empty one where nothing has come through it yet."""
        doors = json.loads(self.get("/api/v1/observe/doors"))
        empty = {"door": door, "received": 0, "stored": 0, "duplicate": 0, "refused": {}, "pending": 0}
        return next((account for account in doors if account["door"] == door), empty)

    def counted(self) -> int:
        """How many observations there are, counted in the store."""
        found: int = json.loads(self.get("/sta/v1.1/Observations?$count=true&$top=0"))["@iot.count"]
        return found

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        self.process.wait(30)

    def kill(self) -> None:
        """Kill it as the power would: SIGKILL, no goodbye."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def free_port() -> int:
    """A port nobody uses now, below those that systems give to whoever connects: it is still free when the program gets to it."""
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port


def start(state: Path, seconds: float = 60, mqtt: int = 0, *, bare: bool = False, more: Mapping[str, str] | None = None) -> Running:
    """Start the bench's program on a state folder and wait until it is ready; raises RuntimeError with its last words.

    ``bare``: without the things of the bench's pack; ``more``: settings, as the environment has them.
    """
    port = free_port()
    state.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "bench.server", "--state", str(state), "--port", str(port), "--mqtt-port", str(mqtt)]
    command += ["--bare"] if bare else []
    with (state / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | (more or {}))
    nobody = Target("127.0.0.1", port, "")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _ask(nobody, "/readyz")
        except (OSError, RuntimeError):
            time.sleep(0.1)
        else:
            _is_listening(process, port)
            return _known(process, nobody, Path((more or {}).get("CITYBRAIN_SHARED", state)), mqtt)
    process.kill()
    raise RuntimeError((state / "log").read_text(encoding="utf-8")[-3000:])


def _is_listening(process: subprocess.Popen[bytes], port: int) -> None:
    """Raise RuntimeError where it is another program that answers at a port."""
    listening = {open_.laddr.port for open_ in psutil.Process(process.pid).net_connections("tcp") if open_.status == "LISTEN"}
    if port not in listening:
        process.kill()
        message = f"Another program answers at port {port}."
        raise RuntimeError(message)


def _known(process: subprocess.Popen[bytes], nobody: Target, shared: Path, mqtt: int) -> Running:
    secret = (shared / "device.secret").read_text(encoding="ascii")
    device = "Basic " + base64.b64encode(f"device:{secret}".encode()).decode()
    given = json.dumps({"login": "bench", "password": PASSWORD}).encode()
    with _open(nobody, "/api/v1/protect/session", given) as answer:
        cookies = answer.headers.get_all("Set-Cookie") or []
    token = next(cookie.split("=", 1)[1].split(";")[0] for cookie in cookies if cookie.startswith("session="))
    return Running(process, replace(nobody, auth=device), replace(nobody, auth=f"Bearer {token}"), mqtt, secret)


def _ask(target: Target, path: str, body: bytes | None = None) -> bytes:
    with _open(target, path, body) as answer:
        return bytes(answer.read())


def _open(target: Target, path: str, body: bytes | None) -> HTTPResponse:
    headers = {"Content-Type": "application/json"} | ({"Authorization": target.auth} if target.auth else {})
    ask = urllib.request.Request(f"http://{target.host}:{target.port}{path}", body, headers)
    try:
        answer: HTTPResponse = urllib.request.urlopen(ask, timeout=60)
    except HTTPError as error:
        raise RuntimeError(f"{path}: {error.code} {error.read().decode()}") from None
    return answer


@contextmanager
def running(state: Path, mqtt: int = 0, *, bare: bool = False) -> Iterator[Running]:
    """The program for the time of a block."""
    program = start(state, mqtt=mqtt, bare=bare)
    try:
        yield program
    finally:
        program.stop()
