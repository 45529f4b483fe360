"""What the embedded broker sends to those who subscribe, received by a real client and by one that does not read."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiomqtt
import pytest

from citybrain.engines.mqtt import Broker
from citybrain.engines.mqtt_outgoing import WAITING, Outlet
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import ForbiddenError
from citybrain.kernel.text import Text
from tests.brokers import until

READER = Caller("reader", "Reader", frozenset({"dispatcher"}))
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@dataclass
class Source:
    """Gives an outlet for every topic but the forbidden one, and remembers which are open."""

    open: list[Outlet] = field(default_factory=list)

    async def begin(self, topic: str, caller: Caller, outlet: Outlet) -> Callable[[], None]:
        assert caller == READER
        if topic == "forbidden":
            raise ForbiddenError(Text("不可", "no"))
        self.open.append(outlet)
        return lambda: self.open.remove(outlet)

    def say(self, payload: bytes) -> None:
        for outlet in self.open:
            outlet.put(payload)


async def authorise(login: str, secret: str, _address: str) -> Caller | None:
    return READER if (login, secret) == ("reader", "right") else None


async def take(_topic: str, _payload: bytes, _caller: Caller) -> None:
    """Nobody reads what is published here."""


@pytest.fixture
async def source() -> Source:
    return Source()


@pytest.fixture
async def broker(source: Source) -> AsyncIterator[Broker]:
    running = Broker(("127.0.0.1",), 0, authorise, take, subscribe=source.begin)
    await running.start()
    yield running
    async with asyncio.timeout(30):
        await running.stop()


def client(broker: Broker) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username="reader", password="right", timeout=30)


async def granted(reader: aiomqtt.Client, topic: str, qos: int = 0) -> int:
    """The return code of SUBACK."""
    code = (await reader.subscribe(topic, qos))[0]
    return code if isinstance(code, int) else code.value


async def heard(reader: aiomqtt.Client, count: int) -> list[str]:
    found = []
    async with asyncio.timeout(20):
        async for message in reader.messages:
            assert isinstance(message.payload, bytes)
            found.append(f"{message.topic} {message.payload.decode()} {message.qos}")
            if len(found) == count:
                break
    return found


async def connected(broker: Broker, flags: int, will: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection spoken by hand, after CONNACK."""
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port, limit=1024)
    signed = _text("MQTT") + bytes([4, flags]) + struct.pack("!H", 0) + _text("hand") + will + _text("reader") + _text("right")
    writer.write(bytes([0x10, len(signed)]) + signed)
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    return reader, writer


@asynccontextmanager
async def deaf(broker: Broker, qos: int) -> AsyncIterator[asyncio.StreamReader]:
    """A subscriber of ``t`` that reads SUBACK and then nothing."""
    reader, writer = await connected(broker, 0b11000010)
    asked = struct.pack("!H", 1) + _text("t") + bytes([qos])
    writer.write(bytes([0x82, len(asked)]) + asked)
    assert (await reader.readexactly(5))[4] == qos
    yield reader
    writer.close()


def _text(words: str) -> bytes:
    return struct.pack("!H", len(words)) + words.encode()


@pytest.mark.parametrize("qos", [0, 1])
async def test_messages_come_in_their_order_under_the_topic_that_was_asked_for(broker: Broker, source: Source, qos: int) -> None:
    async with client(broker) as reader:
        assert await granted(reader, "a/b?$select=c", qos) == qos
        for number in range(1000):
            source.say(str(number).encode())
        assert await heard(reader, 1000) == [f"a/b?$select=c {number} {qos}" for number in range(1000)]


async def test_qos_2_is_granted_as_1(broker: Broker, source: Source) -> None:
    async with client(broker) as reader:
        assert await granted(reader, "t", 2) == 1
        source.say(b"x")
        assert await heard(reader, 1) == ["t x 1"]


@pytest.mark.parametrize("topic", ["forbidden", "#", "a/+", "a/#"])
async def test_what_is_refused_is_told_so_and_costs_no_other_subscription(broker: Broker, source: Source, topic: str) -> None:
    async with client(broker) as reader:
        assert await granted(reader, topic) == 0x80
        assert await granted(reader, "t") == 0
        source.say(b"x")
        assert await heard(reader, 1) == ["t x 0"]


async def test_two_hundred_topics_and_no_more(broker: Broker, source: Source) -> None:
    async with client(broker) as reader:
        codes = await reader.subscribe([(str(number), 0) for number in range(201)])
        assert [code if isinstance(code, int) else code.value for code in codes] == [0] * 200 + [0x80]
        assert len(source.open) == 200
        await reader.unsubscribe("7")
        assert await granted(reader, "t") == 0


async def test_subscribing_again_replaces_and_unsubscribing_or_leaving_ends(broker: Broker, source: Source) -> None:
    async with client(broker) as reader:
        await reader.subscribe("t", 0)
        await reader.subscribe("t", 1)
        assert [outlet.qos for outlet in source.open] == [1]
        await reader.unsubscribe("t")
        assert source.open == []
        await reader.subscribe("t", 0)
    await until(lambda: source.open == [])


async def test_a_last_will_and_what_is_retained_reach_nobody(broker: Broker, source: Source) -> None:
    async with client(broker) as reader:
        await reader.subscribe("t", 1)
        _, writer = await connected(broker, 0b11101110, _text("t") + _text("forged"))
        writer.transport.abort()
        async with client(broker) as other:
            await other.publish("t", b"forged", qos=1, retain=True)
        await asyncio.sleep(0.3)
        await reader.unsubscribe("t")
        await reader.subscribe("t", 1)
        source.say(b"true")
        assert await heard(reader, 1) == ["t true 1"]


@pytest.mark.thorough
async def test_one_who_does_not_read_loses_the_oldest_and_holds_up_nobody(broker: Broker, source: Source) -> None:
    async with deaf(broker, 0) as silent, client(broker) as reader:
        await reader.subscribe("u", 0)
        slow = source.open[0].outgoing
        listening = asyncio.create_task(heard(reader, 12_000))
        for number in range(12_000):
            source.say(f"{number:05}".encode() + bytes(2000))
            if number % 100 == 0:
                await asyncio.sleep(0)
                await until(lambda: source.open[1].outgoing.waiting == 0)
        assert len(await listening) == 12_000
        assert slow.dropped > 0
        assert slow.waiting <= WAITING
        packets = await silent.read(1 << 26)
        assert b"00000" in packets


async def test_one_who_does_not_acknowledge_qos_1_is_let_go_and_so_knows(broker: Broker, source: Source) -> None:
    async with deaf(broker, 1) as silent:
        for number in range(WAITING + 200):
            source.say(str(number).encode())
            await asyncio.sleep(0)
        await until(lambda: source.open == [])
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await silent.readexactly(1 << 20)


async def test_what_could_not_have_waited_counts_as_dropped_or_ends_the_connection(broker: Broker, source: Source) -> None:
    async with client(broker) as reader:
        await reader.subscribe([("zero", 0)])
        source.open[0].miss(7)
        assert source.open[0].outgoing.dropped == 7
        await reader.subscribe("one", 1)
        source.open[1].miss(7)
        await until(lambda: source.open == [])


async def test_one_who_may_not_read_on_is_let_go(broker: Broker, source: Source) -> None:
    reader, writer = await connected(broker, 0b11000010)
    asked = struct.pack("!H", 1) + _text("t") + b"\x00"
    writer.write(bytes([0x82, len(asked)]) + asked)
    assert (await reader.readexactly(5))[4] == 0
    source.open[0].end()
    assert await reader.read() == b""
    assert source.open == []
    writer.close()
