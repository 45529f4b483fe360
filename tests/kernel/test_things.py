"""Kinds and fields."""

import pytest

from citybrain.kernel.text import same
from citybrain.kernel.things import LIFE_WORDS, By, Field, Kind, Life

KIND = Kind("lamp", same("Lamp"), (Field("on", same("On"), By.SENSOR), Field("model", same("Model"), By.FORM)), owner="lighting")


def test_a_field_is_found_by_name_or_missed_by_name() -> None:
    assert KIND.field("model").by is By.FORM
    assert KIND.has("on")
    with pytest.raises(KeyError, match="colour"):
        KIND.field("colour")


def test_only_sensors_and_derivations_are_streams() -> None:
    measured = {by: Field("x", same("X"), by).measured for by in By}

    assert measured == {By.SENSOR: True, By.DERIVED: True, By.FEED: False, By.FORM: False}


def test_every_life_has_its_words() -> None:
    assert set(LIFE_WORDS) == set(Life)
