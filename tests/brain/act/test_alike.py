"""Likeness of sayings: pairs of Chinese characters, whole words of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.act.alike import likeness, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("路灯不亮", {"路灯", "灯不", "不亮"}),
        ("灯", {"灯"}),
        ("Ｌｉｇｈｔ 3号", {"light", "3", "号"}),
        ("，。!", set()),
        ("䶮山", {"䶮山"}),
    ],
)
def test_what_a_saying_is_compared_by(text: str, expected: set[str]) -> None:
    assert tokens(text) == expected


def test_likeness_counts_what_is_common_twice_over_all() -> None:
    assert likeness("路灯不亮", "路灯亮") == pytest.approx(2 * 1 / (3 + 2))


@given(st.text(max_size=50), st.text(max_size=50))
def test_likeness_is_the_same_both_ways_and_lies_between_0_and_1(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one)
    assert 0.0 <= likeness(one, other) <= 1.0
