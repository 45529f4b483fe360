"""Trying a rule on history."""

import numpy as np
import pytest

from citybrain.app.city import City
from citybrain.app.trial import Spell, spells
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import DAY, HOUR, Instant
from tests.app.conftest import NOW


async def _index(city: City, values: dict[int, float]) -> None:
    """Hourly AQI, by hours before now."""
    number = city.registry.stream("air-01.aqi").no
    times = np.array([NOW - hours * HOUR for hours in values], np.int64)
    await city.intake.take_columns(np.full(len(values), number, np.int32), times, np.array(list(values.values())), "import", None)


async def test_a_rule_would_have_held_over_each_spell_of_foul_hours(city: City) -> None:
    await _index(city, {9: 120.0, 8: 180.0, 7: 199.0, 6: 90.0, 5: 160.0, 4: 90.0})
    assert spells(city, "aqi_moderate", 1) == (
        Spell("air-01", Instant(NOW - 8 * HOUR), Instant(NOW - 7 * HOUR), 2),
        Spell("air-01", Instant(NOW - 5 * HOUR), Instant(NOW - 5 * HOUR), 1),
    )


async def test_what_lies_before_the_days_asked_for_is_left_out(city: City) -> None:
    await _index(city, {30: 180.0, 3: 180.0})
    assert [spell.since for spell in spells(city, "air.aqi_moderate", 1)] == [NOW - 3 * HOUR]
    assert [spell.since for spell in spells(city, "air.aqi_moderate", 2)] == [NOW - 30 * HOUR, NOW - 3 * HOUR]


def test_a_rule_that_is_not_there_is_told_with_those_that_are(city: City) -> None:
    with pytest.raises(NotFoundError, match="aqi_moderate"):
        spells(city, "flood", 1)


def test_a_thing_without_history_gives_no_spell(city: City) -> None:
    assert city.clock.city() - DAY < NOW
    assert spells(city, "aqi_moderate", 30) == ()
