"""The wire: an answer leaves in one piece, for a head that goes before its body wakes whoever reads it twice."""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD: Final = b"HTTP/1.1 "


class Wire(HttpToolsProtocol):
    """Uvicorn's protocol, answering in one piece."""

    def on_message_begin(self) -> None:
        """Begin with a request of a connection."""
        if not isinstance(self.transport, OnePiece):
            self.transport = OnePiece(self.transport, self.loop)
        super().on_message_begin()


class OnePiece(asyncio.Transport):
    """A transport to answer on, which keeps a head until its body comes, or until the end of this turn of the loop."""

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._inner = inner
        self._loop = loop
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, after the head that waits for them."""
        if self._head:
            head, self._head = self._head, b""
            self._inner.write(head + data)
        elif data[: len(_HEAD)] == _HEAD:
            self._head = bytes(data)
            # Of a stream of events the body may come much later.
            self._loop.call_soon(self._leave)
        else:
            self._inner.write(data)

    def close(self) -> None:
        """Send what is kept, and close."""
        self._leave()
        self._inner.close()

    def is_closing(self) -> bool:
        """Whether it closes."""
        return self._inner.is_closing()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection to another protocol."""
        self._inner.set_protocol(protocol)

    def _leave(self) -> None:
        if self._head:
            self.write(b"")
