"""The one writer of the series store: waiting batches become one commit; nothing is acknowledged before it."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby

import duckdb
import msgspec
import structlog

from citybrain.engines.duckdb import commit, state
from citybrain.engines.duckdb.file import DuckFile, disk_full
from citybrain.engines.duckdb.ring import Ring
from citybrain.engines.space import full
from citybrain.kernel.errors import BusyError, CityError
from citybrain.kernel.instant import HOUR
from citybrain.kernel.observations import Batch, Receipt
from citybrain.kernel.text import Text

GROUP_ROWS = 200_000
"""Rows that one commit gathers at most; a greater single batch is one commit."""
_LINGER = 0.006
"""Seconds to wait for company before a commit, where the last one had some: a commit costs about as much, whatever it holds."""
_IDLE = 0.02
"""Seconds without a commit after which a batch is written at once."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A batch, and the future that its sender waits for."""

    batch: Batch
    future: asyncio.Future[Receipt]
    loop: asyncio.AbstractEventLoop


class Writer:
    """A thread over the file. ``pending_rows`` bounds what may wait."""

    def __init__(self, file: DuckFile, ring: Ring, pending_rows: int) -> None:
        self._file = file
        self._ring = ring
        self._pending_rows = pending_rows
        self._waiting: deque[Waiting] = deque()
        self._jobs: deque[Callable[[], None]] = deque()
        self._rows = 0
        self._ready = threading.Condition()
        self._closing = False
        self._folded = 0
        self._ended = -_IDLE
        self._company = False
        self._connect()
        self._thread = threading.Thread(target=self._run, name="series-writer", daemon=True)
        self._thread.start()

    def put(self, batch: Batch) -> asyncio.Future[Receipt]:
        """Queue a batch; the future resolves when it is durable. Raises BusyError when too much waits, StorageFullError."""
        self._file.space.check()
        loop = asyncio.get_running_loop()
        waiting = Waiting(batch, loop.create_future(), loop)
        rows = max(1, len(batch.time))
        with self._ready:
            if self._closing or (self._rows > 0 and self._rows + rows > self._pending_rows):
                raise _busy(self._rows)
            self._waiting.append(waiting)
            self._rows += rows
            self._ready.notify()
        return waiting.future

    def run(self, job: Callable[[duckdb.DuckDBPyConnection], None], after: Callable[[], object] | None = None) -> None:
        """Run a job in the writer's thread within one transaction, then ``after`` before the next commit; wait for both."""
        done: Future[None] = Future()

        def work() -> None:
            try:
                with commit.transaction(self._cursor):
                    job(self._cursor)
                if after is not None:
                    after()
            except duckdb.Error as error:
                self._reconnect(error)
                done.set_exception(_translated(error))
            except Exception as error:  # noqa: BLE001 (handed to whoever waits; the writer outlives a bad job)
                done.set_exception(error)
            else:
                done.set_result(None)

        with self._ready:
            if self._closing:
                raise _busy(self._rows)
            self._jobs.append(work)
            self._ready.notify()
        done.result()

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._ready:
                while not (self._waiting or self._jobs or self._closing):
                    self._ready.wait()
                if not (self._waiting or self._jobs):
                    return
                job = self._jobs.popleft() if self._jobs else None
            if job:
                job()
                continue
            if self._company and time.monotonic() - self._ended < _IDLE:
                time.sleep(_LINGER)
            with self._ready:
                group = self._take()
            self._write(group)
            self._fold(max(waiting.batch.received for waiting in group))
            with self._ready:
                self._rows -= sum(max(1, len(waiting.batch.time)) for waiting in group)
            self._ended, self._company = time.monotonic(), len(group) > 1

    def _take(self) -> list[Waiting]:
        group, rows = [self._waiting.popleft()], 0
        rows = len(group[0].batch.time)
        while self._waiting and rows + len(self._waiting[0].batch.time) <= GROUP_ROWS:
            group.append(self._waiting.popleft())
            rows += len(group[-1].batch.time)
        return group

    def _write(self, group: list[Waiting]) -> None:
        """Commit a group; after a failure open the file anew and try once more: batch ids tell what was stored already."""
        batches = [waiting.batch for waiting in group]
        answers: Sequence[Receipt | Exception]
        try:
            answers = self._commit(batches)
        except duckdb.Error as first:
            answers = self._again(batches, first)
        except Exception as error:  # noqa: BLE001 (told to the senders; the writer outlives a bad batch)
            answers = [error] * len(batches)
        _resolve(group, answers)

    def _commit(self, batches: Sequence[Batch]) -> list[Receipt]:
        written = commit.write(self._cursor, self.state, batches)
        if written.rows.num_rows:
            self._ring.push(self.state.last_seq, written.rows)
        return written.receipts

    def _again(self, batches: Sequence[Batch], error: duckdb.Error) -> Sequence[Receipt | Exception]:
        """Try a second time; what the first try had stored all the same is no repeat to its sender."""
        before = self.state.last_seq
        self._reconnect(error)
        try:
            self._file.space.check()
            receipts = self._commit(batches)
        except (duckdb.Error, CityError) as second:
            return self._failed(batches, second)
        return [msgspec.structs.replace(one, repeated=one.repeated and one.last_seq <= before) for one in receipts]

    def _failed(self, batches: Sequence[Batch], error: duckdb.Error | CityError) -> list[Receipt | Exception]:
        """What to answer after a second failure: a batch that is in the file is acknowledged, the others are not."""
        self._reconnect(error)
        translated = _translated(error) if isinstance(error, duckdb.Error) else error
        try:
            stored = commit.receipts(self._cursor, [batch.id for batch in batches])
        except duckdb.Error:
            stored = {}
        return [stored.get(batch.id, translated) for batch in batches]

    def _reconnect(self, error: BaseException) -> None:
        _log.warning("series_commit_failed", error=str(error))
        self._ring.clear()
        self._file.reopen(self._generation)
        try:
            self._connect()
        except (duckdb.Error, CityError) as again:
            _log.error("series_writer_not_connected", error=str(again))

    def _connect(self) -> None:
        self._generation = self._file.generation
        self._cursor = self._file.connect()
        self._generation = self._file.generation
        self.state = state.load(self._cursor)

    def _fold(self, now: int) -> None:
        """Once an hour move batches older than a day from their table into the doors' accounts."""
        if now - self._folded < HOUR:
            return
        self._folded = now
        try:
            commit.fold(self._cursor, self.state, now - 24 * HOUR)
        except duckdb.Error as error:
            self._reconnect(error)


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


def _translated(error: duckdb.Error) -> CityError:
    if disk_full(error):
        return full()
    what = Text(
        "时序库写入失败，本批未确认，请重试。", "The series store could not write; the batch is not acknowledged. Try again."
    )
    return BusyError(what, retry_after=5, cause=str(error)[:200])


def _busy(rows: int) -> BusyError:
    what = Text(f"待写入的观测已有 {rows} 条，请稍后重试。", f"{rows} observations are waiting to be written. Try again shortly.")
    return BusyError(what, retry_after=1, pending=rows)
