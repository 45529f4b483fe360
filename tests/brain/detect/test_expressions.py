"""Conditions: what the subset means, by golden cases and by the cel library."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.detect.expressions import by_cel, cel_text, compiled
from citybrain.brain.detect.syntax import Apply, Has, Literally, Name, Node, Sort, SyntaxFault, condition

SORTS: dict[str, Sort] = {"x": "number", "y": "number", "s": "text", "t": "text"}


def told(node: Node, values: dict[str, float | str]) -> bool | None:
    """True, False, or None for neither, by numpy on a frame of one row."""
    frame = {
        name: np.array([values.get(name, np.nan)], np.float64) if sort == "number" else np.array([values.get(name)], object)
        for name, sort in SORTS.items()
    }
    with np.errstate(all="ignore"):
        true, false = compiled(node).true(frame), compiled(node).false(frame)
    assert not (true & false).any()
    return True if true[0] else False if false[0] else None


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("x > 3", {"x": 4.0}, True),
        ("x > 3", {"x": 3.0}, False),
        ("x > 3", {}, None),
        ("!(x > 3)", {}, None),
        ("x != 3", {}, None),
        ("has(x)", {}, False),
        ("!has(x)", {}, True),
        ("x > 3 || y > 2", {"y": 5.0}, True),
        ("x > 3 && y > 2", {"y": 1.0}, False),
        ("x > 3 && y > 2", {"y": 5.0}, None),
        ("x + 2 * 3 == 10", {"x": 4.0}, True),
        ("(x + 2) * 3 == 18", {"x": 4.0}, True),
        ("x - 1 - 1 == 2", {"x": 4.0}, True),
        ("-x < -3", {"x": 4.0}, True),
        ("7 % x == 3", {"x": 4.0}, True),
        ("-7 % x == -3", {"x": 4.0}, True),
        ("x / y > 1", {"x": 1.0, "y": 0.0}, None),
        ("!(x / y > 1)", {"x": 0.0, "y": 0.0}, None),
        ("x in [1, 4.0]", {"x": 4.0}, True),
        ("x in []", {"x": 4.0}, False),
        ("s in ['红', 'b']", {"s": "红"}, True),
        ("s == 'a' && s != \"b\"", {"s": "a"}, True),
        ("s == t", {"s": "a"}, None),
        ("(has(y) ? y : x) > 3", {"x": 4.0}, True),
        ("x > 3 ? y > 1 : y > 2", {"x": 4.0, "y": 1.5}, True),
        ("y > 3 ? true : true", {}, None),
        ("min(x, 2) == 2 && max(x, 2) == x && abs(-x) == x", {"x": 4.0}, True),
        ("max(x, y) > 1", {"x": 4.0}, None),
        ("(x > 3) == (y > 3)", {"x": 4.0, "y": 4.0}, True),
        ("1e3 > x", {"x": 4.0}, True),
        ("true || x > 3", {}, True),
    ],
)
def test_golden_cases_hold_by_numpy_and_by_cel(text: str, values: dict[str, float | str], expected: bool | None) -> None:  # noqa: FBT001 - a parameter of the test, named by hypothesis
    node = condition(text, SORTS)
    assert told(node, values) is expected
    assert by_cel(node, values) is expected


numbers = st.recursive(
    st.one_of(
        st.sampled_from([Literally(float(value), "number") for value in (-2, 0, 0.5, 1, 3, 100)]),
        st.sampled_from([Name("x", "number"), Name("y", "number")]),
    ),
    lambda inner: st.one_of(
        st.builds(
            lambda sign, a, b: Apply(sign, (a, b), "number"), st.sampled_from(["+", "-", "*", "/", "%", "min", "max"]), inner, inner
        ),
        st.builds(lambda sign, a: Apply(sign, (a,), "number"), st.sampled_from(["-", "abs"]), inner),
    ),
    max_leaves=5,
)
texts = st.one_of(
    st.sampled_from([Name("s", "text"), Name("t", "text")]),
    st.sampled_from(["a", "红", "it's"]).map(lambda word: Literally(word, "text")),
)
atoms = st.one_of(
    st.builds(
        lambda sign, a, b: Apply(sign, (a, b), "truth"), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers, numbers
    ),
    st.builds(lambda sign, a, b: Apply(sign, (a, b), "truth"), st.sampled_from(["==", "!="]), texts, texts),
    st.builds(lambda a: Apply("in", (a, Literally(1.0, "number"), Literally(3.0, "number")), "truth"), numbers),
    st.sampled_from([Has("x"), Has("s"), Literally(value=True, sort="truth")]),
)
truths = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(lambda sign, a, b: Apply(sign, (a, b), "truth"), st.sampled_from(["&&", "||", "==", "!="]), inner, inner),
        st.builds(lambda a: Apply("!", (a,), "truth"), inner),
        st.builds(lambda a, b, c: Apply("?", (a, b, c), "truth"), inner, inner, inner),
    ),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "x": st.sampled_from([-7.5, 0.0, 1.0, 3.0, 1e6]),
        "y": st.sampled_from([-1.0, 0.0, 0.25, 100.0]),
        "s": st.sampled_from(["a", "红", ""]),
        "t": st.just("a"),
    },
)


@pytest.mark.thorough
@given(truths, rows)
def test_numpy_and_the_cel_library_agree(node: Node, values: dict[str, float | str]) -> None:
    assert told(node, values) is by_cel(node, values), cel_text(node)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("z > 3", "'z' is neither"),
        ("x > ", "ends too early"),
        ("x", "no condition"),
        ("x > 's'", "cannot stand between"),
        ("s > 'a'", "cannot stand between"),
        ("1 < x < 3", "chained"),
        ("x > 3)", "not expected"),
        ("x > 3; y", "not understood"),
        ("size(s) > 3", "no function 'size'"),
        ("min(x) > 3", "takes 2"),
        ("x in [y]", "literals"),
        ("x in ['a']", "literals"),
        ("!x", "cannot stand before"),
        ("true ? 1 : 's'", "one sort"),
        ("(" * 100 + "true" + ")" * 100, "too deep"),
        ("has(3)", "neither"),
    ],
)
def test_what_the_subset_does_not_hold_is_refused(text: str, why: str) -> None:
    with pytest.raises(SyntaxFault, match=why):
        condition(text, SORTS)


@given(st.text("xys<>=!&|()[]?:,+-*/% '\"3.ahin", max_size=25))
def test_any_text_is_a_condition_or_a_fault(text: str) -> None:
    try:
        node = condition(text, SORTS)
    except SyntaxFault:
        return
    told(node, {"x": 1.0, "y": 2.0, "s": "a", "t": "b"})
