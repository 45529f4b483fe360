"""Gaps: readings that were due and never came, and what they may have been. Pure.

An estimate is worked out when it is asked for and stored nowhere, so that no rule, figure or forecast can take it for a measurement.
Two ways are tried: the straight line between the ends, and the mean of the same times of the days around, moved to meet the ends.
Both are held against stretches of the same length that were measured; the line serves unless the other did better there.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Final, Literal, TypeAlias

import msgspec
import numpy as np

from citybrain.kernel.instant import DAY, MINUTE, Instant, local_date, midnight
from citybrain.kernel.observations import Floats, Ints
from citybrain.kernel.things import Contract

AROUND: Final = 7
"""Days on either side from which the course of a day is taken."""
_DAYS_NEEDED: Final = 3
_TRIALS: Final = 20
"""Measured stretches that the ways are held against."""
_LONGEST: Final = 500
"""Readings in a row beyond which nothing is estimated."""
Way: TypeAlias = Literal["line", "day"]


class Gap(msgspec.Struct, frozen=True):
    """A stretch between two readings in which ``missing`` others were due; no ``until`` where none has come since.

    ``times`` (n,) and ``values`` (n,) are their instants and estimates, in the stream's unit; none of a stretch that is too long for
    any ground. ``way`` says how they were made, ``error`` its mean absolute error over ``trials`` measured stretches of the same
    length, ``line`` that of the straight line. ``struck`` readings came and were struck out by a person.
    """

    since: Instant
    until: Instant | None
    missing: int
    times: tuple[Instant, ...] = ()
    values: tuple[float, ...] = ()
    way: Way | None = None
    error: float | None = None
    line: float | None = None
    trials: int = 0
    struck: int = 0


def gaps(contract: Contract, time: Ints, value: Floats, since: Instant, until: Instant, now: Instant) -> tuple[Gap, ...]:
    """The gaps that reach into [since, until), from readings (m,) in the order of their time, with a week of them on either side.

    The last one has no end where nothing came up to ``now`` and the stream is late. A stream that promises no interval has none:
    nothing was due.
    """
    if contract.every is None or not len(time):
        return ()
    wide = np.flatnonzero((np.diff(time) > 1.5 * contract.every) & (time[1:] > since) & (time[:-1] < until))
    # Most gaps are as long as others: each length is tried once.
    errors = cache(partial(_errors, contract.every, time, value))
    found = [_gap(contract, time, value, place, errors) for place in wide.tolist()]
    last, patience = Instant(int(time[-1])), contract.silent_after or 3 * contract.every
    if last < until and now - last > patience:
        found.append(Gap(last, None, _count(contract, last, now)))
    return tuple(gap for gap in found if gap.missing)


def _gap(contract: Contract, time: Ints, value: Floats, place: int, tried: Callable[[int], Floats]) -> Gap:
    begin, end, every = int(time[place]), int(time[place + 1]), contract.every or 1
    bare = Gap(Instant(begin), Instant(end), _count(contract, begin, end))
    if not 0 < bare.missing <= _LONGEST:
        return bare
    due = _due(contract, begin, end)
    bare = msgspec.structs.replace(bare, times=tuple(Instant(int(at)) for at in due))
    errors = tried(len(due))
    trials = len(errors)
    line, day = (None, None) if not trials else (float(np.nanmean(errors[:, 0])), _mean(errors[:, 1]))
    by_day = _by_day(every, time, value, (place, place + 1), due)
    if line is not None and day is not None and day < line and by_day is not None:
        return msgspec.structs.replace(bare, values=_told(by_day), way="day", error=day, line=line, trials=trials)
    by_line = _by_line(time, value, (place, place + 1), due)
    return msgspec.structs.replace(bare, values=_told(by_line), way="line", error=line, line=line, trials=trials)


def _count(contract: Contract, begin: int, end: int) -> int:
    """How many readings were due strictly between two instants: counted by the day, for there may be more than can be listed."""
    every = contract.every or 1
    due = round((end - begin) / every) - 1
    opens, closes = _open(contract)
    if opens == 0 and closes >= DAY:
        return due
    days = np.arange(midnight(local_date(Instant(begin))), end + 1, DAY, dtype=np.int64)
    first, last = -((begin - days - opens) // every), (days + closes - begin) // every
    return int(np.maximum(np.minimum(last, due) - np.maximum(first, 1) + 1, 0).sum())


def _open(contract: Contract) -> tuple[int, int]:
    """When the stream opens and closes, in µs of the local day."""
    opens = 0 if contract.opens is None else contract.opens * MINUTE
    return opens, DAY if contract.closes is None else contract.closes * MINUTE


def _due(contract: Contract, begin: int, end: int) -> Ints:
    """The instants strictly between two readings at which others were due: at the interval, within the hours of the stream."""
    every = contract.every or 1
    count = round((end - begin) / every) - 1
    due = begin + every * np.arange(1, count + 1, dtype=np.int64)
    of_day = (due - midnight(local_date(Instant(begin)))) % DAY
    opens, closes = _open(contract)
    within: Ints = due[(of_day >= opens) & (of_day <= closes)]
    return within


def _by_line(time: Ints, value: Floats, ends: tuple[int, int], due: Ints) -> Floats:
    """The straight line between two readings, by their places."""
    found: Floats = np.interp(due, time[list(ends)], value[list(ends)])
    return found


def _by_day(every: int, time: Ints, value: Floats, ends: tuple[int, int], due: Ints) -> Floats | None:
    """The mean course of the days around, moved so that it meets the readings at both ends; None where there are too few days."""
    met = time[list(ends)]
    wanted = np.r_[met[0], due, met[1]]
    around = np.array([day * DAY for day in range(-AROUND, AROUND + 1) if day], np.int64)
    seen = _nearest(time, value, wanted[None, :] + around[:, None], every // 2)
    known = (~np.isnan(seen)).sum(axis=0)
    if known.min() < _DAYS_NEEDED:
        return None
    course = np.nansum(seen, axis=0) / known
    moved: Floats = course[1:-1] + np.interp(due, met, value[list(ends)] - course[[0, -1]])
    return moved


def _nearest(time: Ints, value: Floats, wanted: Ints, tolerance: int) -> Floats:
    """The reading nearest to each instant, of any shape; NaN where there is none so near."""
    right = np.clip(np.searchsorted(time, wanted), 1, len(time) - 1)
    nearer = np.where(wanted - time[right - 1] <= time[right] - wanted, right - 1, right)
    found: Floats = np.where(np.abs(time[nearer] - wanted) <= tolerance, value[nearer], np.nan)
    return found


def _errors(every: int, time: Ints, value: Floats, length: int) -> Floats:
    """The mean absolute errors (k, 2) of the line and of the days over k measured stretches of a length; NaN for a way that fails."""
    regular = np.r_[0, np.cumsum(np.abs(np.diff(time) - every) <= every / 10)]
    starts = np.arange(len(time) - length - 1)
    whole = starts[regular[starts + length + 1] - regular[starts] == length + 1]
    chosen = whole[np.unique(np.linspace(0, len(whole) - 1, _TRIALS).astype(np.int64))] if len(whole) else whole
    found, known = np.full((len(chosen), 2), np.nan), value.copy()
    for row, start in enumerate(chosen.tolist()):
        hidden, ends = slice(start + 1, start + 1 + length), (start, start + 1 + length)
        truth, due = value[hidden], time[hidden]
        known[hidden] = np.nan
        found[row, 0] = np.abs(_by_line(time, known, ends, due) - truth).mean()
        by_day = _by_day(every, time, known, ends, due)
        if by_day is not None:
            found[row, 1] = np.abs(by_day - truth).mean()
        known[hidden] = truth
    return found


def _mean(errors: Floats) -> float | None:
    """The mean where every stretch could be tried: over fewer of them it would be held against another mean."""
    return None if np.isnan(errors).any() else float(errors.mean())


def _told(values: Floats) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") for value in values)
