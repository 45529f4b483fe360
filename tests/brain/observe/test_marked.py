"""What each reading is says its row: by default what stands, and by name what was struck out and what is estimated."""

import msgspec
import pytest

from citybrain.brain.observe import marked
from citybrain.brain.observe.observed import Observed
from citybrain.brain.observe.shelves import OBSERVATION
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.predicate import And, Compare, Not, Predicate
from citybrain.kernel.text import Json
from tests.brain.observe.conftest import World
from tests.brain.observe.correcting import LEVEL, START, correct, made, one_at, strike


@pytest.fixture
async def observed(world: World) -> Observed:
    """Half an hour of readings: the eleventh to fifteenth minute never came, two were struck out before them, one is corrected."""
    await world.send(*((LEVEL, -minute, 100.0 + minute) for minute in range(30) if not 11 <= minute <= 15))
    corrections = made(world)
    await correct(world, corrections, strike(-17, -16))
    await correct(world, corrections, one_at(-3, 7.0))
    return Observed(world.registry, world.series, world.latest, OBSERVATION)


def span(first: int, last: int, *more: Predicate) -> Predicate:
    at = [rfc3339(Instant(START + minute * MINUTE)) for minute in (first, last)]
    return And((Compare("stream", "eq", LEVEL), Compare("time", "ge", at[0]), Compare("time", "le", at[1]), *more))


def every(observed: Observed, where: Predicate, limit: int = 100, *, descending: bool = True) -> list[dict[str, Json]]:
    """All rows, page by page."""
    found: list[dict[str, Json]] = []
    query = Query("observation", where, Order("time", descending), limit)
    while True:
        page: Page = observed(query)
        found += page.rows
        if page.next is None:
            return found
        query = msgspec.structs.replace(query, cursor=page.next)


def told(rows: list[dict[str, Json]]) -> list[tuple[Json, Json]]:
    return [(row["mark"], row["value"]) for row in rows]


def total(observed: Observed, where: Predicate) -> int | None:
    return observed(Query("observation", where, limit=0, count=True)).total


async def test_unasked_what_stands_is_shown_and_each_row_says_what_it_is(observed: Observed) -> None:
    rows = every(observed, Compare("stream", "eq", LEVEL))
    assert (len(rows), total(observed, Compare("stream", "eq", LEVEL))) == (23, 23)
    assert [(row["value"], row["door"]) for row in rows if row["mark"] == marked.CORRECTED] == [(7.0, "correction")]
    assert {row["mark"] for row in rows} == {marked.MEASURED, marked.CORRECTED}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_every_reading_of_a_span_comes_once_with_its_mark_whatever_the_page(observed: Observed, limit: int) -> None:
    where = span(-18, -9, Compare("mark", "in", marked.MARKS))
    rows = every(observed, where, limit)
    assert told(rows) == [
        ("measured", 109.0),
        ("measured", 110.0),
        *(("estimated", pytest.approx(value)) for value in (111, 112, 113, 114, 115)),
        *[("estimated", pytest.approx(116.0)), ("struck", None)],
        *[("estimated", pytest.approx(117.0)), ("struck", None)],
        ("measured", 118.0),
    ]
    assert every(observed, where, limit, descending=False) == rows[::-1]
    assert len({str(row["id"]) for row in rows}) == len(rows) == total(observed, where)
    assert {(row["door"], row["received"], row["seq"]) for row in rows if row["mark"] == "estimated"} == {(None, None, None)}


@pytest.mark.parametrize(("mark", "count"), [("measured", 22), ("computed", 0), ("corrected", 1), ("struck", 2), ("estimated", 7)])
async def test_each_mark_is_asked_for_and_counted_by_itself(observed: Observed, mark: str, count: int) -> None:
    where = span(-29, 0, Compare("mark", "eq", mark))
    rows = every(observed, where, 4)
    assert ({row["mark"] for row in rows} <= {mark}, len(rows), total(observed, where)) == (True, count, count)


async def test_marks_are_asked_for_together_with_anything_else(observed: Observed) -> None:
    low = every(observed, span(-29, 0, Compare("mark", "in", ("measured", "corrected")), Compare("value", "lt", 102.0)))
    assert told(low) == [("measured", 100.0), ("measured", 101.0), ("corrected", 7.0)]
    assert told(every(observed, span(-29, 0, Not(Compare("mark", "eq", "measured"))))) == [("corrected", 7.0)]
    twice = And((Compare("mark", "in", ("struck", "corrected")), Compare("mark", "eq", "corrected")))
    assert told(every(observed, span(-29, 0, twice))) == [("corrected", 7.0)]
    assert every(observed, span(-29, 0, Compare("mark", "eq", "unheard"))) == []


async def test_a_day_of_which_all_was_struck_out_is_found(world: World) -> None:
    await world.send((LEVEL, 0, 1.0))
    await correct(world, made(world), strike(0, 0))
    observed = Observed(world.registry, world.series, world.latest, OBSERVATION)
    assert every(observed, Compare("stream", "eq", LEVEL)) == []
    assert told(every(observed, span(-9, 9, Compare("mark", "eq", "struck")))) == [("struck", None)]


async def test_estimates_are_of_one_stream_and_a_month(observed: Observed) -> None:
    asked = Compare("mark", "eq", "estimated")
    with pytest.raises(BadInputError, match="31"):
        every(observed, And((Compare("stream", "eq", LEVEL), asked)))
    with pytest.raises(UnsupportedError, match="one stream"):
        every(observed, And((Compare("stream", "in", (LEVEL, "p2.level")), asked)))
