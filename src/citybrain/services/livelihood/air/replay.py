"""Real hours of eleven stations in Beijing, 2013-03 to 2016-02, replayed at invented stations of the demo district.

Times stay those of the source (µs UTC of its Asia/Shanghai wall clock); the demo shifts them.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from citybrain.sdk import DAY, DemoDistrict, Instant, Planted, Replay, Slice, Text, midnight
from citybrain.services.livelihood.air.rules import STATION
from citybrain.services.livelihood.air.scale import FIELDS
from citybrain.services.livelihood.air.stations import WEATHER, read

FILE = Path("air") / "beijing_2013_2016.parquet"
"""Below the data folder that is handed in."""
SOURCES = (
    "Aotizhongxin", "Changping", "Dingling", "Guanyuan", "Gucheng", "Huairou", "Nongzhanguan", "Shunyi", "Tiantan", "Wanliu",
    "Wanshouxigong",
)  # fmt: skip
SINCE, UNTIL = midnight(date(2013, 3, 1)), midnight(date(2016, 3, 1))
ORIGIN = Text(
    "北京市11个空气质量监测点2013年3月至2016年2月的逐时实测数据（UCI 501，CC BY 4.0），移到示意街道并平移日期",
    "Measured hours of 11 stations in Beijing, 2013-03 to 2016-02 (UCI 501, CC BY 4.0), moved to invented streets and shifted in date",
)
_NUMBERS = "一二三四五六七八九十"
_STEP = 31 * DAY


def entities(district: DemoDistrict) -> tuple[Planted, ...]:
    """One station in each of the first eleven subdistricts; raises ValueError where there are fewer."""
    if len(district.subdistricts) < len(SOURCES):
        raise ValueError(f"The demo district has {len(district.subdistricts)} subdistricts; {len(SOURCES)} stations need one each.")
    placed = zip(range(1, len(SOURCES) + 1), SOURCES, district.subdistricts[: len(SOURCES)], strict=True)
    return tuple(
        Planted(
            f"air-{no:02}",
            STATION,
            Text(f"{_numeral(no)}号街监测点", f"Street No. {no} station"),
            place,
            code,
            {"origin_note": f"演示数据：北京 {source} 站实测，位置为示意"},
        )
        for no, source, (code, place) in placed
    )


def rows(folder: Path, since: Instant, until: Instant) -> Iterator[Slice]:
    """Rows with ``since <= time < until`` in time order, a month at a time; NaN where nothing was measured."""
    start, end = max(since, SINCE), min(until, UNTIL)
    while start < end:
        stop = Instant(min(end, start + _STEP))
        yield _slice(folder / FILE, Instant(start), stop)
        start = stop


def _slice(path: Path, since: Instant, until: Instant) -> Slice:
    table = read(path, since, until)
    station = np.searchsorted(np.array(SOURCES), table["station"].to_numpy()).astype(np.int32)
    fields = {name: table[name].fill_null(np.nan).to_numpy() for name in (*FIELDS, *WEATHER)}
    return Slice(station, table["time"].to_numpy(), fields)


def _numeral(number: int) -> str:
    return _NUMBERS[number - 1] if number <= 10 else f"十{_NUMBERS[number - 11]}"


REPLAY = Replay(ORIGIN, SINCE, UNTIL, entities, rows, "PT1H")
