"""What the pages stand on: the faculties' faces and a few settings, handed in by app."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from litestar import Request
from litestar.datastructures.state import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from citybrain.brain.act import Bookings, CaseBook, Instructions, Offers, Proofs, ReportBook, Units
from citybrain.brain.decide import Questions
from citybrain.brain.detect import Alerts, Forecasts, Limits, Studio
from citybrain.brain.exchange import CatalogueBook
from citybrain.brain.observe import AreaBook, Census, Corrections, Gap, Judged, Latest, Nearest, Promises, Registry
from citybrain.brain.protect import Accounts, CedarPolicy, Guard
from citybrain.brain.see import Indicators, Night, Trace
from citybrain.doors.pages.moments import Moments
from citybrain.kernel.access import Caller
from citybrain.kernel.clock import Clock
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import DoorAccount
from citybrain.kernel.pack import Board, Pack
from citybrain.kernel.text import Text
from citybrain.web.frame_views import Account, ErrorEntry, Health
from citybrain.web.views import Cockpit, Footer, Portal


@dataclass(frozen=True, slots=True)
class PageParts:
    """All that the pages stand on; nothing that opens a store."""

    guard: Guard
    policy: CedarPolicy
    accounts: Accounts
    registry: Registry
    promises: Promises
    corrections: Corrections
    latest: Latest
    nearest: Nearest
    census: Census
    areas: AreaBook
    alerts: Alerts
    limits: Limits
    studio: Studio
    forecasts: Forecasts
    questions: Questions
    cases: CaseBook
    offers: Offers
    bookings: Bookings
    reports: ReportBook
    proofs: Proofs
    instructions: Instructions
    units: Units
    catalogue: CatalogueBook
    indicators: Indicators
    packs: Sequence[Pack]
    clock: Clock
    history: Callable[[Caller, str, Instant, Instant], tuple[tuple[Instant, float], ...]]
    """Readings of a stream that a caller may see, in [since, until), oldest first."""
    missing: Callable[[Caller, str, Instant, Instant], tuple[Gap, ...]]
    """The gaps of a stream that a caller may see, in [since, until), oldest first."""
    night: Callable[[], Night]
    trace: Callable[[Caller, str, str], Trace]
    """The chain below a figure, a case or an alert (kind, name), as far as the caller may see it."""
    doors: Callable[[], Sequence[DoorAccount]]
    silent: Callable[[], Instant | None]
    judged: Callable[[], Judged]
    """How many streams are held against their neighbours."""
    health: Callable[[], tuple[Health, ...]]
    cockpits: Moments[Cockpit]
    portals: Moments[Portal]
    district: Text
    errors: tuple[ErrorEntry, ...] = ()
    """Every error code, for the page that problems point to."""
    demo: Text | None = None
    """Where the demonstration data come from; None in a real district."""
    demo_accounts: tuple[Account, ...] = ()
    footer: Footer = field(default_factory=Footer)
    map_approval: str = ""
    frame_ancestors: tuple[str, ...] = ()
    secure_cookies: bool = False
    live_limit: int = 500

    def boards(self, where: str) -> tuple[Board, ...]:
        """The boards that packs put on a page."""
        return tuple(board for pack in self.packs for board in pack.boards if where in board.on)


Parts: TypeAlias = NamedDependency[SkipValidation[PageParts]]
Call: TypeAlias = Request[Caller, str | None, State]
"""A request whose ``user`` is the caller and whose ``auth`` the session token, where there is one."""
