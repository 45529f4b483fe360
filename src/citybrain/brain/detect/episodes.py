"""Episodes: what a rule would have told over a stretch of history, with the running watch's own sense of lasting and clearing. Pure.

Rows are moments in the order of arrival. Between two arrivals the running watch looks again and again at what waits for its time
to be up; so here a condition that waits is told when its time is up before the next arrival, and is dropped when a value dies.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citybrain.brain.detect.frames import Moments
from citybrain.kernel.instant import Duration, Instant
from citybrain.kernel.observations import Ints


@dataclass(frozen=True, slots=True)
class Lived:
    """A stretch up to ``until``: moments (n,) by entity and arrival, when each came in, and which are no reading but a value's end."""

    moments: Moments
    came: Ints
    waited: NDArray[np.bool_]
    until: Instant


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert that would have been: entity index, since when its condition held, when it was told and cleared."""

    entity: int
    began: Instant
    told: Instant
    cleared: Instant | None


def lived(moments: Moments, came: Ints, deaths: Moments, until: Instant) -> Lived:
    """Moments and the ends of values put in one order."""
    entity, arrival = np.r_[moments.entity, deaths.entity], np.r_[came, deaths.time]
    order = np.lexsort((arrival, entity))
    whole = Moments(
        entity[order],
        np.r_[moments.time, deaths.time][order],
        np.vstack([moments.fields, deaths.fields])[order],
        np.vstack([moments.seen, deaths.seen])[order],
    )
    waited = np.r_[np.zeros(len(came), np.bool_), np.ones(len(deaths.entity), np.bool_)][order]
    return Lived(whole, arrival[order], waited, until)


def episodes(past: Lived, holds: NDArray[np.bool_], clears: NDArray[np.bool_], lasting: int, pause: Duration) -> Iterator[Episode]:
    """The episodes of a rule whose condition holds and clears at these rows (n,).

    ``pause`` is the city time between two looks of the watch: a time that is up for less than that before the next arrival is not
    noticed. Only rows at which anything may change are followed.
    """
    entity = past.moments.entity
    stirs = np.isin(entity, np.unique(entity[holds]))
    turns = np.ones(len(entity), np.bool_)
    code = holds + 2 * clears.astype(np.int64) + 4 * past.waited
    turns[1:] = (entity[1:] != entity[:-1]) | (code[1:] != code[:-1]) | (holds & clears)[1:]
    rows = np.flatnonzero(stirs & turns)
    cuts = np.flatnonzero(np.r_[True, entity[rows][1:] != entity[rows][:-1]]) if len(rows) else rows
    for own in np.split(rows, cuts[1:]):
        if len(own):
            end = int(np.searchsorted(entity, entity[own[0]], side="right"))
            yield from _Following(past, holds, clears, lasting, pause).over(own.tolist(), end)


class _Following:
    """One entity followed over its rows: since when the condition holds, and when it was told."""

    def __init__(self, past: Lived, holds: NDArray[np.bool_], clears: NDArray[np.bool_], lasting: int, pause: Duration) -> None:
        self._past = past
        self._holds = holds
        self._clears = clears
        self._lasting = lasting
        self._pause = pause
        self._since: int | None = None
        self._told: int | None = None

    def over(self, rows: list[int], end: int) -> Iterator[Episode]:
        for row in rows:
            self._tell(row - 1, int(self._past.came[row]) - self._pause - 1)
            yield from self._turn(row)
        self._tell(end - 1, self._past.until)
        if self._told is not None and self._since is not None:
            entity = int(self._past.moments.entity[rows[0]])
            yield Episode(entity, Instant(self._since), Instant(self._told), None)

    def _tell(self, before: int, upto: int) -> None:
        """Tell what waited, if its time was up at a row before the next turn or at a look in between."""
        if self._since is None or self._told is not None:
            return
        due = self._since + self._lasting
        if due <= upto or int(self._past.moments.time[before]) >= due:
            self._told = due

    def _turn(self, row: int) -> Iterator[Episode]:
        holds, time = bool(self._holds[row]), int(self._past.moments.time[row])
        if self._told is not None:
            if self._since is not None and self._clears[row] and not self._past.waited[row]:
                entity = int(self._past.moments.entity[row])
                yield Episode(entity, Instant(self._since), Instant(self._told), Instant(time))
                self._since = self._told = None
            return
        if not holds:
            self._since = None
        elif self._since is None and not self._past.waited[row]:
            self._since = time
        if self._since is not None and time - self._since >= self._lasting:
            self._told = time
