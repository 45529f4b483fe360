"""Intake: rows of a door checked on whole columns, made durable, fed to the latest values, and told to whoever waits.

read_rows → checks → Series.append (durable) → Latest.feed → Bus "recorded". sent = stored + duplicate + refused, always.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.life import NEVER
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.rows import Rows
from citybrain.kernel import units
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.events import Recorded
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import MINUTE, Instant, parse
from citybrain.kernel.observations import Batch, Floats, Ints, Numbers, Refusal
from citybrain.kernel.ports import Bus, Series
from citybrain.kernel.things import Stream

AHEAD = 5 * MINUTE
"""How far a device's clock may run ahead of the city's."""
OLDEST = parse("2000-01-01T00:00:00Z")
"""What is older comes from a clock that was never set."""
BEHIND = 500_000
"""Observations that the rules may be behind before senders are made to wait for them."""
_STEP, _LONGEST = 0.005, 0.25
"""Seconds between two looks at the rules, and for which one sending waits at most: rules that fail do not shut the door."""
RECORDED = "recorded"
"""The bus topic of the wake-up after a batch is durable."""

_WHY = {
    "unknown_stream": "No stream has this id. Register its entity first.",
    "not_a_number": "The value is not a finite number.",
    "wrong_unit": "The unit cannot be turned into the stream's.",
    "future_time": "The time is more than 5 minutes ahead of the city's clock.",
    "too_old": "The time is before the year 2000: the device's clock was never set.",
    "expired": "The time is before the days for which observations of this kind are kept (setting retention).",
}


class Verdict(msgspec.Struct, frozen=True):
    """What became of a sending: rows stored, known already, and refused one by one with their reasons."""

    stored: int
    duplicate: int
    refused: tuple[Refusal, ...]


def plausible(time: Instant, now: Instant) -> bool:
    """Whether a reading of this time is taken in at ``now`` (of the city)."""
    return OLDEST <= time <= now + AHEAD


@dataclass(slots=True)
class _Checked:
    """Rows under check (n,): stream numbers (0 for none), times, values, places in the sending, and those still good."""

    no: Numbers
    time: Ints
    value: Floats
    row: Ints
    good: NDArray[np.bool_]
    refused: list[Refusal]

    def refuse(self, code: str, bad: NDArray[np.bool_]) -> None:
        """Refuse the good rows that are bad in one way."""
        if bad.any():
            hit = bad & self.good
            self.refused.extend(Refusal(int(row), code, _WHY[code]) for row in self.row[hit])
            self.good &= ~bad

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


class Intake:
    """The one way in for observations. Runs on one event loop; concurrent sendings cannot store the same reading twice."""

    def __init__(self, registry: Registry, series: Series, latest: Latest, clock: Clock, bus: Bus) -> None:
        self._registry = registry
        self._series = series
        self._latest = latest
        self._clock = clock
        self._bus = bus
        self._reserved = np.full(1024, NEVER, np.int64)
        self._flying: set[asyncio.Future[None]] = set()
        self._behind: Callable[[], int] = _nobody
        self._expired: Callable[[Numbers, Ints], NDArray[np.bool_]] = _for_ever
        self._gate: asyncio.Future[None] | None = None

    def paced_by(self, behind: Callable[[], int]) -> None:
        """From now on wait for those who follow: ``behind`` says how many observations they have not looked at."""
        self._behind = behind

    def kept_by(self, expired: Callable[[Numbers, Ints], NDArray[np.bool_]]) -> None:
        """From now on refuse what would be deleted at once: ``expired`` says which observations (n,) are of days that are past."""
        self._expired = expired

    async def take(self, rows: Rows, door: str, key: str | None) -> Verdict:
        """Check and store rows; resolves when they are durable. The same key of a door again gives the first verdict.

        Raises BusyError and StorageFullError, in which case nothing was stored.
        """
        await self._paced()
        return await self._store(self._known(rows, self._registry), door, key)

    def refused(self, rows: Rows, registry: Registry) -> tuple[Refusal, ...]:
        """Which rows ``take`` would refuse now, with the register as it will be; nothing is stored."""
        checked = self._known(rows, registry)
        self._examine(checked, self._clock.city())
        return tuple(sorted(checked.refused, key=lambda each: each.row))

    def _known(self, rows: Rows, registry: Registry) -> _Checked:
        no = registry.numbered(rows.streams)
        checked = _Checked(no, rows.time, rows.value, rows.row, np.ones(len(no), np.bool_), list(rows.refused))
        checked.refuse("unknown_stream", no == 0)
        if rows.units is not None:
            _convert(checked, rows.units, registry.streams())
        return checked

    async def take_columns(self, stream_no: Numbers, time: Ints, value: Floats, door: str, key: str | None) -> Verdict:
        """The same for columns (n,) with stream numbers, as bulk imports have them; values in their streams' units."""
        known = (stream_no >= 1) & (stream_no <= len(self._registry.streams()))
        no = np.where(known, stream_no, 0).astype(np.int32)
        checked = _Checked(no, time, value, np.arange(len(no)), np.ones(len(no), np.bool_), [])
        checked.refuse("unknown_stream", ~known)
        return await self._store(checked, door, key)

    async def _paced(self) -> None:
        """Wait while the rules are far behind: an alert that comes minutes late helps nobody. All go on together, in their order."""
        if self._gate is None and self._behind() > BEHIND:
            self._gate = asyncio.ensure_future(self._opened())
        if self._gate is not None:
            await asyncio.shield(self._gate)

    async def _opened(self) -> None:
        waited = 0.0
        while waited < _LONGEST and self._behind() > BEHIND:
            await asyncio.sleep(_STEP)
            waited += _STEP
        self._gate = None

    async def _store(self, checked: _Checked, door: str, key: str | None) -> Verdict:
        now = self._clock.city()
        self._examine(checked, now)
        no, time, value, duplicate = checked.sorted()
        earlier, mine = tuple(self._flying), asyncio.get_running_loop().create_future()
        self._flying.add(mine)
        try:
            suspect = self._reserve(no, time)
            if suspect.any():
                fresh = await self._fresh(no, time, value, suspect, earlier)
                duplicate += int(len(no) - fresh.sum())
                no, time, value = no[fresh], time[fresh], value[fresh]
            refused = Counter(refusal.code for refusal in checked.refused)
            name = new_id() if key is None else f"{door}:{key}"
            receipt = await self._series.append(Batch(name, door, now, no, time, value, refused, duplicate))
            if not receipt.repeated:
                self._latest.feed(no, time, value, now)
        finally:
            self._flying.discard(mine)
            mine.set_result(None)
        self._bus.publish(RECORDED, Recorded(receipt.last_seq))
        return Verdict(receipt.stored, receipt.duplicate, tuple(sorted(checked.refused, key=lambda each: each.row)))

    def _examine(self, checked: _Checked, now: Instant) -> None:
        checked.refuse("not_a_number", ~np.isfinite(checked.value))
        checked.refuse("future_time", checked.time > now + AHEAD)
        checked.refuse("too_old", checked.time < OLDEST)
        checked.refuse("expired", self._expired(checked.no, checked.time))

    def _reserve(self, no: Numbers, time: Ints) -> NDArray[np.bool_]:
        """Which rows are not newer than all that was taken in before (stored or on its way), and so may be known.

        Marks the rows as taken in at once, without a pause, so that a sending beside this one sees them.
        """
        size = int(no.max(initial=0)) + 1
        if size > len(self._reserved):
            self._reserved = np.r_[self._reserved, np.full(max(size, len(self._reserved)), NEVER, np.int64)]
        high = np.maximum(self._reserved[no], self._latest.times(no))
        # Rows are sorted by stream and time: the last one of a stream is written last.
        self._reserved[no] = np.maximum(high, time)
        late: NDArray[np.bool_] = time <= high
        return late

    async def _fresh(
        self, no: Numbers, time: Ints, value: Floats, suspect: NDArray[np.bool_], earlier: tuple[asyncio.Future[None], ...]
    ) -> NDArray[np.bool_]:
        """Which rows are new or revise a known value; waits for the sendings before this one, whose rows it must know."""
        if earlier:
            await asyncio.wait(earlier)
        known = np.full(len(no), np.nan)
        known[suspect] = await asyncio.to_thread(self._series.known, no[suspect], time[suspect])
        # Of several revisions of one instant in a sending only the first is held against what is stored.
        follows = np.zeros(len(no), np.bool_)
        follows[1:] = (no[1:] == no[:-1]) & (time[1:] == time[:-1])
        new: NDArray[np.bool_] = value != known
        return new | follows


def _nobody() -> int:
    """Nobody follows."""
    return 0


def _for_ever(_: Numbers, time: Ints) -> NDArray[np.bool_]:
    """Nothing expires."""
    return np.zeros(len(time), np.bool_)


def _convert(checked: _Checked, given: Sequence[str | None], streams: Sequence[Stream]) -> None:
    bad, value = np.zeros(len(given), np.bool_), checked.value.copy()
    factors: dict[tuple[str, str], tuple[float, float] | None] = {}
    for index, unit in enumerate(given):
        no = int(checked.no[index])
        if unit is None or not no or unit == streams[no - 1].unit:
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


def _scale(given: str, wanted: str) -> tuple[float, float] | None:
    try:
        return units.scale(given, wanted)
    except BadInputError:
        return None
