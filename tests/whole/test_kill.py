"""kill -9 at any moment: every acknowledged observation, case step and audit row is there after restart, and no alert is missed."""

import asyncio
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench import pack, program, wire
from citybrain.kernel.instant import Instant, rfc3339

KILLS = int(os.environ.get("CITYBRAIN_KILLS", "5"))
_ROWS = 40


@dataclass
class Said:
    """What the program acknowledged: observations by (stream, time), entities over their limit, notes on the case."""

    observations: dict[tuple[str, str], float] = field(default_factory=dict)
    hot: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@pytest.mark.kill
@pytest.mark.timeout(1800)
def test_nothing_acknowledged_is_lost_when_the_program_is_killed(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    said = Said()
    case = ""
    for _ in range(KILLS):
        running = program.start(tmp_path)
        try:
            case = case or _file_case(running)
            asyncio.run(_work(running, said, chance.uniform(0.3, 2.5), case))
        finally:
            running.kill()
    with program.running(tmp_path) as running:
        _settle(running)
        assert _missing(running, said) == []
        assert set(said.hot) <= _alerted(running)
        assert set(said.notes) <= _notes(running, case)
        account = running.ledger("api")
        assert account["received"] == account["stored"] + account["duplicate"] + sum(account["refused"].values())
        assert account["stored"] >= len(said.observations)
        assert json.loads(running.get("/api/v1/protect/audit/verify"))["rows"] > 0


@pytest.mark.kill
@pytest.mark.timeout(300)
def test_asked_to_end_under_load_with_streams_open_it_ends_clean_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    said = Said()
    running = program.start(tmp_path)
    asyncio.run(_asked_to_end(running, said))
    assert running.process.wait(30) == 0
    with program.running(tmp_path) as running:
        assert _missing(running, said) == []
        account = running.ledger("api")
        assert account["stored"] >= len(said.observations) > 0


async def _asked_to_end(running: program.Running, said: Said) -> None:
    """Two readers of events and a writer; SIGTERM a second later, under their hands."""
    listening = [asyncio.create_task(_listen(running.staff)) for _ in range(2)]
    asyncio.get_running_loop().call_later(1.0, running.process.terminate)
    done = await asyncio.gather(_observe(running.target, said), *listening, return_exceptions=True)
    assert all(error is None or isinstance(error, OSError | asyncio.IncompleteReadError) for error in done), done


async def _listen(target: wire.Target) -> None:
    """Read live events until the program closes the stream."""
    async for _ in wire.events(target, "/api/v1/see/live"):
        pass


async def _work(running: program.Running, said: Said, seconds: float, case: str) -> None:
    """Two writers until the program is killed under their hands."""
    loop = asyncio.get_running_loop()
    loop.call_later(seconds, running.process.kill)
    writers = [_observe(running.target, said), _annotate(running.staff, said, case)]
    done = await asyncio.gather(*writers, return_exceptions=True)
    strange = [error for error in done if not isinstance(error, OSError | asyncio.IncompleteReadError)]
    assert strange == []


async def _observe(target: wire.Target, said: Said) -> None:
    streams = pack.streams()
    async with await wire.Connection.to(target) as connection:
        for turn in range(1_000_000):
            instant = rfc3339(Instant(time.time_ns() // 1000))
            hot = f"bench-{turn % pack.KINDS:02d}-{len(said.hot) % pack.ENTITIES:03d}"
            rows = {streams[(turn * _ROWS + index) % len(streams)]: float(index) for index in range(_ROWS)}
            rows |= {f"{hot}.a": 999.0, f"{hot}.b": 1.0}
            body = {"observations": [{"stream": stream, "time": instant, "value": value} for stream, value in rows.items()]}
            status, answer = await connection.post("/api/v1/observe/observations", json.dumps(body).encode())
            assert status == 200, answer
            said.observations |= {(stream, instant): value for stream, value in rows.items()}
            said.hot.append(hot)


async def _annotate(target: wire.Target, said: Said, case: str) -> None:
    async with await wire.Connection.to(target) as connection:
        while True:
            words = f"note {len(said.notes)}"
            status, answer = await connection.post(f"/api/v1/act/cases/{case}/notes", json.dumps({"words": words}).encode())
            assert status == 201, answer
            said.notes.append(words)


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


def _missing(running: program.Running, said: Said) -> list[tuple[str, str]]:
    """Acknowledged observations that are not in the history."""
    have: dict[tuple[str, str], float] = {}
    for streams in _hundreds(sorted({stream for stream, _ in said.observations})):
        path = f"/api/v1/observe/observations?stream.in={','.join(streams)}"
        have |= {(row["stream"], row["time"]): row["value"] for row in _all(running, path)}
    return [key for key, value in said.observations.items() if have.get(key) != value]


def _alerted(running: program.Running) -> set[str]:
    return {row["entity"] for row in _all(running, "/api/v1/detect/alerts")}


def _notes(running: program.Running, case: str) -> set[str]:
    return {row["note"] for row in _all(running, f"/api/v1/exchange/datasets/step/rows?case={case}")}


def _hundreds(names: list[str]) -> Iterator[list[str]]:
    yield from (names[begin : begin + 100] for begin in range(0, len(names), 100))


def _all(running: program.Running, path: str) -> Iterator[dict[str, Any]]:
    """Every row of a list, page by page."""
    words, cursor = "&" if "?" in path else "?", ""
    while True:
        page = json.loads(running.get(f"{path}{words}limit=1000{cursor}"))
        yield from page["items"]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"
