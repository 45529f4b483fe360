"""kill -9 around the publishing of a limit: the old or the new version is in force, everywhere the same, and what was said is kept."""

import os
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench import pack, program
from bench.program import Running
from citybrain.kernel.instant import Instant, rfc3339

pytestmark = [pytest.mark.kill, pytest.mark.timeout(1800)]
KILLS = int(os.environ.get("CITYBRAIN_KILLS", "2"))
KEY, RULE = f"bench.{pack.LIMIT.name}", "bench.bench_00_00"
PATH = f"/api/v1/detect/limits/{KEY}"


@dataclass
class Said:
    """Values by version: those that were asked for, and those that the program said it had published."""

    asked: dict[int, float] = field(default_factory=dict)
    published: dict[int, float] = field(default_factory=dict)


def client(running: Running, *, device: bool = False) -> httpx.Client:
    target = running.target if device else running.staff
    return httpx.Client(base_url=f"http://{target.host}:{target.port}", headers={"Authorization": target.auth}, timeout=30)


def test_a_limit_is_published_whole_or_not_at_all_when_the_program_is_killed(tmp_path: Path) -> None:
    chance, said = random.Random(20261125), Said()
    for turn in range(KILLS):
        running = program.start(tmp_path)
        try:
            in_force_everywhere(running, said, turn)
            publish_until_killed(running, said, chance)
        finally:
            running.kill()
    with program.running(tmp_path) as running:
        in_force_everywhere(running, said, KILLS)
    assert len(said.published) >= KILLS


def publish_until_killed(running: Running, said: Said, chance: random.Random) -> None:
    """One version after the other, the kill under their hands."""
    timer = threading.Timer(chance.uniform(0.05, 0.8), running.process.kill)
    with client(running) as staff:
        version = staff.get(PATH).json()["limit"]["version"]
        try:
            while True:
                value = round(chance.uniform(910.0, 980.0), 3)
                said.asked[version + 1] = value
                body = {"value": value, "unit": "1", "why": f"第 {version + 1} 版"}
                answer = staff.post(f"{PATH}/versions", json=body, headers={"If-Match": f'"{version}"'})
                assert answer.status_code == 201, answer.text
                version += 1
                said.published[version] = value
                # One is published for certain, however busy the machine is.
                if timer.ident is None:
                    timer.start()
        except httpx.TransportError:
            timer.join()


def in_force_everywhere(running: Running, said: Said, turn: int) -> None:
    """One version, at least the last that was published, in the list, the history, the trail, the rule, and the next alert."""
    with client(running) as staff:
        sheet = staff.get(PATH).json()
        limit, history = sheet["limit"], sheet["history"]
        last = max(said.published, default=0)
        assert limit["version"] in (last, last + 1)
        assert limit["value"] == said.asked.get(limit["version"], pack.LIMIT.value)
        assert {one["version"]: one["value"] for one in history} == {
            version: said.asked[version] for version in range(1, limit["version"] + 1)
        }
        if limit["version"] > last:
            said.published[limit["version"]] = limit["value"]
        listed = {one["name"]: one for one in staff.get("/api/v1/detect/limits").json()}
        assert listed[pack.LIMIT.name]["version"] == limit["version"]
        trail = staff.get(f"/api/v1/protect/audit?action=rule.publish&resource=limit:{KEY}&count=true&limit=1").json()
        assert trail["total"] >= len(said.published)
        assert staff.get("/api/v1/protect/audit/verify").json()["rows"] > 0
        below, above = (f"bench-00-{2 * turn + place:03d}" for place in (0, 1))
        observe(running, {below: limit["value"] - 0.5, above: limit["value"] + 0.5})
        (alert,) = alerts(staff, above)
        assert alerts(staff, below, patience=0) == []
        staff.cookies.set("session", running.staff.auth.removeprefix("Bearer "))
        page = staff.get(f"/studio/{RULE.replace('.', '/')}", headers={"Accept": "text/html"}).text
        assert f"{alert['rule_version']}<" in page
        assert alert["rule_version"].endswith(f".{limit['version']}") == (limit["version"] > 0)


def observe(running: Running, values: dict[str, float]) -> None:
    now = rfc3339(Instant(time.time_ns() // 1000))
    rows = [
        {"stream": f"{entity}.{name}", "time": now, "value": value}
        for entity, level in values.items()
        for name, value in (("a", level), ("b", 1.0))
    ]
    with client(running, device=True) as device:
        answer = device.post("/api/v1/observe/observations", json={"observations": rows})
    assert answer.json()["stored"] == len(rows), answer.text


def alerts(staff: httpx.Client, entity: str, patience: float = 20) -> list[dict[str, Any]]:
    """The open alerts of the rule about an entity, waited for."""
    until = time.monotonic() + patience
    while True:
        answer = staff.get(f"/api/v1/detect/alerts?rule={RULE}&entity={entity}")
        found: list[dict[str, Any]] = answer.json()["items"]
        if found or time.monotonic() >= until:
            return found
        time.sleep(0.1)
