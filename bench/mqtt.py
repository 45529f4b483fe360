"""MQTT at QoS 1: messages a second that the program acknowledges once they are durable, beside amqtt's bare broker in the same run."""

import argparse
import asyncio
import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import machine, pack, program

IN_FLIGHT = 200
"""Messages sent and not yet acknowledged."""
_PEER = """
import asyncio, sys
from amqtt.broker import Broker
async def main():
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}},
                     "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}})
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


class Device:
    """A publisher that keeps a window of messages in flight; it speaks just enough of MQTT 3.1.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._free = asyncio.Queue[int]()
        for number in range(1, IN_FLIGHT + 1):
            self._free.put_nowait(number)

    @classmethod
    async def to(cls, port: int, login: str, secret: str) -> "Device":
        """Connect and sign in; raises RuntimeError when the broker refuses."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        flags = 0b11000010 if login else 0b00000010
        body = _text("MQTT") + bytes([4, flags]) + struct.pack("!H", 60) + _text("bench")
        writer.write(_packet(0x10, body + (_text(login) + _text(secret) if login else b"")))
        answer = await reader.readexactly(4)
        if answer[3]:
            message = f"The broker refused the connection: {answer[3]}"
            raise RuntimeError(message)
        return cls(reader, writer)

    async def publish(self, topic: str, payloads: list[bytes], seconds: float) -> float:
        """Publish in turns for so long, then wait for the rest; messages a second."""
        began, reading = time.perf_counter(), asyncio.create_task(self._acks())
        head, sent = _text(topic), 0
        while time.perf_counter() - began < seconds:
            number = await self._free.get()
            self._writer.write(_packet(0x32, head + struct.pack("!H", number) + payloads[sent % len(payloads)]))
            sent += 1
            if sent % 50 == 0:
                await self._writer.drain()
        for _ in range(IN_FLIGHT):  # every number is free again once the last message is acknowledged
            await self._free.get()
        took = time.perf_counter() - began
        reading.cancel()
        self._writer.close()
        return sent / took

    async def send(self, topic: str, payload: bytes) -> None:
        """Publish one message and wait until it is acknowledged."""
        number = await self._free.get()
        self._writer.write(_packet(0x32, _text(topic) + struct.pack("!H", number) + payload))
        await self._acknowledged()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _acks(self) -> None:
        while True:
            await self._acknowledged()

    async def _acknowledged(self) -> None:
        ack = await self._reader.readexactly(4)
        self._free.put_nowait(int.from_bytes(ack[2:4], "big"))


def _text(words: str) -> bytes:
    return struct.pack("!H", len(words)) + words.encode()


def _packet(kind: int, body: bytes) -> bytes:
    length, rest = b"", len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length += bytes([digit | (0x80 if rest else 0)])
        if not rest:
            return bytes([kind]) + length + body


def payloads(turns: int) -> tuple[str, list[bytes]]:
    """Messages of one entity, each with a reading of four fields a little later than the last."""
    entity = pack.entities()[0]
    start = time.time() - 3600
    listed = []
    for turn in range(turns):
        when = start + turn * 0.01
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when)) + f".{int(when * 1000) % 1000:03d}Z"
        listed.append(json.dumps({"time": stamp} | dict.fromkeys(pack.FIELDS, turn % 700)).encode())
    return f"citybrain/v1/{entity.id}", listed


def _bare(seconds: float) -> float:
    port = program.free_port()
    peer = subprocess.Popen([sys.executable, "-c", _PEER, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return asyncio.run(_flooded(port, seconds))
    finally:
        peer.terminate()
        peer.wait(10)


async def _flooded(port: int, seconds: float) -> float:
    for _ in range(100):
        try:
            device = await Device.to(port, "", "")
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.1)
        else:
            break
    topic, listed = payloads(200_000)
    return await device.publish(topic, listed, seconds)


async def _ours(running: program.Running, seconds: float) -> float:
    device = await Device.to(running.mqtt_port, "device", running.secret)
    topic, listed = payloads(200_000)
    return await device.publish(topic, listed, seconds)


def measure(seconds: float, turns: int = 3) -> list[str]:
    """The lines of the report: medians of turns taken one after the other."""
    bare, ours = [], []
    for _ in range(turns):
        bare.append(_bare(seconds))
        with tempfile.TemporaryDirectory() as folder, program.running(Path(folder), program.free_port()) as running:
            ours.append(asyncio.run(_ours(running, seconds)))
            ledger = running.ledger("mqtt")
            if ledger["stored"] != ledger["received"]:
                message = f"the door's ledger: {ledger}"
                raise RuntimeError(message)
    one, other = median(ours), median(bare)
    return [
        f"| MQTT QoS 1, {IN_FLIGHT} in flight, acknowledged when durable, four readings a message | {one:,.0f} messages/s | |",
        f"| amqtt's own broker, which stores nothing, same run | {other:,.0f} messages/s | |",
        f"| ratio | {one / other:.0%} | at least 80 % |",
    ]


def main() -> None:
    """Command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=5)
    given = ask.parse_args()
    print(machine.about(0))
    print("\n".join(measure(given.seconds)))


if __name__ == "__main__":
    main()
