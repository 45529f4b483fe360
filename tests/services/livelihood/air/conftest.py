"""The shipped extract and one fit on its first two years, read once."""

import pytest

from citybrain.sdk import History
from citybrain.services.livelihood.air import forecast, stations
from tests.services.livelihood.air.places import END, EXTRACT, SPLIT, START


@pytest.fixture(scope="session")
def beijing() -> History:
    return stations.history(stations.read(EXTRACT, START, END))


@pytest.fixture(scope="session")
def model(beijing: History) -> forecast.Model:
    return forecast.fit(beijing, SPLIT)
