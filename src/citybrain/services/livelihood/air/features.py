"""What a forecast may know at the hour it is made: features of one station from its own and its neighbours' past hours.

Every operation looks back only. Concentrations are in cube roots, where their errors are near symmetric.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from citybrain.sdk import HOUR, History, Instant
from citybrain.services.livelihood.air.scale import Floats, Whole

CARRY = 6
"""Hours over which a missing value is carried on; a longer gap stays a gap."""
WINDOW = 96
"""Hours of history that the features of one hour look at, with some to spare."""
_WIND = ("wind_east", "wind_north", "wind_speed")
_AIR = ("temperature", "dew_point", "pressure")


@dataclass(frozen=True, slots=True)
class Record:
    """Hourly record of a network without holes in time: hour numbers since 1970 UTC (t,), cube roots (t, e), weather (t, e)."""

    hours: Whole
    level: Floats
    weather: Mapping[str, Floats]


def record(history: History, field: str, since: Instant, until: Instant) -> Record:
    """The hours of [since, until] of one field, cube roots, with its weather; what the history does not hold is NaN."""
    hours = np.arange(since // HOUR, until // HOUR + 1, dtype=np.int64)
    source = history.times // HOUR
    inside = (source >= hours[0]) & (source <= hours[-1])
    at = source[inside] - hours[0]

    def grid(name: str) -> Floats:
        values = np.full((len(hours), len(history.entities)), np.nan)
        if name in history.fields:
            values[at] = history.fields[name][inside]
        return values

    speed, direction = grid("wind_speed"), np.radians(grid("wind_direction"))
    weather = {name: grid(name) for name in (*_AIR, "rain")}
    weather |= {"wind_speed": speed, "wind_east": -speed * np.sin(direction), "wind_north": -speed * np.cos(direction)}
    level = grid(field)
    return Record(hours, np.cbrt(np.where(level >= 0, level, np.nan)), {name: _carried(w) for name, w in weather.items()})


def carried(level: Floats) -> Floats:
    """The last known value within CARRY hours (t, e): where the forecast and its baseline start from."""
    return _carried(level)


def features(record: Record, station: int) -> Floats:
    """Features (t, k) of one station at every hour; NaN where the past does not tell. Persistence is the first column."""
    level = _carried(record.level)
    own = level[:, station]
    others = _others(level, station)
    columns = [own, others - own, others - _before(others, 3)]
    columns += [own - _before(own, hours) for hours in (1, 2, 3, 6, 12, 23)]
    columns += [_mean(own, hours) - own for hours in (6, 24, 72)]
    columns += _weather(record, station)
    columns += _calendar(record.hours)
    return np.stack(columns, axis=1)


def _weather(record: Record, station: int) -> list[Floats]:
    columns: list[Floats] = []
    here, region = {}, {}
    for name, values in record.weather.items():
        region[name] = _known_mean(values)
        here[name] = np.where(np.isnan(values[:, station]), region[name], values[:, station])
    for name in _WIND:
        columns += [here[name], region[name], _mean(region[name], 6), _mean(region[name], 24)]
    for name in _AIR:
        columns += [here[name]] + [region[name] - _before(region[name], hours) for hours in (3, 12, 24)]
    columns += [np.log1p(_mean(here["rain"], hours) * hours) for hours in (6, 24)]
    moisture = here["dew_point"] - here["temperature"]
    return [*columns, moisture, _mean(moisture, 24)]


def _calendar(hours: Whole) -> list[Floats]:
    local = hours + 8
    day, week, year = local % 24 / 24, (local // 24 + 3) % 7 / 7, local / 24 % 365.2425 / 365.2425
    turns = [day * k for k in (1, 2, 3)] + [year * k for k in (1, 2)] + [week]
    return [wave(2 * np.pi * turn) for turn in turns for wave in (np.sin, np.cos)]


def _carried(values: Floats) -> Floats:
    rows = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, rows), axis=0)
    found = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where((last >= 0) & (rows - last <= CARRY), found, np.nan)


def _others(level: Floats, station: int) -> Floats:
    others = np.delete(level, station, axis=1)
    return np.where(np.isnan(others).all(axis=1), level[:, station], _known_mean(others))


def _known_mean(values: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _before(values: Floats, hours: int) -> Floats:
    return np.concatenate([np.full(min(hours, len(values)), np.nan), values[:-hours]])


def _mean(values: Floats, width: int) -> Floats:
    """Mean of the last ``width`` hours; NaN with fewer than a quarter of them."""
    known = ~np.isnan(values)
    total = np.concatenate([np.zeros(1), np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([np.zeros(1), np.cumsum(known)])
    start = np.maximum(np.arange(len(values)) + 1 - width, 0)
    total, count = total[1:] - total[start], count[1:] - count[start]
    return np.where(count >= max(1, width // 4), total / np.maximum(count, 1), np.nan)
