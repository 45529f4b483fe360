"""The city: every faculty wired to its stores and to the others, in one place."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import msgspec

from citybrain.app.asked import AskedTables
from citybrain.app.links import Links
from citybrain.app.retaining import Retaining
from citybrain.app.sent import AskedLedger, SentCorrections, SentIntake
from citybrain.app.settings import Settings
from citybrain.app.stores import Stores
from citybrain.app.unsaying import Unsaying
from citybrain.brain import act, decide, detect, exchange, observe, protect, see
from citybrain.engines.bus import LocalBus
from citybrain.engines.flight import Calls
from citybrain.kernel.cases import Flow
from citybrain.kernel.clock import Clock
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.errors import BusyError
from citybrain.kernel.instant import SECOND, Duration
from citybrain.kernel.observations import DoorAccount
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Bus, Source
from citybrain.kernel.reports import ReportForm
from citybrain.kernel.things import Origin


@dataclass(frozen=True, slots=True)
class City:
    """All of it; doors are handed the parts they need, never this."""

    settings: Settings
    stores: Stores
    packs: Sequence[Pack]
    clock: Clock
    bus: Bus
    links: Links | None
    areas: observe.AreaBook
    registry: observe.Registry
    making: observe.Making
    promises: observe.Promises
    corrections: observe.Corrections
    featured: observe.Featured
    featuring: asyncio.Lock
    """Held by whichever door makes a feature on its way."""
    latest: observe.Latest
    nearest: observe.Nearest
    intake: observe.Inlet
    taker: observe.Intake | None
    following: observe.Following | None
    deriver: observe.Deriver
    doubts: observe.Doubts
    census: observe.Census
    units: act.Units
    cases: act.CaseBook
    notices: act.Notices
    offers: act.Offers
    bookings: act.Bookings
    instructions: act.Instructions
    proofs: act.Proofs
    reports: act.ReportBook
    audit: protect.AuditTrail
    accounts: protect.Accounts
    policy: protect.CedarPolicy
    guard: protect.Guard
    catalogue: exchange.CatalogueBook
    alerts: detect.Alerts
    watch: detect.Watch
    behind: Callable[[], int]
    limits: detect.Limits
    studio: detect.Studio
    forecasts: detect.Forecasts
    questions: decide.Questions
    feed: see.FactFeed
    indicators: see.Indicators
    stream_rows: see.StreamRows
    sources: Mapping[str, Source]
    retaining: Retaining
    unsaying: Unsaying
    origin: Origin


def build(
    settings: Settings,
    stores: Stores,
    packs: Sequence[Pack],
    clock: Clock,
    origin: Origin = "real",
    links: Links | None = None,
) -> City:
    """Wire a city over opened stores; nothing runs yet. Raises BadInputError for a setting that speaks of an unknown kind.

    ``links`` lead to the other processes of a district that runs in several.
    """
    observe.check_days(settings.retention, packs)
    transactions, series = stores.transactions, stores.series
    bus: Bus = LocalBus() if links is None else links.bus
    areas = observe.AreaBook(transactions)
    registry = observe.Registry(transactions, packs, areas)
    reached = series.last_seq()
    latest = observe.Latest(registry, series, clock, packs)
    horizon = observe.Horizon(settings.retention, registry, clock)
    taker = None if stores.own is None else observe.Intake(registry, series, latest, clock, bus)
    intake = _inlet(taker, links, stores.ingest, horizon, clock)
    kept = registry, series, taker, transactions, horizon, clock
    corrections = observe.Corrections(*kept) if links is None or taker is not None else SentCorrections(*kept, links.corrections)
    corrections.computed_by(packs)
    flows = _flows(packs)
    units = act.Units(transactions)
    cases = act.CaseBook(transactions, flows, units, act.Working(transactions), clock, settings.case_prefix)
    offers = act.Offers(transactions, act.Terms(packs, registry.entity, units, clock), clock, origin)
    audit = protect.AuditTrail(transactions, stores.keys, clock)
    accounts = protect.Accounts(transactions, clock, audit, _timeouts(settings))
    retaining = Retaining(series, stores.own, horizon, audit, clock)
    policy = protect.CedarPolicy(clock, _portal(packs))
    catalogue = exchange.CatalogueBook(transactions, clock)
    stream_rows = see.StreamRows(registry, latest.table)
    indicators = see.Indicators(packs, stores.facts, stream_rows, clock, transactions, areas.all)
    forecasts = detect.Forecasts(transactions, series, registry, clock)
    forecasts.register(packs)
    asked = AskedTables(registry, stream_rows, forecasts, series, offers, clock)
    limits = detect.Limits(packs, transactions, clock)
    rulebook = detect.Rulebook(packs, clock, limits.published)
    watch = detect.Watch(rulebook, transactions, series, registry, latest, cases, clock, bus)
    behind = (lambda: watch.behind) if stores.worker is None else Lag(stores)
    if taker is not None:
        taker.kept_by(horizon.expired)
        taker.paced_by(behind)
        if links is not None:
            taker.renewed_by(registry.renew)
            taker.waited_by(links.waiting)
    deriver = observe.Deriver(packs, registry, series, intake, transactions)
    if links is not None:
        watch.renewed_by(registry.renew)
        deriver.renewed_by(registry.renew)
    sources = _sources(stores, registry, latest, packs, clock, catalogue, retaining)
    return City(
        settings=settings,
        stores=stores,
        packs=packs,
        clock=clock,
        bus=bus,
        links=links,
        areas=areas,
        registry=registry,
        making=observe.Making(registry, areas, clock, origin),
        promises=observe.Promises(registry, series, transactions, clock),
        corrections=corrections,
        featured=corrections.featured,
        featuring=asyncio.Lock(),
        latest=latest,
        nearest=observe.Nearest(packs, registry, latest),
        intake=intake,
        taker=taker,
        following=observe.Following(latest, series, reached) if taker is None else None,
        deriver=deriver,
        doubts=observe.Doubts(registry, series, latest, transactions, clock),
        census=observe.Census(registry, latest),
        units=units,
        cases=cases,
        notices=act.Notices(transactions, clock, flows),
        offers=offers,
        bookings=act.Bookings(transactions, offers, clock),
        instructions=act.Instructions(transactions, act.Working(transactions), clock, origin),
        proofs=act.Proofs(transactions, stores.files, stores.keys, clock),
        reports=act.ReportBook(transactions, _forms(packs), cases, units, areas, stores.files, stores.keys, clock, origin),
        audit=audit,
        accounts=accounts,
        policy=policy,
        guard=protect.Guard(policy, sources, catalogue, audit),
        catalogue=catalogue,
        alerts=detect.Alerts(transactions),
        watch=watch,
        behind=behind,
        limits=limits,
        studio=detect.Studio(limits, packs, series, registry, clock),
        forecasts=forecasts,
        questions=decide.Questions(packs, asked, transactions, clock, origin),
        feed=see.FactFeed(transactions, stores.facts),
        indicators=indicators,
        stream_rows=stream_rows,
        sources=sources,
        retaining=retaining,
        unsaying=Unsaying(observe.Silence(registry, series, transactions, clock), corrections, audit, clock),
        origin=origin,
    )


class Lag:
    """How many observations the rules have not judged, for a process in which they do not run; looked up twice a second."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._behind = 0

    def __call__(self) -> int:
        """Observations, as last looked up."""
        return self._behind

    def look(self) -> None:
        """Ask the worker; where it is away, all that came since its last durable position counts."""
        try:
            self._behind = 0 if self._stores.worker is None else msgspec.convert(self._stores.worker.plain("behind"), int)
        except BusyError:
            with suppress(BusyError):
                judged = self._stores.transactions.cursor(detect.CURSOR)
                self._behind = max(0, self._stores.series.last_seq() - judged)


