"""Levels, their colours and their words."""

import math

import pytest

from citybrain.services.livelihood.air.levels import LEVELS, SENSITIVE, level_of
from citybrain.services.livelihood.air.scale import Pollutant


@pytest.mark.parametrize(
    ("aqi", "name", "colour"),
    [(0, "优", "#00E400"), (50, "优", "#00E400"), (51, "良", "#FFFF00"), (101, "轻度污染", "#FF7E00"), (200, "中度污染", "#FF0000"),
     (300, "重度污染", "#99004C"), (301, "严重污染", "#7E0023"), (500, "严重污染", "#7E0023")],
)  # fmt: skip
def test_the_level_and_colour_of_an_index_are_those_of_annex_a(aqi: int, name: str, colour: str) -> None:
    assert (level_of(aqi).name.zh, level_of(aqi).hex) == (name, colour)


def test_an_index_that_is_not_there_has_no_colour() -> None:
    with pytest.raises(ValueError, match="has no level"):
        level_of(math.nan)


def test_every_level_and_pollutant_has_words_in_both_languages() -> None:
    texts = [text for level in LEVELS for text in (level.rank, level.name, level.colour, level.effect, level.advice)]
    texts += [text for pollutant in Pollutant for text in SENSITIVE[pollutant]]
    assert all(text.zh.strip() and text.en.strip() for text in texts)
