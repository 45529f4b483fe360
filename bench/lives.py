"""How well the life of streams is judged: of 20 real feeds three are frozen, shifted or sent in another unit, over many seeds."""

from typing import Final, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from citybrain.brain.observe import peers
from citybrain.kernel.observations import Floats

SOURCE: Final = "data/air/beijing_2013_2016.parquet"
FEEDS: Final = (("pm25", "PM2.5", 11), ("no2", "NO2", 9))
"""Field, column of the source, stations: twenty feeds, each promising to stay within a factor of two of its neighbours."""
WITHIN: Final = 2.0
SHIFT: Final = 8.0
UNIT: Final = 1000.0
DAY: Final = 24
UNSEEN: Final = 2000
"""The first of the seeds that the judge was not made with."""
_BEFORE: Final = peers.WEEK + peers.RECENT


class Outcome(NamedTuple):
    """The hours after which each spoilt feed was named contradicted (None: not in a day), and sound feeds named in that day."""

    shifted: int | None
    swapped: int | None
    false: int


def read() -> dict[str, Floats]:
    """Hourly values by field (stations, hours), stations by name, NaN for none."""
    table = pq.read_table(SOURCE, columns=["time", "station", *(column for _, column, _ in FEEDS)])
    hours, row = np.unique(table["time"].to_numpy().astype("datetime64[us]").astype(np.int64), return_inverse=True)
    names, place = np.unique(np.array(table["station"].to_pylist()), return_inverse=True)
    found = {}
    for field, column, _ in FEEDS:
        values = np.full((len(names), len(hours)), np.nan)
        values[place, row] = table[column].to_numpy().astype(np.float64)
        found[field] = values
    return found


def spoilt(values: dict[str, Floats], seed: int) -> tuple[dict[str, Floats], dict[str, tuple[str, int]], int]:
    """A week, a day and four more days of the twenty feeds with three of them spoilt from ``start`` on: values, who is how, the hour."""
    chance = np.random.default_rng(seed)
    hours = values[FEEDS[0][0]].shape[1]
    start = int(chance.integers(800, hours - 200)) // DAY * DAY
    feeds = [(field, station) for field, _, stations in FEEDS for station in range(stations)]
    chosen = chance.choice(len(feeds), 3, replace=False).tolist()
    taken = {field: values[field][:stations, start - _BEFORE : start + 4 * DAY].copy() for field, _, stations in FEEDS}
    who = dict(zip(("frozen", "shifted", "swapped"), (feeds[each] for each in chosen), strict=True))
    for how, (field, station) in who.items():
        feed = taken[field][station]
        known = feed[:_BEFORE][np.isfinite(feed[:_BEFORE])]
        factor = SHIFT if how == "shifted" else UNIT ** float(chance.choice((-1, 1)))
        feed[_BEFORE:] = known[-1] if how == "frozen" else feed[_BEFORE:] * factor
    return taken, who, start


def judge(values: dict[str, Floats], seed: int) -> Outcome:
    """One day after the tester began, hour by hour."""
    taken, who, _ = spoilt(values, seed)
    named: dict[tuple[str, int], int] = {}
    for field, feeds in taken.items():
        level, near = peers.levels(feeds, "ratio"), peers.neighbours([None] * len(feeds))
        for hour in range(1, DAY + 1):
            for station in _beyond(level[:, hour : hour + _BEFORE], near).tolist():
                named.setdefault((field, station), hour)
    return Outcome(named.get(who["shifted"]), named.get(who["swapped"]), len(named.keys() - set(who.values())))


def _beyond(level: Floats, near: NDArray[np.int64]) -> NDArray[np.int64]:
    out, none = np.zeros(level.shape, np.bool_), np.full(len(level), np.nan)
    residual = peers.residuals(level, out, near)
    return np.flatnonzero(peers.contradicted(residual, out, peers.floor("ratio", WITHIN), none, none).beyond)


def measure(seeds: int) -> list[str]:
    """The lines of the report: the seeds the judge was made with, then three times as many it was not."""
    values = read()
    return [*_lines(values, range(seeds), "looked at"), *_lines(values, range(UNSEEN, UNSEEN + 3 * seeds), "not looked at")]


def _lines(values: dict[str, Floats], seeds: range, which: str) -> list[str]:
    found = [judge(values, seed) for seed in seeds]
    shifted = [one.shifted for one in found if one.shifted is not None]
    swapped = [one.swapped for one in found if one.swapped is not None]
    days, feeds = sum(one.false > 0 for one in found), sum(one.false for one in found)
    told = f"{len(seeds)} seeds {which} when the judge was made"
    per = 1000 * feeds / (len(seeds) * (sum(stations for _, _, stations in FEEDS) - 3))
    return [
        f"| 3 of 20 feeds spoilt, {told}: in another unit (×1000 or ÷1000), named in a day | "
        f"{len(swapped)} of {len(seeds)}, median {np.median(swapped):.0f} h | all |",
        f"| shifted by a factor of {SHIFT:.0f}, named in a day | "
        f"{len(shifted)} of {len(seeds)}, median {np.median(shifted):.0f} h | all |",
        f"| days with a sound feed named | {days} of {len(seeds)} ({per:.1f} in 1000 feed-days) | none |",
    ]
