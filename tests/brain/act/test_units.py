"""Who answers: the nearest area upward, then the district."""

import pytest

from citybrain.brain.act import Units
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.parties import Unit
from citybrain.kernel.text import Text


@pytest.mark.parametrize(
    ("area", "unit"),
    [
        ("120104001", "unit-street"),
        ("120104001002003", "unit-street"),
        ("120104002", "unit-district"),
        ("120104", "unit-district"),
        (None, "unit-district"),
    ],
)
def test_the_nearest_area_upward_answers(units: Units, area: str | None, unit: str) -> None:
    assert units.responsible("environment", area) == unit


def test_a_unit_without_an_area_answers_everywhere_when_nobody_is_nearer(units: Units) -> None:
    assert units.responsible("command", "120104001002003") == "unit-command"
    with pytest.raises(NotFoundError, match="No unit answers for 'flood'"):
        units.responsible("flood", "120104001")


def test_a_unit_entered_again_is_replaced_and_a_wrong_area_is_refused(units: Units) -> None:
    units.put(Unit("unit-street", Text("新名", "New name"), ("waste",), "120104001"))
    assert units.unit("unit-street").name == Text("新名", "New name")
    assert units.responsible("environment", "120104001") == "unit-district"
    with pytest.raises(BadInputError):
        units.put(Unit("unit-x", Text("错", "Wrong"), (), "12"))
    with pytest.raises(NotFoundError):
        units.unit("unit-x")
