"""Words that people read, in both languages, Chinese first."""

from typing import Literal, TypeAlias

import msgspec

Lang: TypeAlias = Literal["zh", "en"]
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


class Text(msgspec.Struct, frozen=True):
    """A bilingual text; on the wire ``{"zh": …, "en": …}``."""

    zh: str
    en: str

    def get(self, lang: Lang) -> str:
        """The text in the language asked for."""
        return self.zh if lang == "zh" else self.en

    def fill(self, **values: object) -> "Text":
        """Both languages with ``{name}`` places filled; raises KeyError for a name that is not given."""
        return Text(self.zh.format(**values), self.en.format(**values))


def same(word: str) -> Text:
    """A text that is the same in both languages: a code, a name, a number."""
    return Text(word, word)
