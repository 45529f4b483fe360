"""Errors of the city between processes: what one was told by its store, the sender at another is told in the same words."""

from collections.abc import Iterator
from typing import Any

import msgspec

from citybrain.kernel.errors import CityError
from citybrain.kernel.text import Text


class Told(msgspec.Struct, frozen=True, array_like=True):
    """An error on its way: its code, its words, its fields."""

    code: str
    what: Text
    fields: dict[str, Any]


def told(error: CityError) -> Told:
    """An error as it travels."""
    return Told(error.code, error.what, dict(error.fields))


def raised(found: Told) -> CityError:
    """The error that another process met, of the same class; a CityError for a code that nobody here has."""
    kind = next((kind for kind in _kinds(CityError) if kind.code == found.code), CityError)
    return kind(found.what, **found.fields)


def _kinds(parent: type[CityError]) -> Iterator[type[CityError]]:
    for kind in parent.__subclasses__():
        yield kind
        yield from _kinds(kind)
