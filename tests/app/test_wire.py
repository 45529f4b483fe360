"""Answers leave in one piece, over real connections."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from citybrain.app.wire import OnePiece, Wire

_READ = 65_536
App = Callable[[Scope, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]


class _Pieces(asyncio.Transport):
    """Keeps what it was given, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def test_a_head_goes_with_its_body_and_what_follows_goes_as_it_comes() -> None:
    inner = _Pieces()
    wire = OnePiece(inner, asyncio.get_running_loop())
    for piece in (b"HTTP/1.1 200 OK\r\n\r\n", b"body", b"more", b"HTTP/1.1 204 No Content\r\n\r\n", b""):
        wire.write(piece)
    assert inner.pieces == [b"HTTP/1.1 200 OK\r\n\r\nbody", b"more", b"HTTP/1.1 204 No Content\r\n\r\n"]
    await asyncio.sleep(0)
    assert len(inner.pieces) == 3, "nothing is sent twice"


async def test_a_head_whose_body_comes_later_does_not_wait_for_it() -> None:
    inner = _Pieces()
    wire = OnePiece(inner, asyncio.get_running_loop())
    wire.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert inner.pieces == []
    await asyncio.sleep(0)
    assert inner.pieces == [b"HTTP/1.1 200 OK\r\n\r\n"]


async def test_closing_loses_nothing() -> None:
    inner = _Pieces()
    wire = OnePiece(inner, asyncio.get_running_loop())
    wire.write(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")
    wire.close()
    assert (inner.pieces, wire.is_closing()) == ([b"HTTP/1.1 500 Internal Server Error\r\n\r\n"], True)


async def _answers(app: App, requests: bytes, count: int) -> bytes:
    """What a server answers to some requests of one connection that were sent at once."""
    server = uvicorn.Server(uvicorn.Config(app, http=Wire, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        task = asyncio.create_task(server.serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(requests)
        said = b""
        while said.count(b"end") < count:
            said += await reader.read(_READ)
        writer.close()
        server.should_exit = True
        await task
    return said


async def test_pipelined_requests_are_answered_whole_and_in_order() -> None:
    async def app(scope: Scope, _: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        assert scope["type"] == "http"
        body = scope["path"].encode() + b" end"
        head = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head, "trailers": False})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    asked = b"".join(f"GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for number in range(5))
    said = await _answers(app, asked, 5)
    assert [part.rpartition(b"\r\n\r\n")[2] for part in said.split(b" end")[:-1]] == [b"/0", b"/1", b"/2", b"/3", b"/4"]


async def test_a_body_in_parts_arrives_as_it_was_sent() -> None:
    async def app(_: Scope, __: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": False})
        for part in (b"HTTP/1.1 is not a head here", b", and this is the ", b"end"):
            await asyncio.sleep(0.01)
            await send({"type": "http.response.body", "body": part, "more_body": part != b"end"})

    said = await _answers(app, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1)
    assert b"\r\n\r\n1b\r\nHTTP/1.1 is not a head here\r\n12\r\n, and this is the \r\n3\r\nend\r\n" in said
