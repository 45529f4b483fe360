"""A crowd at the door: a thousand clients at once beside fifty that stall; all are answered, and nothing acknowledged is lost."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path

import pytest

from bench import pack, program, wire
from citybrain.kernel.instant import Instant, rfc3339

pytestmark = [pytest.mark.kill, pytest.mark.timeout(300)]
_CLIENTS, _STALLED, _TURNS = 1000, 50, 3
_BULK = "/api/v1/observe/observations"


def test_a_thousand_clients_are_answered_beside_fifty_that_stall(tmp_path: Path) -> None:
    with program.running(tmp_path / "state") as running:
        answers, waited = asyncio.run(_crowd(running))
        account = running.ledger("api")
        assert set(answers) <= {200, 429}, "whoever is not served is told to come again"
        assert account["stored"] == account["received"] == answers[200] > 0
        streams = pack.streams()[:_CLIENTS]
        have = sum(_held(running, streams[begin : begin + 100]) for begin in range(0, _CLIENTS, 100))
        assert have == answers[200]
        assert all(status == 200 for status in waited), "a client that stalls holds up nobody"


async def _crowd(running: program.Running) -> tuple[Counter[int], list[int]]:
    """The statuses of all that the crowd sent, and those of one who comes while the others still stall."""
    stalled = [await _stalling(running.target) for _ in range(_STALLED)]
    answers: Counter[int] = Counter()
    ready = asyncio.Barrier(_CLIENTS)
    await asyncio.gather(*(_client(running.target, stream, ready, answers) for stream in pack.streams()[:_CLIENTS]))
    async with await wire.Connection.to(running.target) as connection:
        late = [(await connection.post(_BULK, b"[]"))[0]]
    for writer in stalled:
        writer.close()
    return answers, late


async def _stalling(target: wire.Target) -> asyncio.StreamWriter:
    """A client that promises a body and sends its beginning."""
    _, writer = await asyncio.open_connection(target.host, target.port)
    head = wire.HEAD.format(path=_BULK, kind="application/json", auth=target.auth, length=1_000_000)
    writer.write(head.encode() + b'{"observations": [')
    await writer.drain()
    return writer


async def _client(target: wire.Target, stream: str, ready: asyncio.Barrier, answers: Counter[int]) -> None:
    async with await wire.Connection.to(target) as connection:
        await ready.wait()
        for turn in range(_TURNS):
            instant = rfc3339(Instant(time.time_ns() // 1000 - turn))
            body = json.dumps([{"stream": stream, "time": instant, "value": float(turn)}]).encode()
            status, _ = await connection.post(_BULK, body)
            answers[status] += 1


def _held(running: program.Running, streams: tuple[str, ...]) -> int:
    path = f"{_BULK}?stream.in={','.join(streams)}&limit=1000"
    return len(json.loads(running.get(path))["items"])
