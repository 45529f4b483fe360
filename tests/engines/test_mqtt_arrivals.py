"""A message that is sent again, of the moment in which it came first: at the real broker, spoken to byte by byte."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from citybrain.engines import mqtt_arrivals
from citybrain.engines.mqtt import Broker
from citybrain.engines.mqtt_arrivals import Arrivals
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BusyError
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Shop:
    """Takes messages with the instants of which they are; each that is asked for is one later than that before."""

    taken: list[tuple[bytes, int]] = field(default_factory=list)
    clock: int = 0
    busy: bool = False

    def now(self) -> Instant:
        self.clock += 1
        return Instant(self.clock)

    async def take(self, _topic: str, payload: bytes, _caller: Caller, came: Instant) -> None:
        if self.busy:
            raise BusyError(Text("忙", "busy"), retry_after=1)
        self.taken.append((payload, came))

    async def plain(self, _topic: str, payload: bytes, _caller: Caller) -> None:
        self.taken.append((payload, 0))


def text(said: str) -> bytes:
    return len(said).to_bytes(2) + said.encode()


def packet(kind: int, body: bytes) -> bytes:
    assert len(body) < 128
    return bytes([kind, len(body)]) + body


def publish(number: int, payload: bytes, *, again: bool = False, qos: int = 1) -> bytes:
    return packet(0x30 | qos << 1 | again << 3, text("t") + (number.to_bytes(2) if qos else b"") + payload)


@asynccontextmanager
async def serving(shop: Shop) -> AsyncIterator[Broker]:
    async def authorise(login: str, _secret: str, _address: str) -> Caller | None:
        return Caller(login, login, frozenset({"device"}))

    running = Broker(("127.0.0.1",), 0, authorise, shop.plain, arrivals=Arrivals(shop.now, shop.take))
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


@asynccontextmanager
async def wire(running: Broker, client: str = "meter", login: str = "one") -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(packet(0x10, text("MQTT") + bytes([4, 0xC2, 0, 0]) + text(client) + text(login) + text("secret")))
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    try:
        yield reader, writer
    finally:
        writer.close()


async def sent(on: Wire, number: int, payload: bytes, *, again: bool = False) -> None:
    """Publish with QoS 1, and wait for the acknowledgement."""
    on[1].write(publish(number, payload, again=again))
    async with asyncio.timeout(30):
        assert await on[0].readexactly(4) == b"\x40\x02" + number.to_bytes(2)


async def test_what_is_sent_again_on_another_connection_is_of_its_first_arrival() -> None:
    shop = Shop()
    async with serving(shop) as running:
        async with wire(running) as device:
            for number, payload in ((7, b"a"), (8, b"b")):
                await sent(device, number, payload)
            await sent(device, 7, b"a", again=True)
        async with wire(running) as device:
            await sent(device, 7, b"a", again=True)
            await sent(device, 8, b"b", again=True)
    assert shop.taken == [(b"a", 1), (b"b", 2), (b"a", 1), (b"a", 1), (b"b", 2)]


async def test_what_could_not_be_stored_is_of_its_first_arrival_when_it_is() -> None:
    shop = Shop(busy=True)
    async with serving(shop) as running:
        async with wire(running) as device:
            device[1].write(publish(1, b"a"))
            async with asyncio.timeout(30):
                assert await device[0].read() == b""
        shop.busy = False
        async with wire(running) as device:
            await sent(device, 1, b"a", again=True)
    assert shop.taken == [(b"a", 1)]


async def test_any_other_message_is_of_the_moment_in_which_it_comes() -> None:
    shop = Shop()
    async with serving(shop) as running:
        async with wire(running) as device:
            for number, payload, again in ((1, b"a", False), (1, b"a", False), (1, b"b", True), (2, b"b", True)):
                await sent(device, number, payload, again=again)
            device[1].write(publish(0, b"bare", qos=0))
            await sent(device, 3, b"c")
        for client, login in (("other", "one"), ("meter", "two")):
            async with wire(running, client, login) as device:
                await sent(device, 2, b"b", again=True)
    numbers = [came for payload, came in shop.taken if payload != b"bare"]
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert (b"bare", 0) in shop.taken


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_arrivals, "_OF_ALL", 1000)
    shop = Shop()
    arrivals = Arrivals(shop.now, shop.take)
    first = arrivals.came("a", 1, "t", b"x", again=False)
    for number in range(2, 400):
        arrivals.came("a", number, "t", b"x", again=False)
    assert len(arrivals) == 256
    assert arrivals.came("a", 1, "t", b"x", again=True) > first
    last = arrivals.came("a", 399, "t", b"x", again=True)
    for client in range(2000):
        arrivals.came(f"c{client}", 1, "t", b"x", again=False)
    assert len(arrivals) == 1000
    assert arrivals.came("a", 399, "t", b"x", again=True) > last
    assert len(arrivals) <= 1000


def test_what_is_long_ago_is_another_message(monkeypatch: pytest.MonkeyPatch) -> None:
    shop, passed = Shop(), [0.0]
    monkeypatch.setattr("citybrain.engines.mqtt_arrivals.time.monotonic", lambda: passed[0])
    arrivals = Arrivals(shop.now, shop.take)
    assert arrivals.came("a", 1, "t", b"x", again=False) == 1
    passed[0] = mqtt_arrivals.AGAIN - 1
    assert arrivals.came("a", 1, "t", b"x", again=True) == 1
    passed[0] = mqtt_arrivals.AGAIN
    assert arrivals.came("a", 1, "t", b"x", again=True) == 3
