"""Bilingual words."""

import msgspec
import pytest

from citybrain.kernel.text import Text, same


def test_a_text_gives_the_language_asked_for() -> None:
    text = Text("空气", "Air")

    assert (text.get("zh"), text.get("en")) == ("空气", "Air")
    assert same("PM2.5") == Text("PM2.5", "PM2.5")


def test_places_are_filled_in_both_languages() -> None:
    assert Text("{a}超过{b:.0f}", "{a} is over {b:.0f}").fill(a="AQI", b=100.4) == Text("AQI超过100", "AQI is over 100")


def test_a_place_that_nobody_fills_is_an_error() -> None:
    with pytest.raises(KeyError, match="b"):
        Text("{a}", "{b}").fill(a=1)


@pytest.mark.parametrize("word", ["䶮", "𠅤", "阿·买", "é"])
def test_rare_characters_survive_the_wire(word: str) -> None:
    assert msgspec.json.decode(msgspec.json.encode(same(word)), type=Text) == same(word)
