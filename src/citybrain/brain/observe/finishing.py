"""Acts finished: what a kill or a full store has left on its way into the store of readings, or out of it, goes on from its record.

Of acts that belong together the first decides, or what came in with them: where that is not stored and fits no more, none has ever been,
and what was said anew with them is unsaid. The others follow.
"""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import Connection

from citybrain.brain.observe import beside, corrected, restated
from citybrain.brain.observe.acting import ACT, DOOR, PART, Acting, joined, revision
from citybrain.brain.observe.corrected import Correction
from citybrain.brain.observe.intake import Revision
from citybrain.brain.observe.revising import CORRECTION, RESTORED
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.kernel.errors import StaleError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import SeriesQuery

_TRIES: Final = 5
"""How often taking back is begun anew where readings come in beside it."""


class Finishing(Acting):
    """Finishes acts, one after another; who asks sees to it that nothing else is done beside."""

    async def _finish(self) -> int:
        left = await asyncio.to_thread(self._read, corrected.unfinished)
        for one, _ in left:
            if one.state == "ending":
                await self._restore(one.no)
        pending = [(one, key.partition(PART)[0]) for one, key in left if one.state == "pending"]
        together: dict[str, list[tuple[Correction, str]]] = {}
        for one, key in pending:
            together.setdefault(key.partition(ACT)[0], []).append((one, key))
        for base, some in together.items():
            await self._resume(base, some)
        alone = [base for base in await asyncio.to_thread(self._read, restated.unsettled) if base not in together]
        for base in alone:
            await self._resume(base, [])
        return len(left) + len(alone)

    async def _resume(self, base: str, pending: Sequence[tuple[Correction, str]]) -> None:
        """Go on with what is left of acts that belong together: corrections, each with the key of its act, and what was said anew."""
        door, _, key = base.rpartition(DOOR)
        stands = bool(door)
        if door and not await self._intake.stored(door, key):
            await asyncio.to_thread(self._drop, [one.no for one, _ in pending], base)
            return
        for name, act in groupby(pending, lambda pair: pair[1]):
            # One that is not the first is left because the first stands.
            stands |= name.partition(ACT)[2] != "0"
            numbers = [one.no for one, _ in act]
            if await self._applied(numbers, name):
                await asyncio.to_thread(self._become, numbers, "standing", base)
                stands = True
            elif stands:
                await asyncio.to_thread(self._drop, numbers)
            else:
                await asyncio.to_thread(self._drop, [one.no for one, _ in pending], base)
                return
        await asyncio.to_thread(self._become, (), "standing", base)

    async def _applied(self, numbers: Sequence[int], name: str) -> bool:
        """Whether the rows of an act are stored by now; those of one that fits no more are not."""
        door = (await asyncio.to_thread(self._read, lambda connection: corrected.one(connection, numbers[0]))).change.door
        key = name.rpartition(DOOR)[2]

        def read(connection: Connection) -> list[Revision]:
            return [revision(corrected.one(connection, no).stream, corrected.lines(connection, no)) for no in numbers]

        try:
            await self._intake.revise(joined(await asyncio.to_thread(self._read, read)), door, key)
        except StaleError:
            return await self._intake.stored(door, key)
        return True

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
        return await asyncio.to_thread(self._ended, no)

    def _ended(self, no: int) -> Correction:
        """Let a correction be ended, and what was beside the readings that stand again be there too; no longer what was beside a new one."""
        times = self._back(no)
        stream, lines = self._lines(no)
        gone = [(stream, line.time) for line in lines if line.before == NOTHING and line.time not in times]

        def end(connection: Connection) -> Correction:
            beside.put_back(connection, no, times)
            beside.remove(connection, gone)
            corrected.become(connection, no, "ended")
            return corrected.one(connection, no)

        done = self._write(end)
        self._streams = self._read(corrected.streams)
        return done

    def _back(self, no: int) -> frozenset[int]:
        """When readings of a correction were that stand again as they had been before it."""
        stream, lines = self._lines(no)
        if not lines:
            return frozenset()
        rows = self._series.scan(SeriesQuery((stream,), Instant(lines[0].time), Instant(lines[-1].time + 1)))
        doors = zip(rows["time"].to_numpy().tolist(), rows["door"].to_pylist(), strict=True)
        return frozenset(time for time, door in doors if door in (RESTORED, CORRECTION)) & {line.time for line in lines}

    def _standing(self, no: int) -> list[tuple[str, Revision]]:
        """What is left to put back of a correction: measured values by their door, those of the correction below by theirs.

        A reading that was set where none was is struck out.
        """
        stream, lines = self._lines(no)
        if not lines:
            return []
        stands = self._stands(stream, lines[0].time, lines[-1].time)
        mine = [line for line in lines if stands.get(line.time) == line.after]
        parts = {
            STRUCK: [line for line in mine if line.before == NOTHING],
            RESTORED: [line for line in mine if line.before != NOTHING and not line.rests],
            CORRECTION: [line for line in mine if line.before != NOTHING and line.rests],
        }
        return [(door, _back(revision(stream, part))) for door, part in parts.items() if part]

    def _lines(self, no: int) -> tuple[int, tuple[corrected.Line, ...]]:
        """The stream of a correction, and its readings that no newer one has taken over."""
        return self._read(lambda connection: (corrected.one(connection, no).stream, corrected.lines(connection, no)))

    def _stands(self, stream: int, first: int, last: int) -> dict[int, float]:
        """The corrected values that stand in a stream between two instants, both included, by time; infinite where struck out."""
        rows = self._series.scan(SeriesQuery((stream,), Instant(first), Instant(last + 1), marks=True))
        columns = rows["time"].to_numpy().tolist(), rows["value"].to_numpy().tolist(), rows["door"].to_pylist()
        return {time: value for time, value, door in zip(*columns, strict=True) if door in (CORRECTION, STRUCK)}


def _back(revision: Revision) -> Revision:
    return Revision(revision.stream_no, revision.time, revision.after, revision.before)
