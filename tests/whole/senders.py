"""Devices that send over every door until the program is killed, and send again what was not acknowledged."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiomqtt
import httpx
import pyarrow as pa

from bench import pack
from bench.program import Running
from citybrain.kernel.instant import Instant, rfc3339

Row = tuple[str, str]
"""Stream and time: what an observation is known by."""
ROWS = 40
"""Observations a sending, where a form takes many."""
BULK = "/api/v1/observe/observations"
UNKNOWN = "nobody.a"
GONE = (httpx.TransportError, aiomqtt.MqttError, OSError)
"""What a sender meets when the program dies."""


@dataclass(frozen=True)
class Sending:
    """What is sent at once: new observations, and rows beside them that are known already or of no stream."""

    key: str
    new: Mapping[Row, float]
    beside: tuple[tuple[str, str, float], ...] = ()
    hot: str = ""

    @property
    def rows(self) -> list[tuple[str, str, float]]:
        """All rows in the order of sending: stream, time, value."""
        return [(stream, at, value) for (stream, at), value in self.new.items()] + list(self.beside)


@dataclass
class Sender:
    """A device with streams of its own. ``sure`` rows were acknowledged; ``tries`` counts every row that was ever sent."""

    name: str
    door: str
    streams: tuple[str, ...]
    sure: dict[Row, float] = field(default_factory=dict)
    hot: list[str] = field(default_factory=list)
    received: int = 0
    tries: int = 0
    pending: Sending | None = None
    number: int = 0

    def next(self) -> Sending:
        """What was not acknowledged, else the next sending."""
        if self.pending is None:
            self.number += 1
            self.pending = self._made(rfc3339(Instant(time.time_ns() // 1000)))
        return self.pending

    def _made(self, now: str) -> Sending:
        if self.door == "mqtt":
            entity = self.streams[self.number % len(self.streams)].rpartition(".")[0]
            return Sending(entity, {(f"{entity}.{each}", now): float(self.number % 700) for each in pack.FIELDS})
        first = self.number * ROWS
        new = {(self.streams[(first + place) % len(self.streams)], now): float(place) for place in range(ROWS)}
        if self.door != "api":
            return Sending(f"{self.name}-{self.number}", new)
        known = [(stream, at, value) for (stream, at), value in list(self.sure.items())[-2:]]
        # Of its own: beside a newer reading of another sender, one that is sent again after a kill would come late.
        place = len(self.hot) * len(pack.FIELDS) % len(self.streams)
        hot = self.streams[place].rpartition(".")[0] if self.name == "json" else ""
        heat: dict[Row, float] = {(f"{hot}.a", now): 999.0, (f"{hot}.b", now): 1.0} if hot else {}
        return Sending(f"{self.name}-{self.number}", new | heat, (*known, (UNKNOWN, now, 1.0)), hot)

    def acknowledged(self, sending: Sending) -> None:
        """Take note that a sending was answered."""
        self.sure.update(sending.new)
        self.received += len(sending.rows)
        self.hot += [sending.hot] if sending.hot else []
        self.pending = None

    def at_most(self) -> int:
        """How many rows the door may say it received: without a key what is sent again is received again."""
        return self.received + (len(self.pending.rows) if self.pending else 0) if self.door == "api" else self.tries


def senders() -> tuple[Sender, ...]:
    """One for each form of each door."""
    streams, names = pack.streams(), (*FORMS, "array", "single", "mqtt")
    doors = {"array": "sensorthings", "single": "sensorthings", "mqtt": "mqtt"}
    share = len(streams) // len(names)
    parts = [streams[place * share : (place + 1) * share] for place in range(len(names))]
    return tuple(Sender(name, doors.get(name, "api"), part) for name, part in zip(names, parts, strict=True))


async def send(sender: Sender, running: Running, ended: asyncio.Event | None = None) -> None:
    """Send until the program is gone, or sending is ``ended``, each time what is new or what was not acknowledged."""
    async with _way(sender, running) as way:
        while ended is None or not ended.is_set():
            sending = sender.next()
            sender.tries += len(sending.rows)
            await way(sending)
            sender.acknowledged(sending)


@asynccontextmanager
async def _way(sender: Sender, running: Running) -> AsyncIterator[Callable[[Sending], Awaitable[None]]]:
    """What sends over a connection of a sender's door, and returns when that is acknowledged."""
    if sender.door == "mqtt":
        async with aiomqtt.Client("127.0.0.1", running.mqtt_port, username="device", password=running.secret) as device:
            yield partial(_message, device)
        return
    target = running.target
    headers = {"Authorization": target.auth}
    async with httpx.AsyncClient(base_url=f"http://{target.host}:{target.port}", headers=headers, timeout=30) as client:
        yield partial(WAYS[sender.name], client)


