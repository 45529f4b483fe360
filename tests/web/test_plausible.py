"""What an axis shows, and how many digits tell its values apart."""

import pytest

from citybrain.web import plausible


def test_a_flood_is_shown_and_a_broken_number_is_not() -> None:
    rain = [0.0] * 20 + [0.2, 0.4, 0.2, 50.0]
    assert plausible.window(rain, None).holds(50.0)
    assert not plausible.window([*rain, 1e9], None).holds(1e9)


@pytest.mark.parametrize(
    ("values", "decimals"),
    [([1.0, 200.0], 0), ([199.5], 1), ([15.53], 1), ([6.8], 2), ([0.0043], 5), ([0.0, -0.5], 3), ([], 0), ([1e-300], 6)],
)
def test_values_are_told_apart_by_three_digits(values: list[float], decimals: int) -> None:
    assert plausible.decimals(values) == decimals
