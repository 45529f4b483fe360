"""Detect with real engines and two pumps; cases are kept by key, as the port says."""

from dataclasses import dataclass, field, replace

import msgspec
import pytest

from citybrain.brain.detect import Alerts, Limits, Rulebook, Studio, Watch
from citybrain.brain.detect.store import create
from citybrain.brain.observe import AreaBook, Intake, Latest, Registry, read_rows
from citybrain.brain.observe import store as observe_store
from citybrain.engines.bus import LocalBus
from citybrain.engines.duckdb import DuckSeries
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.alerts import Alert
from citybrain.kernel.cases import CaseRequest
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.pack import Pack
from tests.brain import tiny

START = Instant(1_795_330_800_000_000)


@dataclass
class Ledger:
    """Cases by key: the same key joins; may die before or after it has opened one."""

    requests: dict[str, CaseRequest] = field(default_factory=dict)
    asked: int = 0
    dies: str = ""

    def open(self, request: CaseRequest) -> str:
        if self.dies == "before":
            raise ConnectionAbortedError
        self.asked += 1
        self.requests.setdefault(request.key, request)
        if self.dies == "after":
            raise ConnectionAbortedError
        return f"case-{list(self.requests).index(request.key) + 1}"


@dataclass
class World:
    """Everything that the watch stands on."""

    transactions: SqlTransactions
    series: DuckSeries
    clock: FixedClock
    bus: LocalBus
    registry: Registry
    latest: Latest
    intake: Intake
    cases: Ledger
    alerts: Alerts
    limits: Limits

    def watch(self, packs: tuple[Pack, ...] = (tiny.PACK,)) -> Watch:
        """A watch as after a start of the program."""
        rulebook = Rulebook(packs, self.clock, self.limits.published)
        return Watch(rulebook, self.transactions, self.series, self.registry, self.latest, self.cases, self.clock, self.bus)

    @property
    def studio(self) -> Studio:
        return Studio(self.limits, (tiny.PACK,), self.series, self.registry, self.clock)

    def knowing(self, packs: tuple[Pack, ...]) -> "World":
        """The same world with a register that knows the kinds of these packs."""
        return replace(self, registry=Registry(self.transactions, packs, AreaBook(self.transactions)))

    async def send(self, *rows: tuple[str, float, float]) -> None:
        """Rows of stream, minutes after 15:00, value; the clock follows."""
        newest = max(START + round(at * MINUTE) for _, at, _ in rows)
        self.clock.set(Instant(max(self.clock.city(), newest)))
        listed = [
            {"stream": name, "time": rfc3339(Instant(START + round(at * MINUTE))), "value": value} for name, at, value in rows
        ]
        verdict = await self.intake.take(read_rows(msgspec.json.encode(listed)), "test", None)
        assert verdict.stored == len(rows)

    def at(self, minutes: float) -> None:
        self.clock.set(Instant(START + round(minutes * MINUTE)))

    def told(self) -> list[Alert]:
        """All alerts, oldest first."""
        return list(reversed(self.alerts.since(Instant(0))))


@pytest.fixture
def world(transactions: SqlTransactions, series: DuckSeries, clock: FixedClock, bus: LocalBus) -> World:
    with transactions.begin() as tx:
        observe_store.create(tx.connection)
        create(tx.connection)
    registry = Registry(transactions, (tiny.PACK,), AreaBook(transactions))
    registry.plant(tiny.pumps(2), "test", "demo", clock.city())
    latest = Latest(registry, series, clock)
    intake = Intake(registry, series, latest, clock, bus)
    return World(
        transactions,
        series,
        clock,
        bus,
        registry,
        latest,
        intake,
        Ledger(),
        Alerts(transactions),
        Limits((tiny.PACK,), transactions, clock),
    )
