"""A small city behind the doors: real faculties over real engines in a temporary folder, two wells, and one account a role.

What is the same for every test is made once: the stores before anybody came, of which each test has a copy, and the application.
"""

import base64
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import shapely
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from litestar.types import ASGIApp
from sqlalchemy import text

from citybrain.app import problems
from citybrain.brain import act, decide, detect, exchange, observe, protect, see
from citybrain.doors import api
from citybrain.engines.bus import LocalBus
from citybrain.engines.duckdb import DuckFacts, DuckFile, DuckSeries
from citybrain.engines.files import FolderFiles
from citybrain.engines.keys import SoftKeys
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import ROLES, Role
from citybrain.kernel.alerts import Grade
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.datasets import Advice, Sheet
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.pack import Nearby, Opens, Pack, Parameter, Planted, Question, Rule
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Area, Place
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import By, Field, Kind
from tests.brain.act.reporting import FORM

NOW = parse("2026-11-22T07:00:00Z")
PASSWORD = "Nine-willows-by-the-weir-7"
WELL = Kind(
    "well",
    Text("监测井", "Well"),
    (
        Field("level", Text("水位", "Level"), By.SENSOR, "m", every="PT5M", silent_after="PT20M", range=(0, 50)),
        Field("salt", Text("盐度", "Salt"), By.SENSOR, "g/m3"),
    ),
    "water",
    place="point",
    access="unconditional",
)
WHICH_WELL = Question(
    "which_well",
    Text("关哪口井", "Which well to close"),
    Text("示例", "Example"),
    Text("米", "metres"),
    Text("最近的一口", "the nearest"),
    ("entity:well",),
    ("well_limit",),
    lambda *_: Advice(
        "advised", Text("关井1", "Close well 1"), 3.0, 9.0, 4.5, (Sheet(same("井"), (same("n"),), ((same("1"), 2.0),)),)
    ),
)
PACK = Pack(
    "wells",
    Text("监测井", "Wells"),
    "四-3",
    Text("示例", "Example"),
    kinds=(WELL,),
    questions=(WHICH_WELL,),
    nearby=(Nearby("wells", "well", Text("找井", "Find a well"), "level", Text("米", "m"), "level", Text("已满", "Full")),),
    rules=(
        Rule(
            "well_high",
            on="well",
            when="level > well_limit",
            because=Text("{title}水位 {level} 米", "{title}: level {level} m"),
            basis=Text("示例", "Example"),
            grade=Grade.YELLOW,
            fires=({"level": 45.0},),
            silent=({"level": 30.0}, {}),
            opens=Opens("well_high", Text("监测井水位过高", "Well too high"), "standard", "water", Allowance(4, "hours")),
        ),
    ),
    parameters=(Parameter("well_limit", 40.0, "2020-01-01", "test", "local", Text("水位限值", "Level limit"), "m", (10.0, 60.0)),),
)
FURNISHED = PACK
"""What is furnished once for all tests; one that declares more puts its own pack in the place of ``PACK``."""


@dataclass(frozen=True)
class World:
    """What the tests of doors may touch."""

    parts: api.ApiParts
    transactions: SqlTransactions
    series: DuckSeries
    clock: FixedClock
    bus: LocalBus
    watch: detect.Watch
    indicators: see.Indicators
    feed: see.FactFeed
    build: Callable[[], Litestar]
    secret: str
    """Of the device ``probe``, which may write everything of ``well-1``."""
    front: ASGIApp | None = None
    """What stands before the application, if anything does."""

    @cached_property
    def app(self) -> Litestar:
        """The application, taken when it is first asked for."""
        return self.build()

    @asynccontextmanager
    async def client(self, role: Role | None = None) -> AsyncIterator[AsyncClient]:
        """A client that is signed in with a role's account (the device: by its secret), or nobody."""
        # httpx and Litestar spell the types of ASGI differently.
        transport = ASGITransport(self.front or self.app)  # type: ignore[arg-type]  # the test client types its ASGI application more narrowly than Litestar
        async with AsyncClient(transport=transport, base_url="http://city") as client:
            if role == "device":
                client.headers["Authorization"] = basic("probe", self.secret)
            elif role is not None:
                if all(account.login != role for account in self.parts.accounts.all()):
                    unit = "water" if role == "handler" else None
                    self.parts.accounts.create(ROLES[role].zh, role, PASSWORD, [role], unit)
                answer = await client.post("/api/v1/protect/session", json={"login": role, "password": PASSWORD})
                assert answer.status_code == 200, answer.text
                client.headers["X-CSRF-Token"] = answer.json()["csrf"]
            yield client