async def _message(client: aiomqtt.Client, sending: Sending) -> None:
    """One entity at QoS 1; raises MqttError as soon as the connection is lost, which to publish alone would notice after its patience."""
    values = {stream.rpartition(".")[2]: value for stream, _, value in sending.rows}
    message = json.dumps({"time": sending.rows[0][1]} | values)
    published = asyncio.ensure_future(client.publish(f"citybrain/v1/{sending.key}", message, qos=1))
    # It subscribes to nothing: what ends this is the end of the connection, which is asked of nobody else.
    lost = asyncio.ensure_future(anext(client.messages))
    try:
        await asyncio.wait((published, lost), return_when=asyncio.FIRST_COMPLETED)
        await (published if published.done() else lost)
    finally:
        published.cancel()
        lost.cancel()
        await asyncio.gather(published, lost, return_exceptions=True)


def _json(rows: list[tuple[str, str, float]]) -> bytes:
    return json.dumps({"observations": [{"stream": name, "time": at, "value": value} for name, at, value in rows]}).encode()


def _lines(rows: list[tuple[str, str, float]]) -> bytes:
    return "\n".join(json.dumps({"stream": name, "time": at, "value": value}) for name, at, value in rows).encode()


def _csv(rows: list[tuple[str, str, float]]) -> bytes:
    return "\n".join(["stream,time,value", *(f"{name},{at},{value}" for name, at, value in rows)]).encode()


def _arrow(rows: list[tuple[str, str, float]]) -> bytes:
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(("stream", "time", "value"))})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


FORMS: dict[str, tuple[str, Callable[[list[tuple[str, str, float]]], bytes]]] = {
    "json": ("application/json", _json),
    "ndjson": ("application/x-ndjson", _lines),
    "csv": ("text/csv", _csv),
    "arrow": ("application/vnd.apache.arrow.stream", _arrow),
}


async def _bulk(client: httpx.AsyncClient, sending: Sending) -> None:
    """Under its key a sending counts once however often it is sent, and is answered alike."""
    kind, make = FORMS[sending.key.partition("-")[0]]
    headers = {"Content-Type": kind, "Idempotency-Key": sending.key}
    answer = await client.post(BULK, content=make(sending.rows), headers=headers)
    assert answer.status_code == 200, answer.text
    verdict = answer.json()
    counted = (verdict["stored"], verdict["duplicate"], len(verdict["refused"]))
    assert counted == (len(sending.new), len(sending.beside) - 1, 1), verdict


async def _array(client: httpx.AsyncClient, sending: Sending) -> None:
    groups = [
        {"Datastream": {"@iot.id": name}, "components": ["phenomenonTime", "result"], "dataArray": [[at, value]]}
        for name, at, value in sending.rows
    ]
    answer = await client.post("/sta/v1.1/CreateObservations", json=groups)
    assert answer.status_code == 201, answer.text
    assert not [line for line in answer.json() if line.startswith("error")]


async def _single(client: httpx.AsyncClient, sending: Sending) -> None:
    async def one(name: str, at: str, value: float) -> None:
        body = {"phenomenonTime": at, "result": value, "Datastream": {"@iot.id": name}}
        answer = await client.post("/sta/v1.1/Observations", json=body)
        assert answer.status_code == 201, answer.text

    await asyncio.gather(*(one(*row) for row in sending.rows))


WAYS = dict.fromkeys(FORMS, _bulk) | {"array": _array, "single": _single}


def balances(running: Running, devices: Sequence[Sender]) -> None:
    """Received = stored + duplicate + refused + pending; no less than was acknowledged, no more than was sent; stored is what there is."""
    accounts = json.loads(running.get("/api/v1/observe/doors"))
    for account in accounts:
        told = account["stored"] + account["duplicate"] + sum(account["refused"].values()) + account["pending"]
        assert account["received"] == told, account
    for door in {device.door for device in devices}:
        mine, account = [device for device in devices if device.door == door], running.ledger(door)
        assert sum(device.received for device in mine) <= account["received"] <= sum(device.at_most() for device in mine), account
        sure = sum(len(device.sure) for device in mine)
        assert sure <= account["stored"] <= sure + sum(len(device.pending.new) for device in mine if device.pending)
    assert sum(account["stored"] for account in accounts) == running.counted()


def missing(running: Running, sure: Mapping[Row, float]) -> list[Row]:
    """Acknowledged observations that are not in the history."""
    have: dict[Row, float] = {}
    for streams in _hundreds(sorted({stream for stream, _ in sure})):
        path = f"/api/v1/observe/observations?stream.in={','.join(streams)}"
        have |= {(row["stream"], row["time"]): row["value"] for row in rows(running, path)}
    return [key for key, value in sure.items() if have.get(key) != value]


def rows(running: Running, path: str) -> Iterator[dict[str, Any]]:
    """Every row of a list, page by page."""
    words, cursor = "&" if "?" in path else "?", ""
    while True:
        page = json.loads(running.get(f"{path}{words}limit=1000{cursor}"))
        yield from page["items"]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


def _hundreds(names: list[str]) -> Iterator[list[str]]:
    yield from (names[begin : begin + 100] for begin in range(0, len(names), 100))
