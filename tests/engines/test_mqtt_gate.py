"""The gate before amqtt: what was handed on is taken whatever comes after it, few messages wait, and no packet is read in halves."""

import asyncio

import pytest

from citybrain.engines.mqtt import LARGEST, Broker
from citybrain.engines.mqtt_gate import TURN, GatedReader
from citybrain.kernel.access import Caller
from tests.engines.test_mqtt_packets import METER, PINGREQ, hello, line, packet, text

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CONNACK = b"\x20\x02\x00\x00"


def message(number: int) -> bytes:
    """One with QoS 0: its sender keeps nothing of it."""
    return packet(0x30, text(b"t") + b"%d" % number)


def gated(reader: asyncio.StreamReader) -> GatedReader:
    return GatedReader(reader, 1, LARGEST, lambda: None)


@pytest.mark.parametrize("alive", [0, 60])
@pytest.mark.parametrize("end", [b"\xf0\x00", b"\x30\xff\xff\xff\x7f", b""], ids=["out of form", "too large", "hangs up"])
async def test_what_came_with_an_end_of_the_connection_is_taken(alive: int, end: bytes) -> None:
    async with line() as device:
        await device.says(hello(alive=alive), CONNACK)
        device.writer.write(b"".join(map(message, range(100))) + end)
        device.writer.write_eof()
        await asyncio.wait_for(device.reader.read(), 10)
    assert device.taken == [b"%d" % number for number in range(100)]


async def test_few_messages_wait_however_many_come_at_once() -> None:
    taken: list[bytes] = []
    most = waiting = 0

    async def authorise(_login: str, _secret: str, _address: str) -> Caller | None:
        return METER

    async def take(_topic: str, payload: bytes, _caller: Caller) -> None:
        nonlocal most, waiting
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0.001)
        waiting -= 1
        taken.append(payload)

    broker = Broker(("127.0.0.1",), 0, authorise, take, in_flight=16)
    await broker.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(hello(alive=0))
    assert await reader.readexactly(4) == CONNACK
    writer.write(b"".join(map(message, range(1000))) + PINGREQ)
    await asyncio.wait_for(reader.readexactly(2), 30)
    writer.close()
    await broker.stop()
    assert taken == [b"%d" % number for number in range(1000)]
    assert most <= 16 + TURN


async def test_a_packet_that_is_begun_is_read_to_its_end_while_the_gate_is_shut() -> None:
    reader = asyncio.StreamReader()
    gate = gated(reader)
    reader.feed_data(hello())
    await gate.read(len(hello()))
    waits = asyncio.create_task(gate.read(1))
    await asyncio.sleep(0)
    gate.enter(1)
    reader.feed_data(message(1))
    # A device that is silent for too long is looked at, and read on where it was.
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waits, 0.05)
    gate.leave(1)
    assert await gate.read(1) == message(1)[:1]
    gate.enter(1)
    assert await asyncio.wait_for(gate.read(len(message(1)) - 1), 10) == message(1)[1:]


async def test_nothing_at_the_end_of_a_packet_is_read_at_once() -> None:
    reader = asyncio.StreamReader()
    gate = gated(reader)
    reader.feed_data(hello())
    await gate.read(len(hello()))
    assert await asyncio.wait_for(gate.read(0), 10) == b""
