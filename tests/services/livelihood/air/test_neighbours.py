"""Twenty real feeds, three of them spoilt by a seeded tester: all three are named within their contract, and no other in a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench import lives as tester
from citybrain.brain.observe import AreaBook, Doubts, Intake, Latest, Registry
from citybrain.brain.observe.store import create
from citybrain.engines import transactions as engine_tables
from citybrain.engines.bus import LocalBus
from citybrain.engines.duckdb import DuckSeries
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import duration, parse
from citybrain.kernel.things import Life
from citybrain.sdk import HOUR, Instant, Place, Planted, same
from citybrain.services.livelihood.air import PACK
from citybrain.services.livelihood.air.station import KIND

BEGAN = parse("2015-06-01T00:00:00Z")
SEED = 3


@dataclass
class World:
    """Observe over real engines, with eleven stations."""

    transactions: SqlTransactions
    series: DuckSeries
    clock: FixedClock
    registry: Registry
    latest: Latest
    intake: Intake
    doubts: Doubts

    async def send(self, hours: range, values: dict[str, np.ndarray]) -> None:
        """The readings of some hours, each at its end."""
        no, time, value = [], [], []
        for field, feeds in values.items():
            for station, feed in enumerate(feeds):
                for hour in hours:
                    if np.isfinite(feed[hour]):
                        no.append(self.registry.stream(f"a{station:02}.{field}").no)
                        time.append(BEGAN + hour * HOUR)
                        value.append(feed[hour])
        self.clock.set(Instant(BEGAN + (hours.stop - 1) * HOUR + HOUR))
        columns = np.array(no, np.int32), np.array(time, np.int64), np.array(value)
        await self.intake.take_columns(*columns, "test", None)

    def life(self, station: int, field: str) -> Life | None:
        reading = self.latest.of(self.registry.stream(f"a{station:02}.{field}").no)
        return None if reading is None else reading.life

    def again(self) -> tuple[Latest, Doubts]:
        """The same after a restart."""
        latest = Latest(self.registry, self.series, self.clock)
        return latest, Doubts(self.registry, self.series, latest, self.transactions, self.clock)


@pytest.fixture
def transactions(tmp_path: Path) -> Iterator[SqlTransactions]:
    """On one engine: readings are looked at here, and the register that stands on it has its tests over every one."""
    store = open_sqlite(tmp_path / "city.sqlite")
    with store.begin() as tx:
        engine_tables.create(tx.connection)
    yield store
    store.close()


@pytest.fixture
def world(transactions: SqlTransactions, series: DuckSeries, clock: FixedClock, bus: LocalBus) -> World:
    with transactions.begin() as tx:
        create(tx.connection)
    registry = Registry(transactions, (PACK,), AreaBook(transactions))
    clock.set(BEGAN)
    planted = [Planted(f"a{no:02}", KIND.name, same(f"站{no}"), Place(117.1 + no / 100, 39.1), "", {}) for no in range(11)]
    registry.plant(planted, "test", "real", BEGAN)
    latest = Latest(registry, series, clock)
    doubts = Doubts(registry, series, latest, transactions, clock)
    return World(transactions, series, clock, registry, latest, Intake(registry, series, latest, clock, bus), doubts)


BAD = {Life.STUCK, Life.CONTRADICTED, Life.DRIFTING, Life.OUT_OF_RANGE}


@pytest.mark.slow
async def test_three_spoilt_feeds_of_twenty_are_named_within_their_contract_and_no_other_in_a_day(world: World) -> None:
    values, who, _ = tester.spoilt(tester.read(), SEED)
    before = values["pm25"].shape[1] - 4 * tester.DAY
    await world.send(range(before), values)
    world.doubts.run_once()
    fields = {field: stations for field, _, stations in tester.FEEDS}
    named: dict[tuple[str, int], tuple[int, Life]] = {}
    for hour in range(before, before + 73):
        await world.send(range(hour, hour + 1), values)
        world.doubts.run_once()
        for field, stations in fields.items():
            for station in range(stations):
                life = world.life(station, field)
                if life in BAD:
                    named.setdefault((field, station), (hour - before + 1, life))
    frozen = KIND.field(who["frozen"][0]).stuck_after
    assert frozen is not None
    limits = {"frozen": duration(frozen) // HOUR + 1, "shifted": 24, "swapped": 24}
    assert {how: named[feed][0] <= limits[how] for how, feed in who.items()} == dict.fromkeys(who, True)
    assert {feed for feed, (hour, _) in named.items() if hour <= 24} <= set(who.values())
    assert world.life(who["frozen"][1], who["frozen"][0]) in (Life.STUCK, Life.CONTRADICTED)

    swapped = world.registry.stream(f"a{who['swapped'][1]:02}.{who['swapped'][0]}").no
    doubt = world.doubts.of(swapped)
    assert doubt is not None
    assert "疑似单位错误" in doubt.why.zh
    assert 0 <= doubt.since - (BEGAN + before * HOUR) <= 3 * HOUR

    latest, doubts = world.again()
    assert doubts.of(swapped) == doubt
    reading = latest.of(swapped)
    assert reading is not None
    assert reading.life in (Life.CONTRADICTED, Life.OUT_OF_RANGE)


@pytest.mark.slow
async def test_a_feed_that_leaves_its_neighbours_day_by_day_drifts_and_is_sound_again_when_it_returns(world: World) -> None:
    chance = np.random.default_rng(SEED)
    days = 60
    common = 40 * np.exp(np.cumsum(chance.normal(0, 0.05, days * 24)) * 0.5)
    feeds = np.array([common * np.exp(chance.normal(0, 0.15, days * 24)) for _ in range(11)])
    leaving = np.clip((np.arange(days * 24) / 24 - 30) * 0.035, 0, 0.65)
    leaving[52 * 24 :] = 0
    feeds[4] *= np.exp(leaving)
    await world.send(range(30 * 24), {"pm25": feeds})
    world.doubts.run_once()
    assert world.life(4, "pm25") is Life.LIVE
    seen: list[Life | None] = []
    others: set[Life | None] = set()
    elsewhere, told = world.again()
    for day in range(30, days):
        await world.send(range(day * 24, (day + 1) * 24), {"pm25": feeds})
        world.doubts.run_once()
        seen.append(world.life(4, "pm25"))
        told.renew()
        elsewhere.rebuild(world.series)
        held = elsewhere.of(world.registry.stream("a04.pm25").no)
        assert held is not None
        assert held.life is seen[-1], "what one process judges the others hold"
        others |= {world.life(station, "pm25") for station in range(11) if station != 4}
    assert seen[21] is Life.DRIFTING
    assert Life.CONTRADICTED not in seen
    assert seen[-1] is Life.LIVE
    assert others == {Life.LIVE}
    (doubt,) = world.doubts.history(world.registry.stream("a04.pm25").no)
    assert doubt.until is not None
    assert doubt.life is Life.DRIFTING


@pytest.mark.slow
async def test_without_neighbours_or_history_nothing_is_judged_and_that_is_said(world: World) -> None:
    values, _, _ = tester.spoilt(tester.read(), SEED)
    await world.send(range(48), {"pm25": values["pm25"][:4]})
    assert world.doubts.run_once() == 0
    said = world.doubts.judged
    assert (said.judged, said.few_neighbours) == (0, 0)
    assert said.little_history == 11 * 7
    assert said.no_promise == len(world.registry.streams()) - 11 * 7


@pytest.mark.thorough
def test_over_seeds_the_judge_was_not_made_with_what_is_spoilt_is_named_and_sound_feeds_are_left_alone() -> None:
    found = judged(range(tester.UNSEEN, tester.UNSEEN + 120))
    assert sum(one.swapped is not None for one in found) >= 118
    assert sum(one.shifted is not None for one in found) >= 108
    assert sum(one.false > 0 for one in found) <= 1


@pytest.mark.slow
def test_over_seeds_that_were_looked_at_every_swapped_unit_is_named_in_a_day() -> None:
    found = judged(range(100))
    assert [one.swapped is not None for one in found] == [True] * 100
    assert sum(one.shifted is not None for one in found) >= 93
    assert sum(one.false > 0 for one in found) <= 1


def judged(seeds: range) -> list[tester.Outcome]:
    values = tester.read()
    return [tester.judge(values, seed) for seed in seeds]
