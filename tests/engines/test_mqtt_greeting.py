"""Other versions of MQTT than the one spoken: told at once, in the form that the device can read, and the line is closed."""

import asyncio

import aiomqtt
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from citybrain.engines.mqtt_greeting import SPOKEN, greeted, refusal
from citybrain.kernel.access import Caller
from tests.engines.test_mqtt import RIGHT, broker, client

CONNECT = bytes.fromhex("101000044d5154540402003c000474657374")
"""A CONNECT of MQTT 3.1.1 with the client id "test"."""
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


async def take(_topic: str, _payload: bytes, _caller: Caller) -> None:
    return


async def heard(port: int, *words: bytes) -> bytes:
    """All that is said until the line is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for word in words:
        writer.write(word)
        await writer.drain()
    said = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return said


async def test_a_client_of_mqtt_5_is_told_that_its_version_is_not_spoken() -> None:
    async with broker(take) as running:
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)unsupported protocol version"):
            async with aiomqtt.Client(
                "127.0.0.1", running.port, username="meter-7", password=RIGHT, timeout=5, protocol=aiomqtt.ProtocolVersion.V5
            ):
                pass
        async with client(running.port) as device:
            await device.publish("t", b"1", qos=1)


async def test_paho_with_protocol_5_ends_with_the_reason() -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def connected(_: paho.Client, __: object, ___: paho.ConnectFlags, why: ReasonCode, ____: Properties | None) -> None:
        loop.call_soon_threadsafe(told.put_nowait, str(why))

    async with broker(take) as running:
        device = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, reconnect_on_failure=False)
        device.on_connect = connected
        await asyncio.to_thread(device.connect, "127.0.0.1", running.port)
        device.loop_start()
        try:
            assert await asyncio.wait_for(told.get(), 5) == "Unsupported protocol version"
        finally:
            await asyncio.to_thread(device.loop_stop)


@pytest.mark.parametrize(
    ("greeting", "answer"),
    [
        ("101100044d5154540502003c00000474657374", "2003008400"),
        ("101200064d514973647003020 03c000474657374".replace(" ", ""), "20020001"),
        ("101000044d5154540902003c000474657374", "20020001"),
    ],
)
async def test_each_version_is_answered_in_its_own_form_and_the_line_is_closed(greeting: str, answer: str) -> None:
    async with broker(take) as running:
        assert await heard(running.port, bytes.fromhex(greeting)) == bytes.fromhex(answer)


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 8, 9, 12])
async def test_what_was_read_to_know_the_version_is_read_again(cut: int) -> None:
    async with broker(take) as running:
        # Without a login it is refused (5), which takes the whole CONNECT to be read.
        assert await heard(running.port, CONNECT[:cut], CONNECT[cut:]) == bytes.fromhex("20020005")


async def test_what_is_no_connect_is_left_to_the_broker() -> None:
    for said in (b"GET / HTTP/1.1\r\n", b"\x10\xff\xff\xff\xff\xff", b"\x10\x10\x00\x20", b"\x10", b""):
        reader = asyncio.StreamReader()
        reader.feed_data(said)
        reader.feed_eof()
        level, read = await greeted(reader)
        assert (level, said.startswith(read)) == (SPOKEN, True)
    assert refusal(3) == bytes.fromhex("20020001")
