"""A broker of somebody else's, and a device that publishes there."""

import asyncio
import shutil
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from bench.program import free_port


@asynccontextmanager
async def foreign(port: int = 0) -> AsyncIterator[int]:
    """Mosquitto, which anybody on this machine may publish to and subscribe at; sessions are kept in memory."""
    mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if mosquitto is None:
        pytest.skip("mosquitto is not on this machine")
    found = port or free_port()
    process = await asyncio.create_subprocess_exec(mosquitto, "-p", str(found), stdout=DEVNULL, stderr=DEVNULL)
    try:
        await until(lambda: listens(found))
        yield found
    finally:
        process.terminate()
        await process.wait()


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    for _ in range(int(seconds * 100)):
        if true():
            return
        await asyncio.sleep(0.01)
    pytest.fail("It did not come about.")


async def publish(port: int, *payloads: str, topic: str = "plant/1") -> None:
    async with aiomqtt.Client("127.0.0.1", port, timeout=30) as device:
        for payload in payloads:
            await device.publish(topic, payload.encode(), qos=1)
