"""Lists of cases: filters are pushed down, pages neither skip nor repeat, overdue follows the city's clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.act import CaseBook, datasets, sources
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Order, Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.instant import Instant, parse, rfc3339
from citybrain.kernel.listing import timed
from citybrain.kernel.ports import Source
from citybrain.kernel.predicate import And, Compare, Not, Within, holds
from tests.brain.act.conftest import DISPATCHER, HANDLER, request


@pytest.fixture
def cases(book: CaseBook, transactions: SqlTransactions, clock: FixedClock) -> Source:
    for hour in range(7):
        book.open(request(f"k{hour}", at=f"2026-11-22T0{hour}:00:00Z"))
    return sources(transactions, clock)["case"]


def test_pages_are_newest_first_and_together_hold_every_case_once(cases: Source) -> None:
    seen, cursor = [], None
    while True:
        page = cases(Query("case", limit=3, cursor=cursor, count=True))
        assert page.total == 7
        seen += [row["opened"] for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [f"2026-11-22T0{hour}:00:00Z" for hour in reversed(range(7))]


def test_equal_sort_values_neither_skip_nor_repeat(cases: Source) -> None:
    seen: list[object] = []
    query = Query("case", order=Order("grade"), limit=2)
    page = cases(query)
    while True:
        seen += [row["id"] for row in page.rows]
        if page.next is None:
            break
        page = cases(Query("case", order=Order("grade"), limit=2, cursor=page.next))
    assert len(seen) == len(set(seen)) == 7


def test_overdue_is_of_the_city_time_at_which_it_is_asked(cases: Source, clock: FixedClock) -> None:
    late = Query("case", Compare("overdue", "eq", value=True), count=True)
    assert cases(late).total == 5  # opened 00 to 04 with two hours each, at 07:00
    clock.set(parse("2026-11-22T06:30:00Z"))
    assert cases(late).total == 5
    clock.set(parse("2026-11-22T05:00:00Z"))
    assert cases(late).total == 3


@pytest.mark.parametrize(
    ("where", "total"),
    [
        (Compare("state", "eq", "assigned"), 7),
        (Compare("unit", "eq", "unit-street"), 7),
        (Compare("area", "eq", "120104002"), 0),
        (Compare("matter", "in", ("dust", "noise")), 7),
        (Compare("grade", "lt", 3), 0),
        (Compare("opened", "ge", "2026-11-22T05:00:00Z"), 2),
        (Compare("due", "lt", "2026-11-22T04:00:00Z"), 2),
        (Compare("closed", "gt", "2026-11-22T00:00:00Z"), 0),
        (Compare("handler", "eq", "acc-h"), 0),
        (Not(Compare("handler", "eq", "acc-h")), 7),
        (And((Compare("title", "contains", "扬尘"), Within(117, 39, 118, 40))), 7),
        (Within(0, 0, 1, 1), 0),
    ],
)
def test_each_filter_finds_what_it_should(cases: Source, where: And | Compare | Not | Within, total: int) -> None:
    assert cases(Query("case", where, count=True)).total == total


def test_a_row_is_plain_json_with_the_units_name(cases: Source) -> None:
    row = cases(Query("case", limit=1)).rows[0]
    assert row["title"] == {"zh": "扬尘", "en": "Dust"}
    assert row["unit_name"] == {"zh": "示例街道", "en": "Sample subdistrict"}
    assert (row["closed"], row["overdue"], row["lon"]) == (None, False, 117.1)
    assert row.keys() == {column.name for entry in datasets(()) if entry.name == "case" for column in entry.columns}


def test_what_cannot_be_served_is_refused_with_its_reason(cases: Source) -> None:
    with pytest.raises(UnsupportedError, match="Cannot sort by 'words'"):
        cases(Query("case", order=Order("words")))
    with pytest.raises(UnsupportedError, match="Cannot filter by 'secret'"):
        cases(Query("case", Compare("secret", "eq", 1)))
    with pytest.raises(BadInputError, match="cursor"):
        cases(Query("case", cursor="nonsense"))
    with pytest.raises(BadInputError, match="is no time"):
        cases(Query("case", Compare("due", "lt", "yesterday")))
    other = cases(Query("case", limit=1)).next
    with pytest.raises(BadInputError, match="another order"):
        cases(Query("case", order=Order("due"), cursor=other))


def test_steps_units_and_notices_have_sources_too(
    cases: Source, book: CaseBook, transactions: SqlTransactions, clock: FixedClock
) -> None:
    case_id = str(cases(Query("case", limit=1)).rows[0]["id"])
    book.move(case_id, "transfer", DISPATCHER, "跨界", 1, "unit-district")
    served = sources(transactions, clock)
    assert served.keys() == {entry.name for entry in datasets(())}
    steps = served["step"](Query("step", Compare("case", "eq", case_id), Order("no"))).rows
    assert [(row["move"], row["unit"], row["then_unit"]) for row in steps] == [
        ("open", "unit-district", "unit-street"),
        ("transfer", "unit-district", "unit-district"),
    ]
    assert len(served["unit"](Query("unit")).rows) == 3
    assert served["notice"](Query("notice")).rows == ()
    assert HANDLER.unit == "unit-street"


@given(st.integers(0, 2**52), st.integers(0, 2**52))
def test_an_instant_in_words_compares_as_the_instant(one: int, two: int) -> None:
    told = timed(Compare("t", "lt", rfc3339(Instant(two))), {"t": "instant"})
    assert holds(told, {"t": one}) == (one < two)
