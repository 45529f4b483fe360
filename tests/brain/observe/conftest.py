"""Observe with real engines and two pumps."""

from dataclasses import dataclass

import pytest
from msgspec import json

from citybrain.brain.observe import AreaBook, Deriver, Intake, Latest, Registry, Verdict, read_rows
from citybrain.brain.observe.store import create
from citybrain.engines.bus import LocalBus
from citybrain.engines.duckdb import DuckSeries
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from tests.brain import tiny


@dataclass
class World:
    """Everything of observe, wired as app does it."""

    transactions: SqlTransactions
    series: DuckSeries
    clock: FixedClock
    areas: AreaBook
    registry: Registry
    latest: Latest
    intake: Intake

    async def send(self, *rows: tuple[str, int, float], key: str | None = None) -> Verdict:
        """Rows of stream, minutes after the clock's 15:00, value."""
        start = 1_795_330_800_000_000
        listed = [{"stream": name, "time": rfc3339(Instant(start + at * MINUTE)), "value": value} for name, at, value in rows]
        return await self.intake.take(read_rows(json.encode(listed)), "test", key)

    def deriver(self) -> Deriver:
        return Deriver((tiny.PACK,), self.registry, self.series, self.intake, self.transactions)


@pytest.fixture
def world(transactions: SqlTransactions, series: DuckSeries, clock: FixedClock, bus: LocalBus) -> World:
    with transactions.begin() as tx:
        create(tx.connection)
    areas = AreaBook(transactions)
    registry = Registry(transactions, (tiny.PACK,), areas)
    registry.plant(tiny.pumps(2), "test", "demo", clock.city())
    latest = Latest(registry, series, clock, (tiny.PACK,))
    return World(transactions, series, clock, areas, registry, latest, Intake(registry, series, latest, clock, bus))
