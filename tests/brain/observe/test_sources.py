"""What observe serves as datasets."""

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.brain.observe import Census, Latest, datasets, history, shelves, sources
from citybrain.brain.observe.observed import Observed
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.instant import HOUR, MINUTE, Instant, rfc3339
from citybrain.kernel.places import Area
from citybrain.kernel.predicate import And, Compare, Not, Or, Predicate, Within, fitted, holds
from citybrain.kernel.things import Life
from tests.brain import tiny
from tests.brain.observe.conftest import World
from tests.brain.observe.test_registry import box


def read(world: World, query: Query) -> Page:
    return sources(world.transactions, world.registry, world.latest, world.series)[query.dataset](query)


def test_every_dataset_has_a_source_and_gives_its_columns(world: World) -> None:
    area: Area = box("120104", "district", 117.0, 117.3)
    world.areas.put((area,))
    served = sources(world.transactions, world.registry, world.latest, world.series)
    shelved = {dataset.name: dataset for dataset in datasets((tiny.PACK,))}
    assert set(served) == set(shelved) == {"entity", "stream", "area", "observation", "deletion", "pump"}
    for name in ("entity", "stream", "area", "pump"):
        row = served[name](Query(name)).rows[0]
        assert set(row) == {column.name for column in shelved[name].columns}


def test_entities_are_found_by_place_and_kind(world: World) -> None:
    where = And((Compare("kind", "eq", "pump"), Within(117.0, 39.1, 117.2, 39.1015)))
    assert [row["id"] for row in read(world, Query("entity", where)).rows] == ["p1"]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("field", ["id", "value", "life"])
async def test_pages_hold_every_row_once(world: World, field: str, descending: bool) -> None:  # noqa: FBT001 - a parameter of the test
    await world.send(("p1.level", 0, 2.0), ("p2.level", 0, 2.0), ("p1.flow", 0, 5.0))
    whole = [row["id"] for row in read(world, Query("stream", order=Order(field, descending))).rows]
    cursor, seen = None, []
    while True:
        page = read(world, Query("stream", order=Order(field, descending), limit=2, cursor=cursor, count=True))
        seen += [row["id"] for row in page.rows]
        assert page.total == 6
        if (cursor := page.next) is None:
            break
    assert seen == whole
    assert sorted(map(str, seen)) == sorted(stream.id for stream in world.registry.streams())


async def test_a_kind_shows_latest_values_with_their_life(world: World) -> None:
    await world.send(("p2.level", 0, 2.0))
    rows = read(world, Query("pump", Compare("level", "gt", 1))).rows
    assert [(row["id"], row["level"], row["level_life"], row["level_time"], row["flow_life"], row["capacity"]) for row in rows] == [
        ("p2", 2.0, "live", "2026-11-22T07:00:00Z", "never", 100.0)
    ]


async def test_observations_come_newest_first_page_by_page(world: World) -> None:
    for minute in range(-5, 1):
        await world.send(("p1.level", minute, float(minute)), ("p2.level", minute, 1.0))
    where = And((Compare("stream", "in", ("p1.level", "p2.level")), Compare("time", "ge", "2026-11-22T06:57:00Z")))
    cursor, seen = None, []
    while True:
        page = read(world, Query("observation", where, limit=3, cursor=cursor))
        seen += [(row["time"], row["stream"]) for row in page.rows]
        if (cursor := page.next) is None:
            break
    expected = [(f"2026-11-22T{hour}:00Z", f"p{pump}.level") for hour in ("07:00", "06:59", "06:58", "06:57") for pump in (2, 1)]
    assert seen == expected


