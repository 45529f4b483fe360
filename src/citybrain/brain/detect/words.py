"""Filling an alert's words with what was seen."""

from collections.abc import Mapping
from math import isnan
from string import Formatter

from citybrain.kernel.text import Text


class Shown(float):
    """A number that writes itself without needless digits, unless the text asks for a format."""

    def __format__(self, form: str) -> str:
        if form:
            return super().__format__(form)
        written = f"{self:.4f}".rstrip("0").rstrip(".") if abs(self) < 1e12 else f"{float(self):g}"
        return "0" if written == "-0" else written


class Absent:
    """What stands where there is no value, whatever format is asked for."""

    def __format__(self, form: str) -> str:
        return "—"


def names_of(text: Text) -> frozenset[str]:
    """The places of a text that are to be filled; raises ValueError for broken braces."""
    return frozenset(name.split(".")[0] for words in (text.zh, text.en) for _, name, _, _ in Formatter().parse(words) if name)


def filled(text: Text, title: Text, values: Mapping[str, float | str | None]) -> Text:
    """Both languages with the entity's title and the values in their places."""
    shown = {name: _shown(value) for name, value in values.items()}
    return Text(text.zh.format(**shown | {"title": title.zh}), text.en.format(**shown | {"title": title.en}))


def _shown(value: float | str | None) -> object:
    if value is None or (isinstance(value, float) and isnan(value)):
        return Absent()
    return value if isinstance(value, str) else Shown(value)
