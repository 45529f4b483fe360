"""Feeds that send changes alone: silence told from no change by the source's contract.

A source (an operator's scraper) passes over all its lots at once, and a lot is in a pass only where its count has changed. So
whenever any lot of a source is heard, all its other lots are known to be as they were. When nothing of a source is heard for longer
than its contract allows, nobody knows: then there are no readings, and the streams' own contracts make them late.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Numbers = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Readings:
    """Lots (n,) by number, times (n,) in µs ascending, free berths (n,)."""

    lot: Numbers
    time: Times
    free: Floats


@dataclass(frozen=True, slots=True)
class Gap:
    """A source was not heard in (since, until), longer than its contract allows."""

    source: int
    since: int
    until: int


def restated(changes: Readings, source: Numbers) -> Readings:
    """The readings that changes stand for: at each pass of its source, every lot as it was or has become.

    ``source`` (lots,) is the source of each lot. A lot has no reading before its first change.
    """
    parts = [_of_source(changes, np.flatnonzero(source == one).astype(np.int32)) for one in np.unique(source)]
    lot, time, free = (np.concatenate([getattr(part, name) for part in parts]) for name in ("lot", "time", "free"))
    order = np.lexsort((lot, time))
    return Readings(lot[order], time[order], free[order])


def gaps(changes: Readings, source: Numbers, allowed: int) -> tuple[Gap, ...]:
    """Where a source was silent for more than ``allowed`` µs: by source, oldest first."""
    found = []
    for one in np.unique(source):
        passes = np.unique(changes.time[np.isin(changes.lot, np.flatnonzero(source == one))])
        long = np.flatnonzero(np.diff(passes) > allowed)
        found += [Gap(int(one), int(passes[at]), int(passes[at + 1])) for at in long]
    return tuple(found)


def sound(free: Floats, capacity: Floats) -> Floats:
    """Free berths (n,) where they can be true; NaN where they are negative or exceed the capacity, which is a fault and no fact."""
    return np.where((free >= 0) & (capacity > 0) & (free <= capacity), free, np.nan)


def _of_source(changes: Readings, lots: Numbers) -> Readings:
    mine = np.isin(changes.lot, lots)
    lot, time, free = changes.lot[mine], changes.time[mine], changes.free[mine]
    passes, row = np.unique(time, return_inverse=True)
    table = np.full((len(passes), len(lots)), np.nan)
    table[row, np.searchsorted(lots, lot)] = free
    known = np.where(np.isnan(table), -1, np.arange(len(passes))[:, None])
    newest = np.maximum.accumulate(known, axis=0)
    filled = np.where(newest >= 0, np.take_along_axis(table, np.maximum(newest, 0), axis=0), np.nan)
    at, which = np.nonzero(~np.isnan(filled))
    return Readings(lots[which], passes[at], filled[at, which])
