"""Checks of rows before they are stored: on whole columns, each bad row refused alone with its reason."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.rows import INFINITE, Rows
from citybrain.brain.observe.worded import FULL, UnfitError, fitted
from citybrain.kernel import units
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import MINUTE, Instant, parse
from citybrain.kernel.observations import Floats, Ints, Numbers, Refusal
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream

AHEAD = 5 * MINUTE
"""How far a device's clock may run ahead of the city's."""
OLDEST = parse("2000-01-01T00:00:00Z")
"""What is older comes from a clock that was never set."""
_WHY: Final[Mapping[str, Text]] = {
    "unknown_stream": Text("没有这个数据流，请先登记其对象。", "No stream has this id. Register its entity first."),
    "not_a_number": INFINITE[1],
    "wrong_unit": Text("单位不能换算为数据流的单位。", "The unit cannot be turned into the stream's."),
    "future_time": Text("时间比城市时钟超前 5 分钟以上。", "The time is more than 5 minutes ahead of the city's clock."),
    "too_old": Text("时间早于 2000 年：设备从未对时。", "The time is before the year 2000: the device's clock was never set."),
    "expired": Text(
        "时间早于此类观测值的保存期（设置 retention）。",
        "The time is before the days for which observations of this kind are kept (setting retention).",
    ),
}


def plausible(time: Instant, now: Instant) -> bool:
    """Whether a reading of this time is taken in at ``now`` (of the city)."""
    return OLDEST <= time <= now + AHEAD


@dataclass(slots=True)
class Checked:
    """Rows under check (n,): stream numbers (0 for none), times, values, places in the sending, and those still good."""

    no: Numbers
    time: Ints
    value: Floats
    row: Ints
    good: NDArray[np.bool_]
    refused: list[Refusal]
    words: dict[int, str] = field(default_factory=dict)
    """Those that say a word, by their place in the columns; their values are its codes once these are known."""

    def refuse(self, code: str, bad: NDArray[np.bool_]) -> None:
        """Refuse the good rows that are bad in one way."""
        if bad.any():
            hit = bad & self.good
            self.refused.extend(Refusal(int(row), code, _WHY[code]) for row in self.row[hit])
            self.good &= ~bad

    def overflow(self, full: Sequence[int], streams: Sequence[Stream]) -> None:
        """Refuse rows at these places, for their streams have no room for their words, with all of their thing at their time.

        They may be one observation of several streams: that is taken whole or not at all.
        """
        beside = {(streams[self.no[index] - 1].entity, int(self.time[index])) for index in full}
        for index in np.flatnonzero(self.good & np.isin(self.time, self.time[full])).tolist():
            if (streams[self.no[index] - 1].entity, int(self.time[index])) in beside:
                self.refused.append(Refusal(int(self.row[index]), *FULL))
                self.good[index] = False

    def told(self) -> tuple[Refusal, ...]:
        """What was refused, in the order of the sending."""
        return tuple(sorted(self.refused, key=lambda each: each.row))

    def sorted(self) -> tuple[Numbers, Ints, Floats, int]:
        """The good rows by stream and time, less those that repeat the one before; and how many did."""
        no, time, value = (self.no, self.time, self.value) if self.good.all() else self._good()
        if bool((no[1:] > no[:-1]).all()):
            return no, time, value, 0
        order = np.lexsort((time, no))
        no, time, value = no[order], time[order], value[order]
        again = np.zeros(len(no), np.bool_)
        again[1:] = (no[1:] == no[:-1]) & (time[1:] == time[:-1]) & (value[1:] == value[:-1])
        count = int(again.sum())
        return (no[~again], time[~again], value[~again], count) if count else (no, time, value, 0)

    def _good(self) -> tuple[Numbers, Ints, Floats]:
        return self.no[self.good], self.time[self.good], self.value[self.good]


class Checks:
    """What is asked of each row; needs no store, so every process can say what would be refused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._expired: Callable[[Numbers, Ints], NDArray[np.bool_]] = _for_ever

    def kept_by(self, expired: Callable[[Numbers, Ints], NDArray[np.bool_]]) -> None:
        """From now on refuse what would be deleted at once: ``expired`` says which observations (n,) are of days that are past."""
        self._expired = expired

    def refused(self, rows: Rows, registry: Registry) -> tuple[Refusal, ...]:
        """Which rows would be refused now, with the register as it is or will be; nothing is stored."""
        checked = self.named(rows, registry)
        self.examine(checked)
        return checked.told()

    def named(self, rows: Rows, registry: Registry) -> Checked:
        """Rows with their streams' numbers, values in their streams' units."""
        no = registry.numbered(rows.streams)
        checked = Checked(no, rows.time, rows.value, rows.row, np.ones(len(no), np.bool_), list(rows.refused))
        checked.refuse("unknown_stream", no == 0)
        if rows.units is not None:
            _convert(checked, rows.units, registry.streams())
        if registry.unlike or rows.said:
            _say(checked, rows.said, registry)
        return checked

    def numbered(self, stream_no: Numbers, time: Ints, value: Floats, registry: Registry) -> Checked:
        """The same for columns (n,) with stream numbers."""
        known = (stream_no >= 1) & (stream_no <= len(registry.streams()))
        no = np.where(known, stream_no, 0).astype(np.int32)
        checked = Checked(no, time, value, np.arange(len(no)), np.ones(len(no), np.bool_), [])
        checked.refuse("unknown_stream", ~known)
        if registry.unlike:
            _say(checked, {}, registry)
        return checked

    def examine(self, checked: Checked, *, striking: bool = False) -> Instant:
        """Refuse what cannot be stored; the instant (of the city) at which it was looked at. Only what strikes out is infinite."""
        now = self._clock.city()
        checked.refuse("not_a_number", np.isnan(checked.value) if striking else ~np.isfinite(checked.value))
        checked.refuse("future_time", checked.time > now + AHEAD)
        checked.refuse("too_old", checked.time < OLDEST)
        checked.refuse("expired", self._expired(checked.no, checked.time))
        return now


