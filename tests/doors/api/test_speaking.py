"""The language of answers: the better liked of the two, and Chinese where nobody says."""

import pytest

from citybrain.doors.api import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("zh-CN,en;q=0.9", "zh"),
        ("fr, en;q=x", "zh"),
        ("en;q=0.5, zh;q=0.5", "zh"),
    ],
)
def test_the_better_liked_language_wins_and_chinese_otherwise(header: str, language: str) -> None:
    assert preferred(header) == language
