"""MQTT 3.1.1 packets held against their own form before anything reads them: what breaks it ends the connection [MQTT-4.8.0-1]. Pure.

amqtt reads field by field, takes what follows a packet for its rest, and passes over what it cannot read.
"""

from typing import Final, NamedTuple

from citybrain.kernel.text import Text

CONNECT: Final = 1
PUBLISH: Final = 3
LONGEST_HEAD: Final = 5
"""Bytes of a fixed header at most."""
_ACKNOWLEDGEMENTS: Final = (4, 5, 6, 7)
_SUBSCRIBE, _UNSUBSCRIBE = 8, 10
_EMPTY: Final = (12, 14)
"""PINGREQ and DISCONNECT."""
_FLAGS: Final = {6: 2, _SUBSCRIBE: 2, _UNSUBSCRIBE: 2}
"""The reserved flags of a type where they are not 0 [MQTT-2.2.2-2]."""
TOO_LONG: Final = Text("剩余长度超过四个字节", "a remaining length of more than four bytes")
OUT_OF_TURN: Final = Text("首个报文须为 CONNECT，且只此一次", "a CONNECT is its first packet, and no other is one")
_NO_PACKET = Text("报文类型不是客户端可发的", "a type of packet that no client sends")
_FLAGGED = Text("固定报头的标志位不符", "flags in its fixed header that are not as its type has them")
_LENGTH = Text("剩余长度与内容不符", "a remaining length that is not that of what it holds")
_TEXT = Text("文字不是 UTF-8，或含 U+0000", "a text that is no UTF-8, or holds U+0000")
_TOPIC = Text("主题为空或含通配符", "a topic that is empty or holds wildcards")
_NUMBER = Text("报文标识为 0", "0 as its packet identifier")
_QOS = Text("QoS 不是 0、1 或 2", "a QoS that is none of 0, 1 and 2")


class _BrokenError(ValueError):
    """What is wrong with a packet."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class Head(NamedTuple):
    """The fixed header of a packet: its first byte, how many bytes it takes itself, and how many follow."""

    first: int
    size: int
    rest: int

    @property
    def type(self) -> int:
        """The type of packet (2.2.1)."""
        return self.first >> 4


def head(read: bytes) -> Head | None:
    """The fixed header that bytes begin with; None where more must be read. A length of more than four bytes is one of -1."""
    rest = 0
    for place in range(1, LONGEST_HEAD):
        if place >= len(read):
            return None
        rest += (read[place] & 0x7F) << 7 * (place - 1)
        if read[place] < 0x80:
            return Head(read[0], place + 1, rest)
    return Head(read[0], LONGEST_HEAD, -1)


def violation(first: int, body: bytes) -> Text | None:
    """What of a client's packet, by its first byte and all that follows its fixed header, is not as MQTT 3.1.1 has it; None for nothing."""
    kind, flags = first >> 4, first & 0x0F
    try:
        if kind == PUBLISH:
            _publish(flags, _Reading(body))
            return None
        _break(_FLAGGED, unless=flags == _FLAGS.get(kind, 0))
        if kind == CONNECT:
            _connect(_Reading(body))
        elif kind in (_SUBSCRIBE, _UNSUBSCRIBE):
            _filters(_Reading(body), qos=kind == _SUBSCRIBE)
        elif kind in _ACKNOWLEDGEMENTS:
            _break(_LENGTH, unless=len(body) == 2)
        else:
            _break(_NO_PACKET, unless=kind in _EMPTY)
            _break(_LENGTH, unless=not body)
    except _BrokenError as error:
        return error.why
    return None


class _Reading:
    """Reads what stands in a packet, and nothing past its end."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._place = 0

    @property
    def left(self) -> int:
        """Bytes that were not read."""
        return len(self._body) - self._place

    def bytes(self, count: int) -> bytes:
        """So many bytes."""
        _break(_LENGTH, unless=count <= self.left)
        begin, self._place = self._place, self._place + count
        return self._body[begin : self._place]

    def number(self) -> int:
        """A whole number of two bytes."""
        return int.from_bytes(self.bytes(2))

    def text(self) -> str:
        """A text with its length before it (1.5.3)."""
        try:
            found = self.bytes(self.number()).decode()
        except UnicodeDecodeError:
            raise _BrokenError(_TEXT) from None
        _break(_TEXT, unless="\x00" not in found)
        return found


def _publish(flags: int, reading: _Reading) -> None:
    qos = flags >> 1 & 3
    _break(_QOS, unless=qos < 3)
    _break(_FLAGGED, unless=bool(qos) or not flags & 8)
    topic = reading.text()
    _break(_TOPIC, unless=bool(topic) and not {"+", "#"} & set(topic))
    if qos:
        _break(_NUMBER, unless=reading.number() > 0)


def _connect(reading: _Reading) -> None:
    reading.text()
    reading.bytes(1)
    flags = reading.bytes(1)[0]
    will, login, secret = flags & 0x04, flags & 0x80, flags & 0x40
    _break(
        _FLAGGED,
        unless=not flags & 0x01 and (bool(will) or not flags & 0x38) and flags & 0x18 != 0x18 and bool(login or not secret),
    )
    reading.bytes(2)
    reading.text()
    if will:
        reading.text()
        reading.bytes(reading.number())
    if login:
        reading.text()
    if secret:
        reading.bytes(reading.number())
    _break(_LENGTH, unless=not reading.left)


def _filters(reading: _Reading, *, qos: bool) -> None:
    _break(_NUMBER, unless=reading.number() > 0)
    _break(_LENGTH, unless=reading.left > 0)
    while reading.left:
        _break(_TOPIC, unless=bool(reading.text()))
        if qos:
            _break(_QOS, unless=reading.bytes(1)[0] < 3)


def _break(why: Text, *, unless: bool) -> None:
    if not unless:
        raise _BrokenError(why)
