"""Retention: so many whole days of the district before today are kept, and what is older is refused at the door."""

import numpy as np
import pytest

from citybrain.brain.observe import MADE, Horizon, check_days
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, parse
from tests.brain import tiny
from tests.brain.observe.conftest import World

TODAY = parse("2026-11-21T16:00:00Z")
"""Midnight in the district at the beginning of 2026-11-22, the day of the clock."""


def horizon(world: World, **days: int) -> Horizon:
    return Horizon(days, world.registry, world.clock)


def test_today_and_the_days_before_it_are_kept_by_the_districts_calendar(world: World) -> None:
    (span,) = horizon(world, pump=3).spans()
    assert (span.kind, span.days, span.before) == ("pump", 3, TODAY - 3 * DAY)
    assert span.streams.tolist() == [stream.no for stream in world.registry.streams()]
    world.clock.set(Instant(TODAY + DAY - 1))
    assert horizon(world, pump=3).spans()[0].before == TODAY - 3 * DAY
    world.clock.set(Instant(TODAY + DAY))
    assert horizon(world, pump=3).spans()[0].before == TODAY - 2 * DAY


def test_the_wall_clock_counts_whatever_the_city_replays(world: World) -> None:
    world.clock.set(Instant(TODAY + 90 * DAY), wall=TODAY)
    assert horizon(world, pump=3).spans()[0].before == TODAY - 3 * DAY


def test_without_a_setting_nothing_ever_expires(world: World) -> None:
    assert horizon(world).spans() == ()
    assert not horizon(world).expired(np.array([0, 1], np.int32), np.array([0, 0], np.int64)).any()


def test_what_expires_follows_the_day_and_the_register(world: World) -> None:
    kept = horizon(world, pump=3)
    no, time = np.array([0, 1, 1], np.int32), np.array([0, TODAY - 3 * DAY, TODAY - 3 * DAY - 1], np.int64)
    assert kept.expired(no, time).tolist() == [False, False, True]
    world.clock.set(Instant(TODAY + DAY))
    assert kept.expired(no, time).tolist() == [False, True, True]
    world.registry.plant(tiny.pumps(3), "test", "demo", TODAY)
    last = len(world.registry.streams())
    assert kept.expired(np.array([last], np.int32), np.array([TODAY - 9 * DAY], np.int64)).tolist() == [True]


async def test_late_rows_of_deleted_days_are_refused_by_name_and_the_ledger_adds_up(world: World) -> None:
    world.intake.kept_by(horizon(world, pump=3).expired)
    begin = -int((15 * HOUR + 3 * DAY) // MINUTE)
    verdict = await world.send(("p1.level", begin - 1, 1.0), ("p1.level", begin, 2.0), ("p1.level", 0, 3.0))
    assert (verdict.stored, [(one.row, one.code) for one in verdict.refused]) == (2, [(0, "expired")])
    (account,) = world.series.doors()
    assert (account.received, account.stored, account.refused) == (3, 2, {"expired": 1})


async def test_latest_values_that_were_deleted_are_forgotten_and_newer_ones_are_not(world: World) -> None:
    await world.send(("p1.level", -60, 1.0), ("p2.level", 0, 2.0))
    old, new = (world.registry.stream(name).no for name in ("p1.level", "p2.level"))
    marks = world.latest.mark(old), world.latest.mark(new)
    world.latest.forget(np.array([old, new], np.int32), Instant(world.clock.city() - MINUTE))
    assert world.latest.of(old) is None
    reading = world.latest.of(new)
    assert reading is not None
    assert reading.value == 2.0
    assert marks < (world.latest.mark(old), world.latest.mark(new)), "who remembers readings reads them again"


def test_a_kind_that_nobody_declares_or_observes_is_refused_in_both_languages() -> None:
    check_days({"pump": 30, MADE: 30}, (tiny.PACK,))
    with pytest.raises(BadInputError) as caught:
        check_days({"pmp": 30}, (tiny.PACK,))
    assert "“pmp”没有应用包声明。可用：pump, thing" in caught.value.what.zh
    assert "'pmp', which is declared by no pack. Those that can be named: pump, thing." in caught.value.what.en
