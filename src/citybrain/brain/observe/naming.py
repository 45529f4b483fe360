"""Ids of what is made over doors: out of names, or as they are asked for."""

import re
import unicodedata
from collections.abc import Container
from typing import Final

from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.ids import new_id
from citybrain.kernel.text import Text

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_LONGEST: Final = 60


def slug(name: str, noun: str) -> str:
    """An id out of a name: its letters and digits in lower case; the noun where it has none, as a Chinese name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].rstrip("-") or noun


def below(thing: str, wanted: str, taken: Container[str]) -> str:
    """The id that is asked for something of a thing: the thing's, a dot, and an id; who may write goes by the thing's.

    Raises BadInputError for any other, ConflictError for one that is taken.
    """
    owner, dot, name = wanted.rpartition(".")
    if not dot or owner != thing or not _ID.fullmatch(name):
        what = Text(
            f"“{wanted}”不能作标识：须为“{thing}.”加名称（字母、数字、“-”和“_”）。",
            f"'{wanted}' is no id here: it is '{thing}.' and a name of letters, digits, '-' and '_'.",
        )
        raise BadInputError(what, id=wanted)
    free(name, (name,) if wanted in taken else (), asked=True)
    return wanted


def free(wanted: str, taken: Container[str], *, asked: bool) -> str:
    """The id wanted, or one like it that is free; raises ConflictError where just this one was asked for and is taken."""
    if not _ID.fullmatch(wanted):
        what = Text(
            f"“{wanted}”不能作标识：须以字母或数字开头，只含字母、数字、“-”和“_”，至多 80 个字符。",
            f"'{wanted}' is no id: letters, digits, '-' and '_', a letter or digit first, 80 at most.",
        )
        raise BadInputError(what, id=wanted)
    if wanted not in taken:
        return wanted
    if asked:
        raise ConflictError(Text(f"标识“{wanted}”已被使用。", f"The id '{wanted}' is taken. Choose another."), id=wanted)
    return f"{wanted}-{new_id()[-12:]}"