async def test_observations_come_oldest_first_when_asked_and_pages_hold_every_row_once(world: World) -> None:
    for minute in range(-3, 1):
        await world.send(("p1.level", minute, float(minute)), ("p2.level", minute, 1.0))
    where = Compare("stream", "in", ("p1.level", "p2.level"))
    cursor, seen = None, []
    while True:
        page = read(world, Query("observation", where, Order("time"), limit=3, cursor=cursor))
        seen += [(row["time"], row["stream"]) for row in page.rows]
        if (cursor := page.next) is None:
            break
    expected = [(f"2026-11-22T{hour}:00Z", f"p{pump}.level") for hour in ("06:57", "06:58", "06:59", "07:00") for pump in (1, 2)]
    assert seen == expected


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("low", [None, 1.5], ids=["by the span alone", "by the value too"])
async def test_a_count_is_of_all_that_the_pages_hold_whatever_is_asked(
    world: World, low: float | None, *, descending: bool
) -> None:
    rows = [(f"p{no}.level", minute, float(minute % 4)) for no in (1, 2) for minute in range(-3000, 0, 125)]
    await world.send(*rows, *((name, at, value + 1) for name, at, value in rows[:5]))
    since, until = (rfc3339(Instant(world.clock.city() - minutes * MINUTE)) for minutes in (2000, 250))
    parts = [Compare("stream", "in", ("p1.level", "p2.level")), Compare("time", "gt", since), Compare("time", "le", until)]
    where = And((*parts, Compare("value", "ge", low)) if low is not None else tuple(parts))
    whole = read(world, Query("observation", where, limit=1000)).rows
    first = read(world, Query("observation", where, Order("time", descending), limit=3, count=True))
    found, cursor = list(first.rows), first.next
    while cursor is not None:
        page = read(world, Query("observation", where, Order("time", descending), limit=3, cursor=cursor))
        found, cursor = [*found, *page.rows], page.next
    assert first.total == len(found) == len(whole) > 3
    assert (found if descending else found[::-1]) == list(whole)


PUMPS = Compare("stream", "in", ("p1.level", "p2.level"))


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("where", [PUMPS, And((PUMPS, Compare("value", "gt", 2)))], ids=["all", "some"])
async def test_observations_come_by_value_and_pages_hold_every_row_once(
    world: World, where: Predicate, *, descending: bool
) -> None:
    values = [(f"p{no}.level", minute, float(minute * no % 7)) for no in (1, 2) for minute in range(-4000, 0, 90)]
    await world.send(*values)
    whole = [
        row for row in read(world, Query("observation", PUMPS, limit=1000)).rows if holds(where, {"stream": "p1.level"} | dict(row))
    ]
    found: list[tuple[object, ...]] = []
    cursor = None
    while True:
        page = read(world, Query("observation", where, Order("value", descending), limit=7, cursor=cursor, count=True))
        assert page.total == (None if cursor else len(whole))
        found += [(row["value"], row["time"], row["stream"]) for row in page.rows]
        if (cursor := page.next) is None:
            break
    expected = sorted((row["value"], row["time"], row["stream"]) for row in whole)
    assert found == (expected[::-1] if descending else expected)


@pytest.mark.parametrize("descending", [True, False])
async def test_a_page_that_would_mean_looking_through_too_much_ends_early_and_goes_on_after(
    world: World, *, descending: bool
) -> None:
    await world.send(*(("p1.level", minute, float(minute == -20_000)) for minute in range(-20_000, 0, 60)))
    source = Observed(world.registry, world.series, world.latest, shelves.OBSERVATION, looked=40)
    where = And((Compare("stream", "eq", "p1.level"), Compare("value", "eq", 1)))
    found: list[Mapping[str, object]] = []
    cursor, pages = None, 0
    while True:
        page = source(Query("observation", where, Order("time", descending), cursor=cursor))
        found, pages = [*found, *page.rows], pages + 1
        if (cursor := page.next) is None:
            break
    assert ([row["value"] for row in found], pages > 1) == ([1.0], True)
    for asked in (Query("observation", where, count=True), Query("observation", where, Order("value"))):
        with pytest.raises(UnsupportedError, match="334"):
            source(asked)
    spanned = Query("observation", Compare("stream", "eq", "p1.level"), limit=0, count=True)
    assert (source(spanned).total, source(spanned).rows) == (334, ())


@pytest.mark.parametrize("order", [None, Order("time"), Order("value")])
async def test_of_no_stream_there_is_no_observation(world: World, order: Order | None) -> None:
    await world.send(("p1.level", 0, 2.0))
    page = read(world, Query("observation", Compare("stream", "in", ()), order, count=True))
    assert (page.rows, page.next, page.total) == ((), None, 0)


