"""The first words of a device: which MQTT it speaks, read before amqtt does, which reads any CONNECT as one of 3.1.1 and waits for the rest."""

import asyncio
from typing import Final

SPOKEN: Final = 4
"""The protocol level of MQTT 3.1.1."""
_CONNECT: Final = 0x10
_LONGEST: Final = 6
"""Letters of the longest name of the protocol, ``MQIsdp``."""
_UNSUPPORTED: Final = {5: bytes.fromhex("2003008400")}
"""CONNACK in the form of MQTT 5 (3.2): reason 0x84, no properties."""
_UNACCEPTABLE: Final = bytes.fromhex("20020001")
"""CONNACK in the form of MQTT 3.1 and 3.1.1 (3.2.2.3): return code 1."""


async def greeted(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The protocol level of a CONNECT, and the bytes that were read of it; ``SPOKEN`` for what is none, which amqtt refuses."""
    said = bytearray()

    async def more(count: int) -> bytes:
        """So many bytes more, which are kept."""
        read = await reader.readexactly(count)
        said.extend(read)
        return read

    try:
        if (await more(1))[0] != _CONNECT:
            return SPOKEN, bytes(said)
        for _ in range(4):
            if (await more(1))[0] < 0x80:
                break
        letters = int.from_bytes(await more(2))
        if letters > _LONGEST:
            return SPOKEN, bytes(said)
        await more(letters)
        return (await more(1))[0], bytes(said)
    except asyncio.IncompleteReadError as error:
        return SPOKEN, bytes(said) + error.partial


def refusal(level: int) -> bytes:
    """The CONNACK for a level that is not spoken, in a form that its speaker can read."""
    return _UNSUPPORTED.get(level, _UNACCEPTABLE)
