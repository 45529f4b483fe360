"""Predicates: SQL and Python give the same rows."""

import sqlite3
from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from citybrain.kernel.datasets import ColumnType
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.predicate import (
    EVERYTHING,
    NOTHING,
    And,
    Compare,
    Not,
    Op,
    Or,
    Predicate,
    Scalar,
    Within,
    both,
    fields,
    fitted,
    holds,
    sql,
)

Cell = str | int | float | bool | None
TYPES: Mapping[str, ColumnType] = {
    "word": "text",
    "size": "number",
    "count": "integer",
    "open": "boolean",
    "lon": "number",
    "lat": "number",
}
COLUMNS = {name: f"thing.{name}" for name in TYPES}
TABLE = "CREATE TABLE thing (no INTEGER, word TEXT, size REAL, count INTEGER, open BOOLEAN, lon REAL, lat REAL)"

words = st.one_of(
    st.sampled_from(["", "A", "a", "aB", "%", "_", "~", "\\", "'", "井盖", "龑䶮", "É", "é", "ſ", "K", "1", "1.0", "0"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
)
integers = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1))
numbers = st.one_of(st.sampled_from([-1.0, 0.0, 0.1, 1.0]), st.floats(allow_nan=False))
scalars = st.one_of(words, integers, numbers, st.booleans())


@st.composite
def comparisons(draw: st.DrawFn) -> Predicate:
    field = draw(st.sampled_from([*TYPES]))
    op: Op = draw(st.sampled_from(get_args(Op)))
    value: Scalar | tuple[Scalar, ...] = tuple(draw(st.lists(scalars, max_size=3))) if op == "in" else draw(scalars)
    return Compare(field, op, value)


boxes = st.builds(Within, *[st.floats(-2, 2, allow_nan=False)] * 4)
predicates: st.SearchStrategy[Predicate] = st.recursive(
    st.one_of(comparisons(), boxes),
    lambda part: st.one_of(
        st.builds(Not, part),
        st.builds(And, st.lists(part, max_size=3).map(tuple)),
        st.builds(Or, st.lists(part, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {
        "word": st.none() | words,
        "size": st.none() | numbers,
        "count": st.none() | integers,
        "open": st.none() | st.booleans(),
        "lon": st.none() | st.floats(-2, 2),
        "lat": st.none() | st.floats(-2, 2),
    }
)
Row = dict[str, Cell]


def chosen(predicate: Predicate, table: list[Row]) -> list[int]:
    """Row numbers that SQLite picks."""
    clause = sql(fitted(predicate, TYPES), COLUMNS)
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(TABLE)
        connection.executemany(
            "INSERT INTO thing VALUES (:no, :word, :size, :count, :open, :lon, :lat)",
            [{"no": no, **row} for no, row in enumerate(table)],
        )
        found = connection.execute(f"SELECT no FROM thing WHERE {clause.sql} ORDER BY no", clause.values).fetchall()
    finally:
        connection.close()
    return [no for (no,) in found]


def row(**cells: Cell) -> Row:
    return {**dict.fromkeys(TYPES), **cells}


@given(predicates, st.lists(rows, min_size=1, max_size=5))
@example(Compare("word", "contains", "ab"), [row(word="xABx"), row(word="É")])
@example(Compare("word", "contains", "é"), [row(word="É"), row(word="é")])
@example(Compare("word", "contains", "1"), [row(word="1", size=1.0, count=1)])
@example(Compare("size", "contains", "1"), [row(size=1.0)])
@example(Compare("word", "eq", 1), [row(word="1")])
@example(Compare("count", "lt", "a"), [row(count=1)])
@example(Compare(field="count", op="eq", value=True), [row(count=1)])
@example(Compare("open", "in", (1, "1")), [row(open=True)])
@example(Not(Compare("word", "ne", "a")), [row(), row(word="a"), row(word="b")])
@example(Not(Within(0, 0, 1, 1)), [row(lon=0.5), row(lon=0.5, lat=0.5)])
@example(Compare("count", "lt", 2**80), [row(count=1)])
def test_sqlite_and_python_pick_the_same_rows(predicate: Predicate, table: list[Row]) -> None:
    assert chosen(predicate, table) == [no for no, cells in enumerate(table) if holds(predicate, cells)]


@given(predicates, rows)
def test_fitting_to_types_changes_no_answer(predicate: Predicate, cells: Row) -> None:
    assert holds(fitted(predicate, TYPES), cells) == holds(predicate, cells)


def test_a_missing_value_is_neither_equal_nor_unequal() -> None:
    assert [holds(Compare("word", op, "a"), {"word": None}) for op in ("eq", "ne")] == [False, False]
    assert holds(Not(Compare("word", "ne", "a")), {})


def test_contains_takes_wildcards_as_they_are_written() -> None:
    table = [row(word="100%"), row(word="100"), row(word="a_b"), row(word="axb"), row(word="~")]

    assert chosen(Compare("word", "contains", "0%"), table) == [0]
    assert chosen(Compare("word", "contains", "a_b"), table) == [2]
    assert chosen(Compare("word", "contains", "~"), table) == [4]


def test_a_comparison_stands_bare_so_that_an_index_serves_it_and_is_made_certain_only_below_a_not() -> None:
    columns = {"word": "thing.word"}

    assert sql(And((Compare("word", "eq", "a"),)), columns).sql == "(thing.word = :p0)"
    assert sql(Not(Compare("word", "eq", "a")), columns).sql == "(NOT COALESCE(thing.word = :p0, (1 = 0)))"


def test_a_value_is_bound_and_never_part_of_the_statement() -> None:
    clause = sql(Compare("word", "eq", "x' OR 1=1 --"), {"word": "thing.word"})

    assert clause.sql == "thing.word = :p0"
    assert clause.values == {"p0": "x' OR 1=1 --"}


def test_an_unknown_field_is_refused_with_its_name_and_those_that_are_known() -> None:
    with pytest.raises(UnsupportedError, match=r"'colour'\. Fields that can: size, word"):
        sql(Compare("colour", "eq", "red"), {"word": "w", "size": "s"})


@pytest.mark.parametrize("value", ["a\0b", "\ud800", float("nan"), ("ok", "\0")])
def test_what_no_store_can_hold_is_bad_input(value: Scalar | tuple[Scalar, ...]) -> None:
    with pytest.raises(BadInputError):
        sql(Compare("word", "in" if isinstance(value, tuple) else "eq", value), COLUMNS)


@pytest.mark.parametrize("wrong", [Compare("word", "in", "a"), Compare("word", "eq", ("a",))])
def test_a_list_goes_with_in_and_with_nothing_else(wrong: Compare) -> None:
    with pytest.raises(BadInputError):
        sql(wrong, COLUMNS)
    with pytest.raises(BadInputError):
        holds(wrong, {"word": "a"})


def test_both_needs_no_nesting_where_one_part_is_everything() -> None:
    part = Compare("word", "eq", "a")

    assert both(EVERYTHING, part) == part
    assert both(part, EVERYTHING) == part
    assert both(part, NOTHING) == And((part, NOTHING))


def test_fields_names_all_that_a_predicate_speaks_of() -> None:
    assert fields(And((Not(Compare("a", "eq", 1)), Or((Within(0, 0, 1, 1), Compare("b", "in", (1,))))))) == {"a", "b", "lon", "lat"}
