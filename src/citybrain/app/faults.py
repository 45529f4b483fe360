"""Faults found in a pack, in words that name it; and the one fence around a pack's own code."""

from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import TypeAlias, TypeVar

from citybrain.kernel.instant import duration, minute_of
from citybrain.kernel.pack import Pack
from citybrain.kernel.text import Text

Faults: TypeAlias = tuple[Text, ...]
T = TypeVar("T")


def fault(pack: Pack, zh: str, en: str) -> Text:
    """A fault in words that begin with the pack's name."""
    return Text(f"应用包“{pack.name}”{zh}", f"Pack '{pack.name}' {en}")


def fenced(work: Callable[[], T]) -> tuple[T, None] | tuple[None, str]:
    """What a piece of a pack's own code gives, or what it raised, in words: whatever it raises is the pack's fault."""
    try:
        return work(), None
    except Exception as error:  # noqa: BLE001 - the one fence around a pack's own code; the error is told to its author
        return None, f"{type(error).__name__}: {error}{_where(error)}"


def _where(error: Exception) -> str:
    """File and line in which the pack's code failed; a syntax error says its own."""
    frames = extract_tb(error.__traceback__)[1:]
    if not frames or isinstance(error, SyntaxError):
        return ""
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"


def field_names(pack: Pack, kind: str) -> set[str]:
    """The names of a kind's fields; none for a kind that the pack does not declare."""
    return {field.name for one in pack.kinds if one.name == kind for field in one.fields}


def strangers(pack: Pack, place: str, names: set[str]) -> Faults:
    """The fault of speaking of names that nobody declared; none for no names."""
    if not names:
        return ()
    listed = ", ".join(sorted(names))
    zh = f"的“{place}”提到了未声明的名称：{listed}。请改正拼写，或在 Kind、指标或 parameters.toml 中声明。"
    en = f"has strangers in '{place}': {listed}. Correct the spelling, or declare them: in the kind, as a figure, or in parameters.toml."
    return (fault(pack, zh, en),)


def is_clock(text: str) -> bool:
    """Whether a text is a time of the day that the kernel reads."""
    try:
        minute_of(text)
    except ValueError:
        return False
    return True


def is_duration(text: str) -> bool:
    """Whether a text is an ISO 8601 duration that the kernel reads."""
    try:
        duration(text)
    except ValueError:
        return False
    return True
