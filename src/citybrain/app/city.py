"""The city: every faculty wired to its stores and to the others, in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from citybrain.app.asked import AskedTables
from citybrain.app.retaining import Retaining
from citybrain.app.settings import Settings
from citybrain.app.stores import Stores
from citybrain.brain import act, decide, detect, exchange, observe, protect, see
from citybrain.engines.bus import LocalBus
from citybrain.kernel.cases import Flow
from citybrain.kernel.clock import Clock
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.instant import SECOND, Duration
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Source
from citybrain.kernel.reports import ReportForm
from citybrain.kernel.things import Origin


@dataclass(frozen=True, slots=True)
class City:
    """All of it; doors are handed the parts they need, never this."""

    settings: Settings
    stores: Stores
    packs: Sequence[Pack]
    clock: Clock
    bus: LocalBus
    areas: observe.AreaBook
    registry: observe.Registry
    making: observe.Making
    promises: observe.Promises
    corrections: observe.Corrections
    latest: observe.Latest
    nearest: observe.Nearest
    intake: observe.Intake
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
    limits: detect.Limits
    studio: detect.Studio
    forecasts: detect.Forecasts
    questions: decide.Questions
    feed: see.FactFeed
    indicators: see.Indicators
    stream_rows: see.StreamRows
    sources: Mapping[str, Source]
    retaining: Retaining
    origin: Origin


def build(settings: Settings, stores: Stores, packs: Sequence[Pack], clock: Clock, origin: Origin = "real") -> City:
    """Wire a city over opened stores; nothing runs yet. Raises BadInputError for a setting that speaks of an unknown kind."""
    observe.check_days(settings.retention, packs)
    transactions, series = stores.transactions, stores.series
    bus = LocalBus()
    areas = observe.AreaBook(transactions)
    registry = observe.Registry(transactions, packs, areas)
    latest = observe.Latest(registry, series, clock)
    intake = observe.Intake(registry, series, latest, clock, bus)
    horizon = observe.Horizon(settings.retention, registry, clock)
    intake.kept_by(horizon.expired)
    flows = _flows(packs)
    units = act.Units(transactions)
    cases = act.CaseBook(transactions, flows, units, act.Working(transactions), clock, settings.case_prefix)
    offers = act.Offers(transactions, act.Terms(packs, registry.entity, units, clock), clock, origin)
    audit = protect.AuditTrail(transactions, stores.keys, clock)
    accounts = protect.Accounts(transactions, clock, audit, _timeouts(settings))
    retaining = Retaining(series, horizon, audit, clock)
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
    intake.paced_by(lambda: watch.behind)
    sources = _sources(stores, registry, latest, packs, clock, catalogue, retaining)
    return City(
        settings=settings,
        stores=stores,
        packs=packs,
        clock=clock,
        bus=bus,
        areas=areas,
        registry=registry,
        making=observe.Making(registry, areas, clock, origin),
        promises=observe.Promises(registry, series, transactions, clock),
        corrections=observe.Corrections(registry, series, intake, transactions, horizon, clock),
        latest=latest,
        nearest=observe.Nearest(packs, registry, latest),
        intake=intake,
        deriver=observe.Deriver(packs, registry, series, intake, transactions),
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
        limits=limits,
        studio=detect.Studio(limits, packs, series, registry, clock),
        forecasts=forecasts,
        questions=decide.Questions(packs, asked, transactions, clock, origin),
        feed=see.FactFeed(transactions, stores.facts),
        indicators=indicators,
        stream_rows=stream_rows,
        sources=sources,
        retaining=retaining,
        origin=origin,
    )


def datasets(packs: Sequence[Pack], origin: Origin) -> tuple[Dataset, ...]:
    """Every dataset of every faculty, marked with the origin of what this city holds."""
    declared = (
        dataset for faculty in (observe, detect, act, decide, see, protect, exchange) for dataset in faculty.datasets(packs)
    )
    return tuple(msgspec.structs.replace(dataset, origin=origin) for dataset in declared)


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