def datasets(packs: Sequence[Pack], origin: Origin) -> tuple[Dataset, ...]:
    """Every dataset of every faculty, marked with the origin of what this city holds."""
    declared = (
        dataset for faculty in (observe, detect, act, decide, see, protect, exchange) for dataset in faculty.datasets(packs)
    )
    return tuple(msgspec.structs.replace(dataset, origin=origin) for dataset in declared)


def _inlet(
    taker: observe.Intake | None, links: Links | None, ingest: Calls | None, horizon: observe.Horizon, clock: Clock
) -> observe.Inlet:
    if taker is not None:
        return taker
    if links is None or ingest is None:
        message = "A process without a series of its own needs links to the one that has it."
        raise RuntimeError(message)
    checks = observe.Checks(clock)
    checks.kept_by(horizon.expired)
    return SentIntake(links.readings, checks, AskedLedger(partial(_told, ingest), links.waiting, clock))


def _told(ingest: Calls) -> tuple[DoorAccount, ...]:
    return msgspec.convert(ingest.plain("accounts"), tuple[DoorAccount, ...])


def _timeouts(settings: Settings) -> protect.Timeouts:
    return protect.Timeouts(Duration(settings.session_idle * SECOND), Duration(settings.session_longest * SECOND))


def _flows(packs: Sequence[Pack]) -> dict[str, Flow]:
    own = {act.STANDARD_FLOW.name: act.STANDARD_FLOW}
    return own | {flow.name: flow for pack in packs for flow in pack.flows}


def _forms(packs: Sequence[Pack]) -> dict[str, ReportForm]:
    return {form.name: form for pack in packs for form in pack.reports}


def _portal(packs: Sequence[Pack]) -> frozenset[str]:
    return frozenset(board.kind for pack in packs for board in pack.boards if "portal" in board.on)


def _sources(
    stores: Stores,
    registry: observe.Registry,
    latest: observe.Latest,
    packs: Sequence[Pack],
    clock: Clock,
    catalogue: exchange.CatalogueBook,
    retaining: Retaining,
) -> dict[str, Source]:
    transactions = stores.transactions
    return {
        **observe.sources(transactions, registry, latest, stores.series, retaining.rows),
        **detect.sources(transactions),
        **act.sources(transactions, clock),
        **decide.sources(transactions),
        **see.sources(transactions, stores.facts, packs),
        **protect.sources(transactions),
        **exchange.sources(catalogue),
    }
