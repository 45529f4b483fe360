"""Leftovers of policies become filters, or are refused; a random policy and its filter agree on every row."""

import itertools
from collections.abc import Mapping

import cedarpy
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.brain.protect.residual import Residual, rows_of
from citybrain.kernel.errors import UnsupportedError
from citybrain.kernel.predicate import EVERYTHING, NOTHING, Predicate, holds

SCHEMA = """
entity Account { unit: String };
entity Thing;
type Row = { unit?: String, grade?: Long, open?: Bool };
action "see" appliesTo { principal: [Account], resource: [Thing], context: Row };
"""
ENTITIES: list[dict[str, object]] = [
    {"uid": {"type": "Account", "id": "a"}, "attrs": {"unit": "u1"}, "parents": []},
    {"uid": {"type": "Thing", "id": "t"}, "attrs": {}, "parents": []},
]
REQUEST = {"principal": 'Account::"a"', "action": 'Action::"see"', "resource": 'Thing::"t"'}
ROWS = [
    {name: value for name, value in zip(("unit", "grade", "open"), values, strict=True) if value is not None}
    for values in itertools.product((None, "u1", "u2"), (None, 1, 2, 3), (None, True, False))
]


def narrowed(policies: str) -> Predicate:
    answer = cedarpy.is_authorized_partial({**REQUEST, "context": None}, policies, ENTITIES, SCHEMA)
    return rows_of(msgspec.convert(answer.residuals, dict[str, Residual]))[0]


def allowed(policies: str, row: Mapping[str, object]) -> bool:
    return bool(cedarpy.is_authorized({**REQUEST, "context": dict(row)}, policies, ENTITIES, SCHEMA).allowed)


ATOMS = st.sampled_from(
    [
        "(context has unit && context.unit == principal.unit)",
        '(context has unit && context.unit != "u2")',
        "(context has unit && !(context.unit == principal.unit))",
        "(context has grade && context.grade >= 2)",
        "(context has grade && 2 > context.grade)",
        "(context has grade && !(context.grade < 3))",
        "(context has grade && [1, 3].contains(context.grade))",
        "(context has open && context.open == true)",
        'principal.unit == "u1"',
        'principal.unit == "u9"',
        "true",
        "false",
    ]
)
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=4,
)
POLICIES = st.lists(st.tuples(st.sampled_from(["permit", "permit", "forbid"]), CONDITIONS), min_size=1, max_size=4)


@pytest.mark.thorough
@given(POLICIES)
@settings(max_examples=60, deadline=None)
def test_the_filter_shows_exactly_the_rows_that_the_policies_allow(parts: list[tuple[str, str]]) -> None:
    words = "\n".join(f"{effect} (principal, action, resource) when {{ {condition} }};" for effect, condition in parts)
    where = narrowed(words)
    for row in ROWS:
        assert holds(where, row) == allowed(words, row), (row, where)


@pytest.mark.parametrize(
    "condition",
    [
        "context has unit",
        "!(context has unit)",
        'context has unit && !(context has grade && context.grade == 1 && context.unit == "u1")',
        'context has unit && context.unit like "u*"',
        "context has unit && context has grade && context.unit == context.unit",
        'if context has unit then context.unit == "u1" else true',
        "context has grade && context.grade + 1 == 2",
        "context has open && context.open",
    ],
)
def test_a_leftover_of_unknown_shape_is_refused_and_never_allowed(condition: str) -> None:
    with pytest.raises(UnsupportedError, match="so it is refused"):
        narrowed(f"permit (principal, action, resource) when {{ {condition} }};")


def test_a_forbid_for_all_leaves_nothing_and_no_policy_at_all_leaves_nothing() -> None:
    everything = "permit (principal, action, resource);"
    assert narrowed(everything) == EVERYTHING
    assert narrowed(everything + "forbid (principal, action, resource);") == NOTHING
    assert rows_of({})[0] == NOTHING


def test_a_policy_with_an_unknown_head_or_clause_is_refused() -> None:
    head: dict[str, object] = {"op": "All"}
    residual = Residual("permit", head, head, {"op": "is"}, ())
    with pytest.raises(UnsupportedError):
        rows_of({"p": residual})
    with pytest.raises(UnsupportedError):
        rows_of({"p": Residual("allow", head, head, head, ())})
