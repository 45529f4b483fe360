"""Acknowledging: batches that wait together are written to the journal at once; nothing is acknowledged before it."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import duckdb
import structlog

from citybrain.engines.duckdb import commit, state
from citybrain.engines.duckdb.commit import Plan
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.journal import Journal
from citybrain.engines.duckdb.ring import Ring
from citybrain.engines.duckdb.saving import Saving
from citybrain.engines.duckdb.storing import Storer, translated
from citybrain.engines.space import room
from citybrain.kernel.errors import BusyError, CityError
from citybrain.kernel.observations import Batch, Receipt
from citybrain.kernel.text import Text

GROUP_ROWS = 200_000
"""Rows that are written at once at most; a greater single batch is written alone."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A batch, and the future that its sender waits for."""

    batch: Batch
    future: asyncio.Future[Receipt]
    loop: asyncio.AbstractEventLoop


class Writer:
    """A thread that acknowledges, before the one that stores. ``pending_rows`` bounds what may wait for either."""

    def __init__(self, file: DuckFile, ring: Ring, pending_rows: int) -> None:
        self._file = file
        self._ring = ring
        self._pending_rows = pending_rows
        self._waiting: deque[Waiting] = deque()
        self._rows = 0
        self._ready = threading.Condition()
        self._closing = False
        with file.cursor() as cursor:
            self.state = state.load(cursor)
            stored = state.number(cursor, "SELECT max(stored) FROM series.journal")
        self._journal = Journal(file.folder / "journal", stored)
        self._storer = Storer(file, self._journal, self.state)
        self._recover()
        file.settled = self.settle
        self._thread = threading.Thread(target=self._run, name="series-writer", daemon=True)
        self._thread.start()

    def put(self, batch: Batch) -> asyncio.Future[Receipt]:
        """Queue a batch; the future resolves when it is durable. Raises BusyError when too much waits, StorageFullError."""
        self._file.space.check()
        loop = asyncio.get_running_loop()
        waiting = Waiting(batch, loop.create_future(), loop)
        rows = max(1, len(batch.time))
        with self._ready:
            behind = self._rows + self._storer.waiting
            if self._closing or (behind > 0 and behind + rows > self._pending_rows):
                raise _busy(behind)
            self._waiting.append(waiting)
            self._rows += rows
            self._ready.notify()
        return waiting.future

    def settle(self) -> int:
        """Wait until what is acknowledged can be read in the tables; the sequence number up to which it can."""
        return self._storer.settle()

    def run(self, job: Callable[[duckdb.DuckDBPyConnection], None], after: Callable[[], object] | None = None) -> None:
        """Run a job over the tables, after all that is acknowledged now; see Storer.run."""
        self._storer.run(job, after)

    def hold(self) -> Saving:
        """What stands at this instant, to be copied; nothing is acknowledged while it is taken hold of."""
        with self.state.lock:
            return Saving(self._file, self._journal.parts())

    def close(self) -> None:
        """Write what waits, store it, and end both threads."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()
        self._journal.close()
        self._storer.close()

    def _recover(self) -> None:
        """Take up what a killed run had acknowledged and not stored."""
        left, self._journal.left = self._journal.left, []
        for group in left:
            with self.state.lock:
                plan = commit.plan(self.state, group.batches, self._look)
                self._enter(group.number, plan)
        try:
            self.settle()
        except CityError as error:
            # It stays in the journal and is tried again: a full disk does not keep the program from starting.
            _log.error("series_recovery_waits", error=str(error))

    def _run(self) -> None:
        while True:
            with self._ready:
                while not (self._waiting or self._closing):
                    self._ready.wait()
                if not self._waiting:
                    return
                group = self._take()
            self._storer.keep_pace()
            _resolve(group, self._acknowledge([waiting.batch for waiting in group]))
            with self._ready:
                self._rows -= sum(max(1, len(waiting.batch.time)) for waiting in group)

    def _take(self) -> list[Waiting]:
        group = [self._waiting.popleft()]
        rows = len(group[0].batch.time)
        while self._waiting and rows + len(self._waiting[0].batch.time) <= GROUP_ROWS:
            group.append(self._waiting.popleft())
            rows += len(group[-1].batch.time)
        return group

    def _acknowledge(self, batches: Sequence[Batch]) -> Sequence[Receipt | Exception]:
        """Make a group durable; what to answer each sender."""
        try:
            with self.state.lock:
                plan = commit.plan(self.state, batches, self._look)
                if plan.fresh:
                    with room():
                        number = self._journal.write(plan.fresh)
                    self._enter(number, plan)
            return plan.answers(batches)
        except duckdb.Error as error:
            return [translated(error)] * len(batches)
        except CityError as error:
            return [error] * len(batches)
        except Exception as error:  # noqa: BLE001 (told to the senders; the thread outlives a bad batch)
            return [error] * len(batches)

    def _enter(self, number: int, plan: Plan) -> None:
        last = self.state.last_seq + plan.columns.rows
        newest = max((batch.received for batch in plan.fresh), default=0)
        self.state.remember(last, plan.doors, plan.keys, newest)
        self._storer.take(number, plan)
        if plan.columns.rows:
            self._ring.push(last, plan.columns)

    def _look(self, ids: Sequence[str]) -> dict[str, Receipt]:
        """Receipts of batches that were acknowledged before: those not yet stored first, for they move from there to the tables."""
        found = {name: receipt for name in ids if (receipt := self._storer.receipt(name)) is not None}
        rest = [name for name in ids if name not in found]
        if rest:
            with self._file.cursor() as cursor:
                found |= commit.receipts(cursor, rest)
        return found


def _resolve(group: list[Waiting], answers: Sequence[Receipt | Exception]) -> None:
    pairs = list(zip(group, answers, strict=True))

    def settle(part: list[tuple[Waiting, Receipt | Exception]]) -> None:
        for waiting, answer in part:
            if waiting.future.done():
                continue
            if isinstance(answer, Exception):
                waiting.future.set_exception(answer)
            else:
                waiting.future.set_result(answer)

    for _, part in groupby(pairs, key=lambda pair: id(pair[0].loop)):
        mine = list(part)
        loop = mine[0][0].loop
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, mine)


def _busy(rows: int) -> BusyError:
    what = Text(f"待写入的观测已有 {rows} 条，请稍后重试。", f"{rows} observations are waiting to be written. Try again shortly.")
    return BusyError(what, retry_after=1, pending=rows)
