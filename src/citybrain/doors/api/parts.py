"""What the door is handed: the faculties' objects, a few ports, and settings; nothing that lets it walk around the guard."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from litestar import Request
from litestar.datastructures.state import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from citybrain.brain.act import Bookings, CaseBook, Instructions, Offers, Proofs, ReportBook, Units
from citybrain.brain.decide import Questions
from citybrain.brain.detect import Alerts, Forecasts, Limits, Studio
from citybrain.brain.exchange import CatalogueBook
from citybrain.brain.observe import Corrections, Inlet, Latest, Nearest, Promises, Registry
from citybrain.brain.protect import Accounts, AuditTrail, CedarPolicy, Guard
from citybrain.brain.see import Indicators, Lookups
from citybrain.kernel.access import Caller
from citybrain.kernel.clock import Clock
from citybrain.kernel.events import Event
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Areas, Bus, Series
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Origin

Check: TypeAlias = Callable[[], Text | None]
"""Whether a part of the program is ready: None, or what is wrong and what to do."""
Gauge: TypeAlias = Callable[[], float]


@dataclass(frozen=True, slots=True)
class ApiParts:
    """All that the API stands on; ``ready`` are the checks of /readyz by name, ``gauges`` further numbers of /metrics by name."""

    guard: Guard
    policy: CedarPolicy
    accounts: Accounts
    audit: AuditTrail
    registry: Registry
    promises: Promises
    corrections: Corrections
    intake: Inlet
    latest: Latest
    nearest: Nearest
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
    catalogue: CatalogueBook
    indicators: Indicators
    series: Series
    areas: Areas
    units: Units
    packs: Sequence[Pack]
    bus: Bus
    clock: Clock
    events_after: Callable[[int, int], Sequence[tuple[int, Event]]]
    """Committed events with their outbox position, in order, after a position, at most so many."""
    last_event: Callable[[], int]
    """The newest outbox position."""
    lookups: Callable[[Caller], Lookups]
    """What a trace asks of the faculties, bound to its caller."""
    layers: Mapping[str, Callable[[], Mapping[str, Json]]]
    """GeoJSON FeatureCollections: ``areas``, and one by the name of each placed kind."""
    ready: Mapping[str, Check]
    gauges: Mapping[str, tuple[str, Gauge]]
    """Metric's name → (what it says, its value)."""
    body_limit: int = 1_000_000
    bulk_limit: int = 32_000_000
    live_limit: int = 500
    """How many live streams are served at once."""
    origin: Origin = "real"
    """Of what people enter here: ``demo`` in a demonstration."""
    secure_cookies: bool = False
    map_approved: bool = False
    """Whether there is a map approval number (审图号); without one, nobody who is not signed in gets coordinates."""
    heartbeat: float = 15.0
    """Seconds of silence after which a live stream shows a sign of life, and looks whether its session still stands."""


Parts: TypeAlias = NamedDependency[SkipValidation[ApiParts]]
Call: TypeAlias = Request[Caller, str | None, State]
"""A request whose ``user`` is the caller and whose ``auth`` the session token, where there is one."""