def basic(login: str, secret: str) -> str:
    """The Authorization header of device credentials."""
    return "Basic " + base64.b64encode(f"{login}:{secret}".encode()).decode()


class Standing:
    """Stands for the parts of the world that stands now: an application is built over it once, and keeps nothing of a world itself."""

    parts: object = None

    def __getattr__(self, name: str) -> object:
        return getattr(self.parts, name)


STANDING: Any = Standing()


def native(parts: api.ApiParts) -> Litestar:
    """The application, over these parts from now on; to build one takes twice as long as all the rest of the city."""
    STANDING.parts = parts
    return _native()


def own(parts: api.ApiParts, numbers: api.Metrics) -> Litestar:
    """An application that nobody else has asked anything."""
    return Litestar([*api.routes(parts, numbers)], exception_handlers=problems.handlers(), openapi_config=api.openapi())


@cache
def _native() -> Litestar:
    return own(STANDING, api.Metrics(STANDING))


@dataclass(frozen=True)
class Furnished:
    """A folder with the stores of the city as each test finds it, and the secret of its device."""

    folder: Path
    secret: str


def furnish(folder: Path) -> str:
    """Put what every test of a door finds into the empty tables of a folder; the secret of its device."""
    with _opened(folder) as transactions:
        areas, clock = observe.AreaBook(transactions), FixedClock(NOW)
        outline = shapely.to_wkb(shapely.box(117, 39, 117.2, 39.2))
        areas.put([Area("120104", "district", same("示意城区"), None, outline, "generated")])
        wells = [Planted(f"well-{n}", "well", same(f"井{n}"), Place(117.1, 39.05 + n / 100), "120104", {}) for n in (1, 2)]
        observe.Registry(transactions, (FURNISHED,), areas).plant(wells, "test", "demo", NOW)
        units = act.Units(transactions)
        units.put(Unit("water", Text("水务", "Water"), ("water", "environment"), None))
        units.put(Unit("roads", Text("道路", "Roads"), ("roads",), None))
        _register(exchange.CatalogueBook(transactions, clock), (FURNISHED,))
        audit = protect.AuditTrail(transactions, SoftKeys(folder / "keys"), clock)
        return protect.Accounts(transactions, clock, audit).devices.create("探头", "probe", ["well-1"])


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, tables: Path) -> Furnished:
    """Made once: each test begins with a copy."""
    folder = tmp_path_factory.mktemp("furnished")
    shutil.copy(tables, folder / "city.sqlite")
    return Furnished(folder, furnish(folder))


@pytest.fixture
def world(tmp_path: Path, furnished: Furnished) -> Iterator[World]:
    """The city, opened; its clock stands at 15:00 in the district on 2026-11-22."""
    shutil.copytree(furnished.folder, tmp_path, dirs_exist_ok=True)
    clock, bus = FixedClock(NOW), LocalBus()
    with _opened(tmp_path) as transactions:
        file = DuckFile(tmp_path / "series")
        series = DuckSeries(file)
        yield settled(tmp_path, clock, bus, transactions, series, DuckFacts(file), furnished.secret)
        series.close()
        file.close()


@contextmanager
def _opened(folder: Path) -> Iterator[SqlTransactions]:
    transactions = open_sqlite(folder / "city.sqlite")
    yield transactions
    transactions.close()


def _register(catalogue: exchange.CatalogueBook, packs: tuple[Pack, ...]) -> None:
    faculties = (observe, detect, act, decide, see, protect, exchange)
    catalogue.register_all([dataset for faculty in faculties for dataset in faculty.datasets(packs)])


