"""Coordinate systems met in China: WGS 84 inside; GCJ-02 and BD-09 turned at the door, on arrays.

CGCS2000 equals WGS 84 to better than 1 m here. The GCJ-02 offset is the published public approximation
(a = 6378245.0, ee = 0.00669342162296594323); vectors stand in the tests.
"""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
System: TypeAlias = Literal["WGS84", "CGCS2000", "GCJ02", "BD09"]

_A = 6378245.0
_EE = 0.00669342162296594323
_BD = np.pi * 3000.0 / 180.0


def gcj02_from_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """WGS 84 degrees (n,) to GCJ-02 degrees (n,)."""
    shift_lon, shift_lat = _offset(lon, lat)
    return lon + shift_lon, lat + shift_lat


def wgs84_from_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """GCJ-02 degrees (n,) to WGS 84 degrees (n,), by iteration to below 1e-9 degrees."""
    x, y = lon.copy(), lat.copy()
    for _ in range(8):
        shift_lon, shift_lat = _offset(x, y)
        x, y = lon - shift_lon, lat - shift_lat
    return x, y


def bd09_from_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """GCJ-02 degrees (n,) to BD-09 degrees (n,)."""
    z = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD)
    theta = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def gcj02_from_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """BD-09 degrees (n,) to GCJ-02 degrees (n,), by iteration."""
    x, y = lon - 0.0065, lat - 0.006
    for _ in range(8):
        there_lon, there_lat = bd09_from_gcj02(x, y)
        x, y = x + lon - there_lon, y + lat - there_lat
    return x, y


def wgs84(lon: Floats, lat: Floats, system: System) -> tuple[Floats, Floats]:
    """Degrees in a declared system to WGS 84 degrees."""
    if system == "BD09":
        lon, lat = gcj02_from_bd09(lon, lat)
    if system in ("BD09", "GCJ02"):
        return wgs84_from_gcj02(lon, lat)
    return lon, lat


def likely(lon: Floats, lat: Floats, control_lon: Floats, control_lat: Floats) -> dict[System, float]:
    """Median distance in metres between a layer's points and WGS 84 control points, for each system the layer may be in."""
    distances: dict[System, float] = {}
    systems: tuple[System, ...] = ("WGS84", "GCJ02", "BD09")
    for system in systems:
        x, y = wgs84(lon, lat, system)
        distances[system] = float(np.median(metres(x, y, control_lon, control_lat)))
    return distances


def metres(lon_a: Floats, lat_a: Floats, lon_b: Floats, lat_b: Floats) -> Floats:
    """Great-circle distance (haversine, mean radius 6 371 008.8 m) between degrees (n,) and (n,)."""
    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    inner = np.sin((phi_b - phi_a) / 2) ** 2 + np.cos(phi_a) * np.cos(phi_b) * np.sin(np.radians(lon_b - lon_a) / 2) ** 2
    return np.asarray(2 * 6_371_008.8 * np.arcsin(np.sqrt(inner)), dtype=np.float64)


def _offset(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1 - _EE * np.sin(phi) ** 2
    root_magic = np.sqrt(magic)
    lat_shift = north * 180.0 / ((_A * (1 - _EE)) / (magic * root_magic) * np.pi)
    lon_shift = east * 180.0 / (_A / root_magic * np.cos(phi) * np.pi)
    return lon_shift, lat_shift
