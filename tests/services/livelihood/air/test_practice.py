"""What the standards leave open stands in parameters.toml with source and mark."""

import numpy as np
import pytest

from citybrain.services.livelihood.air import aqi, practice
from citybrain.services.livelihood.air.scale import Edition, Period, Pollutant


def test_every_open_number_names_its_source_and_none_claims_to_be_confirmed() -> None:
    assert all(len(parameter.source) > 30 for parameter in practice.PARAMETERS)
    assert {parameter.mark for parameter in practice.PARAMETERS} == {"memory", "secondary"}


def test_another_practice_changes_the_index() -> None:
    uncapped = practice.Practice(600, 14, 160.0, 20, 20, -1.0, 0.75)
    found = aqi.iaqi(Pollutant.PM25, np.array([501.0]), Period.DAY, Edition.HJ_2026, uncapped)
    assert found.tolist() == [600]


def test_a_missing_or_mistaken_parameter_is_named() -> None:
    with pytest.raises(ValueError, match="no number 'advised_zh'"):
        practice.number(practice.PARAMETERS, "advised_zh")
    with pytest.raises(ValueError, match="no words 'aqi_cap'"):
        practice.words(practice.PARAMETERS, "aqi_cap")
