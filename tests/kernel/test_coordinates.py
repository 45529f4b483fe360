"""Coordinate systems; vectors computed independently (standards facts 12.5)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.coordinates import (
    Floats,
    bd09_from_gcj02,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    likely,
    metres,
    wgs84,
    wgs84_from_gcj02,
)

places = st.tuples(st.floats(116.7, 118.1), st.floats(38.5, 40.3))


def point(lon: float, lat: float) -> tuple[Floats, Floats]:
    return np.array([lon]), np.array([lat])


def test_wgs84_to_gcj02() -> None:
    assert np.hstack(gcj02_from_wgs84(*point(117.17, 39.11))) == pytest.approx([117.176355851, 39.111076577], abs=1e-9)
    assert np.hstack(gcj02_from_wgs84(*point(116.404, 39.915))) == pytest.approx([116.410244499, 39.916404282], abs=1e-9)


def test_gcj02_to_bd09() -> None:
    assert np.hstack(bd09_from_gcj02(*point(117.176355851, 39.111076577))) == pytest.approx([117.182962509, 39.116728575], abs=1e-8)
    assert np.hstack(bd09_from_gcj02(*point(116.404, 39.915))) == pytest.approx([116.41036949, 39.921336994], abs=1e-8)


@given(places)
def test_there_and_back_is_the_same_place(place: tuple[float, float]) -> None:
    lon, lat = point(*place)

    assert np.hstack(wgs84_from_gcj02(*gcj02_from_wgs84(lon, lat))) == pytest.approx(place, abs=1e-9)
    assert np.hstack(gcj02_from_bd09(*bd09_from_gcj02(lon, lat))) == pytest.approx(place, abs=1e-9)
    assert np.hstack(wgs84(*bd09_from_gcj02(*gcj02_from_wgs84(lon, lat)), "BD09")) == pytest.approx(place, abs=1e-9)


def test_cgcs2000_is_taken_as_wgs84() -> None:
    lon, lat = point(117.17, 39.11)

    assert wgs84(lon, lat, "CGCS2000") == (lon, lat)


def test_conversion_leaves_its_input_alone() -> None:
    lon, lat = point(117.17, 39.11)

    wgs84(lon, lat, "GCJ02")

    assert (lon[0], lat[0]) == (117.17, 39.11)


def test_a_degree_of_latitude_is_111_km() -> None:
    assert metres(*point(117.0, 39.0), *point(117.0, 40.0))[0] == pytest.approx(111_195.08, abs=0.01)


def test_a_layer_is_told_apart_by_control_points() -> None:
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(117.1, 117.2, 20), rng.uniform(39.05, 39.15, 20)

    distances = likely(*gcj02_from_wgs84(lon, lat), lon, lat)

    assert min(distances, key=lambda system: distances[system]) == "GCJ02"
    assert distances["GCJ02"] < 0.01
    assert 400 < distances["WGS84"] < 700
