"""The demo district as its own process, as `make demo` starts it, and what a test may ask of it from outside."""

import asyncio
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt

from bench.program import free_port
from citybrain.app.demo import DEVICE, PASSWORD
from citybrain.kernel.instant import HOUR, MINUTE, Instant, parse, rfc3339
from tests import lived

PROGRAM = Path(sys.executable).with_name("citybrain")
SPEED = 60
"""City seconds in a wall second."""
_CITY = re.compile(r'data-city="([^"]+)"')


@dataclass(frozen=True)
class District:
    """A running demo: where it listens, and the secret of its device."""

    root: str
    port: int
    mqtt_port: int
    secret: str

    def text(self, path: str) -> str:
        """The body of a GET by nobody."""
        with urllib.request.urlopen(self.root + path, timeout=30) as answer:
            return str(answer.read().decode())

    def city(self) -> Instant:
        """The city's time, as every page says it."""
        found = _CITY.search(self.text("/signin"))
        assert found is not None
        return parse(found.group(1))

    def token(self, role: str) -> str:
        """A session of a demo account."""
        given = json.dumps({"login": role, "password": PASSWORD}).encode()
        ask = urllib.request.Request(self.root + "/api/v1/protect/session", given, {"Content-Type": "application/json"})
        with urllib.request.urlopen(ask, timeout=30) as answer:
            cookies = answer.headers.get_all("Set-Cookie") or []
        return next(str(cookie).split("=", 1)[1].split(";")[0] for cookie in cookies if cookie.startswith("session="))

    def post(self, role: str, path: str, body: Mapping[str, object]) -> dict[str, str]:
        """The answer to a POST by a member of staff."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token(role)}"}
        ask = urllib.request.Request(self.root + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(ask, timeout=30) as answer:
            found: dict[str, str] = json.loads(answer.read())
        return found

    def rows(self, role: str, path: str) -> list[dict[str, Any]]:
        """The rows of a list, as a member of staff sees them."""
        ask = urllib.request.Request(self.root + path, headers={"Authorization": f"Bearer {self.token(role)}"})
        with urllib.request.urlopen(ask, timeout=30) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["items"]
        return found

    def publish(self, entity: str, readings: Mapping[Instant, Mapping[str, float | str]]) -> None:
        """Send readings as the demo's device, one message an instant, each acknowledged (QoS 1) before the next."""
        thread = threading.Thread(target=lambda: asyncio.run(self._publish(entity, readings)))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()

    async def _publish(self, entity: str, readings: Mapping[Instant, Mapping[str, float | str]]) -> None:
        async with aiomqtt.Client("127.0.0.1", self.mqtt_port, username=DEVICE, password=self.secret) as client:
            for at, values in readings.items():
                await client.publish(f"citybrain/v1/{entity}", json.dumps({"time": rfc3339(at), **values}), qos=1)

    def wait_until_minute(self, minute: float) -> Instant:
        """Wait for a minute of the city's hour; returns the beginning of that hour."""
        now = self.city()
        into = (now % HOUR) / MINUTE
        ahead = minute - into if into <= minute else 60 - into + minute
        time.sleep(ahead * 60 / SPEED)
        return Instant(self.city() // HOUR * HOUR)


@contextmanager
def running(state: Path) -> Iterator[District]:
    """The demo on a state folder until the block ends; raises RuntimeError with its last words."""
    port, mqtt = free_port(), free_port()
    lived.copy(state, lived.today())
    places = ["--state", str(state), "--port", str(port), "--mqtt-port", str(mqtt), "--hosts", "127.0.0.1,::1"]
    with (state / "log").open("ab") as log:
        process = subprocess.Popen([str(PROGRAM), "demo", *places], stdout=log, stderr=log)
    try:
        root = f"http://127.0.0.1:{port}"
        _wait(process, root, state / "log")
        yield District(root, port, mqtt, (state / "device.secret").read_text(encoding="ascii"))
    finally:
        process.terminate()
        process.wait(90)


def _wait(process: "subprocess.Popen[bytes]", root: str, log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{root}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(log.read_text(encoding="utf-8")[-3000:])
