"""What has become of readings that something was concluded from: what each was, what it is, and how that came."""

import numpy as np
from msgspec import json

from citybrain.brain.observe import Altered, read_rows, set_result
from citybrain.engines.duckdb import Due
from citybrain.kernel.alerts import Evidence
from citybrain.kernel.instant import DAY, MINUTE, Instant, rfc3339
from citybrain.kernel.things import Contract, Stream
from tests.brain import tiny
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, correct, made, one_at, read, span, strike


def seen(minute: int, value: float, stream: str = LEVEL) -> Evidence:
    return Evidence(stream, Instant(START + minute * MINUTE), value, "m")


def told(found: tuple[Altered, ...]) -> list[tuple[int, object, object, str, int | None]]:
    return [((one.time - START) // MINUTE, one.was, one.now, one.how, one.correction) for one in found]


async def test_each_way_in_which_a_reading_changes_is_told_and_what_stands_as_it_was_is_not(world: World) -> None:
    acting = made(world)
    await world.send(*((LEVEL, -minute, float(minute)) for minute in range(1, 8)))
    before = [seen(-minute, float(minute)) for minute in range(1, 8)]
    assert acting.altered(before) == ()
    await correct(world, acting, one_at(-1, 5.5))
    await correct(world, acting, strike(-2, -2))
    again = await correct(world, acting, span(-3, -3, 2.0))
    over = await correct(world, acting, span(-3, -3, 2.0))
    await world.send((LEVEL, -4, 9.0))
    back = await correct(world, acting, one_at(-5, 7.5))
    saw_corrected = seen(-5, 7.5)
    await acting.end(world.registry.stream(LEVEL), back.no, "officer", "stood rightly")
    assert told(acting.altered(before)) == [
        (-1, 1.0, 5.5, "corrected", 1),
        (-2, 2.0, None, "struck", 2),
        (-3, 3.0, 12.0, "corrected", over.no),
        (-4, 4.0, 9.0, "resent", None),
    ]
    assert told(acting.altered([saw_corrected])) == [(-5, 7.5, 5.0, "restored", None)]
    await acting.end(world.registry.stream(LEVEL), over.no, "officer", "once is enough")
    assert told(acting.altered([seen(-3, 3.0)])) == [(-3, 3.0, 6.0, "corrected", again.no)]
    assert [one.at for one in acting.altered([seen(-1, 1.0)])] == [world.clock.city()]


async def test_a_computed_value_changes_with_what_it_was_computed_from(world: World) -> None:
    acting, deriver = made(world), world.deriver()
    await world.send((LEVEL, -2, 4.0), ("p1.flow", -2, 1.0), (LEVEL, -1, 8.0), ("p1.flow", -1, 1.0))
    while await deriver.run_once():
        pass
    load = seen(-1, 6.0, "p1.load")
    assert acting.altered([load]) == ()
    await correct(world, acting, one_at(-1, 2.0))
    while await deriver.run_once():
        pass
    assert told(acting.altered([load])) == [(-1, 6.0, 3.0, "computed", None)]


async def test_what_is_gone_or_was_never_a_stream_is_not_told_of(world: World) -> None:
    acting = made(world)
    long_ago = -9 * 24 * 60
    await world.send((LEVEL, long_ago, 1.0))
    world.series.close_days(Instant(world.clock.city() - DAY))
    before = Instant(world.clock.city() - 3 * DAY)
    no = world.registry.stream(LEVEL).no
    world.series.delete([Due("pump", 3, before, np.array([no], np.int32), world.clock.wall())])
    assert acting.altered([seen(long_ago, 2.0), seen(-1, 2.0, "p9.level"), seen(-1, 2.0)]) == ()
    assert acting.altered([]) == ()


async def test_of_many_only_those_that_a_correction_reaches_are_looked_at(world: World) -> None:
    acting, deriver = made(world), world.deriver()
    acting.computed_by((tiny.PACK,))
    await world.send(*((name, -minute, minute / 2) for minute in range(1, 20) for name in (LEVEL, "p1.flow")))
    while await deriver.run_once():
        pass
    loads = {minute: value for minute, (value, _) in read(world, "p1.load").items()}
    seen_then = {
        "level": [seen(-15, 7.5)],
        "near": [seen(-12, loads[-12], "p1.load")],
        "far": [seen(-2, loads[-2], "p1.load"), seen(-1, 0.5)],
        "resent": [seen(-19, 9.5)],
        "none": [],
        "gone": [seen(-1, 1.0, "p9.level")],
    }
    assert acting.behind(seen_then) == frozenset()
    await correct(world, acting, one_at(-15, 3.0))
    await world.send((LEVEL, -19, 2.0))
    while await deriver.run_once():
        pass
    assert acting.behind(seen_then) == {"level", "near"}
    assert acting.behind({}) == frozenset()


async def test_words_are_told_as_words(world: World) -> None:
    acting, registry = made(world), world.registry
    no = len(registry.streams()) + 1
    registry.change((), (Stream("p1.state", no, "p1", "pump", "state", "1", Contract(), "test", "real", None, "category"),), ())
    row = {"stream": "p1.state", "time": rfc3339(Instant(START - MINUTE)), "value": "开"}
    assert (await world.intake.take(read_rows(json.encode([row])), "test", None)).stored == 1
    stream = registry.stream("p1.state")
    await correct(world, acting, set_result(stream, Instant(START - MINUTE), "关"), "p1.state")
    assert told(acting.altered([seen(-1, 1.0, "p1.state")])) == [(-1, "开", "关", "corrected", 1)]
