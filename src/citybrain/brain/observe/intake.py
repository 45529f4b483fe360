"""Intake: rows of a door checked on whole columns, made durable, fed to the latest values, and told to whoever waits.

read_rows → checks → Series.append (durable) → Latest.feed → Bus "recorded". sent = stored + duplicate + refused, always.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.brain.observe.arrivals import Arrival, Arrivals
from citybrain.brain.observe.checking import Checked, Checks
from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.life import NEVER
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.remembered import Entry
from citybrain.brain.observe.rows import Rows
from citybrain.brain.observe.striking import STRUCK, renew
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import ConflictError, StaleError
from citybrain.kernel.events import Recorded
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Batch, Floats, Ints, Numbers, Receipt, Refusal
from citybrain.kernel.ports import Bus, Series
from citybrain.kernel.text import Text

BEHIND = 500_000
"""Observations that the rules may be behind before senders are made to wait for them."""
_STEP, _LONGEST = 0.005, 0.25
"""Seconds between two looks at the rules, and for which one sending waits at most: rules that fail do not shut the door."""
RECORDED = "recorded"
"""The bus topic of the wake-up after a batch is durable."""

_OTHER = Text(
    "同一幂等键（Idempotency-Key）已用于另一批读数，或这些读数其间另有更新；这一次没有存入任何一条。请换一个键再发。",
    "This Idempotency-Key was used for other readings, or these were revised meanwhile; this time none was stored. Use another key.",
)
_NEWER = Text("其间有读数更新，请重新预览。", "Readings have changed meanwhile. Look at the preview again.")


class Verdict(msgspec.Struct, frozen=True):
    """What became of a sending: rows stored, known already, and refused one by one with their reasons."""

    stored: int
    duplicate: int
    refused: tuple[Refusal, ...]


class Revision(NamedTuple):
    """Readings whose values stand to be replaced, shapes (n,), in the order of stream and time; ``before`` is what stands."""

    stream_no: int | Numbers
    """One stream, or that of each reading."""
    time: Ints
    before: Floats
    after: Floats


Overruled: TypeAlias = Callable[[Numbers, Ints, Floats, Floats], NDArray[np.bool_]]
"""Which observations (n,) of stream numbers, times, values that stand and values that come were measured so before a correction."""


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
        self._checks = Checks(clock)
        self._overruled: Overruled = _nothing
        self._gate: asyncio.Future[None] | None = None
        self._renew: Callable[[], object] | None = None
        self._arrivals = Arrivals(series.doors)
        self.accounts, self.waited_by = self._arrivals.accounts, self._arrivals.waited_by

    def silent(self) -> None:
        """Never: the ledger is kept here."""

    def renewed_by(self, renew: Callable[[], object]) -> None:
        """From now on look whether another process has entered a stream before it is refused as unknown."""
        self._renew = renew

    def paced_by(self, behind: Callable[[], int]) -> None:
        """From now on wait for those who follow: ``behind`` says how many observations they have not looked at."""
        self._behind = behind

    def kept_by(self, expired: Callable[[Numbers, Ints], NDArray[np.bool_]]) -> None:
        """From now on refuse what would be deleted at once: ``expired`` says which observations (n,) are of days that are past."""
        self._checks.kept_by(expired)

    def corrected_by(self, overruled: Overruled, struck: Mapping[int, int]) -> None:
        """From now on take for known what a person has corrected: a reading that is sent again does not undo its correction.

        ``struck`` gives of streams the newest time that was struck out: no reading that is read back at the start is so new.
        """
        self._overruled = overruled
        for no, time in struck.items():
            self._reserve(np.array([no], np.int32), np.array([time], np.int64))

    async def take(self, rows: Rows, door: str, key: str | None) -> Verdict:
        """Check and store rows; resolves when they are durable. The same key of a door again gives the first verdict.

        Raises BusyError, StorageFullError, and ConflictError for a key that was used for other rows; then nothing was stored.
        """
        with self._arrivals.arriving(door, rows.sent) as arrival:
            await self._paced()
            checked = self._checks.named(rows, self._registry)
            if not checked.no.all() and await self._renewed():
                checked = self._checks.named(rows, self._registry)
            return await self._store(checked, door, key, arrival)

    def refused(self, rows: Rows, registry: Registry) -> tuple[Refusal, ...]:
        """Which rows ``take`` would refuse now, with the register as it is or will be; nothing is stored."""
        return self._checks.refused(rows, registry)

    async def take_columns(self, stream_no: Numbers, time: Ints, value: Floats, door: str, key: str | None) -> Verdict:
        """The same for columns (n,) with stream numbers, as bulk imports have them; values in their streams' units."""
        with self._arrivals.arriving(door, len(time)) as arrival:
            checked = self._checks.numbered(stream_no, time, value, self._registry)
            if not checked.no.all() and await self._renewed():
                checked = self._checks.numbered(stream_no, time, value, self._registry)
            return await self._store(checked, door, key, arrival)

    async def _renewed(self) -> bool:
        """Whether the register may know more than before: also where somebody else has just brought it up to date."""
        if self._renew is None:
            return False
        await asyncio.to_thread(self._renew)
        return True

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

    async def _store(self, checked: Checked, door: str, key: str | None, arrival: Arrival) -> Verdict:
        now = self._checks.examine(checked, striking=door == STRUCK)
        wanted = {index: (int(checked.no[index]), word) for index, word in checked.words.items() if checked.good[index]}
        with self._registry.worded.being_said(frozenset(wanted.values())):
            if wanted:
                await self._coded(checked, wanted)
            return await self._keep(checked, door, key, now, arrival)

    async def _keep(self, checked: Checked, door: str, key: str | None, now: Instant, arrival: Arrival) -> Verdict:
        no, time, value, duplicate = checked.sorted()
        with self._in_turn() as earlier:
            suspect = self._reserve(no, time)
            if suspect.any():
                fresh = await self._fresh(no, time, value, suspect, earlier)
                duplicate += int(len(no) - fresh.sum())
                no, time, value = no[fresh], time[fresh], value[fresh]
            refused = Counter(refusal.code for refusal in checked.refused)
            name = new_id() if key is None else f"{door}:{key}"
            batch = Batch(name, door, now, no, time, value, refused, duplicate)
            arrival.handed = True
            receipt = await self._append(batch)
            arrival.known = receipt.repeated
            if receipt.repeated and key is not None:
                await self._held_to(receipt, batch)
        return Verdict(receipt.stored, receipt.duplicate, checked.told())

    async def _coded(self, checked: Checked, wanted: Mapping[int, Entry]) -> None:
        """Give rows the codes of their words, which are durable before any row is; refuse those of streams whose lists are full."""
        codes = self._registry.worded.recalled(wanted.values())
        if codes is None:
            codes = await asyncio.to_thread(self._registry.worded.codes, tuple(wanted.values()))
        for index, entry in wanted.items():
            checked.value[index] = codes.get(entry, 0)
        full = [index for index, entry in wanted.items() if entry not in codes]
        if full:
            checked.overflow(full, self._registry.streams())

    async def _held_to(self, receipt: Receipt, batch: Batch) -> None:
        """Raise ConflictError where a key was given its receipt for another sending: what is acknowledged must be what is stored."""
        same = receipt.stored + receipt.duplicate + receipt.refused == batch.sent
        # Rows that were stored by this very sending (its first answer was lost on the way) are known by now.
        lost = len(batch.time) > 0 and (await asyncio.to_thread(self._unknown, batch.stream_no, batch.time, batch.value)).any()
        if lost or not same:
            raise ConflictError(_OTHER)

    async def revise(self, revision: Revision, door: str, key: str) -> None:
        """Replace values that stand, all of them or none; returns when that is durable. The same key of a door again stores nothing.

        Where NaN stands before, there must be no reading, or one that was struck out.
        Raises StaleError where something else stands by now, BusyError and StorageFullError; then nothing was stored.
        """
        await self._paced()
        no = np.full(len(revision.time), revision.stream_no, np.int32)
        with self._in_turn() as earlier:
            self._reserve(no, revision.time)
            if earlier:
                await asyncio.wait(earlier)
            known = await asyncio.to_thread(self._series.known, no, revision.time)
            nothing = np.isnan(revision.before) & ~np.isfinite(known)
            if not (nothing | (known == revision.before)).all():
                raise StaleError(_NEWER)
            await self._append(Batch(f"{door}:{key}", door, self._clock.city(), no, revision.time, revision.after, {}))

    async def stored(self, door: str, key: str) -> bool:
        """Whether rows of this key are stored; where they are not, the key is spent. Known for a day of city time."""
        none = np.zeros(0, np.int64)
        batch = Batch(f"{door}:{key}", door, self._clock.city(), none.astype(np.int32), none, none.astype(np.float64), {})
        return (await self._append(batch)).stored > 0

    @contextmanager
    def _in_turn(self) -> Iterator[tuple[asyncio.Future[None], ...]]:
        """Within it a sending is on its way; gives those that began before it and are not yet done."""
        earlier, mine = tuple(self._flying), asyncio.get_running_loop().create_future()
        self._flying.add(mine)
        try:
            yield earlier
        finally:
            self._flying.discard(mine)
            mine.set_result(None)

    async def _append(self, batch: Batch) -> Receipt:
        """Make a batch durable, feed the latest values, and wake whoever waits."""
        receipt = await self._series.append(batch)
        if not receipt.repeated:
            struck = self._latest.feed(batch.stream_no, batch.time, batch.value, batch.received, batch.door)
            await renew(self._latest, self._series, struck)
        self._bus.publish(RECORDED, Recorded(receipt.last_seq))
        return receipt

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
        new = np.ones(len(no), np.bool_)
        new[suspect] = await asyncio.to_thread(self._unknown, no[suspect], time[suspect], value[suspect])
        # Of several revisions of one instant in a sending only the first is held against what is stored.
        follows = np.zeros(len(no), np.bool_)
        follows[1:] = (no[1:] == no[:-1]) & (time[1:] == time[:-1])
        return new | follows

    def _unknown(self, no: Numbers, time: Ints, value: Floats) -> NDArray[np.bool_]:
        """Which rows (n,) say something else than what stands, and than what was measured there before a person corrected it."""
        known = self._series.known(no, time)
        unknown: NDArray[np.bool_] = (value != known) & ~self._overruled(no, time, known, value)
        return unknown


def _nobody() -> int:
    """Nobody follows."""
    return 0


def _nothing(_no: Numbers, time: Ints, _known: Floats, _value: Floats) -> NDArray[np.bool_]:
    """Nothing was corrected."""
    return np.zeros(len(time), np.bool_)
