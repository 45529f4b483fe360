"""Corrections: a person replaces wrong readings or strikes them out; what was measured is kept, and stands again when it is taken back.

preview → record (pending) → Intake.revise, under the record's key → record (standing). A kill between two steps is mended by ``finish``.
Those of several streams that are one act are recorded in one commit and revised in one batch: all of them, or none. Acts that belong together,
and with observations that come in beside them, are recorded in one commit before these, with what is said anew of observations in the same
act; ``finish`` goes on where the observations are stored.
Corrected values go in by their own door, as revisions: every reader meets them, and every reader can tell them from what was measured.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from citybrain.brain.observe import altered, corrected, derive, restated, verifying
from citybrain.brain.observe.acting import Act, Coming, Request, Saying, Wanted
from citybrain.brain.observe.altered import Altered
from citybrain.brain.observe.corrected import Correction, Kept
from citybrain.brain.observe.finishing import Finishing
from citybrain.brain.observe.horizon import Horizon
from citybrain.brain.observe.intake import Intake
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.restated import Restated
from citybrain.brain.observe.resting import Grounds, Rested, Resting
from citybrain.brain.observe.revising import MOST, Change, Preview
from citybrain.brain.observe.signing import Signed, signed
from citybrain.brain.observe.striking import NOTHING
from citybrain.kernel.alerts import Evidence
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Floats, Ints, Numbers
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Series, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Stream

T = TypeVar("T")


class Corrections(Finishing):
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
        super().__init__(registry, series, intake, transactions, horizon, clock)
        self._alone = asyncio.Lock()
        self._grounds: dict[tuple[str, str], Grounds] = {}
        if intake is not None:
            intake.corrected_by(self.overruled, self._read(corrected.struck))

    def computed_by(self, packs: Sequence[Pack]) -> None:
        """Look behind what packs compute from readings, too, when a figure is asked what it was made of."""
        self._grounds = {(one.kind, one.field): Grounds(one.inputs, derive.reach(one)) for pack in packs for one in pack.derived}

    def renew(self) -> None:
        """See in which streams another process has corrected readings. Blocks: run in a thread."""
        self._streams = self._read(corrected.streams)

    def preview(self, stream: Stream, change: Change) -> Preview:
        """What a change would do to a stream; raises BadInputError with the field, NotFoundError for a stream that has ended."""
        return self._plan(stream, change).preview(stream.contract)

    def addition(self, stream: Stream, change: Change) -> Wanted:
        """The change that sets a reading where none is; raises as ``preview`` does, and ConflictError where one is or none may be."""
        self._added(stream, change)
        return Wanted(stream, change, "", adds=True)

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
        (done,) = await self.acts((Act(wanted, why),), by)
        return done

    async def acts(
        self, acts: Sequence[Act], by: str, coming: Coming | None = None, said: Sequence[Saying] = ()
    ) -> tuple[tuple[Correction, ...], ...]:
        """Do acts that belong together, after what comes in with them, and keep what is said anew with them: all of it, or none.

        Raises as ``together`` does, what storing raises, and as ``Featured.restate`` does, with nothing done. Once something stands the
        rest follows: what was read anew in between is looked at again, and what a full store does not take is left to ``finish``.
        """
        wall = self._clock.wall()
        own = [signed(by, act.why, wall) for act in acts]
        words = [(one.anew, signed(by, one.why, wall)) for one in said]
        return await self._in_turn(lambda: self._correct(Request(acts, own, coming, words)))

    async def end(self, stream: Stream, no: int, by: str, why: str) -> Correction:
        """Take a correction back: what stood before stands again, where nothing newer has come.

        Raises NotFoundError for none of this stream, ConflictError for one that is ended or bears a newer one, BadInputError for no
        reason. After a BusyError or StorageFullError it goes on by itself.
        """
        return await self._in_turn(lambda: self._end(stream, no, signed(by, why, self._clock.wall())))

    async def finish(self) -> int:
        """Finish what a kill or a full store has left half done; how many there were. Raises BusyError, StorageFullError."""
        async with self._alone:
            return await self._finish()

    def of(self, stream: Stream) -> tuple[Correction, ...]:
        """The corrections of a stream, newest first."""
        return self._read(lambda connection: corrected.of(connection, stream.no))

    def restated(self, stream: Stream) -> tuple[Restated, ...]:
        """What people said anew of the observations of a stream, beside their readings, newest first."""
        return self._read(lambda connection: restated.of(connection, stream.no))

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

    async def at_rest(self, work: Callable[[], T]) -> T:
        """What some work gives, done in a thread while no correction is made or taken back."""
        return await self._in_turn(lambda: asyncio.to_thread(work))

    def verify(self) -> int:
        """How many corrected readings agree with the store of readings; raises ConflictError that names the first that does not."""
        return self._read(lambda connection: verifying.verify(connection, self._series, self._registry, self._horizon))

    def rested(self, streams: Sequence[str], at: Sequence[Instant]) -> list[Rested]:
        """For each instant (n,) what a figure of the latest readings of some streams was made of then, as ``Rested`` says."""
        return self._read(lambda connection: Resting(connection, self._series, self._registry, self._grounds).of(streams, at))

    def altered(self, seen: Sequence[Evidence]) -> tuple[Altered, ...]:
        """Those of some readings that are not what they were when something was concluded from them. Blocks."""
        return self._read(lambda connection: altered.altered(connection, self._series, self._registry, seen))

    def behind(self, seen: Mapping[str, Sequence[Evidence]]) -> frozenset[str]:
        """By a key, readings that something was concluded from: the keys of which a person's correction has changed one since. Blocks."""

        def read(connection: Connection) -> tuple[Altered, ...]:
            every = (one for each in seen.values() for one in each)
            touched = altered.corrected(connection, self._registry, self._grounds, every)
            return altered.altered(connection, self._series, self._registry, touched)

        changed = {(one.stream, one.time) for one in self._read(read)}
        return frozenset(key for key, each in seen.items() if any((one.stream, one.time) in changed for one in each))

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

    async def _end(self, stream: Stream, no: int, signed: Signed) -> Correction:
        await asyncio.to_thread(self._begin_end, stream, no, signed)
        return await self._restore(no)

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
