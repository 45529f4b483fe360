"""Markdown from values: the line that every generated page begins with, headings, tables that survive a pipe in a cell."""

from collections.abc import Iterable, Sequence

from citybrain.kernel.text import Text

MADE = "> 本页由 `python -m docs.reference` 从代码生成，请勿手改。Generated from the code by `python -m docs.reference`; do not edit it by hand."
"""The first line of every generated page."""


def sheet(title: Text, about: Text, *parts: str) -> str:
    """A whole page: the line that says how it is made, the title, what it is about, and its parts."""
    return "\n\n".join((MADE, f"# {both(title)}", about.zh, about.en, *(part for part in parts if part))) + "\n"


def both(text: Text) -> str:
    """Both languages on one line; once where they are the same."""
    return text.zh if text.zh == text.en else f"{text.zh} · {text.en}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; nothing at all without rows."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join((f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines)) if lines else ""


def code(text: object) -> str:
    """Text in the fixed font; nothing for None."""
    return "" if text is None else f"`{text}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
