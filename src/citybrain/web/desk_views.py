"""The views of the desk: lists, a case with its timeline, and what may be done."""

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.map_views import Map
from citybrain.web.views import AlertItem, CaseItem, CaseList, Chart, Fact, Tone


class Tab(msgspec.Struct, frozen=True):
    """A filter of the desk with its count."""

    title: Text
    href: str
    count: int
    current: bool = False
    tone: Tone = "plain"


class News(msgspec.Struct, frozen=True):
    """That a list has changed since it was shown, and where it is shown anew: a list is never changed under somebody's hands."""

    changed: bool
    href: str


class Within(msgspec.Struct, frozen=True):
    """The area that a list is narrowed to, and where it is shown whole."""

    title: Text
    clear: str


class Desk(msgspec.Struct, frozen=True):
    """``/desk``: the cases of this caller's unit; ``views`` are the addresses of list and map, ``kept`` what a search keeps."""

    tabs: tuple[Tab, ...]
    cases: CaseList
    search: str = ""
    live: str = ""
    next: str = ""
    views: tuple[str, str] = ("/desk", "/desk?view=map")
    map: Map | None = None
    """The same cases on the map, where it was asked for."""
    within: Within | None = None
    kept: tuple[tuple[str, str], ...] = ()


class StepLine(msgspec.Struct, frozen=True):
    """One step of a case's history; ``clock`` says what it did to the clock."""

    at: Instant
    title: Text
    by: str
    unit: Text
    note: str = ""
    clock: Text | None = None
    tone: Tone = "plain"
    photo: str = ""
    """Where the photo that proves it is served."""
    proof: Text | None = None
    """What that photo says of when and where it was taken."""


class Option(msgspec.Struct, frozen=True):
    """A choice in a form."""

    value: str
    title: Text
    hint: Text | None = None


class MoveForm(msgspec.Struct, frozen=True):
    """A step that this caller may take now; posted to ``action`` with fields csrf, move, version, note, unit and photo.

    The first form of a case is shown open as the main thing to do, the others fold.
    """

    move: str
    title: Text
    action: str
    needs_note: bool = False
    takes_note: bool = True
    note_label: Text | None = None
    units: tuple[Option, ...] = ()
    hint: Text | None = None
    tone: Tone = "plain"
    photo: bool = False


class FormError(msgspec.Struct, frozen=True):
    """What is wrong in a form; ``field`` is the id of the input."""

    field: str
    text: Text


class ReportLine(msgspec.Struct, frozen=True):
    """What somebody reported, as far as this caller may see it; ``rating`` is how they judged the end."""

    filed: Instant
    words: str
    spot: str = ""
    contact: str = ""
    photo: str = ""
    """Where the photo is served."""
    rating: Text | None = None
    judged: str = ""
    demo: bool = False


class FollowForm(msgspec.Struct, frozen=True):
    """What may be done of an instruction; posted to ``action`` with fields csrf, following and words. ``name`` begins its ids."""

    name: str
    following: str
    title: Text
    action: str
    needs_words: bool


class InstructionLine(msgspec.Struct, frozen=True):
    """An instruction of a leader on a case, with its own clock."""

    id: str
    words: str
    by: str
    given: Instant
    due: Instant
    closed: Instant | None
    state: Text
    answer: str = ""
    answered: Instant | None = None
    forms: tuple[FollowForm, ...] = ()
    demo: bool = False


class InstructForm(msgspec.Struct, frozen=True):
    """Where a leader gives an instruction, and the terms to choose from."""

    action: str
    terms: tuple[Option, ...]


class CasePage(msgspec.Struct, frozen=True):
    """``/desk/<number>``. ``typed`` gives back what was typed when a form was refused, by ``<move>-<field>``."""

    case: CaseItem
    version: int
    words: str
    facts: tuple[Fact, ...]
    steps: tuple[StepLine, ...]
    moves: tuple[MoveForm, ...]
    alert: AlertItem | None = None
    chart: Chart | None = None
    trace: str = ""
    errors: tuple[FormError, ...] = ()
    typed: dict[str, str] = {}
    idle: Text | None = None
    """Why there is nothing to do here for this caller."""
    reports: tuple[ReportLine, ...] = ()
    instructions: tuple[InstructionLine, ...] = ()
    instruct: InstructForm | None = None
    map: Map | None = None
