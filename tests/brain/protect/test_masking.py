"""Masked values show enough to recognise and too little to use; form tokens belong to one session."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.protect import fits, form_token
from citybrain.brain.protect.masking import masked


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("张三", "张*"),
        ("欧阳娜娜", "欧***"),
        ("𠅤", "𠅤*"),
        ("13800001234", "138******34"),
        ("120104199001011234", "120*************34"),
        ("南开区示例街道1号", "南********"),
        ("1234567", "1******"),
        ("", None),
        (None, None),
        (42, None),
        (["张三"], None),
    ],
)
def test_values_are_masked(value: str | int | list[str] | None, shown: str | None) -> None:
    assert masked(list(value) if isinstance(value, list) else value) == shown


@given(st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=2))
def test_of_a_word_only_the_first_character_is_left(word: str) -> None:
    shown = masked(word)
    assert isinstance(shown, str)
    assert shown[0] == word[0]
    assert set(shown[1:]) == {"*"}


def test_a_form_token_fits_its_session_and_no_other() -> None:
    assert fits("session-a", form_token("session-a"))
    assert not fits("session-b", form_token("session-a"))
    assert not fits("session-a", "ü")
