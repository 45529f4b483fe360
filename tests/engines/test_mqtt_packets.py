"""Packets that are none of MQTT 3.1.1 end their connection, over a raw socket; what may have held observations is accounted for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from citybrain.engines import mqtt_packets as packets
from citybrain.engines.mqtt import Broker
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
METER = Caller("meter-7", "", frozenset({"device"}))


def text(said: bytes) -> bytes:
    return len(said).to_bytes(2) + said


def packet(first: int, body: bytes) -> bytes:
    """A packet of less than 128 bytes."""
    return bytes((first, len(body))) + body


def hello(flags: int = 0xC2, body: bytes = text(b"c") + text(b"meter-7") + text(b"right"), alive: int = 60) -> bytes:
    return packet(0x10, text(b"MQTT") + bytes((4, flags, 0, alive)) + body)


GOOD = packet(0x32, text(b"t") + b"\x00\x07" + b"42")
PUBACK, PINGREQ, PINGRESP = bytes.fromhex("40020007"), b"\xc0\x00", b"\xd0\x00"
BROKEN_PUBLISH = {
    "a topic past the end of its packet": packet(0x30, b"\x00\x09t"),
    "a length of its topic that is cut off": packet(0x30, b"\x00"),
    "no number with QoS 1": packet(0x32, text(b"t")),
    "0 as its number": packet(0x32, text(b"t") + b"\x00\x00x"),
    "QoS 3": packet(0x36, text(b"t") + b"\x00\x01x"),
    "sent again with QoS 0": packet(0x38, text(b"t") + b"x"),
    "no topic": packet(0x30, text(b"") + b"x"),
    "a wildcard in its topic": packet(0x30, text(b"a/+") + b"x"),
    "a topic that is no UTF-8": packet(0x30, text(b"\xff") + b"x"),
    "U+0000 in its topic": packet(0x30, text(b"a\x00") + b"x"),
    "a remaining length of five bytes": b"\x30\xff\xff\xff\xff\x01",
}
BROKEN = {
    "type 0": b"\x00\x00",
    "type 15": b"\xf0\x00",
    "a CONNACK": packet(0x20, b"\x00\x00"),
    "another CONNECT": hello(),
    "flags of a SUBSCRIBE": packet(0x80, b"\x00\x01" + text(b"t") + b"\x00"),
    "a SUBSCRIBE without a filter": packet(0x82, b"\x00\x01"),
    "a SUBSCRIBE whose filter is cut off": packet(0x82, b"\x00\x01" + b"\x00\x05t"),
    "a SUBSCRIBE without a QoS": packet(0x82, b"\x00\x01" + text(b"t")),
    "a SUBSCRIBE with QoS 3": packet(0x82, b"\x00\x01" + text(b"t") + b"\x03"),
    "an UNSUBSCRIBE with 0 as its number": packet(0xA2, b"\x00\x00" + text(b"t")),
    "a PINGREQ that holds something": packet(0xC0, b"x"),
    "flags of a DISCONNECT": packet(0xE1, b""),
    "a PUBACK of three bytes": packet(0x40, b"\x00\x01\x00"),
    "a PUBREL without its flags": packet(0x60, b"\x00\x01"),
}


class Line:
    """A broker with what it took and refused, and a raw connection to it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken: list[bytes] = []
        self.refused: list[tuple[str, str]] = []
        self.reader, self.writer = reader, writer

    async def says(self, said: bytes, answer: bytes) -> None:
        """Send bytes, and hold that these come back."""
        self.writer.write(said)
        assert await asyncio.wait_for(self.reader.readexactly(len(answer)), 10) == answer

    async def ends(self, said: bytes) -> None:
        """Send bytes, and hold that the connection is closed without another word."""
        self.writer.write(said)
        try:
            assert await asyncio.wait_for(self.reader.read(), 10) == b""
        except ConnectionResetError:
            return


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    async def authorise(login: str, secret: str, _address: str) -> Caller | None:
        return METER if (login, secret) == ("meter-7", "right") else None

    async def take(_topic: str, payload: bytes, _caller: Caller) -> None:
        found.taken.append(payload)

    async def refuse(error: CityError, caller: Caller) -> None:
        found.refused.append((error.code, caller.account))

    broker = Broker(("127.0.0.1",), 0, authorise, take, refuse=refuse)
    await broker.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    found = Line(reader, writer)
    try:
        yield found
    finally:
        writer.close()
        await broker.stop()


@pytest.mark.parametrize("said", BROKEN_PUBLISH.values(), ids=list(BROKEN_PUBLISH))
async def test_a_message_out_of_form_ends_the_connection_and_is_one_refusal(said: bytes) -> None:
    async with line() as device:
        await device.says(hello(), b"\x20\x02\x00\x00")
        await device.says(GOOD, PUBACK)
        await device.ends(said + GOOD)
    assert (device.taken, device.refused) == ([b"42"], [("unreadable", "meter-7")])


@pytest.mark.parametrize("said", BROKEN.values(), ids=list(BROKEN))
async def test_any_other_packet_out_of_form_ends_the_connection_and_no_observation_is_refused(said: bytes) -> None:
    async with line() as device:
        await device.says(hello(), b"\x20\x02\x00\x00")
        await device.ends(said + GOOD)
    assert (device.taken, device.refused) == ([], [])


@pytest.mark.parametrize(
    "said",
    [
        GOOD,
        hello(0xC3),
        hello(0x42, text(b"c") + text(b"right")),
        hello(0xCA),
        hello(body=text(b"c") + text(b"meter-7") + text(b"right") + b"more"),
        hello(body=text(b"c") + text(b"meter-7")),
    ],
    ids=["no CONNECT first", "its reserved flag", "a secret without a login", "QoS of no will", "more than it says", "no secret"],
)
async def test_a_first_packet_out_of_form_gets_no_word(said: bytes) -> None:
    async with line() as device:
        await device.ends(said + GOOD)
    assert (device.taken, device.refused) == ([], [])


async def test_packets_in_form_are_read_however_they_are_cut() -> None:
    async with line() as device:
        await device.says(hello(), b"\x20\x02\x00\x00")
        great = b"\x32\x85\x90\x06" + text(b"t") + b"\x00\x08" + bytes(100_352)
        whole = GOOD + packet(0x30, text("水位".encode())) + great + PINGREQ
        for begin in range(0, len(whole), 30_011):
            device.writer.write(whole[begin : begin + 30_011])
            await device.writer.drain()
            await asyncio.sleep(0)
        found = await asyncio.wait_for(device.reader.readexactly(10), 10)
        assert sorted((found.count(PUBACK), found.count(b"\x40\x02\x00\x08"), found.count(PINGRESP))) == [1, 1, 1]
        for byte in GOOD:
            device.writer.write(bytes((byte,)))
            await device.writer.drain()
        await device.says(b"", PUBACK)
    assert ([len(one) for one in device.taken], device.refused) == ([2, 0, 100_352, 2], [])


def test_a_fixed_header_is_known_when_its_length_has_ended() -> None:
    assert [packets.head(b"\x30\x80\x01"[:size]) for size in range(4)] == [None, None, None, packets.Head(0x30, 3, 128)]
    assert packets.head(b"\x30\xff\xff\xff\x7f") == packets.Head(0x30, 5, 268_435_455)
