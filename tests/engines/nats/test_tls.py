"""The link to NATS over TLS: a server that is not the one meant, or does not ask for TLS, is told nothing."""

import asyncio
import json
from pathlib import Path

import pytest

from bench.program import free_port
from citybrain.engines.nats import Link, SharedBus
from citybrain.engines.tls import Papers
from citybrain.kernel.errors import BusyError
from tests import several
from tests.certificates import Authority, Own


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def flags(own: Own, *more: str) -> tuple[str, ...]:
    return ("--tls", "--tlscert", str(own.certificate), "--tlskey", str(own.key), *more)


def link(port: int, papers: Papers | None, patience: float = 15) -> Link:
    return Link(f"{'nats' if papers is None else 'tls'}://city:word@127.0.0.1:{port}", "990101", "test", patience, papers)


async def refused(port: int, papers: Papers | None) -> str:
    """Why a link does not come about."""
    one = link(port, papers, 3)
    with pytest.raises(BusyError) as caught:
        await one.start()
    await one.stop()
    return caught.value.what.en


@pytest.mark.thorough
async def test_what_is_published_is_heard_over_tls_alone(tmp_path: Path, authority: Authority) -> None:
    port, stranger = free_port(), Authority(tmp_path / "other", "stranger")
    with several.nats(tmp_path, port, *flags(authority.issue("bus"))):
        links = [link(port, authority.papers()) for _ in range(2)]
        buses = [SharedBus(one) for one in links]
        for one, bus in zip(links, buses, strict=True):
            await one.start()
            await bus.start()
        heard = buses[1].listen("topic")
        buses[0].publish("topic", 7)
        assert await asyncio.wait_for(anext(heard), 30) == 7
        for one, bus in zip(links, buses, strict=True):
            await bus.stop()
            await one.stop()
        assert "certificate verify failed" in await refused(port, stranger.papers())
        assert "certificate verify failed" in await refused(port, None)


@pytest.mark.thorough
async def test_a_server_that_asks_for_a_certificate_hears_who_shows_one(tmp_path: Path, authority: Authority) -> None:
    port = free_port()
    with several.nats(tmp_path, port, *flags(authority.issue("bus"), "--tlsverify", "--tlscacert", str(authority.file))):
        one = link(port, authority.papers(authority.issue("api")))
        await one.start()
        assert one.client.is_connected
        await one.stop()
        await refused(port, authority.papers())


@pytest.mark.thorough
async def test_a_server_that_does_not_ask_for_tls_is_told_nothing(authority: Authority) -> None:
    heard = bytearray()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "x", "version": "2.10.0", "max_payload": 1_000_000, "auth_required": True, "tls_available": True}
        writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
        heard.extend(await reader.read())
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    assert "does not ask for TLS" in await refused(server.sockets[0].getsockname()[1], authority.papers())
    server.close()
    await server.wait_closed()
    assert bytes(heard) == b""
