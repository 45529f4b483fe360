"""Reading from somebody else's broker: taken before it is acknowledged, nothing lost while either side is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from citybrain.engines.mqtt_client import Subscription
from citybrain.engines.space import full
from citybrain.kernel.errors import BadInputError, BusyError
from citybrain.kernel.text import same
from tests.brokers import foreign, publish, until


@asynccontextmanager
async def reading(
    port: int, take: Callable[[str, bytes], Awaitable[object]], kept: Callable[[str, bytes], Awaitable[object]] | None = None
) -> AsyncIterator[Subscription]:
    found = Subscription(f"mqtt://127.0.0.1:{port}", ["plant/#"], take, "citybrain-test", kept=kept)
    found.start()
    try:
        await until(lambda: found.connected)
        await asyncio.sleep(0.1)
        yield found
    finally:
        await found.stop()


async def test_messages_of_the_filters_are_taken_in_their_order() -> None:
    seen: list[str] = []

    async def take(topic: str, payload: bytes) -> None:
        seen.append(f"{topic} {payload.decode()}")

    async with foreign() as port, reading(port, take):
        await publish(port, "other", topic="elsewhere")
        await publish(port, *map(str, range(300)))
        await until(lambda: len(seen) == 300)
    assert seen == [f"plant/1 {n}" for n in range(300)]


@pytest.mark.thorough
async def test_what_cannot_be_stored_waits_and_is_tried_again() -> None:
    tried: list[bytes] = []

    async def take(topic: str, payload: bytes) -> None:
        tried.append(payload)
        if len(tried) == 1:
            raise BusyError(same(topic), retry_after=1)
        if len(tried) == 2:
            raise full()

    async with foreign() as port, reading(port, take):
        await publish(port, "a")
        await until(lambda: len(tried) == 3)
    assert tried == [b"a"] * 3


async def test_what_is_refused_does_not_come_again_and_what_fails_ends_nothing() -> None:
    seen: list[bytes] = []

    async def take(topic: str, payload: bytes) -> None:
        seen.append(payload)
        if payload == b"refused":
            raise BadInputError(same(topic))
        if payload == b"breaks":
            raise ZeroDivisionError(topic)

    async with foreign() as port, reading(port, take):
        await publish(port, "refused", "breaks", "good")
        await until(lambda: len(seen) == 3)
    assert seen == [b"refused", b"breaks", b"good"]


async def test_what_was_sent_while_the_program_was_away_waits_at_the_broker() -> None:
    seen: list[bytes] = []

    async def take(_topic: str, payload: bytes) -> None:
        seen.append(payload)

    async with foreign() as port:
        async with reading(port, take):
            await publish(port, "before")
            await until(lambda: seen == [b"before"])
        await publish(port, "meanwhile")
        async with reading(port, take):
            await until(lambda: seen == [b"before", b"meanwhile"])


@pytest.mark.thorough
async def test_what_was_not_taken_before_the_end_comes_again() -> None:
    begun, seen = asyncio.Event(), list[bytes]()

    async def never(_topic: str, _payload: bytes) -> None:
        begun.set()
        await asyncio.sleep(60)

    async def take(_topic: str, payload: bytes) -> None:
        seen.append(payload)

    async with foreign() as port:
        async with reading(port, never):
            await publish(port, "kept")
            await begun.wait()
        async with reading(port, take):
            await until(lambda: seen == [b"kept"])


@pytest.mark.thorough
async def test_a_broker_that_goes_and_comes_back_is_read_again() -> None:
    seen: list[bytes] = []

    async def take(_topic: str, payload: bytes) -> None:
        seen.append(payload)

    async with foreign() as port:
        reader = Subscription(f"mqtt://127.0.0.1:{port}", ["plant/#"], take, "citybrain-test")
        reader.start()
        await until(lambda: reader.connected)
    try:
        await until(lambda: not reader.connected)
        async with foreign(port):
            await until(lambda: reader.connected, 30)
            await asyncio.sleep(0.2)
            await publish(port, "again")
            await until(lambda: seen == [b"again"])
    finally:
        await reader.stop()


@pytest.mark.parametrize("address", ["", "127.0.0.1:1883", "http://127.0.0.1", "mqtt://"])
def test_what_is_no_address_is_refused_with_what_one_looks_like(address: str) -> None:
    async def take(_topic: str, _payload: bytes) -> None:
        raise AssertionError

    with pytest.raises(BadInputError, match="mqtt://host:1883"):
        Subscription(address, ["#"], take, "citybrain-test")


async def test_what_the_broker_had_kept_is_told_apart_from_what_is_sent_now() -> None:
    seen: list[bytes] = []
    old: list[bytes] = []

    async def take(_topic: str, payload: bytes) -> None:
        seen.append(payload)

    async def kept(_topic: str, payload: bytes) -> None:
        old.append(payload)

    async with foreign() as port:
        async with aiomqtt.Client("127.0.0.1", port) as device:
            await device.publish("plant/1", b"of yesterday", qos=1, retain=True)
        for _ in range(2):
            async with reading(port, take, kept):
                await publish(port, "of now")
                await until(lambda: len(seen) > len(old) - 1 >= 0)
    assert seen == [b"of now"] * 2
    assert old == [b"of yesterday"] * 2
