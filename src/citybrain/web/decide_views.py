"""The views of questions, their advice, and what people decide on it."""

from typing import TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.desk_views import FormError
from citybrain.web.views import Fact, Table, Tone


class Found(msgspec.Struct, frozen=True):
    """What a question came to, as a tag."""

    title: Text
    tone: Tone


class QuestionCard(msgspec.Struct, frozen=True):
    """A question with its newest advice in words; ``asked`` is None before the first."""

    title: Text
    href: str
    about: Text
    found: Found
    said: Text
    asked: Instant | None
    decided: Text | None = None
    demo: bool = False


class Questions(msgspec.Struct, frozen=True):
    """``/decide``."""

    cards: tuple[QuestionCard, ...]


class Made(msgspec.Struct, frozen=True):
    """What somebody decided on an advice."""

    title: Text
    tone: Tone
    words: str
    by: str
    at: Instant


class AdvicePage(msgspec.Struct, frozen=True):
    """``/decide/<question>``: an advice, what it is held against and rests on; ``id`` is empty for whoever may not decide on it."""

    title: Text
    about: Text
    path: str
    found: Found
    said: Text
    asked: Instant | None
    goal: Text
    costs: tuple[Fact, ...]
    tables: tuple[Table, ...]
    binding: tuple[Text, ...]
    assumed: tuple[Text, ...]
    parameters: Table
    history: Table
    later: bool = False
    """Whether there is a newer advice than the one shown."""
    made: Made | None = None
    id: str = ""
    why_not: Text | None = None
    errors: tuple[FormError, ...] = ()
    typed: str = ""
    demo: bool = False


DecideView: TypeAlias = Questions | AdvicePage
