"""Addresses that answers carry: of an entity, of what is beyond a link, and of the page after this one. Pure."""

from typing import Final, TypeAlias
from urllib.parse import quote, urlencode

from citybrain.doors.sensorthings.options import Options
from citybrain.doors.sensorthings.paths import ROOT, quoted

_PAGING: Final = frozenset({"$skip", "$skiptoken"})
_QUOTE: Final = "'"
_SAFE: Final = "$'(),/"
_KEY: Final = "0"
Around: TypeAlias = tuple[str, str]
"""What stands before and after a key."""


def entity(host: str, name: str, key: str) -> str:
    """The address of an entity."""
    return f"{host}{ROOT}/{name}({quote(quoted(key), safe=_QUOTE)})"


def around(host: str, name: str) -> Around:
    """What stands before and after a key that needs no escaping in the address of an entity."""
    before, _, after = entity(host, name, _KEY).rpartition(_KEY)
    return before, after


def page_after(href: str, options: Options, skip: int, cursor: str | None) -> str:
    """The address of the page after, with all that the address of this one asked."""
    pairs = [(name, text) for name, text in options.texts if name not in _PAGING]
    pairs += [("$skip", str(skip))] if skip else []
    pairs += [("$skiptoken", cursor)] if cursor is not None else []
    return f"{href}?{urlencode(pairs, quote_via=quote, safe=_SAFE)}"
