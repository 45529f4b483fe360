"""The words of an address become one Query, and what is not understood is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.api import asking
from citybrain.kernel.access import Order
from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.predicate import EVERYTHING, And, Compare, Within
from citybrain.kernel.text import Text, same

CASES = Dataset(
    "case",
    Text("案件", "Cases"),
    same(""),
    "command",
    "act",
    (
        Column("id", same("id"), "text"),
        Column("title", same("title"), "json"),
        Column("grade", same("grade"), "integer"),
        Column("lon", same("lon"), "number"),
        Column("overdue", same("overdue"), "boolean"),
        Column("opened", same("opened"), "instant"),
    ),
    "conditional",
    "real",
    same(""),
)


def test_no_words_ask_for_the_first_hundred_rows_of_everything() -> None:
    asked = asking.query(CASES, ())
    assert (asked.dataset, asked.where, asked.order, asked.limit, asked.cursor, asked.count) == (
        "case",
        EVERYTHING,
        None,
        100,
        None,
        False,
    )


def test_words_become_predicate_order_and_page() -> None:
    words = (
        ("grade.le", "2"),
        ("overdue", "true"),
        ("opened.ge", "2026-11-22T08:00:00+08:00"),
        ("title.contains", "井盖"),
        ("id.in", "a,b"),
        ("bbox", "117,39,117.2,39.2"),
        ("sort", "-opened"),
        ("limit", "1000"),
        ("cursor", "abc"),
        ("count", "true"),
        ("lang", "en"),
        ("purpose", "核查"),
    )
    asked = asking.query(CASES, words)
    assert asked.where == And(
        (
            Compare("grade", "le", 2),
            Compare("overdue", "eq", value=True),
            Compare("opened", "ge", "2026-11-22T00:00:00Z"),
            Compare("title", "contains", "井盖"),
            Compare("id", "in", ("a", "b")),
            Within(117.0, 39.0, 117.2, 39.2),
        )
    )
    assert (asked.order, asked.limit, asked.cursor, asked.count) == (Order("opened", descending=True), 1000, "abc", True)


def test_an_unescaped_plus_in_a_time_is_read_as_the_plus_it_was() -> None:
    assert asking.query(CASES, (("opened", "2026-11-22T08:00:00 08:00"),)).where == Compare("opened", "eq", "2026-11-22T00:00:00Z")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stat", "open"),
        ("grade.like", "2"),
        ("grade", "two"),
        ("grade", "9" * 19),
        ("grade", "9" * 5000),
        ("grade.contains", "2"),
        ("title", "井盖"),
        ("lon", "nan"),
        ("lon", "1e999"),
        ("overdue", "yes"),
        ("opened", "2026-11-22T08:00:00"),
        ("opened", "yesterday"),
        ("opened", "0001-01-01T00:00:00+14:00"),
        ("bbox", "1,2,3"),
        ("bbox", "117,39,116,40"),
        ("bbox", "nan,nan,nan,nan"),
        ("sort", "-colour"),
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "-1"),
        ("limit", "٣"),
        ("count", "1"),
    ],
)
def test_a_word_that_cannot_be_understood_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(BadInputError) as refused:
        asking.query(CASES, ((name, value),))
    assert refused.value.fields["parameter"] == name


def test_an_unknown_word_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadInputError) as refused:
        asking.known((("since", "x"), ("form", "y")), ("since", "until"))
    assert refused.value.fields == {"parameter": "form", "known": ["lang", "purpose", "since", "until"]}
    assert "since" in refused.value.what.zh


def test_a_word_said_twice_is_refused() -> None:
    with pytest.raises(BadInputError, match="twice"):
        asking.query(CASES, (("limit", "1"), ("limit", "2")))


@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from(("grade", "lon.in", "opened.lt", "id.eq", "bbox", "sort", "limit")), st.text()), st.text()
        )
    )
)
def test_whatever_stands_in_an_address_is_a_query_or_bad_input(words: list[tuple[str, str]]) -> None:
    try:
        limit = asking.query(CASES, words).limit
    except BadInputError:
        return
    assert 1 <= limit <= 1000
