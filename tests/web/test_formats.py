"""Formats, each with the text that people should read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.instant import DAY, HOUR, MINUTE, SECOND, Instant, parse
from citybrain.web import formats

AT = parse("2026-11-22T07:30:00Z")


def test_a_whole_time_is_said_as_each_language_says_it() -> None:
    assert formats.when(AT, "zh") == "2026年11月22日 星期日 15:30"
    assert formats.when(AT, "en") == "Sun 22 Nov 2026, 15:30"


def test_a_brief_time_leaves_out_what_is_the_same_today() -> None:
    assert formats.brief(AT, Instant(AT + HOUR), "zh") == "15:30"
    assert formats.brief(Instant(AT - DAY), AT, "zh") == "11月21日 15:30"
    assert formats.brief(Instant(AT - DAY), AT, "en") == "21 Nov 15:30"
    assert formats.brief(Instant(AT - 365 * DAY), AT, "zh") == "2025年11月22日 星期六 15:30"


@pytest.mark.parametrize(
    ("ago", "zh", "en"),
    [
        (0, "刚刚", "just now"),
        (12 * SECOND, "12秒前", "12 s ago"),
        (MINUTE, "1分钟前", "1 min ago"),
        (3 * MINUTE + 59 * SECOND, "3分钟前", "3 min ago"),
        (26 * HOUR, "1天前", "1 d ago"),
        (-5 * MINUTE, "刚刚", "just now"),
    ],
)
def test_an_age_is_said_in_its_largest_whole_unit(ago: int, zh: str, en: str) -> None:
    assert formats.age(Instant(AT - ago), AT, "zh") == zh
    assert formats.age(Instant(AT - ago), AT, "en") == en


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (7800, "2小时10分", "2 h 10 min"),
        (7200, "2小时", "2 h"),
        (30, "0分", "0 min"),
        (-5700, "1小时35分", "1 h 35 min"),
        (90_000, "1天1小时", "1 d 1 h"),
    ],
)
def test_a_length_of_time_takes_two_units_at_most(seconds: int, zh: str, en: str) -> None:
    assert formats.span(seconds, "zh") == zh
    assert formats.span(seconds, "en") == en


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (36, "36", "36"),
        (99_999, "99,999", "99,999"),
        (1_284_530, "128.5万", "1,284,530"),
        (128_453_000, "1.28亿", "128,453,000"),
        (-12, "−12", "−12"),
    ],
)
def test_large_numbers_are_in_ten_thousands_in_chinese_and_in_thousands_in_english(value: float, zh: str, en: str) -> None:
    assert formats.short(value, 0, "zh") == zh
    assert formats.short(value, 0, "en") == en


def test_a_difference_has_its_sign() -> None:
    assert formats.signed(1.25, 1) == "+1.2"
    assert formats.signed(-1.2, 1) == "−1.2"
    assert formats.signed(0) == "0"


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6))
def test_ticks_ascend_and_cover_what_is_drawn(low: float, width: float) -> None:
    marks = formats.ticks(low, low + width)
    assert list(marks) == sorted(set(marks))
    assert marks[0] <= low + width * 1e-6
    assert marks[-1] >= low + width - width * 1e-6
    assert len(marks) <= 12


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1_234_567.0, "1234567"),
        (123_456_789.25, "123456789"),
        (6.800000190734863, "6.8"),
        (0.0435, "0.0435"),
        (-0.0, "0"),
        (-5.1, "-5.1"),
        (100.0, "100"),
        (1e308, "1e308"),
        (2e-9, "2e-09"),
    ],
)
def test_a_reading_is_said_with_all_its_digits_before_the_point(value: float, said: str) -> None:
    assert formats.reading(value) == said


def test_a_number_that_is_rounded_to_nothing_has_no_sign_and_a_huge_one_no_hundred_digits() -> None:
    assert formats.number(-0.04, 1) == "0.0"
    assert formats.number(1e308) == "1e308"
