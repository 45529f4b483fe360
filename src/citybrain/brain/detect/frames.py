"""Frames: the states of the entities of a kind over time, one row for each new moment of each, in numpy.

Rows of the series → by (entity, time) → each field carried forward while it lives → a frame that rules are asked about. A value
that is late, out of its range, stuck, contradicted by its neighbours, or read while its source is closed is no value: NaN in the frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.instant import DAY, MINUTE, SECOND, SHANGHAI
from citybrain.kernel.observations import Floats, Ints
from citybrain.kernel.things import Contract

NEVER = np.iinfo(np.int64).min // 4
_ENDLESS = np.iinfo(np.int64).max // 4
_EAST = round(SHANGHAI.utcoffset(None).total_seconds()) * SECOND
"""Local time less UTC: an hour of the day is meant as people there read it."""


@dataclass(frozen=True, slots=True)
class New:
    """New observations of a kind (n,): entity index, field index, time in µs, value, when it came in; in the order of durability."""

    entity: NDArray[np.int64]
    field: NDArray[np.int64]
    time: Ints
    value: Floats
    came: Ints


@dataclass(frozen=True, slots=True)
class Moments:
    """States of entities (n,), by entity and time: ``fields`` (n, f) with NaN for no live value, ``seen`` (n, f) their times."""

    entity: NDArray[np.int64]
    time: Ints
    fields: Floats
    seen: Ints


class Carry:
    """The state of every entity of a kind up to what was looked at: per field its time, value and last change, (e, f).

    An entity's clock never runs back: a reading that comes late counts at the clock it finds, one that is older than its own
    field's last is history and changes nothing.
    """

    def __init__(self, contracts: Sequence[Contract]) -> None:
        fields = len(contracts)
        self.promise(contracts)
        self._time = np.full((0, fields), NEVER, np.int64)
        self._value = np.full((0, fields), np.nan)
        self._changed = np.full((0, fields), NEVER, np.int64)
        self._doubted = np.zeros((0, fields), np.bool_)

    def promise(self, contracts: Sequence[Contract]) -> None:
        """Judge values by these contracts from now on."""
        self._silent = _spans([contract.silent_after for contract in contracts])
        self._stuck = _spans([contract.stuck_after for contract in contracts])
        self._low = np.array([-np.inf if contract.low is None else contract.low for contract in contracts])
        self._high = np.array([np.inf if contract.high is None else contract.high for contract in contracts])
        self._opens = np.array([0 if contract.opens is None else contract.opens * MINUTE for contract in contracts], np.int64)
        self._closes = np.array([DAY if contract.closes is None else contract.closes * MINUTE for contract in contracts], np.int64)

    def doubt(self, entity: NDArray[np.int64], field: NDArray[np.int64]) -> None:
        """Take the fields of some entities, and no others, to be contradicted from now on."""
        self._doubted[:] = False
        self._doubted[entity, field] = True

    def room(self, entities: int) -> None:
        """Make room for more entities."""
        more = entities - len(self._time)
        if more > 0:
            shape = (more, self._time.shape[1])
            self._time = np.vstack([self._time, np.full(shape, NEVER, np.int64)])
            self._value = np.vstack([self._value, np.full(shape, np.nan)])
            self._changed = np.vstack([self._changed, np.full(shape, NEVER, np.int64)])
            self._doubted = np.vstack([self._doubted, np.zeros(shape, np.bool_)])

    def restore(self, new: New) -> None:
        """Take states as they were, without asking any rule."""
        self._time[new.entity, new.field] = new.time
        self._value[new.entity, new.field] = new.value
        self._changed[new.entity, new.field] = new.time

    def forget(self, entity: NDArray[np.int64], field: NDArray[np.int64]) -> None:
        """Know nothing of some fields of entities (n,)."""
        self._time[entity, field] = self._changed[entity, field] = NEVER
        self._value[entity, field] = np.nan

    def take(self, new: New) -> Moments:
        """The new moments of the entities touched, and the carried state moved on."""
        order = np.lexsort((new.time, new.entity))
        entity, field, time, value = new.entity[order], new.field[order], new.time[order], new.value[order]
        current = time >= self._time[entity, field]
        entity, field, time, value = entity[current], field[current], time[current], value[current]
        clock = np.maximum(time, self._time[entity].max(axis=1, initial=NEVER))
        last = np.ones(len(entity), np.bool_)
        last[:-1] = (entity[1:] != entity[:-1]) | (clock[1:] != clock[:-1])
        return self._moments(last, entity, clock, New(entity, field, time, value, new.came[order][current]))

    def relive(self, new: New) -> tuple[Moments, Ints]:
        """The moments of a whole stretch of history at once, as taken one arrival after the other, and when each came in (n,)."""
        order = np.lexsort((new.time, new.came, new.entity))
        entity, field, time, came = new.entity[order], new.field[order], new.time[order], new.came[order]
        own = entity * len(self._low) + field
        by_own: NDArray[np.int64] = np.argsort(own, kind="stable")
        current = np.zeros(len(own), np.bool_)
        current[by_own] = time[by_own] >= _running(own[by_own], time[by_own])
        entity, field, time, came = entity[current], field[current], time[current], came[current]
        clock = _running(entity, time)
        last = np.ones(len(entity), np.bool_)
        last[:-1] = (entity[1:] != entity[:-1]) | (clock[1:] != clock[:-1]) | (came[1:] != came[:-1])
        moments = self._moments(last, entity, clock, New(entity, field, time, new.value[order][current], came))
        return moments, came[last]

    def deaths(self, moments: Moments, came: Ints, until: int) -> Moments:
        """The moments at which a value grows too old while nothing of its entity comes in before the next arrival, or ``until``."""
        following = np.r_[came[1:], until]
        following[np.r_[moments.entity[1:] != moments.entity[:-1], True]] = until
        ends = np.maximum(moments.seen + self._silent + 1, came[:, None] + 1)
        row, each = np.nonzero(np.isfinite(moments.fields) & (ends < following[:, None]))
        time, seen = ends[row, each], moments.seen[row]
        fields = np.where(time[:, None] - seen <= self._silent, moments.fields[row], np.nan)
        return Moments(moments.entity[row], time, fields, seen)

    def _moments(self, last: NDArray[np.bool_], entity: NDArray[np.int64], clock: Ints, new: New) -> Moments:
        """One row for each new moment, which ends where ``last`` is true, and the carried state moved on."""
        field, time, value = new.field, new.time, new.value
        row = np.cumsum(np.r_[False, last[:-1]])[: len(entity)]
        who, when = entity[last], clock[last]
        start = np.r_[True, who[1:] != who[:-1]][: len(who)]
        begin = np.maximum.accumulate(np.where(start, np.arange(len(who)), 0))
        fields = np.empty((len(who), len(self._low)))
        seen = np.empty((len(who), len(self._low)), np.int64)
        for each in range(len(self._low)):
            mine = field == each
            fields[:, each], seen[:, each] = self._column(each, who, when, begin, (row[mine], time[mine], value[mine]))
        return Moments(who, when, fields, seen)

    def now(self, entity: NDArray[np.int64], time: int) -> Moments:
        """The states of some entities at an instant, without anything new."""
        when = np.full(len(entity), time, np.int64)
        seen, value = self._time[entity], self._value[entity]
        alive = self._alive(when[:, None], seen, value, self._changed[entity], slice(None))
        return Moments(entity, when, np.where(self._doubted[entity], np.nan, alive), seen)

    def _column(
        self, each: int, who: NDArray[np.int64], when: Ints, begin: NDArray[np.int64], new: tuple[NDArray[np.int64], Ints, Floats]
    ) -> tuple[Floats, Ints]:
        """One field over all moments: carried forward within each entity, from what was carried before."""
        count = len(who)
        row, time, value = new
        source = np.full(count, -1)
        # Of several readings at one moment of the entity the newest stands; rows come in order.
        own_time, own_value = np.full(count, NEVER, np.int64), np.full(count, np.nan)
        source[row], own_time[row], own_value[row] = row, time, value
        back = np.maximum.accumulate(source)
        carried = back < begin
        back = np.maximum(back, 0)
        seen = np.where(carried, self._time[who, each], own_time[back])
        state = np.where(carried, self._value[who, each], own_value[back])
        own_changed = np.full(count, NEVER, np.int64)
        own_changed[row] = self._changes(each, who[row], time, value)
        changed = np.where(carried, self._changed[who, each], own_changed[back])
        ends = np.r_[who[1:] != who[:-1], True][:count]
        self._time[who[ends], each], self._value[who[ends], each] = seen[ends], state[ends]
        self._changed[who[ends], each] = changed[ends]
        return np.where(self._doubted[who, each], np.nan, self._alive(when, seen, state, changed, each)), seen

    def _changes(self, each: int, who: NDArray[np.int64], time: Ints, value: Floats) -> Ints:
        """When the value of each new reading (n,) of a field was first taken, by entity and in order."""
        index = np.arange(len(who))
        first = np.ones(len(who), np.bool_)
        first[1:] = who[1:] != who[:-1]
        before = np.where(first, self._value[who, each], np.r_[np.nan, value[:-1]][: len(who)])
        mark = np.maximum.accumulate(np.where(value != before, index, -1))
        begin = np.maximum.accumulate(np.where(first, index, 0))
        return np.where(mark < begin, self._changed[who, each], time[np.maximum(mark, 0)])

    def _alive(self, when: Ints, seen: Ints, value: Floats, changed: Ints, each: int | slice) -> Floats:
        alive = (when - seen <= self._silent[each]) & (value >= self._low[each]) & (value <= self._high[each])
        alive &= (seen > NEVER) & (seen - changed < self._stuck[each])
        of_day = (when + _EAST) % DAY
        alive &= (of_day >= self._opens[each]) & (of_day <= self._closes[each])
        return np.where(alive, value, np.nan)


def _running(group: NDArray[np.int64], time: Ints) -> Ints:
    """The greatest time so far within each group; rows (n,) stand group by group."""
    if not len(time):
        return time
    base = int(time.min())
    rank: Ints = np.cumsum(np.r_[False, group[1:] != group[:-1]]) * (int(time.max()) - base + 1)
    greatest: Ints = np.maximum.accumulate(time - base + rank)
    found: Ints = greatest - rank + base
    return found


def _spans(values: Sequence[int | None]) -> Ints:
    return np.array([_ENDLESS if value is None else value for value in values], np.int64)
