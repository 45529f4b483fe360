"""The life of a value, and the table of latest values that carries it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe import Latest, contracts, life, lives
from citybrain.kernel.instant import HOUR, MINUTE, Duration, Instant
from citybrain.kernel.things import Contract, Life
from tests.brain.observe.conftest import World

NOW = Instant(1_795_330_800_000_000)
PROMISE = Contract(MINUTE, Duration(10 * MINUTE), HOUR, 0.0, 10.0)


def alive(latest: Latest, no: int) -> Life:
    reading = latest.of(no)
    assert reading is not None
    return reading.life


def test_the_first_that_holds_counts() -> None:
    late, stuck = Instant(NOW - 11 * MINUTE), Instant(NOW - 2 * HOUR)
    assert life(PROMISE, None, 99.0, stuck, NOW) is Life.NEVER
    assert life(PROMISE, late, 99.0, stuck, NOW) is Life.LATE
    assert life(PROMISE, NOW, 10.1, stuck, NOW) is Life.OUT_OF_RANGE
    assert life(PROMISE, NOW, 10.0, stuck, NOW) is Life.STUCK
    assert life(PROMISE, NOW, 10.0, NOW, NOW) is Life.LIVE


def test_without_a_contract_every_value_lives() -> None:
    assert life(Contract(), Instant(0), 1e300, Instant(0), NOW) is Life.LIVE


@given(st.integers(0, 3 * HOUR), st.floats(-20, 20), st.integers(0, 3 * HOUR))
def test_whole_arrays_are_judged_as_single_values_are(age: int, value: float, still: int) -> None:
    time = Instant(NOW - age)
    one = life(PROMISE, time, value, Instant(time - still), NOW)
    many = lives(contracts((PROMISE,) * 3), np.full(3, time), np.full(3, value), np.full(3, time - still), NOW)
    assert [tuple(Life)[code] for code in many] == [one] * 3


async def test_a_silent_stream_is_late_and_lives_again_with_its_next_value(world: World) -> None:
    no = world.registry.stream("p1.level").no
    await world.send(("p1.level", 0, 1.0))
    world.clock.set(Instant(world.clock.city() + 11 * MINUTE))
    assert alive(world.latest, no) is Life.LATE
    await world.send(("p1.level", 11, 1.0))
    assert alive(world.latest, no) is Life.LIVE


async def test_a_value_that_does_not_change_is_stuck_also_after_a_restart(world: World) -> None:
    no = world.registry.stream("p1.level").no
    for minute in range(-70, 1, 5):
        await world.send(("p1.level", minute, 4.0))
    assert alive(world.latest, no) is Life.STUCK
    restarted = Latest(world.registry, world.series, world.clock)
    assert alive(restarted, no) is Life.STUCK
    await world.send(("p1.level", 1, 4.1))
    assert alive(world.latest, no) is Life.LIVE
    assert alive(Latest(world.registry, world.series, world.clock), no) is Life.LIVE


async def test_what_comes_late_and_differs_ends_a_stand_as_it_does_after_a_restart(world: World) -> None:
    """A gateway that was cut off sends its newest reading first: equal to the last one before, it looks stuck until the rest is there."""
    no = world.registry.stream("p1.level").no
    await world.send(("p1.level", -70, 4.0))
    await world.send(("p1.level", 0, 4.0))
    assert alive(world.latest, no) is Life.STUCK
    await world.send(*(("p1.level", minute, 4.0 + minute % 3) for minute in range(-65, 0, 5)))
    assert alive(world.latest, no) is Life.LIVE
    assert alive(Latest(world.registry, world.series, world.clock), no) is Life.LIVE


async def test_a_stream_that_never_reported_stands_in_the_table(world: World) -> None:
    rows = world.latest.table().to_pylist()
    assert len(rows) == 6
    assert rows[0] == {"stream_no": 1, "time": None, "value": None, "received": None, "door": None, "life": "never"}
    assert world.latest.of(1) is None
