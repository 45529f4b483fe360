"""Recent readings are kept between looks and are never other than the store's."""

import numpy as np

from citybrain.brain.observe import Recent, missing
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant
from tests.brain.observe.conftest import World

START = Instant(1_795_330_800_000_000)
"""15:00 of the clock's day."""


def spoken(recent: Recent, since: int, until: int) -> list[tuple[int, float]]:
    found = recent.readings("p1.level", Instant(START + since * MINUTE), Instant(START + until * MINUTE))
    return [((at - START) // MINUTE, value) for at, value in found]


async def test_what_is_written_late_or_revised_is_in_the_next_answer(world: World) -> None:
    recent = Recent(world.series, world.registry, world.latest)
    await world.send(("p1.level", -10, 2.0), ("p1.level", 0, 3.0))
    assert spoken(recent, -60, 1) == [(-10, 2.0), (0, 3.0)]

    await world.send(("p1.level", -20, 1.0))
    assert spoken(recent, -60, 1) == [(-20, 1.0), (-10, 2.0), (0, 3.0)]

    await world.send(("p1.level", -10, 2.5))
    assert spoken(recent, -60, 1) == [(-20, 1.0), (-10, 2.5), (0, 3.0)]


async def test_a_span_is_cut_from_what_is_kept_and_read_anew_where_it_reaches_further(world: World) -> None:
    recent = Recent(world.series, world.registry, world.latest)
    await world.send(("p1.level", -10, 2.0), ("p1.level", 0, 3.0))
    assert spoken(recent, -5, 1) == [(0, 3.0)]
    assert spoken(recent, -5, 0) == []
    assert spoken(recent, -60, 1) == [(-10, 2.0), (0, 3.0)]


async def test_an_unchanged_stream_is_read_once_and_only_so_many_are_kept(world: World) -> None:
    recent = Recent(world.series, world.registry, world.latest, most=1)
    await world.send(("p1.level", 0, 3.0), ("p2.level", 0, 4.0))
    first = recent.readings("p1.level", START, Instant(START + HOUR))
    world.latest.mark(world.registry.stream("p1.level").no)
    assert recent.readings("p1.level", START, Instant(START + HOUR))[0] is first[0]
    recent.readings("p2.level", START, Instant(START + HOUR))
    assert recent.readings("p1.level", START, Instant(START + HOUR))[0] is not first[0]


async def test_what_is_missing_reaches_past_what_is_read_around_a_span(world: World) -> None:
    """A stream that was dead for a month is no stream without gaps, on any day of that month or since."""
    stream = world.registry.stream("p1.level")
    every = stream.contract.every or MINUTE
    died, back = Instant(START - 40 * DAY), Instant(START - 5 * DAY)
    numbers, times = np.full(2, stream.no, np.int32), np.array([died, back], np.int64)
    await world.intake.take_columns(numbers, times, np.array([1.0, 2.0]), "test", None)
    for day in (39, 20, 6):
        since = Instant(START - day * DAY)
        (gap,) = missing(world.series, world.registry, "p1.level", since, Instant(since + HOUR), START)
        assert (gap.since, gap.until, gap.missing) == (died, back, 35 * DAY // every - 1)
    (gap,) = missing(world.series, world.registry, "p1.level", Instant(START - DAY), Instant(START + 1), START)
    assert (gap.since, gap.until, gap.missing) == (back, None, 5 * DAY // every - 1)
