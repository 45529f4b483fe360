"""Identifiers: UUID version 7 (RFC 9562) for records, dated numbers for cases."""

import secrets
import time
import uuid

_RANDOM_BITS = 74


def uuid7(milliseconds: int, chance: int) -> str:
    """A UUIDv7 from a Unix time in ms (48 bits) and 74 bits of chance."""
    high, low = (chance >> 62) & 0xFFF, chance & ((1 << 62) - 1)
    number = (milliseconds & ((1 << 48) - 1)) << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low
    return str(uuid.UUID(int=number))


def new_id() -> str:
    """A fresh record id: sorts by the wall time of its making and carries no meaning."""
    return uuid7(time.time_ns() // 1_000_000, secrets.randbits(_RANDOM_BITS))


def case_number(prefix: str, day: str, serial: int) -> str:
    """A number people quote, such as ``NK-20261122-000123``; day is ``YYYYMMDD`` of the district's local date."""
    return f"{prefix}-{day}-{serial:06d}"
