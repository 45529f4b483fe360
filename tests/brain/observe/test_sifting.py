"""A predicate over columns says of each row what it says of the row alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe.sifting import Column, Words, sift, words
from citybrain.kernel.datasets import ColumnType
from citybrain.kernel.predicate import And, Compare, Not, Or, Predicate, Within, fitted, holds

TYPES: dict[str, ColumnType] = {"time": "integer", "value": "number", "door": "text", "unit": "text"}
DOORS = ("api", "mqtt", "sta")
NUMBERS = st.one_of(st.integers(-3, 3), st.floats(-3, 3), st.sampled_from((2**62, -(2**62))))
COMPARES = st.one_of(
    st.builds(Compare, st.sampled_from(("time", "value")), st.sampled_from(("eq", "ne", "lt", "le", "gt", "ge")), NUMBERS),
    st.builds(Compare, st.sampled_from(("time", "value")), st.just("in"), st.lists(NUMBERS, max_size=3).map(tuple)),
    st.builds(Compare, st.just("value"), st.sampled_from(("eq", "contains")), st.sampled_from(("1", True))),
    st.builds(Compare, st.just("door"), st.sampled_from(("eq", "ne", "lt", "contains")), st.sampled_from((*DOORS, "T", "x"))),
    st.builds(Compare, st.just("unit"), st.just("in"), st.lists(st.sampled_from(("m", "s")), max_size=2).map(tuple)),
    st.just(Within(0, 0, 1, 1)),
)
WHERE = st.recursive(
    COMPARES,
    lambda each: st.one_of(
        st.lists(each, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(each, max_size=3).map(lambda parts: Or(tuple(parts))),
        each.map(Not),
    ),
    max_leaves=6,
)
VALUES = st.one_of(st.none(), st.integers(-6, 6).map(lambda half: half / 2))
ROWS = st.lists(st.tuples(st.integers(-3, 3), VALUES, st.sampled_from((*DOORS, None))), max_size=12)


@given(WHERE, ROWS)
def test_columns_and_rows_give_the_same(asked: Predicate, listed: list[tuple[int, float | None, str | None]]) -> None:
    where = fitted(asked, TYPES)
    rows = [{"time": time, "value": value, "door": door, "unit": None} for time, value, door in listed]
    columns: dict[str, Column] = {
        "time": np.array([time for time, _, _ in listed], np.int64),
        "value": np.array([np.nan if value is None else value for _, value, _ in listed], np.float64),
        "door": words([door for _, _, door in listed]),
        "unit": Words(np.zeros(len(listed), np.int64), (None,)),
    }
    assert sift(where, columns.__getitem__, len(rows)).tolist() == [holds(where, row) for row in rows]
