"""Corrections: a person replaces wrong readings or strikes them out; what was measured is kept, and stands again when it is taken back.

preview → record (pending) → Intake.revise, under the record's key → record (standing). A kill between two steps is mended by ``finish``.
Those of several streams that are one act are recorded in one commit and revised in one batch: all of them, or none.
Corrected values go in by their own door, as revisions: every reader meets them, and every reader can tell them from what was measured.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from citybrain.brain.observe import corrected, derive, respelling, revising, verifying
from citybrain.brain.observe.corrected import Correction, Kept, Signed, State
from citybrain.brain.observe.horizon import Horizon
from citybrain.brain.observe.intake import Intake, Revision
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.resting import Grounds, Rested, Resting
from citybrain.brain.observe.revising import CORRECTION, MOST, RESTORED, Change, Plan, Preview
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, CityError, ConflictError, NotFoundError, StaleError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.observations import Floats, Ints, Numbers, SeriesQuery
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Series, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Stream

_TRIES: Final = 5
"""How often taking back is begun anew where readings come in beside it."""
_CHANGED: Final = Text("读数已有更新，请重新预览后再更正。", "Readings have changed. Look at the preview again, then correct.")
_PART: Final = "."
"""What stands in the key of a correction between that of its act and its place in it."""
T = TypeVar("T")


class Wanted(NamedTuple):
    """A change of a stream, over what was seen of it."""

    stream: Stream
    change: Change
    seen: str


class Corrections:
    """Corrections of readings, one at a time; each is durable when it returns, in the store of readings too."""

    def __init__(
        self,
        registry: Registry,
        series: Series,
        intake: Intake | None,
        transactions: Transactions[Connection],
        horizon: Horizon,
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._series = series
        self._own = intake
        self._transactions = transactions
        self._horizon = horizon
        self._clock = clock
        self._alone = asyncio.Lock()
        self._grounds: dict[tuple[str, str], Grounds] = {}
        self._streams = self._read(corrected.streams)
        if intake is not None:
            intake.corrected_by(self.overruled, self._read(corrected.struck))

    def computed_by(self, packs: Sequence[Pack]) -> None:
        """Look behind what packs compute from readings, too, when a figure is asked what it was made of."""
        self._grounds = {(one.kind, one.field): Grounds(one.inputs, derive.reach(one)) for pack in packs for one in pack.derived}

    @property
    def _intake(self) -> Intake:
        """The intake of this process; a RuntimeError where another one takes in and corrects."""
        if self._own is None:
            message = "Readings are corrected by the process that takes them in."
            raise RuntimeError(message)
        return self._own

    def renew(self) -> None:
        """See in which streams another process has corrected readings. Blocks: run in a thread."""
        self._streams = self._read(corrected.streams)

    def preview(self, stream: Stream, change: Change) -> Preview:
        """What a change would do to a stream; raises BadInputError with the field, NotFoundError for a stream that has ended."""
        return self._plan(stream, change).preview(stream.contract)

    async def correct(self, stream: Stream, change: Change, seen: str, by: str, why: str) -> Correction:
        """Make a change as it was previewed. Raises as ``preview`` does, and StaleError where readings changed since.

        Raises BusyError and StorageFullError, in which case nothing was changed. Who goes away meanwhile stops nothing.
        """
        (done,) = await self.together((Wanted(stream, change, seen),), by, why)
        return done

    async def together(self, wanted: Sequence[Wanted], by: str, why: str) -> tuple[Correction, ...]:
        """Make changes of as many streams, all of which set or all of which strike out, in one act: all of them or none.

        Each is a correction of its own, in the order of their streams, and is taken back by itself. Raises as ``correct`` does.
        """
        return await self._in_turn(lambda: self._correct(wanted, corrected.signed(by, why, self._clock.wall())))

    async def end(self, stream: Stream, no: int, by: str, why: str) -> Correction:
        """Take a correction back: what stood before stands again, where nothing newer has come.

        Raises NotFoundError for none of this stream, ConflictError for one that is ended or bears a newer one, BadInputError for no
        reason. After a BusyError or StorageFullError it goes on by itself.
        """
        return await self._in_turn(lambda: self._end(stream, no, corrected.signed(by, why, self._clock.wall())))

    async def finish(self) -> int:
        """Finish what a kill or a full store has left half done; how many there were. Raises BusyError, StorageFullError."""
        async with self._alone:
            return await self._finish()

    def of(self, stream: Stream) -> tuple[Correction, ...]:
        """The corrections of a stream, newest first."""
        return self._read(lambda connection: corrected.of(connection, stream.no))

    def kept(self, no: int, most: int = MOST) -> tuple[Kept, ...]:
        """The readings of a correction in the order of their time, the first so many."""
        return self._read(lambda connection: corrected.kept(connection, no, most))

    def standing(self, stream: Stream, since: Instant, until: Instant) -> frozenset[Instant]:
        """The times in [since, until) at which a corrected value stands."""
        return frozenset(time for time, value in self._between(stream, since, until) if value != NOTHING)

    def struck(self, stream: Stream, since: Instant, until: Instant) -> frozenset[Instant]:
        """The times in [since, until) at which a reading is struck out."""
        return frozenset(time for time, value in self._between(stream, since, until) if value == NOTHING)

    def _between(self, stream: Stream, since: Instant, until: Instant) -> Iterator[tuple[Instant, float]]:
        if stream.no in self._streams and since < until:
            for time, value in self._stands(stream.no, since, until - 1).items():
                yield Instant(time), value

    def forget(self, numbers: Numbers, before: Instant) -> int:
        """Delete the kept readings of streams (n,) before an instant, as retention has it; who changed what when stays."""
        return self._write(lambda connection: corrected.forget(connection, numbers, before))

    def verify(self) -> int:
        """How many corrected readings agree with the store of readings; raises ConflictError that names the first that does not."""
        return self._read(lambda connection: verifying.verify(connection, self._series, self._registry, self._horizon))

    def rested(self, streams: Sequence[str], at: Sequence[Instant]) -> list[Rested]:
        """For each instant (n,) what a figure of the latest readings of some streams was made of then, as ``Rested`` says."""
        return self._read(lambda connection: Resting(connection, self._series, self._registry, self._grounds).of(streams, at))

    def overruled(self, no: Numbers, time: Ints, known: Floats, value: Floats) -> NDArray[np.bool_]:
        """Which observations (n,) say what was measured where a correction stands: they were known before it."""
        found = np.zeros(len(time), np.bool_)
        for stream in self._streams.intersection(np.unique(no).tolist()):
            mine = np.flatnonzero(no == stream)
            first, last = int(time[mine].min()), int(time[mine].max())
            held = self._read(partial(corrected.measured, stream=stream, first=first, last=last))
            given = zip(time[mine].tolist(), known[mine].tolist(), value[mine].tolist(), strict=True)
            again = mine[[held.get(at) == (stands, comes) for at, stands, comes in given]]
            if len(again):
                # What stands may have been read anew since, and be the same by chance.
                stands = self._stands(stream, int(time[again[0]]), int(time[again[-1]]))
                found[again] = [at in stands for at in time[again].tolist()]
        return found

    async def _in_turn(self, work: Callable[[], Awaitable[T]]) -> T:
        """One at a time, after what was left half done; whoever asked may go away."""

        async def alone() -> T:
            async with self._alone:
                await self._finish()
                return await work()

        return await asyncio.shield(asyncio.ensure_future(alone()))

    async def _correct(self, wanted: Sequence[Wanted], signed: Signed) -> tuple[Correction, ...]:
        plans = await asyncio.to_thread(self._plans, wanted)
        (door,) = {one.change.door for one in wanted}
        key = new_id() if len(plans) == 1 else new_id().replace("-", "")
        numbers = await asyncio.to_thread(self._record, plans, key, signed)
        revisions = [Revision(stream.no, plan.time, plan.before, plan.after) for stream, plan in plans]
        try:
            await self._intake.revise(_joined(revisions), door, key)
        except CityError:
            await asyncio.to_thread(self._drop, numbers)
            raise
        return await asyncio.to_thread(self._become, numbers, "standing")

    async def _end(self, stream: Stream, no: int, signed: Signed) -> Correction:
        await asyncio.to_thread(self._begin_end, stream, no, signed)
        return await self._restore(no)

    async def _restore(self, no: int) -> Correction:
        """Put back what stands of a correction that ends; what is left to do is told by values alone, so it may be begun anew."""
        for left in range(_TRIES - 1, -1, -1):
            try:
                for door, revision in await asyncio.to_thread(self._standing, no):
                    await self._intake.revise(revision, door, new_id())
                break
            except StaleError:
                if not left:
                    raise
        (done,) = await asyncio.to_thread(self._become, (no,), "ended")
        return done

    async def _finish(self) -> int:
        left = await asyncio.to_thread(self._read, corrected.unfinished)
        for one, _ in left:
            if one.state == "ending":
                await self._restore(one.no)
        pending = [(one, key.partition(_PART)[0]) for one, key in left if one.state == "pending"]
        for key, act in groupby(pending, lambda pair: pair[1]):
            await self._apply([one for one, _ in act], key)
        return len(left)

    async def _apply(self, act: Sequence[Correction], key: str) -> None:
        """Finish what was recorded of one act; one whose rows are not stored and fit no more has never been."""
        door, numbers = act[0].change.door, [one.no for one in act]

        def read(connection: Connection) -> list[Revision]:
            return [_revision(one.stream, corrected.lines(connection, one.no)) for one in act]

        try:
            await self._intake.revise(_joined(await asyncio.to_thread(self._read, read)), door, key)
        except StaleError:
            if not await self._intake.stored(door, key):
                await asyncio.to_thread(self._drop, numbers)
                return
        await asyncio.to_thread(self._become, numbers, "standing")

    def _plans(self, wanted: Sequence[Wanted]) -> list[tuple[Stream, Plan]]:
        """What is to be done, in the order of the streams; raises StaleError where readings changed since they were seen."""
        plans = []
        for one in sorted(wanted, key=lambda one: one.stream.no):
            plans.append((one.stream, self._plan(one.stream, one.change)))
            if plans[-1][1].seen() != one.seen:
                raise StaleError(_CHANGED, seen=one.seen)
        return plans

    def _plan(self, stream: Stream, change: Change) -> Plan:
        revising.check(change, self._clock.city())
        if self._registry.streams()[stream.no - 1].ended is not None:
            raise NotFoundError(Text("该监测项已停用。", "This stream has ended."), stream=stream.id)
        if self._horizon.expired(np.array([stream.no], np.int32), np.array([change.since], np.int64)).any():
            what = Text("这段读数已过保存期限，不能更正。", "These readings were kept long enough: they cannot be corrected.")
            raise BadInputError(what, field="since")
        span = (stream.no,), change.since, change.until
        days = self._series.scan(SeriesQuery(*span, DAY))
        revising.check_count(int(days["count"].to_numpy().sum()))
        plan = revising.plan(change, self._series.scan(SeriesQuery(*span)))
        respelling.check(self._registry.worded, stream, plan)
        return plan

    def _record(self, plans: Sequence[tuple[Stream, Plan]], key: str, signed: Signed) -> list[int]:
        # Before the rows are stored: a reading that comes again beside them must find the correction.
        keys = [key] if len(plans) == 1 else [f"{key}{_PART}{part}" for part in range(len(plans))]

        def record(connection: Connection) -> list[int]:
            return [corrected.record(connection, *plan, own, signed) for plan, own in zip(plans, keys, strict=True)]

        numbers = self._write(record)
        self._streams |= {stream.no for stream, _ in plans}
        return numbers

    def _drop(self, numbers: Sequence[int]) -> None:
        def drop(connection: Connection) -> None:
            for no in numbers:
                corrected.drop(connection, no)

        self._write(drop)

    def _become(self, numbers: Sequence[int], state: State) -> tuple[Correction, ...]:
        def change(connection: Connection) -> tuple[Correction, ...]:
            for no in numbers:
                corrected.become(connection, no, state)
            return tuple(corrected.one(connection, no) for no in numbers)

        done = self._write(change)
        self._streams = self._read(corrected.streams)
        return done

    def _begin_end(self, stream: Stream, no: int, signed: Signed) -> None:
        """Enter that a correction is taken back, where it may be."""
        if all(one.no != no for one in self.of(stream)):
            raise NotFoundError(Text("没有这一更正。", "There is no such correction."), id=no)
        rows = sum(len(revision.time) for _, revision in self._standing(no))

        def begin(connection: Connection) -> None:
            if corrected.one(connection, no).state != "standing":
                raise ConflictError(Text("该更正已被撤回。", "This correction was taken back already."), id=no)
            over = corrected.bearing(connection, no)
            if over is not None:
                what = Text(
                    f"第 {over} 号更正以它为基础，请先撤回第 {over} 号。",
                    f"Correction {over} rests on this one: take that one back first.",
                )
                raise ConflictError(what, id=no, over=over)
            corrected.begin_end(connection, no, signed, rows)

        self._write(begin)

    def _standing(self, no: int) -> list[tuple[str, Revision]]:
        """What is left to put back of a correction: measured values by their door, and those of the correction below by theirs."""

        def read(connection: Connection) -> tuple[int, tuple[corrected.Line, ...]]:
            return corrected.one(connection, no).stream, corrected.lines(connection, no)

        stream, lines = self._read(read)
        if not lines:
            return []
        stands = self._stands(stream, lines[0].time, lines[-1].time)
        mine = [line for line in lines if stands.get(line.time) == line.after]
        parts = {RESTORED: [line for line in mine if not line.rests], CORRECTION: [line for line in mine if line.rests]}
        return [(door, _back(_revision(stream, part))) for door, part in parts.items() if part]

    def _stands(self, stream: int, first: int, last: int) -> dict[int, float]:
        """The corrected values that stand in a stream between two instants, both included, by time; infinite where struck out."""
        rows = self._series.scan(SeriesQuery((stream,), Instant(first), Instant(last + 1), marks=True))
        columns = rows["time"].to_numpy().tolist(), rows["value"].to_numpy().tolist(), rows["door"].to_pylist()
        return {time: value for time, value, door in zip(*columns, strict=True) if door in (CORRECTION, STRUCK)}

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._transactions.read() as connection:
            return work(connection)

    def _write(self, work: Callable[[Connection], T]) -> T:
        with self._transactions.begin() as tx:
            return work(tx.connection)


def _revision(stream: int, lines: tuple[corrected.Line, ...] | list[corrected.Line]) -> Revision:
    time = np.array([line.time for line in lines], np.int64)
    return Revision(stream, time, np.array([line.before for line in lines]), np.array([line.after for line in lines]))


def _joined(revisions: Sequence[Revision]) -> Revision:
    """Revisions of several streams, in their order, as one."""
    numbers = np.repeat([one.stream_no for one in revisions], [len(one.time) for one in revisions]).astype(np.int32)
    return Revision(numbers, *map(np.concatenate, zip(*(one[1:] for one in revisions), strict=True)))


def _back(revision: Revision) -> Revision:
    return Revision(revision.stream_no, revision.time, revision.after, revision.before)
