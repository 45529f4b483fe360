"""The kind air_station: what a station measures, what its streams promise, and the index derived from them.

How long a value may stand still is taken from the real hours of eleven stations over three years: longer than all but one of the
runs that were found (CO, over a gap of weeks). Rain stands still for months and is not judged.
"""

from collections.abc import Mapping

import numpy as np

from citybrain.sdk import HOUR, Agrees, By, Derived, Field, Kind, Text, midnight
from citybrain.services.livelihood.air import aqi
from citybrain.services.livelihood.air.rules import STATION
from citybrain.services.livelihood.air.scale import FIELDS, NEW_EDITION_FROM, Edition, Floats, Pollutant, Whole

Range = tuple[float | None, float | None]


_AGREES: Mapping[str, tuple[Agrees, float]] = {
    **dict.fromkeys(("pm25", "pm10", "no2", "co"), ("ratio", 2.0)),
    "temperature": ("difference", 3.0),
    "dew_point": ("difference", 4.0),
    "pressure": ("difference", 3.0),
}
"""What goes alike over a city, and the departure that is never doubted; ozone near zero at night, sulphur dioxide near a source, rain
and wind do not go alike."""


def _sensor(name: str, title: Text, unit: str, span: Range, stuck_after: str | None, *, required: bool = False) -> Field:
    return Field(
        name,
        title,
        By.SENSOR,
        unit=unit,
        every="PT1H",
        silent_after="PT3H",
        stuck_after=stuck_after,
        range=span,
        agrees=_AGREES.get(name),
        required=required,
    )


KIND = Kind(
    name=STATION,
    title=Text("空气质量监测站", "Air quality station"),
    owner="environment",
    place="point",
    access="unconditional",
    fields=(
        _sensor("pm25", Text("细颗粒物 PM2.5", "PM2.5"), "ug/m3", (0, 1000), "PT36H", required=True),
        _sensor("pm10", Text("可吸入颗粒物 PM10", "PM10"), "ug/m3", (0, 3000), "PT36H", required=True),
        _sensor("so2", Text("二氧化硫 SO2", "SO2"), "ug/m3", (0, 1500), "P11D", required=True),
        _sensor("no2", Text("二氧化氮 NO2", "NO2"), "ug/m3", (0, 1000), "PT72H", required=True),
        _sensor("co", Text("一氧化碳 CO", "CO"), "mg/m3", (0, 60), "P7D", required=True),
        _sensor("o3", Text("臭氧 O3", "O3"), "ug/m3", (0, 1200), "PT96H", required=True),
        Field(
            "aqi",
            Text("空气质量指数 AQI", "Air quality index (AQI)"),
            By.DERIVED,
            unit="{index}",
            every="PT1H",
            silent_after="PT3H",
            range=(0, 500),
        ),
        _sensor("temperature", Text("气温", "Temperature"), "Cel", (-40, 50), "PT24H"),
        _sensor("dew_point", Text("露点温度", "Dew point"), "Cel", (-60, 40), "PT18H"),
        _sensor("pressure", Text("气压", "Pressure"), "hPa", (850, 1100), "PT12H"),
        _sensor("rain", Text("小时降水量", "Rain in the hour"), "mm", (0, 200), None),
        _sensor("wind_speed", Text("风速", "Wind speed"), "m/s", (0, 60), "PT24H"),
        _sensor("wind_direction", Text("风向", "Wind direction"), "deg", (0, 360), None),
        Field("origin_note", Text("数据来源说明", "Where its readings are from"), By.FORM),
    ),
)


def index(times: Whole, inputs: Mapping[str, Floats]) -> Floats:
    """Hourly AQI (n,) at times (n,) in µs, by the edition of HJ 633 in force on each row's local date; NaN for NA.

    Hours that are not there count as missing. Before 2026-03-01 particulates need the 24 hours before.
    """
    if not len(times):
        return np.empty(0)
    rows = np.stack([inputs[name] for name in FIELDS], axis=1)
    # Each row by itself: several of one hour say what each of them measured, whichever are computed together.
    result: Floats = aqi.hourly(rows, Edition.HJ_2026).aqi
    old = times < _NEW
    if old.any():
        hour = times[old] // HOUR
        place = hour - hour[0]
        hours = np.full((int(place[-1]) + 1, len(Pollutant)), np.nan)
        hours[place] = rows[old]
        result[old] = aqi.hourly(hours, Edition.HJ_2012).aqi[place]
    return result


def primary(latest: Mapping[str, float]) -> Text | None:
    """The primary pollutants (首要污染物) of a station's latest live values; None at an AQI of 50 or less, or for NA.

    By the edition in force, HJ 633-2026.
    """
    now = np.array([[latest.get(name, np.nan) for name in FIELDS]])
    found = aqi.released(now, Edition.HJ_2026).primaries(0)
    if not found:
        return None
    names = [_SHORT[pollutant] for pollutant in found]
    return Text(f"首要污染物：{'、'.join(names)}", f"Primary pollutant: {', '.join(names)}")


_NEW = midnight(NEW_EDITION_FROM)
_SHORT = {
    Pollutant.SO2: "SO2",
    Pollutant.NO2: "NO2",
    Pollutant.CO: "CO",
    Pollutant.O3: "O3",
    Pollutant.PM10: "PM10",
    Pollutant.PM25: "PM2.5",
}
INDEX = Derived(STATION, "aqi", FIELDS, index, lookback="PT24H")
