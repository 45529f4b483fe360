"""What stands between a device and amqtt: packets are handed on whole and in their form, and only while few of its messages wait."""

import asyncio
from collections.abc import Callable
from typing import Final, NoReturn

from amqtt.adapters import ReaderAdapter

from citybrain.engines import mqtt_packets as packets
from citybrain.kernel.errors import CityError, TooLargeError, UnreadableError
from citybrain.kernel.text import Text

TURN: Final = 32
"""Packets after which those that were handed on are begun, so that they count among what waits."""
_PACKETS: Final = 8
"""Packets of the largest size that may wait: small messages are bounded by their number, great ones by this."""
_AT_ONCE: Final = 65_536
"""Bytes that are read of a connection at a time."""


class GatedReader(ReaderAdapter):  # type: ignore[misc]  # amqtt ships no types
    """Reads from a device only while few of its messages wait to be taken; TCP holds the rest back.

    A packet is handed on when all of it is there and is in its form: piece by piece, as amqtt asks for it, and nothing past its end.
    What came already is ``read``.
    """

    def __init__(
        self, inner: asyncio.StreamReader, in_flight: int, largest: int, cut: Callable[[], None], read: bytes = b""
    ) -> None:
        self._inner = inner
        self.cut = cut
        self.refused: Callable[[CityError, int], None] | None = None
        """Is told why a packet is not read, and of which type it is."""
        self._in_flight = in_flight
        self._largest = largest
        self._came, self._at = read, 0
        self._packet, self._place = b"", 0
        self._begun = False
        self._handed = 0
        self._open = asyncio.Event()
        self._open.set()
        self.waiting = self._bytes = 0

    async def read(self, n: int = -1) -> bytes:
        """Read n bytes of a packet; raises IncompleteReadError where the stream ends before that is whole.

        Raises ConnectionAbortedError for a packet that is too large or not in its form, and for bytes past the end of one.
        """
        if n and self._place == len(self._packet):
            await self._next()
        begin, self._place = self._place, self._place + n
        if self._place > len(self._packet):
            message = f"{n} bytes were asked for, past the end of the packet."
            raise ConnectionAbortedError(message)
        return self._packet[begin : self._place]

    async def _next(self) -> None:
        """Wait for the next packet and hold it against its form; who is cut short waiting begins anew with what came."""
        await self._open.wait()
        while (head := packets.head(self._came[self._at : self._at + packets.LONGEST_HEAD])) is None:
            self._came, self._at = self._came[self._at :] + await self._piece(), 0
        if head.rest > self._largest:
            await self._refuse(_too_large(head.rest, self._largest), head)
        whole = head.size + max(head.rest, 0)
        if len(self._came) - self._at < whole:
            await self._gather(whole)
        packet = self._came[self._at : self._at + whole]
        why = packets.TOO_LONG if head.rest < 0 else packets.violation(head.first, packet[head.size :])
        why = why or (packets.OUT_OF_TURN if self._begun is (head.type == packets.CONNECT) else None)
        if why is not None:
            await self._refuse(_malformed(why), head)
        self._handed += 1
        if self._handed % TURN == 0:
            await asyncio.sleep(0)
        await self._open.wait()
        self._begun = True
        self._at += whole
        self._packet, self._place = packet, 0

    async def _gather(self, whole: int) -> None:
        """Wait until so many bytes are there; those of a great packet, which come in many pieces, are put together once."""
        pieces = [self._came[self._at :]]
        there = len(pieces[0])
        try:
            while there < whole:
                pieces.append(await self._piece())
                there += len(pieces[-1])
        finally:
            self._came, self._at = b"".join(pieces), 0

    async def _piece(self) -> bytes:
        # What was handed on is begun before the stream may end: amqtt cancels what is not.
        await asyncio.sleep(0)
        more = await self._inner.read(_AT_ONCE)
        if not more:
            raise asyncio.IncompleteReadError(b"", 1)
        return more

    async def _refuse(self, error: CityError, head: packets.Head) -> NoReturn:
        await asyncio.sleep(0)  # as for the end of the stream
        if self.refused is not None:
            self.refused(error, head.type)
        raise ConnectionAbortedError(error.what.en)

    def feed_eof(self) -> None:
        """Acknowledge the end of the stream."""
        self._inner.feed_eof()

    def enter(self, size: int) -> None:
        """One more message of so many bytes waits."""
        self.waiting += 1
        self._bytes += size
        if not self._has_room():
            self._open.clear()

    def leave(self, size: int) -> None:
        """One message was taken or refused."""
        self.waiting -= 1
        self._bytes -= size
        if self._has_room():
            self._open.set()

    def _has_room(self) -> bool:
        return self.waiting < self._in_flight and self._bytes < _PACKETS * self._largest


def _too_large(size: int, limit: int) -> TooLargeError:
    what = Text(
        f"报文有 {size} 字节，超过 {limit} 字节，没有读取，连接已断开。请分批发送。",
        f"The packet has {size} bytes, over {limit}: it was not read, and the connection was cut. Send it in parts.",
    )
    return TooLargeError(what, size=size, limit=limit)


def _malformed(why: Text) -> UnreadableError:
    what = Text(
        f"报文不合 MQTT 3.1.1：{why.zh}。没有读取，连接已断开。请检查设备的 MQTT 程序。",
        f"The packet is none of MQTT 3.1.1: {why.en}. It was not read, and the connection was cut. Look at the device's MQTT program.",
    )
    return UnreadableError(what)
