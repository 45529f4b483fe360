"""kill -9 at any moment: every acknowledged observation, case step and audit row is there after restart, and no alert is missed."""

import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bench import mqtt, pack, program, wire
from citybrain.kernel.instant import HOUR, Instant, rfc3339

KILLS = int(os.environ.get("CITYBRAIN_KILLS", "5"))
_ROWS = 40
_BULK = "/api/v1/observe/observations"


@dataclass
class Said:
    """What the program acknowledged: observations by (stream, time), entities over their limit, notes on the case.

    ``sent`` are the observations that were on their way, acknowledged or not; ``bad`` the bad rows of each door that were acknowledged.
    """

    observations: dict[tuple[str, str], float] = field(default_factory=dict)
    sent: set[tuple[str, str]] = field(default_factory=set)
    bad: Counter[str] = field(default_factory=Counter)
    hot: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@pytest.mark.kill
@pytest.mark.timeout(1800)
def test_nothing_acknowledged_is_lost_when_the_program_is_killed(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    said = Said()
    case = ""
    for _ in range(KILLS):
        running = program.start(tmp_path, mqtt=program.free_port())
        try:
            case = case or _file_case(running)
            asyncio.run(_work(running, said, chance.uniform(0.3, 2.5), case))
        finally:
            running.kill()
    with program.running(tmp_path) as running:
        _settle(running)
        stored = _stored(running, said)
        assert _missing(stored, said) == []
        _balanced(running, said, stored)
        assert set(said.hot) <= _alerted(running)
        assert set(said.notes) <= _notes(running, case)
        assert json.loads(running.get("/api/v1/protect/audit/verify"))["rows"] > 0


@pytest.mark.kill
@pytest.mark.timeout(300)
def test_asked_to_end_under_load_with_streams_open_it_ends_clean_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    said = Said()
    running = program.start(tmp_path)
    asyncio.run(_asked_to_end(running, said))
    assert running.process.wait(30) == 0
    with program.running(tmp_path) as running:
        assert _missing(_stored(running, said), said) == []
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
    writers = [
        _observe(running.target, said),
        _annotate(running.staff, said, case),
        _arrow(running.target, said),
        _single(running.target, said),
        _arrays(running.target, said),
        _message(running, said),
    ]
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
            said.sent |= {(stream, instant) for stream in rows}
            status, answer = await connection.post(_BULK, json.dumps(body).encode())
            assert status == 200, answer
            said.observations |= {(stream, instant): value for stream, value in rows.items()}
            said.hot.append(hot)


def _readings(said: Said, entity: int) -> tuple[list[str], str, dict[tuple[str, str], float]]:
    """The streams of an entity that one writer alone writes to, the time of its next sending, and its readings by stream and time."""
    name = pack.entities()[entity].id
    streams = [f"{name}.{name_of_field}" for name_of_field in pack.FIELDS]
    # Hours ago, so that no other writer has the same instant of a stream.
    instant = rfc3339(Instant(time.time_ns() // 1000 - (entity + 1) * HOUR))
    rows = {(stream, instant): float(place) for place, stream in enumerate(streams)}
    said.sent |= set(rows)
    return streams, instant, rows


async def _arrow(target: wire.Target, said: Said) -> None:
    async with await wire.Connection.to(target) as connection:
        while True:
            streams, instant, rows = _readings(said, 1)
            names = [*streams, "nobody.nothing"]
            table = pa.table({"stream": names, "time": [instant] * len(names), "value": [*rows.values(), 1.0]})
            with pa.ipc.new_stream(body := pa.BufferOutputStream(), table.schema) as writer:
                writer.write_table(table)
            status, answer = await connection.post(_BULK, body.getvalue().to_pybytes(), "application/vnd.apache.arrow.stream")
            assert status == 200, answer
            said.observations |= rows
            said.bad["api"] += 1


async def _single(target: wire.Target, said: Said) -> None:
    async with await wire.Connection.to(target) as connection:
        while True:
            for (stream, instant), value in _readings(said, 2)[2].items():
                body = {"Datastream": {"@iot.id": stream}, "phenomenonTime": instant, "result": value}
                status, answer = await connection.post("/sta/v1.1/Observations", json.dumps(body).encode())
                assert status == 201, answer
                said.observations[stream, instant] = value


async def _arrays(target: wire.Target, said: Said) -> None:
    async with await wire.Connection.to(target) as connection:
        while True:
            rows = _readings(said, 3)[2]
            body = [
                {
                    "Datastream": {"@iot.id": stream},
                    "components": ["phenomenonTime", "result"],
                    "dataArray": [[instant, value], [instant, "much"]],
                }
                for (stream, instant), value in rows.items()
            ]
            status, answer = await connection.post("/sta/v1.1/CreateObservations", json.dumps(body).encode())
            assert status == 201, answer
            said.observations |= rows
            said.bad["sensorthings"] += len(rows)


async def _message(running: program.Running, said: Said) -> None:
    """QoS 1: what is acknowledged is stored."""
    device = await mqtt.Device.to(running.mqtt_port, "device", running.secret)
    topic = f"citybrain/v1/{pack.entities()[4].id}"
    try:
        while True:
            _, instant, rows = _readings(said, 4)
            fields = dict(zip(pack.FIELDS, rows.values(), strict=True))
            await device.send(topic, json.dumps({"time": instant, "nothing": 1, **fields}).encode())
            said.observations |= rows
            said.bad["mqtt"] += 1
    finally:
        device.close()


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


def _stored(running: program.Running, said: Said) -> dict[tuple[str, str], float]:
    """What the store holds of the streams that anything was sent to: values by stream and time."""
    have: dict[tuple[str, str], float] = {}
    for streams in _hundreds(sorted({stream for stream, _ in said.sent})):
        for row in _all(running, f"{_BULK}?stream.in={','.join(streams)}"):
            assert (row["stream"], row["time"]) not in have, "listed twice"
            have[row["stream"], row["time"]] = row["value"]
    return have


def _balanced(running: program.Running, said: Said, stored: dict[tuple[str, str], float]) -> None:
    """To the row: what the doors say is stored is what the store holds, and every bad row that was acknowledged is counted."""
    assert set(stored) <= said.sent
    doors = [running.ledger(door) for door in ("api", "sensorthings", "mqtt")]
    for account in doors:
        refused = sum(account["refused"].values())
        assert account["received"] == account["stored"] + account["duplicate"] + refused
        assert refused >= said.bad[account["door"]] > 0
        assert account["duplicate"] == 0
    assert sum(account["stored"] for account in doors) == len(stored) >= len(said.observations)


def _missing(stored: dict[tuple[str, str], float], said: Said) -> list[tuple[str, str]]:
    """Acknowledged observations that are not in the store."""
    return [key for key, value in said.observations.items() if stored.get(key) != value]


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
