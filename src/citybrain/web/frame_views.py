"""The views of signing in, problems, administration and the pages about the house itself."""

from typing import TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.data_views import Catalogue, DatasetPage, FigurePage, Trace
from citybrain.web.desk_views import CasePage, Desk, FormError, MoveForm, News, StepLine
from citybrain.web.map_views import Map
from citybrain.web.report_views import Follow, ReportCheck, ReportPage, ReportStand
from citybrain.web.studio_views import RulePage, Studio
from citybrain.web.views import AlertList, CaseList, Chart, Cockpit, Figure, Link, Message, Night, Portal, Table, Tone


class Account(msgspec.Struct, frozen=True):
    """A demo account offered on the sign-in page."""

    name: str
    role: Text
    password: str


class SignIn(msgspec.Struct, frozen=True):
    """``/signin``; posted to ``action`` with fields csrf, next, name and password."""

    next: str
    action: str = "/signin"
    name: str = ""
    errors: tuple[FormError, ...] = ()
    accounts: tuple[Account, ...] = ()
    outside: tuple[Link, ...] = ()
    passwords: bool = True


class Problem(msgspec.Struct, frozen=True):
    """An error page: what, why, what to do."""

    status: int
    code: str
    title: Text
    what: Text
    todo: Text
    why: Text | None = None
    docs: str = ""
    request: str = ""


class DoorLedger(msgspec.Struct, frozen=True):
    """A door's ledger: received = stored + duplicate + refused + pending; anything else is a difference and is shown as one.

    ``pending`` is None where it is not known; then no difference is either. ``deleted`` of those stored were kept as long as the settings say, and deleted with a record.
    """

    title: Text
    received: int
    stored: int
    duplicate: int
    refused: int
    pending: int | None
    last: Instant | None
    href: str = ""
    deleted: int = 0
    reasons: Text | None = None
    """Why so many were refused, in words."""


class Health(msgspec.Struct, frozen=True):
    """A part of the program and how it is."""

    title: Text
    tone: Tone
    state: Text
    detail: Text
    at: Instant | None = None


class Admin(msgspec.Struct, frozen=True):
    """``/admin``; times of ledgers and health are wall times.

    Where the process that keeps the ledgers is away, they are as they stood at ``told``; ``away`` says why there are none at all.
    """

    ledgers: tuple[DoorLedger, ...]
    health: tuple[Health, ...]
    tables: tuple[Table, ...]
    told: Instant | None = None
    away: Text | None = None


class ErrorEntry(msgspec.Struct, frozen=True):
    """An error code with its HTTP status and what it means; its heading is where a problem's ``type`` leads."""

    code: str
    status: int
    title: Text
    why: Text
    todo: Text


class Errors(msgspec.Struct, frozen=True):
    """``/docs/errors``: every error code of the API."""

    entries: tuple[ErrorEntry, ...]


class Design(msgspec.Struct, frozen=True):
    """``/docs/design``: every block in one state."""

    state: Text
    states: tuple[Link, ...]
    message: Message
    blocks: "tuple[Block, ...]"
    table: Table
    steps: tuple[StepLine, ...]
    form: MoveForm
    errors: tuple[FormError, ...] = ()


View: TypeAlias = (
    Design
    | Portal
    | Cockpit
    | Desk
    | CasePage
    | ReportPage
    | ReportCheck
    | ReportStand
    | Follow
    | Catalogue
    | DatasetPage
    | FigurePage
    | Trace
    | Studio
    | RulePage
    | SignIn
    | Problem
    | Admin
    | Errors
)
Block: TypeAlias = News | Figure | AlertList | CaseList | Map | Chart | Night
