"""Making the decoders ready before threads share them.

msgspec describes a type to itself when it is first decoded, and hands the half-made description to whoever decodes the
same type in that moment in another thread: the process then ends with a segmentation fault (seen with msgspec 0.22). So
all types are described once, at the start, by one thread.
"""

from collections.abc import Iterator

import msgspec


def ready() -> tuple[type[msgspec.Struct], ...]:
    """Describe every ``msgspec.Struct`` that the process knows; returns those that can be decoded."""
    return tuple(kind for kind in _below(msgspec.Struct) if _described(kind))


def _below(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)


def _described(kind: type[msgspec.Struct]) -> bool:
    try:
        msgspec.json.Decoder(kind)
    except (NameError, TypeError):
        # Such a type is only ever written, or built in code: nobody could decode it later either.
        return False
    return True
