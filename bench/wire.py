"""A lean HTTP/1.1 client for load: prebuilt bodies over kept connections, and a reader of server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass

HEAD = "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {kind}\r\nAuthorization: {auth}\r\nContent-Length: {length}\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: host, port, and the credentials' header value."""

    host: str
    port: int
    auth: str


class Connection:
    """One kept connection; answers are read whole."""

    def __init__(self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._target, self._reader, self._writer = target, reader, writer

    @classmethod
    async def to(cls, target: Target) -> "Connection":
        """Open one."""
        reader, writer = await asyncio.open_connection(target.host, target.port, limit=1 << 20)
        return cls(target, reader, writer)

    async def post(self, path: str, body: bytes, kind: str = "application/json") -> tuple[int, bytes]:
        """Send a body of a media type; returns status and answer."""
        self._writer.write(HEAD.format(path=path, kind=kind, auth=self._target.auth, length=len(body)).encode() + body)
        await self._writer.drain()
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        return status, await self._reader.readexactly(length)

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def flood(
    target: Target, path: str, connections: int, bodies: Callable[[int], bytes | None], kind: str = "application/json"
) -> list[tuple[float, float, int]]:
    """Send bodies(0), bodies(1), … over some connections until one is None; returns (began, ended, status) of each."""
    loop, done, counter = asyncio.get_running_loop(), [], iter(range(1 << 60))

    async def one() -> None:
        async with await Connection.to(target) as wire:
            while (body := bodies(next(counter))) is not None:
                began = loop.time()
                status, _ = await wire.post(path, body, kind)
                done.append((began, loop.time(), status))

    await asyncio.gather(*(one() for _ in range(connections)))
    return done


async def events(target: Target, path: str) -> AsyncIterator[tuple[str, str]]:
    """(event, data) of a server-sent event stream, until it is closed."""
    reader, writer = await asyncio.open_connection(target.host, target.port, limit=1 << 22)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\nAuthorization: {target.auth}\r\n\r\n".encode(),
        )
        await reader.readuntil(b"\r\n\r\n")
        name = ""
        while line := await reader.readline():
            text = line.decode().rstrip("\r\n")
            if text.startswith("event:"):
                name = text[6:].strip()
            elif text.startswith("data:"):
                yield name, text[5:].strip()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
