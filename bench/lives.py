"""How well the life of streams is judged: of 20 real feeds three are frozen, shifted or sent in another unit, over many seeds.

``python -m bench.lives`` prints what a surer judge would miss and a less sure one would say falsely, on a year the judge was not made with.
"""

import sys
from collections.abc import Sequence
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
SILENT: Final = 3
"""Hours without a reading after which each of the feeds is late, whatever else it is."""
YEAR: Final = range(731, 1088)
"""Days of the source, from 2015-03, that the judge was not made with: the two years before served for that."""
MARGINS: Final = (0.8, 0.9, 1.0, 1.1, 1.2)
"""Parts of its bounds beyond which a judge might name a feed."""
_BEFORE: Final = peers.WEEK + peers.RECENT


class Outcome(NamedTuple):
    """The hours after which each spoilt feed was named contradicted (None: not in a day), and sound feeds named in that day.

    ``late`` are those of the unnamed that sent nothing for more than three hours of it, and so stood late.
    """

    shifted: int | None
    swapped: int | None
    false: int
    late: frozenset[str]


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
    """One day after the tester began, hour by hour; what is named is nobody's neighbour from then on, as in ``doubts``."""
    taken, who, _ = spoilt(values, seed)
    named: dict[tuple[str, int], int] = {}
    for field, feeds in taken.items():
        level, near = peers.levels(feeds, "ratio"), peers.neighbours([None] * len(feeds))
        out = np.zeros(level.shape, np.bool_)
        for hour in range(1, DAY + 1):
            found = _found(level[:, hour : hour + _BEFORE], out[:, hour : hour + _BEFORE], near)
            for station in np.flatnonzero(found.beyond).tolist():
                if (field, station) not in named:
                    named[field, station] = hour
                    out[station, hour + _BEFORE - found.ago[station] :] = True
    late = frozenset(
        how for how, (field, station) in who.items() if (field, station) not in named and _silent(taken[field][station])
    )
    return Outcome(named.get(who["shifted"]), named.get(who["swapped"]), len(named.keys() - set(who.values())), late)


def _found(level: Floats, out: NDArray[np.bool_], near: NDArray[np.int64]) -> peers.Found:
    none = np.full(len(level), np.nan)
    return peers.contradicted(peers.stood(level, out, near), out, peers.floor("ratio", WITHIN), none, none)


def _silent(feed: Floats) -> bool:
    known = np.isfinite(feed[_BEFORE - SILENT : _BEFORE + DAY])
    return not np.lib.stride_tricks.sliding_window_view(known, SILENT + 1).any(axis=1).all()


def measure(seeds: int) -> list[str]:
    """The lines of the report: the seeds the judge was made with, then three times as many it was not."""
    values = read()
    return [*_lines(values, range(seeds), "looked at"), *_lines(values, range(UNSEEN, UNSEEN + 3 * seeds), "not looked at")]


def _lines(values: dict[str, Floats], seeds: range, which: str) -> list[str]:
    found = [judge(values, seed) for seed in seeds]
    days, feeds = sum(one.false > 0 for one in found), sum(one.false for one in found)
    told = f"{len(seeds)} seeds {which} when the judge was made"
    per = 1000 * feeds / (len(seeds) * (sum(stations for _, _, stations in FEEDS) - 3))
    swapped = _named([one.swapped for one in found], sum("swapped" in one.late for one in found))
    shifted = _named([one.shifted for one in found], sum("shifted" in one.late for one in found))
    return [
        f"| 3 of 20 feeds spoilt, {told}: in another unit (×1000 or ÷1000), named in a day | {swapped} | all |",
        f"| shifted by a factor of {SHIFT:.0f}, named in a day | {shifted} | all |",
        f"| days with a sound feed named | {days} of {len(seeds)} ({per:.1f} in 1000 feed-days) | none |",
    ]


def _named(hours: list[int | None], late: int) -> str:
    known = [hour for hour in hours if hour is not None]
    silent = f"; {late} of the others sent nothing for hours and stood late" if late else ""
    return f"{len(known)} of {len(hours)}, median {np.median(known):.0f} h{silent}"


def curve(values: dict[str, Floats], days: range) -> list[str]:
    """What is missed and what is said falsely at each margin, each feed spoilt by itself on each of the days: lines of a table."""
    factors = (1.0, SHIFT, 1 / SHIFT)
    most = [np.concatenate(each) for each in zip(*(_most(values[f][:n], days, factors) for f, _, n in FEEDS), strict=True)]
    lines = []
    for margin in MARGINS:
        missed = " | ".join(f"{100 * float(np.mean(each <= margin)):.1f} %" for each in most[1:])
        lines.append(f"| {margin:g} | {1000 * float(np.mean(most[0] > margin)):.2f} | {missed} |")
    return lines


def _most(values: Floats, days: range, factors: Sequence[float]) -> list[Floats]:
    """How many times its bound each feed went at most on each day that it sent half of, shifted by each of the factors."""
    level, near = peers.levels(values, "ratio"), peers.neighbours([None] * len(values))
    out, none = np.zeros((len(values), _BEFORE), np.bool_), np.full(len(values), np.nan)
    most = np.zeros((len(factors), len(days), len(values)))
    for place, day in enumerate(days):
        for hour in range(1, DAY + 1):
            stood = peers.stood(level[:, day * DAY + hour - _BEFORE : day * DAY + hour], out, near)
            for which, factor in enumerate(np.log(factors)):
                middle, over = stood.middle.copy(), stood.over.copy()
                middle[:, -hour:] += factor
                over[:, -hour:] += factor
                found = peers.contradicted(peers.Stood(middle, over), out, peers.floor("ratio", WITHIN), none, none)
                most[which, place] = np.maximum(most[which, place], found.times)
    known = np.array([np.isfinite(level[:, day * DAY : (day + 1) * DAY]).sum(axis=1) >= DAY // 2 for day in days])
    return [each[known] for each in most]


if __name__ == "__main__":
    sys.stdout.write("\n".join(curve(read(), YEAR)) + "\n")
