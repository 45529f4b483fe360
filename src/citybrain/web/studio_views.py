"""The views of rules and their limits, tried and published."""

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.desk_views import FormError
from citybrain.web.views import Fact, Table


class RuleItem(msgspec.Struct, frozen=True):
    """A rule as a line: what it tells (places of values in brackets), its condition, its grade 1 to 4 and its version."""

    name: str
    href: str
    says: Text
    on: Text
    condition: str
    basis: Text
    grade: int
    version: str
    limits: tuple[Text, ...] = ()
    """The limits in its condition with their values now."""


class PackRules(msgspec.Struct, frozen=True):
    """A pack with its rules."""

    name: str
    title: Text
    about: Text
    rules: tuple[RuleItem, ...]


class Studio(msgspec.Struct, frozen=True):
    """``/studio``."""

    packs: tuple[PackRules, ...]


class LimitForm(msgspec.Struct, frozen=True):
    """A limit with its form; ``unit`` is the UCUM code, ``sign`` what is shown, ``typed`` what stands in the field."""

    key: str
    title: Text
    value: float
    unit: str
    sign: Text
    low: float
    high: float
    version: int
    facts: tuple[Fact, ...]
    source: str
    """In the words of whoever declared it, in whichever language those are."""
    typed: str
    days: int


class Bar(msgspec.Struct, frozen=True):
    """Counts before and after under one word, such as a day."""

    word: str
    title: Text
    before: int
    after: int


class Tried(msgspec.Struct, frozen=True):
    """What a limit would have changed, and the form to publish it with (``key`` empty for whoever may not)."""

    title: Text
    old: float
    new: float
    sign: Text
    before: int
    after: int
    coverage: Text
    days: tuple[Bar, ...]
    tables: tuple[Table, ...]
    contradictions: tuple[Text, ...]
    key: str = ""
    unit: str = ""
    version: int = 0


class LimitStep(msgspec.Struct, frozen=True):
    """A published version of a limit; with ``key`` the form to go back to it."""

    version: int
    limit: Text
    value: float
    before: float
    sign: Text
    since: Instant
    by: str
    why: str
    note: str = ""
    back_to: int | None = None


class Back(msgspec.Struct, frozen=True):
    """A version that a limit may go back to: ``seen`` is the version now, 0 the declared value."""

    key: str
    limit: Text
    to: int
    value: float
    sign: Text
    seen: int


class RulePage(msgspec.Struct, frozen=True):
    """``/studio/<pack>/<rule>``; ``typed`` gives back what was typed into a form that was refused."""

    rule: RuleItem
    path: str
    facts: tuple[Fact, ...]
    limits: tuple[LimitForm, ...]
    history: tuple[LimitStep, ...]
    backs: tuple[Back, ...] = ()
    tried: Tried | None = None
    may_try: bool = False
    why_not: Text | None = None
    errors: tuple[FormError, ...] = ()
    typed: dict[str, str] = {}
