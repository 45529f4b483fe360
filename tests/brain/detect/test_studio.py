"""The studio: a replay with the limits in force tells what the running watch told, and a new limit says what it would change."""

import numpy as np
import pyarrow as pa
import pytest

from citybrain.brain.detect.difference import Retold, day, shifts
from citybrain.kernel.errors import BadInputError, BusyError
from citybrain.kernel.instant import DAY, Instant
from tests.brain.detect.conftest import START, World

RULES = ("high", "long")


def replayed(world: World) -> list[tuple[str, str, int, int | None]]:
    found = world.studio.retold("pumps", RULES, START, world.clock.city())
    return sorted((each.rule, each.entity, each.began, each.cleared) for each in found)


def lived(world: World) -> list[tuple[str, str, int, int | None]]:
    told = [alert for alert in world.told() if alert.rule.startswith("pumps.")]
    return sorted((each.rule, each.entity, each.began, each.cleared) for each in told)


async def live(world: World, seed: int, minutes: int = 120) -> None:
    """Hours of two pumps that report when they like, late, out of range, stuck and not at all; looked at every minute."""
    rng, watch = np.random.default_rng(seed), world.watch()
    level, sent = {"p1": 4.0, "p2": 6.0}, set[tuple[str, int]]()
    for minute in range(minutes):
        world.at(minute)
        rows = []
        for pump in ("p1", "p2"):
            for field, value in (("level", level[pump]), ("flow", float(rng.choice([30.0, 60.0, 92.0, 99.0])))):
                at = minute - int(rng.choice([0, 0, 0, 1, 3]))
                name = f"{pump}.{field}"
                if rng.random() < 0.35 and at >= 0 and (name, at) not in sent:
                    sent.add((name, at))
                    rows.append((name, at, value))
            level[pump] = float(rng.choice([level[pump], level[pump], 2.0, 5.5, 6.5, 12.0]))
        if rows:
            await world.send(*rows)
        watch.sweep()


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(3))
async def test_a_replay_with_the_limits_in_force_tells_what_the_running_watch_told(world: World, seed: int) -> None:
    await live(world, seed)
    assert len(lived(world)) > 5
    assert replayed(world) == lived(world)


async def test_a_new_limit_says_which_alerts_appear_and_which_vanish_with_counts_before_and_after(world: World) -> None:
    for minute, value in enumerate((1.0, 4.5, 1.0, 6.0, 1.0, 3.5, 1.0)):
        await world.send(("p1.level", minute, value))
    await world.send(("p2.level", 7, 4.8))
    lower = world.studio.trial("pumps.limit", 4.0, "m")
    assert (lower.before, lower.after, lower.rows, lower.entities) == (1, 3, 8, 2)
    assert [(each.change, each.one.entity, each.one.began - START) for each in lower.shifts] == [
        ("appears", "p1", 60_000_000),
        ("appears", "p2", 420_000_000),
    ]
    assert [(each.key, each.before, each.after) for each in lower.by_entity] == [("p1", 1, 2), ("p2", 0, 1)]
    assert [(each.before, each.after) for each in lower.by_day] == [(1, 3)]
    higher = world.studio.trial("pumps.limit", 7.0, "m")
    assert [(each.change, each.one.entity, each.after) for each in higher.shifts] == [("vanishes", "p1", None)]
    assert higher.contradictions[0].en == "Rule pumps.high: {'level': 6.0} should fire"


async def test_an_alert_that_would_come_earlier_moves_in_time(world: World) -> None:
    for minute, value in enumerate((1.0, 4.5, 6.0, 1.0)):
        await world.send(("p1.level", minute, value))
    found = world.studio.trial("pumps.limit", 4.0, "m").shifts
    assert [
        (each.change, each.before and each.before.began - START, each.after and each.after.began - START) for each in found
    ] == [("moves", 120_000_000, 60_000_000)]


async def test_a_replay_says_how_much_history_it_covered(world: World) -> None:
    await world.send(("p1.level", 0, 6.0))
    world.at(3 * 24 * 60)
    found = world.studio.trial("pumps.limit", 4.0, "m", 31)
    assert (found.days, found.until - found.since <= 4 * DAY, found.cut) == (31, True, False)
    with pytest.raises(BadInputError, match="1 to 31 days"):
        world.studio.trial("pumps.limit", 4.0, "m", 32)


async def test_a_replay_over_too_many_readings_covers_fewer_days_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for days in range(4):
        await world.send(("p1.level", days * 24 * 60, 6.0), ("p1.level", days * 24 * 60 + 1, 1.0))
    monkeypatch.setattr("citybrain.brain.detect.studio._MOST_ROWS", 5)
    found = world.studio.trial("pumps.limit", 4.0, "m", 31)
    assert (found.cut, found.before) == (True, 2)
    assert found.since > START + DAY


async def test_one_replay_runs_at_a_time_and_the_next_is_told_to_come_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citybrain.brain.detect.studio._PATIENCE", 0.01)
    studio = world.studio
    with studio._busy, pytest.raises(BusyError):
        studio.trial("pumps.limit", 4.0, "m")


async def test_imported_history_is_replayed_as_if_it_had_come_in_time(world: World) -> None:
    rows = pa.table(
        {
            "stream_no": pa.array([world.registry.stream("p1.level").no] * 2, pa.int32()),
            "time": [START, START + 60_000_000],
            "value": [6.0, 1.0],
        }
    )
    world.series.import_segment("old", rows, "import", Instant(START + 5 * DAY))
    world.at(60)
    assert world.studio.trial("pumps.limit", 4.0, "m").before == 1


def test_alerts_that_overlap_are_one_that_moved_and_the_rest_appear() -> None:
    def told(began: int, cleared: int | None) -> Retold:
        return Retold("r", "e", Instant(began), Instant(began), None if cleared is None else Instant(cleared))

    found = shifts([told(10, 50), told(90, None)], [told(10, 20), told(30, 60), told(95, None)])
    assert [(each.change, each.one.began) for each in found] == [("moves", 10), ("appears", 30), ("moves", 95)]
    assert day(told(START, None)) == "2026-11-22"
