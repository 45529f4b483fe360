"""A district in several processes on this machine, as an operator would start it: PostgreSQL, NATS and one process a role."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, make_url

from bench.program import free_port

CITYBRAIN = (sys.executable, str(Path(sys.executable).with_name("citybrain")))
SECRET = "a secret of the test"
STATIONS = tuple(f"air-{number:02}" for number in range(1, 7))
LOTS = tuple(f"lot-{number:02}" for number in range(1, 5))
FURNITURE = {
    "units": [
        {"id": "unit-eco", "name": {"zh": "生态环境科", "en": "Environment Office"}, "duties": ["environment"], "area": "120104"},
        {"id": "unit-traffic", "name": {"zh": "交通科", "en": "Traffic Office"}, "duties": ["traffic"], "area": "120104"},
    ],
    "entities": [
        *(
            {
                "id": name,
                "kind": "air_station",
                "title": {"zh": name, "en": name},
                "place": {"lon": 117.15 + number / 200, "lat": 39.11},
                "area": "120104001",
            }
            for number, name in enumerate(STATIONS)
        ),
        *(
            {
                "id": name,
                "kind": "parking_lot",
                "title": {"zh": name, "en": name},
                "place": {"lon": 117.15 + number / 200, "lat": 39.12},
                "area": "120104001",
                "body": {"capacity": 100},
            }
            for number, name in enumerate(LOTS)
        ),
    ],
    "accounts": [{"login": "officer", "name": "数据员", "roles": ["data_officer", "leader"], "unit": "unit-eco"}],
    "devices": [
        {"login": "logger", "name": "采集器", "writes": ["air-*", "lot-*"]},
        {"login": "probe", "name": "新设备", "writes": ["*"]},
    ],
}


@dataclass(slots=True)
class District:
    """What runs, where, and who may ask it."""

    folder: Path
    environment: dict[str, str]
    roles: tuple[str, ...]
    secrets: Mapping[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    mqtt: int = field(default_factory=free_port)
    """Where ingest has its broker."""

    def start(self, name: str) -> None:
        """Start the process of a role (``api-2`` is a second api) and wait until it is ready."""
        self.processes[name] = process = self._started(name)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError, urllib.error.HTTPError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/readyz", timeout=5).close()
                return
            time.sleep(0.1)
        pytest.fail(f"{name}: {self.log(name)[-3000:]}")

    def _started(self, name: str) -> subprocess.Popen[bytes]:
        port = self.ports.setdefault(name, free_port())
        role, state = name.partition("-")[0], self.folder / ("var" if name in ("all", "ingest") else f"var-{name}")
        command = [*CITYBRAIN, "--config", str(self.folder / "citybrain.toml"), "serve"]
        mqtt = self.mqtt if name == "ingest" else 0
        command += ["--role", role, "--state", str(state), "--port", str(port), "--mqtt-port", str(mqtt)]
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=self.environment, cwd=self.folder)

    def run(self, *words: str) -> str:
        """What a command says, at the state folder of the one that keeps the observations."""
        return _command(self.folder, self.environment, *words)

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def kill(self, name: str) -> None:
        """End a process as the power would."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def close(self) -> None:
        """End all of them as an operator would."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)
        self.processes.clear()

    def device(self, name: str, login: str = "logger") -> httpx.Client:
        """A device at a process."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.ports[name]}", auth=(login, self.secrets[login]), timeout=60)

    @contextmanager
    def officer(self, name: str, login: str = "officer") -> Iterator[httpx.Client]:
        """The data officer (or somebody else), signed in at a process."""
        root = f"http://127.0.0.1:{self.ports[name]}"
        with httpx.Client(base_url=root, timeout=60, headers={"Origin": root}) as client:
            answer = client.post("/api/v1/protect/session", json={"login": login, "password": self.secrets[login]})
            assert answer.status_code < 300, answer.text
            yield client


@contextmanager
def nats(folder: Path, port: int, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A NATS server with JetStream; skipped where it is not installed."""
    program = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("nats-server is not on this machine")
    command = [program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder / "nats"), *more]
    with (folder / "nats.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def district(folder: Path, roles: tuple[str, ...], database: str = "", bus: str = "", **more: str) -> Iterator[District]:
    """A furnished district with a process for each of some roles."""
    folder.mkdir(parents=True, exist_ok=True)
    own = {"DATABASE": database, **more}
    if roles != ("all",):
        places = {f"{name}_AT": f"grpc://127.0.0.1:{free_port()}" for name in ("INGEST", "WORKER")}
        own |= places | {"BUS": bus, "SECRET": SECRET, "SHARED": str(folder / "var")}
    environment = os.environ | {f"CITYBRAIN_{name}": value for name, value in own.items()}
    made = District(folder, environment, roles, _furnished(folder, environment))
    try:
        for role in roles:
            made.start(role)
        yield made
    finally:
        made.close()


def _furnished(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Init and import; the first passwords and secrets by login."""
    made = _command(folder, environment, "init", "--district", "120104", "--folder", ".")
    (folder / "things.json").write_text(json.dumps(FURNITURE), encoding="utf-8")
    told = _command(folder, environment, "import", "things.json")
    return {
        login: secret
        for login, _, secret in (line.rpartition(": ")[2].partition(" / ") for line in (made + told).splitlines())
        if secret
    }


def _command(folder: Path, environment: Mapping[str, str], *words: str) -> str:
    done = subprocess.run([*CITYBRAIN, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """A fresh database of a server."""
    address = make_url(server).set(drivername="postgresql+psycopg")
    owner = create_engine(address, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    owner.dispose()
    try:
        yield make_url(server).set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    finally:
        with owner.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        owner.dispose()
