"""Nouns as they go over the wire: plain values, with instants as RFC 3339."""

from functools import lru_cache
from typing import get_args, get_type_hints

import msgspec

from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.text import Json


def plain(value: object) -> Json:
    """A noun, or nouns in tuples and mappings, as JSON values; fields declared as Instant become RFC 3339 text."""
    if isinstance(value, msgspec.Struct):
        return mapping(value)
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    found: Json = msgspec.to_builtins(value)
    return found


def mapping(value: msgspec.Struct) -> dict[str, Json]:
    """A noun as a JSON object, without the fields that are not set."""
    return {name: _field(value, name) for name in value.__struct_fields__ if getattr(value, name) is not msgspec.UNSET}


def _field(value: msgspec.Struct, name: str) -> Json:
    found: object = getattr(value, name)
    if isinstance(found, int) and name in _instants(type(value)):
        return rfc3339(Instant(found))
    return plain(found)


@lru_cache(maxsize=256)
def _instants(kind: type[msgspec.Struct]) -> frozenset[str]:
    hints = get_type_hints(kind)
    return frozenset(name for name, hint in hints.items() if hint is Instant or Instant in get_args(hint))
