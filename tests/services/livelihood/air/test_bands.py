"""Bands hold what they promise on data of any shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.services.livelihood.air import bands


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), skew=st.floats(0.1, 3.0))
def test_four_fifths_of_new_truth_lie_in_the_band_whatever_the_errors_look_like(seed: int, skew: float) -> None:
    generator = np.random.default_rng(seed)
    level = generator.uniform(2, 7, 8_000)
    truth = level + (generator.gamma(skew, size=8_000) - skew) * level / 20
    around = bands.calibrate(level[:4_000], truth[:4_000]).around(level[4_000:])
    inside = (around[:, 0] <= truth[4_000:] ** 3) & (truth[4_000:] ** 3 <= around[:, 2])
    assert inside.mean() == pytest.approx(0.8, abs=0.05)


@given(st.lists(st.floats(0, 9), min_size=1, max_size=30))
def test_the_middle_lies_in_the_band_and_nothing_is_negative(levels: list[float]) -> None:
    level = np.array(levels)
    around = bands.calibrate(level, level[::-1]).around(level)
    assert (around >= 0).all()
    assert (np.diff(around, axis=1) >= 0).all()
