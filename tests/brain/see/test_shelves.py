"""Shelves: figures, indicators and facts are datasets whose rows can be asked for page by page."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from citybrain.brain import see
from citybrain.brain.see.indicators import Indicators
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Order, Query
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.instant import Instant
from citybrain.kernel.ports import Source
from citybrain.kernel.predicate import And, Compare
from citybrain.kernel.text import Json, same
from citybrain.kernel.things import Contract, Entity, Stream
from tests.brain.see.conftest import MORNING, NOW, case, opened


def everything(source: Source, query: Query) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = []
    cursor: str | None = None
    while True:
        page = source(Query(query.dataset, query.where, query.order, query.limit, cursor))
        found += page.rows
        cursor = page.next
        if cursor is None:
            return found


def test_every_dataset_has_a_source_that_gives_exactly_its_columns(
    tell: Callable[..., int], indicators: Indicators, store: SqlTransactions, facts: DuckFacts
) -> None:
    tell(opened(case()))
    indicators.compute("open_cases")
    sources = see.sources(store, facts, ())
    for entry in see.datasets(()):
        rows = sources[entry.name](Query(entry.name)).rows
        assert bool(rows) is (entry.name in ("figure", "indicator", "case_opened"))
        for row in rows:
            assert list(row) == [column.name for column in entry.columns]


def test_pages_of_facts_hold_every_row_once_in_either_order(
    tell: Callable[..., int], store: SqlTransactions, facts: DuckFacts
) -> None:
    tell(*(opened(case(f"c{number}", opened=MORNING + number // 3)) for number in range(10)))
    source = see.sources(store, facts, ())["case_opened"]
    newest = [row["case"] for row in everything(source, Query("case_opened", limit=3))]
    oldest = [row["case"] for row in everything(source, Query("case_opened", order=Order("time"), limit=4))]
    assert newest == [f"c{number}" for number in reversed(range(10))]
    assert oldest == newest[::-1]


def test_figures_are_found_by_predicate_with_times_as_people_write_them(
    tell: Callable[..., int], indicators: Indicators, store: SqlTransactions, facts: DuckFacts
) -> None:
    tell(opened(case()))
    indicators.compute("open_cases")
    source = see.sources(store, facts, ())["figure"]
    where = And((Compare("computed", "ge", "2026-11-22T15:00:00+08:00"), Compare("area", "eq", "990104001")))
    page = source(Query("figure", where, count=True))
    assert (page.total, page.rows[0]["value"], page.rows[0]["computed"]) == (1, 1.0, "2026-11-22T07:00:00Z")
    assert source(Query("figure", Compare("computed", "lt", "2026-11-22T07:00:00Z"))).rows == ()
    district = [row for row in source(Query("figure")).rows if row["area"] is None]
    assert [row["indicator"] for row in district] == ["open_cases"]


def test_what_cannot_be_served_is_refused(store: SqlTransactions, facts: DuckFacts) -> None:
    source = see.sources(store, facts, ())["figure"]
    with pytest.raises(UnsupportedError):
        source(Query("figure", Compare("password", "eq", "x")))
    with pytest.raises(UnsupportedError):
        source(Query("figure", order=Order("value")))
    with pytest.raises(BadInputError):
        source(Query("figure", cursor="nonsense"))


class Known:
    """Two streams of one station; with a second version there is a third."""

    def __init__(self) -> None:
        self.version = 1

    def streams(self) -> list[Stream]:
        return [
            Stream(f"a.{field}", no, "a", "air_station", field, "ug/m3", Contract(), "replay")
            for no, field in enumerate("xyz"[: 1 + self.version], 1)
        ]

    def entity(self, name: str, /) -> Entity:
        return Entity(name, "air_station", same(name), None, "990104001", {}, 1, NOW, None, "demo")


def test_stream_rows_tell_the_streams_that_never_reported_and_those_that_are_new() -> None:
    def latest() -> pa.Table:
        columns = {
            "stream_no": pa.array([1, 2, 3], pa.int32()),
            "time": pa.array([NOW, None, None], pa.int64()),
            "value": pa.array([5.0, None, None], pa.float64()),
            "received": pa.array([Instant(NOW + 1), None, None], pa.int64()),
            "door": ["api", None, None],
            "life": ["live", "never", "never"],
        }
        return pa.table(columns).slice(0, 1 + known.version)

    known = Known()
    rows = see.StreamRows(known, latest)
    first = [("a.x", 5.0, "live", "990104001"), ("a.y", None, "never", "990104001")]
    for version, expected in ((1, first), (2, [*first, ("a.z", None, "never", "990104001")])):
        known.version = version
        assert rows().schema == see.STREAM
        assert [(row["stream"], row["value"], row["life"], row["area"]) for row in rows().to_pylist()] == expected
