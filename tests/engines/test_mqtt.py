"""The embedded broker, spoken to by a real client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiomqtt
import pytest
from structlog.testing import capture_logs

from citybrain.engines.mqtt import Broker
from citybrain.engines.mqtt_session import Refuse
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, BusyError, CityError
from citybrain.kernel.text import Text
from tests.brokers import until

RIGHT = "right"
METER = Caller("meter-7", "Meter 7", frozenset({"device"}))
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


async def authorise(login: str, secret: str, _address: str) -> Caller | None:
    return METER if (login, secret) == ("meter-7", RIGHT) else None


@asynccontextmanager
async def broker(
    take: Callable[[str, bytes, Caller], Awaitable[None]], *hosts: str, in_flight: int = 64, refuse: Refuse | None = None
) -> AsyncIterator[Broker]:
    running = Broker(hosts or ("127.0.0.1",), 0, authorise, take, in_flight, refuse=refuse)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


def client(port: int, secret: str = RIGHT, host: str = "127.0.0.1") -> aiomqtt.Client:
    return aiomqtt.Client(host, port, username="meter-7", password=secret, timeout=2)


async def test_qos_1_returns_only_after_the_message_was_taken() -> None:
    order: list[str] = []
    go = asyncio.Event()

    async def take(topic: str, payload: bytes, caller: Caller) -> None:
        await go.wait()
        order.append(f"{topic} {payload.decode()} {caller.account}")

    async with broker(take) as running, client(running.port) as device:
        publishing = asyncio.create_task(device.publish("citybrain/v1/observations", b"42", qos=1))
        await asyncio.sleep(0.2)
        assert not publishing.done()
        go.set()
        await publishing
        order.append("acknowledged")
    assert order == ["citybrain/v1/observations 42 meter-7", "acknowledged"]


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_two_hundred_messages_at_once_all_arrive_in_order(qos: int) -> None:
    seen: list[int] = []
    all_seen = asyncio.Event()
    most = 0
    waiting = 0

    async def take(_topic: str, payload: bytes, _caller: Caller) -> None:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0.001)
        waiting -= 1
        seen.append(int(payload))
        if len(seen) == 200:
            all_seen.set()

    async with broker(take, in_flight=16) as running, client(running.port) as device:
        await asyncio.gather(*(device.publish("t", str(n).encode(), qos=qos) for n in range(200)))
        await all_seen.wait()
    assert seen == list(range(200))
    assert most <= 17, "the gate holds a device back"


async def test_a_wrong_password_is_refused() -> None:
    taken: list[bytes] = []

    async def take(_topic: str, payload: bytes, _caller: Caller) -> None:
        taken.append(payload)

    async with broker(take) as running:
        with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed"):
            async with client(running.port, "wrong"):
                pass
    assert taken == []


@pytest.mark.thorough
async def test_what_could_not_be_stored_is_not_acknowledged_and_comes_again() -> None:
    tries: list[bytes] = []

    async def take(_topic: str, payload: bytes, _caller: Caller) -> None:
        tries.append(payload)
        if len(tries) == 1:
            raise BusyError(Text("忙", "busy"))

    async with broker(take) as running:
        with pytest.raises(aiomqtt.MqttError):
            async with client(running.port) as device:
                await device.publish("t", b"1", qos=1)
        async with client(running.port) as device:
            await device.publish("t", b"1", qos=1)
    assert tries == [b"1", b"1"]


async def test_what_is_refused_for_good_is_acknowledged_and_the_device_goes_on() -> None:
    async def take(_topic: str, payload: bytes, _caller: Caller) -> None:
        if payload == b"nonsense":
            raise BadInputError(Text("无法读取", "unreadable"))

    async with broker(take) as running, client(running.port) as device:
        await device.publish("t", b"nonsense", qos=1)
        await device.publish("t", b"1", qos=1)


async def test_nobody_can_subscribe() -> None:
    async def take(_topic: str, _payload: bytes, _caller: Caller) -> None:
        pass

    async with broker(take) as running, client(running.port) as device:
        granted = await device.subscribe("#", qos=1)
    assert [code if isinstance(code, int) else code.value for code in granted] == [0x80]


async def test_both_stacks_answer_on_one_port() -> None:
    taken: list[bytes] = []

    async def take(_topic: str, payload: bytes, _caller: Caller) -> None:
        taken.append(payload)

    async with broker(take, "127.0.0.1", "::1") as running, AsyncExitStack() as stack:
        for host in ("127.0.0.1", "::1"):
            device = await stack.enter_async_context(client(running.port, host=host))
            await device.publish("t", host.encode(), qos=1)
    assert taken == [b"127.0.0.1", b"::1"]


@pytest.mark.thorough
async def test_a_packet_over_the_limit_ends_the_connection_and_is_accounted_for() -> None:
    taken: list[int] = []
    refused: list[tuple[str, object, str]] = []

    async def take(_topic: str, payload: bytes, _caller: Caller) -> None:
        taken.append(len(payload))

    async def refuse(error: CityError, caller: Caller) -> None:
        refused.append((error.code, error.fields["size"], caller.account))

    async with broker(take, refuse=refuse) as running:
        with capture_logs() as logs, pytest.raises(aiomqtt.MqttError):
            async with client(running.port) as device:
                await device.publish("t", bytes(3_000_000), qos=1)
        await until(lambda: bool(refused))
        async with client(running.port) as device:
            await device.publish("t", b"1", qos=1)
    assert (taken, refused) == ([1], [("too_large", 3_000_005, "meter-7")])
    (told,) = [one for one in logs if one["event"] == "mqtt_packet_not_read"]
    assert (told["account"], told["code"], told["client"].partition("/")[0]) == ("meter-7", "too_large", "meter-7")
