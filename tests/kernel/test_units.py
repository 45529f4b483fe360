"""Units of measure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.units import UNITS, scale, unit

codes = st.sampled_from(sorted(UNITS))


@pytest.mark.parametrize(
    ("value", "given_unit", "wanted", "expected"),
    [
        (35.0, "Cel", "[degF]", 95.0),
        (0.0, "Cel", "K", 273.15),
        (-40.0, "[degF]", "Cel", -40.0),
        (1.5, "mg/m3", "ug/m3", 1500.0),
        (0.075, "mg/m3", "ug/m3", 75.0),
        (36.0, "km/h", "m/s", 10.0),
        (1013.25, "hPa", "kPa", 101.325),
        (50.0, "%", "1", 0.5),
        (90.0, "min", "h", 1.5),
        (1500.0, "L", "m3", 1.5),
    ],
)
def test_known_conversions(value: float, given_unit: str, wanted: str, expected: float) -> None:
    factor, offset = scale(given_unit, wanted)

    assert factor * value + offset == pytest.approx(expected, rel=1e-12, abs=1e-9)


@given(codes, codes, st.floats(-1e6, 1e6))
def test_there_and_back_is_the_same_value(one: str, other: str, value: float) -> None:
    if UNITS[one].dimension != UNITS[other].dimension:
        with pytest.raises(BadInputError):
            scale(one, other)
        return
    there, back = scale(one, other), scale(other, one)

    assert back[0] * (there[0] * value + there[1]) + back[1] == pytest.approx(value, rel=1e-9, abs=1e-6)


@given(codes)
def test_a_unit_is_itself_exactly(code: str) -> None:
    assert scale(code, code) == (1.0, 0.0)


def test_an_unknown_unit_is_named_in_the_refusal() -> None:
    with pytest.raises(BadInputError, match="'µg'"):
        unit("µg")
