"""The view of streams by life."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.data_views import Download
from citybrain.web.desk_views import FormError, Tab
from citybrain.web.views import Chart, Fact, Table


class StreamsPage(msgspec.Struct, frozen=True):
    """``/admin/streams``: a tab a life with its count, the streams of one of them, and how many are held against their neighbours."""

    tabs: tuple[Tab, ...]
    table: Table
    judged: tuple[Fact, ...]


class PromiseField(msgspec.Struct, frozen=True):
    """A field of the form of agreeing: a number, or a time of the day; empty where nothing is promised."""

    name: str
    title: Text
    value: str
    clock: bool = False


class PromiseLine(msgspec.Struct, frozen=True):
    """What was agreed on at a time, by whom and why; no facts where it was taken back."""

    no: int
    facts: tuple[Fact, ...]
    by: str
    why: str
    at: Instant


class CorrectionField(msgspec.Struct, frozen=True):
    """A field of the forms of correcting: a number, a date and time of the district, or a result that is no number.

    That one is among ``options`` (as it is sent, and as people read it), a text, of which ``known`` names some, or JSON.
    """

    name: str
    title: Text
    value: str
    takes: Literal["number", "moment", "text", "json"] = "number"
    options: tuple[tuple[str, Text], ...] = ()
    known: tuple[str, ...] = ()


class CorrectionLine(msgspec.Struct, frozen=True):
    """What was corrected, by whom, why and when; ``back`` says who took it back, ``may_end`` that this reader may."""

    no: int
    title: Text
    facts: tuple[Fact, ...]
    by: str
    why: str
    at: Instant
    back: tuple[Fact, ...]
    may_end: bool


class Looked(msgspec.Struct, frozen=True):
    """A correction as it would be: what would change, the fields that say so again, and the mark of what was looked at."""

    facts: tuple[Fact, ...]
    fields: tuple[tuple[str, str], ...]
    seen: str


class CorrectionBlock(msgspec.Struct, frozen=True):
    """The corrections of a stream and the forms of correcting; no fields for whom may not."""

    lines: tuple[CorrectionLine, ...]
    span: tuple[CorrectionField, ...]
    one: tuple[CorrectionField, ...]
    strike: tuple[CorrectionField, ...] = ()
    looked: Looked | None = None


class RestatedLine(msgspec.Struct, frozen=True):
    """What was said anew of one Observation: what each thing was and is, by whom, why and when."""

    no: int
    title: Text
    facts: tuple[Fact, ...]
    by: str
    why: str
    at: Instant


class RestatedBlock(msgspec.Struct, frozen=True):
    """What was said anew of single Observations of a stream, the newest of ``total``."""

    lines: tuple[RestatedLine, ...]
    total: int


class CarryBlock(msgspec.Struct, frozen=True):
    """The readings of the last days to carry away: how many of which mark, and the files."""

    facts: tuple[Fact, ...]
    files: tuple[Download, ...]


class StreamPage(msgspec.Struct, frozen=True):
    """``/admin/streams/<id>``: a stream's life and contract, and what may be agreed on for one that nobody promised anything of."""

    title: Text
    path: str
    facts: tuple[Fact, ...]
    contract: tuple[Fact, ...]
    chart: Chart | None
    """None for a stream whose results are no quantities; ``results`` says them then."""
    gaps: Table
    learned: tuple[Fact, ...]
    """What the proposal rests on; nothing where there is none."""
    fields: tuple[PromiseField, ...]
    """Nothing for whom may not agree; then ``why_not`` says so."""
    version: int
    agreed: bool
    history: tuple[PromiseLine, ...]
    corrections: CorrectionBlock
    restated: RestatedBlock | None = None
    """Nothing where nobody said any Observation anew, and for whom may not see readings."""
    results: Table | None = None
    carry: CarryBlock | None = None
    """Nothing for whom may not carry readings away."""
    elsewhere: Text | None = None
    """Where the contract is declared, for one that is not agreed on here: then there is nothing to propose either."""
    why_not: Text | None = None
    too_little: Text | None = None
    typed: dict[str, str] = {}
    errors: tuple[FormError, ...] = ()


StreamView: TypeAlias = StreamsPage | StreamPage
