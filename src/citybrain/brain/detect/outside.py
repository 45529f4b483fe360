"""Feeds of which nothing is within its range: as lost as silent ones, once that has lasted as long as they may be silent.

newest readings out of range → what came since they were last looked at → how long nothing was within → those that are lost
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

import numpy as np

from citybrain.kernel.instant import HOUR, Duration, Instant
from citybrain.kernel.observations import Floats, Ints, SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.things import Contract, Stream

_UNPROMISED: Final = Duration(HOUR)
"""How long there may be nothing within the range of a stream that promises no interval."""
_TOGETHER: Final = 500
"""Streams that are read at once."""
_NONE: Final = Instant(0)


@dataclass(frozen=True, slots=True)
class _Run:
    """What was read of a stream: up to when, the newest within its range, and the first out of it since."""

    contract: Contract
    looked: Instant
    within: Instant
    began: Instant


class Outside:
    """Remembers of streams that are out of range what was read of them, so that each reading is read once."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._runs: dict[int, _Run] = {}

    def lost(self, found: Sequence[tuple[Stream, Instant]], now: Instant, told: Container[str]) -> dict[int, Instant]:
        """Since when those are out of range that are lost by that, by number; ``found`` is each stream with its newest reading's time.

        One reading out of range among others is no loss, nor is the first of a stream; an entity that is ``told`` to be lost stays
        so until there is a reading within the range. Reads the store: blocks.
        """
        runs = {one.no: run for one, _ in found if (run := self._runs.get(one.no)) is not None and run.contract == one.contract}
        due = [one for one, newest in found if one.no not in runs or runs[one.no].looked < newest]
        until = Instant(max((newest for _, newest in found), default=_NONE) + 1)
        for streams, since in _asked(due, runs, now):
            runs |= self._read(streams, runs, since, until)
        self._runs = runs
        return {
            one.no: runs[one.no].began
            for one, _ in found
            if one.no in runs and _lasted(runs[one.no], Instant(now - _span(one.contract)), told=one.entity in told)
        }

    def _read(self, streams: Sequence[Stream], runs: dict[int, _Run], since: Instant, until: Instant) -> Iterator[tuple[int, _Run]]:
        rows = self._series.scan(SeriesQuery(tuple(one.no for one in streams), since, until))
        no, time, value = (rows[name].to_numpy() for name in ("stream_no", "time", "value"))
        for one in streams:
            # Rows come by stream and time.
            low, high = np.searchsorted(no, (one.no, one.no + 1))
            run = runs.get(one.no, _Run(one.contract, _NONE, _NONE, _NONE))
            fresh = slice(low + int(np.searchsorted(time[low:high], run.looked, "right")), high)
            if len(time[fresh]):
                yield one.no, _gone_on(run, time[fresh], value[fresh])


def _asked(due: Sequence[Stream], runs: dict[int, _Run], now: Instant) -> Iterator[tuple[Sequence[Stream], Instant]]:
    """Streams to be read together, and from when on: a new one as far back as it takes to see how long it has lasted."""
    known = sorted((one for one in due if one.no in runs), key=lambda one: runs[one.no].looked)
    for together in _batched(known):
        yield together, Instant(runs[together[0].no].looked + 1)
    fresh = sorted((one for one in due if one.no not in runs), key=lambda one: _span(one.contract))
    for span, alike in groupby(fresh, key=lambda one: _span(one.contract)):
        for together in _batched([*alike]):
            yield together, Instant(now - 2 * span)


def _batched(streams: Sequence[Stream]) -> Iterator[Sequence[Stream]]:
    return (streams[begin : begin + _TOGETHER] for begin in range(0, len(streams), _TOGETHER))


def _gone_on(run: _Run, time: Ints, value: Floats) -> _Run:
    """The run after some more readings (n,), by time."""
    low, high = run.contract.low, run.contract.high
    within = (value >= (-np.inf if low is None else low)) & (value <= (np.inf if high is None else high))
    looked = Instant(int(time[-1]))
    if within.any():
        newest = int(time[within][-1])
        after = time[time > newest]
        return replace(run, looked=looked, within=Instant(newest), began=Instant(int(after[0])) if len(after) else looked)
    return replace(run, looked=looked, began=run.began or Instant(int(time[0])))


def _lasted(run: _Run, before: Instant, *, told: bool) -> bool:
    return run.within <= before and (told or run.began <= before)


def _span(contract: Contract) -> Duration:
    return _UNPROMISED if contract.silent_after is None else contract.silent_after