async def test_what_is_written_behind_the_back_of_the_latest_values_is_read(world: World) -> None:
    """In a process that only reads, the latest values come a moment after the store."""
    await world.send(("p1.level", -30, 1.0))
    behind = Latest(world.registry, world.series, world.clock)
    await world.send(("p1.level", 0, 2.0))
    source = Observed(world.registry, world.series, behind, shelves.OBSERVATION)
    assert [row["value"] for row in source(Query("observation", Compare("stream", "eq", "p1.level"))).rows] == [2.0, 1.0]


def test_the_streams_of_some_things_are_found_without_looking_at_the_others(world: World) -> None:
    found = read(world, Query("stream", And((Compare("entity", "in", ("p2", "nobody")),)), count=True))
    assert [row["id"] for row in found.rows] == sorted(stream.id for stream in world.registry.streams_of("p2"))
    assert found.total == 3
    assert [row["id"] for row in read(world, Query("stream", Compare("id", "eq", "p1.level"))).rows] == ["p1.level"]


def test_questions_that_cannot_be_answered_are_refused(world: World) -> None:
    with pytest.raises(UnsupportedError):
        read(world, Query("observation"))
    with pytest.raises(UnsupportedError):
        read(world, Query("stream", Compare("colour", "eq", "red")))
    with pytest.raises(BadInputError):
        read(world, Query("stream", cursor="nonsense"))


async def test_the_census_counts_every_stream_once(world: World) -> None:
    await world.send(("p1.level", 0, 2.0), ("p1.flow", 0, 2.0), ("p2.level", 0, 12.0))
    census = Census(world.registry, world.latest)
    assert census.counts() == {Life.LIVE: 2, Life.OUT_OF_RANGE: 1, Life.NEVER: 3}
    assert census.by_kind() == {"pump": census.counts()}


async def test_history_comes_raw_or_in_buckets(world: World) -> None:
    await world.send(("p1.level", -61, 1.0), ("p1.level", -50, 2.0), ("p1.level", -40, 4.0))
    now = world.clock.city()
    since = Instant(now - 2 * HOUR)
    assert history(world.series, world.registry, "p1", "level", since, now)["value"].to_pylist() == [1.0, 2.0, 4.0]
    hours = history(world.series, world.registry, "p1", "level", since, now, HOUR)
    assert (hours["mean"].to_pylist(), hours["count"].to_pylist()) == ([1.0, 3.0], [1, 2])
    with pytest.raises(BadInputError):
        history(world.series, world.registry, "p1", "level", now, Instant(now - MINUTE))


_STREAM = shelves.STREAM
_TYPES = {column.name: column.type for column in _STREAM.columns}
_FIELDS = {
    "kind": ("pump", "x"),
    "field": ("level", "flow"),
    "life": ("live", "never", "late"),
    "entity": ("p1", "p2", "p9"),
    "area": ("1",),
}


def some(field: str) -> st.SearchStrategy[Predicate]:
    words = st.sampled_from(_FIELDS[field])
    one = st.builds(Compare, st.just(field), st.sampled_from(("eq", "ne", "contains")), words)
    return st.one_of(one, st.builds(Compare, st.just(field), st.just("in"), st.lists(words, max_size=2).map(tuple)))


_PARTS = st.one_of(
    *map(some, _FIELDS), st.builds(Compare, st.just("value"), st.sampled_from(("gt", "le", "ne", "eq")), st.floats(0, 5))
)
_WHERE = st.recursive(
    _PARTS,
    lambda each: st.one_of(
        st.lists(each, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(each, max_size=3).map(lambda parts: Or(tuple(parts))),
        each.map(Not),
    ),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(_WHERE, st.integers(1, 4))
async def test_streams_found_by_column_are_those_that_each_row_would_be_asked_for(
    world: World, where: Predicate, limit: int
) -> None:
    if not any(reading for reading in world.latest.table()["time"].to_pylist()):
        await world.send(("p1.level", 0, 2.0), ("p2.level", -60, 2.0), ("p1.flow", 0, 5.0))
    everything = read(world, Query("stream", limit=1000)).rows
    expected = [row["id"] for row in everything if holds(fitted(where, _TYPES), row)]
    cursor, seen = None, []
    while True:
        page = read(world, Query("stream", where, limit=limit, cursor=cursor, count=True))
        seen += [row["id"] for row in page.rows]
        assert page.total == len(expected)
        if (cursor := page.next) is None:
            break
    assert seen == expected