def _for_ever(_: Numbers, time: Ints) -> NDArray[np.bool_]:
    """Nothing expires."""
    return np.zeros(len(time), np.bool_)


def _convert(checked: Checked, given: Sequence[str | None], streams: Sequence[Stream]) -> None:
    bad, value = np.zeros(len(given), np.bool_), checked.value.copy()
    factors: dict[tuple[str, str], tuple[float, float] | None] = {}
    for index, unit in enumerate(given):
        no = int(checked.no[index])
        if unit is None or not no or unit == streams[no - 1].unit:
            continue
        if streams[no - 1].sort != "number":
            bad[index] = True
            continue
        pair = (unit, streams[no - 1].unit)
        if pair not in factors:
            factors[pair] = _scale(*pair)
        factor = factors[pair]
        if factor is None:
            bad[index] = True
        else:
            value[index] = factor[0] * value[index] + factor[1]
    checked.value = value
    checked.refuse("wrong_unit", bad)


def _say(checked: Checked, said: Mapping[int, Json], registry: Registry) -> None:
    """Read the values of streams whose results are no numbers, and those that are no numbers; refuse what its stream does not take."""
    unlike, streams = _table(registry.unlike), registry.streams()
    asked = unlike[np.minimum(checked.no, len(unlike) - 1)]
    if said:
        asked |= np.isin(checked.row, list(said))
    if not asked.any():
        return
    value = checked.value.copy()
    for index in np.flatnonzero(asked & checked.good).tolist():
        row = int(checked.row[index])
        try:
            found = fitted(streams[checked.no[index] - 1].sort, said.get(row, float(value[index])))
        except UnfitError as error:
            checked.refused.append(Refusal(row, error.code, error.why))
            checked.good[index] = False
            continue
        if isinstance(found, str):
            checked.words[index] = found
        value[index] = 0.0 if isinstance(found, str) else found
    checked.value = value


@lru_cache(maxsize=4)
def _table(unlike: frozenset[int]) -> NDArray[np.bool_]:
    """Which stream numbers are among some, up to one that is greater than all of them."""
    found = np.zeros(max(unlike, default=0) + 2, np.bool_)
    found[list(unlike)] = True
    return found


def _scale(given: str, wanted: str) -> tuple[float, float] | None:
    try:
        return units.scale(given, wanted)
    except BadInputError:
        return None
