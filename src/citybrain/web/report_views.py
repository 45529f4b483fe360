"""The views of citizens' reports: what is asked, checked, followed and rated."""

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.desk_views import FormError, Option, StepLine
from citybrain.web.map_views import Map
from citybrain.web.views import CaseItem, Link


class PlaceGroup(msgspec.Struct, frozen=True):
    """Places to choose by name, such as the communities of a subdistrict."""

    title: Text
    options: tuple[Option, ...]


class ReportPage(msgspec.Struct, frozen=True):
    """``/report``: the form; posted to ``action``. ``typed`` gives back what was typed, ``held`` the photo that was taken already.

    ``map`` is for clicking: a point on the plan, or a subdistrict of the schematic. No forms: ``empty`` says why.
    """

    title: Text
    about: Text
    form: str = ""
    action: str = "/report"
    key: str = ""
    forms: tuple[Link, ...] = ()
    typed: dict[str, str] = {}
    errors: tuple[FormError, ...] = ()
    groups: tuple[PlaceGroup, ...] = ()
    map: Map | None = None
    photo: bool = True
    held: str = ""
    keep_days: int = 0
    empty: Text | None = None


class ClassChoice(msgspec.Struct, frozen=True):
    """A class to choose, with who would answer and by when."""

    code: str
    title: Text
    major: Text
    unit: Text | None
    promise: Text


class LikeLine(msgspec.Struct, frozen=True):
    """An open case that may be the same matter; nothing of what others said of it."""

    number: str
    title: Text
    area: Text
    state: Text
    opened: Instant
    metres: int | None = None


class ReportCheck(msgspec.Struct, frozen=True):
    """The second step: the class by what was said, likely duplicates, then one button; ``hidden`` carries the first step along."""

    title: Text
    hidden: tuple[tuple[str, str], ...]
    words: str
    place: Text
    classes: tuple[ClassChoice, ...]
    edition: Text
    chosen: str = ""
    likes: tuple[LikeLine, ...] = ()
    search: str = ""
    photo: bool = False
    action: str = "/report"
    errors: tuple[FormError, ...] = ()


class RatingLine(msgspec.Struct, frozen=True):
    """A rating that was given."""

    at: Instant
    title: Text
    solved: bool
    words: str


class ReportStand(msgspec.Struct, frozen=True):
    """``/report/<number>``: what became of a report, for whoever holds its ``key``."""

    case: CaseItem
    key: str
    words: str
    spot: str
    photo: str
    steps: tuple[StepLine, ...]
    answers: tuple[str, ...]
    ratings: tuple[RatingLine, ...]
    grades: tuple[Option, ...] = ()
    """The grades to choose from; empty where there is nothing to rate."""
    may_reopen: bool = False
    action: str = ""
    keep_days: int = 0
    errors: tuple[FormError, ...] = ()


class Follow(msgspec.Struct, frozen=True):
    """``/report/follow``: the way back to a report by number and key."""

    number: str = ""
    errors: tuple[FormError, ...] = ()