def settled(
    folder: Path,
    clock: FixedClock,
    bus: LocalBus,
    transactions: SqlTransactions,
    series: DuckSeries,
    facts: DuckFacts,
    secret: str,
) -> World:
    """The city over the stores of a folder, with what every test of a door finds in it."""
    packs = (PACK,)
    areas = observe.AreaBook(transactions)
    registry = observe.Registry(transactions, packs, areas)
    latest = observe.Latest(registry, series, clock)
    intake = observe.Intake(registry, series, latest, clock, bus)
    units = act.Units(transactions)
    cases = act.CaseBook(transactions, {"standard": act.STANDARD_FLOW}, units, act.Working(transactions), clock, "NK")
    offers = act.Offers(transactions, act.Terms(packs, registry.entity, units, clock), clock)
    keys = SoftKeys(folder / "keys")
    files = FolderFiles(folder / "files")
    reports = act.ReportBook(transactions, {"amiss": FORM}, cases, units, areas, files, keys, clock, "demo")
    audit = protect.AuditTrail(transactions, keys, clock)
    accounts = protect.Accounts(transactions, clock, audit)
    policy = protect.CedarPolicy(clock, frozenset({"well"}))
    catalogue = exchange.CatalogueBook(transactions, clock)
    _register(catalogue, packs)
    stream_rows = see.StreamRows(registry, latest.table)
    indicators = see.Indicators(packs, facts, stream_rows, clock, transactions, areas.all)
    sources = {
        **observe.sources(transactions, registry, latest, series),
        **detect.sources(transactions),
        **act.sources(transactions, clock),
        **decide.sources(transactions),
        **see.sources(transactions, facts, packs),
        **protect.sources(transactions),
        **exchange.sources(catalogue),
    }
    alerts = detect.Alerts(transactions)
    limits = detect.Limits(packs, transactions, clock)

    def arrival(stream: str, time: Instant) -> see.Arrival | None:
        rows = series.scan(SeriesQuery((registry.stream(stream).no,), time, Instant(time + 1))).to_pylist()
        return see.Arrival(rows[0]["value"], rows[0]["door"], Instant(rows[0]["received"]), "demo") if rows else None

    parts = api.ApiParts(
        guard=protect.Guard(policy, sources, catalogue, audit),
        policy=policy,
        accounts=accounts,
        audit=audit,
        registry=registry,
        promises=observe.Promises(registry, series, transactions, clock),
        corrections=observe.Corrections(registry, series, intake, transactions, observe.Horizon({}, registry, clock), clock),
        intake=intake,
        latest=latest,
        nearest=observe.Nearest(packs, registry, latest),
        alerts=alerts,
        limits=limits,
        studio=detect.Studio(limits, packs, series, registry, clock),
        forecasts=detect.Forecasts(transactions, series, registry, clock),
        questions=decide.Questions(packs, lambda _: pa.table({}), transactions, clock, "demo"),
        cases=cases,
        offers=offers,
        bookings=act.Bookings(transactions, offers, clock),
        reports=reports,
        instructions=act.Instructions(transactions, act.Working(transactions), clock, "demo"),
        proofs=act.Proofs(transactions, files, keys, clock),
        catalogue=catalogue,
        indicators=indicators,
        series=series,
        areas=areas,
        units=units,
        packs=packs,
        bus=bus,
        clock=clock,
        events_after=transactions.events_after,
        last_event=lambda: _last_event(transactions),
        lookups=lambda _: see.Lookups(cases.case, alerts.alert, lambda _: PACK.rules[0], arrival, lambda *_: (), lambda *_: None),
        layers={
            "areas": lambda: see.layers.areas(areas.all()),
            "well": lambda: see.layers.things(registry.entities("well"), stream_rows()),
        },
        ready={"transactions": lambda: None, "series": lambda: None},
        gauges={"citybrain_rules_lag_rows": ("Observations that no rule has judged yet", lambda: 0.0)},
        heartbeat=0.2,
        bulk_limit=1_000_000,
        body_limit=50_000,
    )
    watch = detect.Watch(detect.Rulebook(packs, clock, limits.published), transactions, series, registry, latest, cases, clock, bus)
    feed = see.FactFeed(transactions, facts)
    return World(parts, transactions, series, clock, bus, watch, indicators, feed, lambda: native(parts), secret)


def _last_event(transactions: SqlTransactions) -> int:
    with transactions.read() as connection:
        return int(connection.execute(text("SELECT COALESCE(MAX(position), 0) FROM outbox")).scalar_one())
