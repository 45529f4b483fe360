"""The state of rules between batches: for each rule and entity since when its condition holds, and whether it is told. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citybrain.brain.detect.expressions import Frame
from citybrain.brain.detect.frames import NEVER, Moments
from citybrain.brain.detect.rulebook import Compiled


@dataclass(frozen=True, slots=True)
class Change:
    """A rule's condition for an entity began to be told (``fires``) or ceased, at a row of the frame; ``began`` by event time."""

    rule: Compiled
    entity: int
    row: int
    fires: bool
    began: int


class RuleState:
    """One rule over all entities of its kind: ``since`` (e,) when its condition began to hold (NEVER: it does not), ``told`` (e,)."""

    def __init__(self, rule: Compiled) -> None:
        self.rule = rule
        self.since = np.zeros(0, np.int64)
        self.told = np.zeros(0, np.bool_)
        self._busy = 0

    def room(self, entities: int) -> None:
        """Make room for more entities."""
        more = entities - len(self.since)
        if more > 0:
            self.since = np.r_[self.since, np.full(more, NEVER, np.int64)]
            self.told = np.r_[self.told, np.zeros(more, np.bool_)]

    def restore(self, entity: int, since: int, *, told: bool) -> None:
        """Take a state as it was."""
        self._busy += self.since[entity] <= NEVER
        self.since[entity], self.told[entity] = since, told

    def pending(self) -> NDArray[np.int64]:
        """Entities whose condition holds and is not yet told, for its time is not up."""
        if not self._busy:
            return np.zeros(0, np.int64)
        return np.flatnonzero((self.since > NEVER) & ~self.told)

    def judge(self, frame: Frame, moments: Moments, touched: set[int]) -> Iterator[Change]:
        """The changes over a frame in order; ``touched`` collects the entities whose state is another now."""
        holds = self.rule.when.true(frame)
        if not self._busy and not holds.any():
            return
        entity = moments.entity
        told, holding = self.told[entity], self.since[entity] > NEVER
        clears = self._clears(frame)
        stirs = np.where(told, clears, holds | holding)
        # Within one batch an alert may be raised and cleared: an entity that stirs is followed over all its rows.
        for one in np.unique(entity[stirs]).tolist():
            rows = np.flatnonzero(entity == one) if len(entity) < 64 else _span(entity, one)
            yield from self._follow(one, rows, (holds, clears), moments)
            touched.add(one)

    def judged(self, frame: Frame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Where in a frame (n,) the condition holds, and where an alert would clear; the state is left as it is."""
        return self.rule.when.true(frame), self._clears(frame)

    def _follow(
        self, one: int, rows: NDArray[np.int64], judged: tuple[NDArray[np.bool_], NDArray[np.bool_]], moments: Moments
    ) -> Iterator[Change]:
        since, told, before = int(self.since[one]), bool(self.told[one]), int(self.since[one]) > NEVER
        holds, clears = judged
        for row in rows.tolist():
            time = int(moments.time[row])
            if told:
                if clears[row]:
                    yield Change(self.rule, one, row, fires=False, began=since)
                    told, since = False, NEVER
                continue
            since = (time if since <= NEVER else since) if holds[row] else NEVER
            if since > NEVER and time - since >= self.rule.lasting:
                told = True
                yield Change(self.rule, one, row, fires=True, began=since)
        self.since[one], self.told[one] = since, told
        self._busy += (since > NEVER) - before

    def _clears(self, frame: Frame) -> NDArray[np.bool_]:
        return self.rule.when.false(frame) if self.rule.clears is None else self.rule.clears.true(frame)


def _span(entity: NDArray[np.int64], one: int) -> NDArray[np.int64]:
    """The rows of one entity in a frame that is sorted by entity."""
    return np.arange(np.searchsorted(entity, one), np.searchsorted(entity, one, side="right"))
