"""The one thread that writes the tables: what was acknowledged is stored many groups at a time, and jobs run between."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

import duckdb
import structlog

from citybrain.engines.duckdb import commit, state
from citybrain.engines.duckdb.commit import Plan
from citybrain.engines.duckdb.file import DuckFile, disk_full
from citybrain.engines.duckdb.journal import Journal
from citybrain.engines.duckdb.state import State
from citybrain.engines.space import full
from citybrain.kernel.errors import BusyError, CityError
from citybrain.kernel.instant import HOUR
from citybrain.kernel.observations import Receipt
from citybrain.kernel.text import Text

STORE_ROWS = 250_000
"""Rows that are stored as soon as they wait: more than a row group of DuckDB, which then writes them past its own log."""
FAR_BEHIND = 2 * STORE_ROWS
"""Rows that may wait before those who acknowledge more are held up."""
_HELD = 1.0
"""Seconds for which they are held up at most; then they go on, to the bound of what may wait at all."""
_SOON = 0.5
"""Seconds after which what waits is stored, however little it is."""
_AGAIN = 1.0
"""Seconds until a failed store is tried again, where nobody asks before."""
_log = structlog.get_logger(__name__)


class _Pending(NamedTuple):
    number: int
    """Of the group in the journal."""
    plan: Plan


class Storer:
    """A thread over the file; what is pending is in the journal, so a failure loses nothing and is tried again."""

    def __init__(self, file: DuckFile, journal: Journal, known: State) -> None:
        self._file = file
        self._journal = journal
        self._state = known
        self._pending: deque[_Pending] = deque()
        self._jobs: deque[Callable[[], None]] = deque()
        self._receipts: dict[str, Receipt] = {}
        self._ready = threading.Condition()
        self._rows = 0
        self._taken = self._stored = self._wanted = 0
        self._stored_seq = known.last_seq
        self._due = 0.0
        self._trouble: CityError | None = None
        self._closing = self._ended = False
        self._folded = 0
        self._connect()
        self._thread = threading.Thread(target=self._run, name="series-storer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Rows that are acknowledged and not yet in the tables."""
        return self._rows

    def take(self, number: int, plan: Plan) -> None:
        """Take an acknowledged group; it is readable from now on, for readers settle first."""
        with self._ready:
            if not self._pending:
                self._due = time.monotonic() + _SOON
            self._pending.append(_Pending(number, plan))
            self._receipts.update(plan.receipts)
            self._rows += plan.columns.rows
            self._taken += 1
            # The thread sleeps until something is due: it is woken where that changes.
            if len(self._pending) == 1 or self._rows >= STORE_ROWS:
                self._ready.notify_all()

    def keep_pace(self) -> None:
        """Hold up who takes in more than can be stored; not where nothing can be stored at all."""
        with self._ready:
            self._ready.wait_for(lambda: self._rows < FAR_BEHIND or self._trouble is not None, _HELD)

    def receipt(self, batch: str) -> Receipt | None:
        """The receipt of a batch that is not yet in the tables."""
        with self._ready:
            return self._receipts.get(batch)

    def settle(self) -> int:
        """Wait until all that was taken is in the tables; the sequence number up to which it is. Raises BusyError, StorageFullError."""
        with self._ready:
            target = self._taken
            if self._stored < target:
                self._wanted = max(self._wanted, target)
                self._trouble = None
                self._ready.notify_all()
                self._ready.wait_for(lambda: self._stored >= target or self._trouble is not None or self._ended)
                if self._stored < target:
                    raise self._trouble or _ending()
            return self._stored_seq

    def run(self, job: Callable[[duckdb.DuckDBPyConnection], None], after: Callable[[], object] | None = None) -> None:
        """Run a job within one transaction, after all that was taken is stored, then ``after`` before the next; wait for both."""
        done: Future[None] = Future()

        def within() -> None:
            self._flush()
            with commit.transaction(self._cursor):
                commit.open_doors(self._cursor, self._state)
                job(self._cursor)
            if after is not None:
                after()

        def work() -> None:
            error = _outcome(within)
            if isinstance(error, duckdb.Error):
                found = error
                error = _outcome(lambda: self._reconnect(found)) or translated(found)
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        with self._ready:
            if self._closing:
                raise _ending()
            self._jobs.append(work)
            self._ready.notify_all()
        done.result()

    def close(self) -> None:
        """Store what waits, then end the thread; what cannot be stored stays in the journal."""
        with self._ready:
            self._closing = True
            self._ready.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._ready:
                while not (self._jobs or self._closing or self._is_due()):
                    self._ready.wait(self._due - time.monotonic() if self._pending else None)
                job = self._jobs.popleft() if self._jobs else None
                ending = self._closing and job is None
            if job:
                job()
            else:
                self._try()
            if ending:
                with self._ready:
                    self._ended = True
                    self._ready.notify_all()
                return

    def _is_due(self) -> bool:
        if not self._pending:
            return False
        pressed = self._trouble is None and (self._rows >= STORE_ROWS or self._wanted > self._stored)
        return pressed or time.monotonic() >= self._due

    def _try(self) -> None:
        """Store what waits; what fails twice is told to whoever waits for it, and tried again a little later."""
        error = _outcome(self._flush)
        if error is None:
            return
        _log.error("series_not_stored", error=str(error), rows=self._rows)
        with self._ready:
            self._trouble = error if isinstance(error, CityError) else translated(error)
            self._due = time.monotonic() + _AGAIN
            self._ready.notify_all()

    def _flush(self) -> None:
        """Store all that waits now. After a failure the file is opened anew and it is tried once more."""
        with self._ready:
            part = tuple(self._pending)
        if not part:
            return
        try:
            self._store(part)
        except duckdb.Error as error:
            self._reconnect(error)
            have = state.number(self._cursor, "SELECT max(stored) FROM series.journal")
            self._store(tuple(one for one in part if one.number > have))
        self._settled(part)
        self._fold(max((batch.received for one in part for batch in one.plan.fresh), default=0))

    def _store(self, part: tuple[_Pending, ...]) -> None:
        if part:
            commit.store(self._cursor, self._state, [one.plan for one in part], part[-1].number)

    def _settled(self, part: tuple[_Pending, ...]) -> None:
        with self._ready:
            for one in part:
                self._pending.popleft()
                self._rows -= one.plan.columns.rows
                self._stored_seq += one.plan.columns.rows
                for name in one.plan.receipts:
                    self._receipts.pop(name, None)
            self._stored += len(part)
            self._trouble = None
            self._due = time.monotonic() + _SOON
            self._ready.notify_all()
        self._journal.forget(part[-1].number)

    def _reconnect(self, error: BaseException) -> None:
        _log.warning("series_store_failed", error=str(error))
        self._file.reopen(self._generation)
        self._connect()

    def _connect(self) -> None:
        self._generation = self._file.generation
        self._cursor = self._file.connect()
        self._generation = self._file.generation
        self._state.hot_days = state.hot_days(self._cursor)

    def _fold(self, now: int) -> None:
        """Once an hour move batches older than a day from their table into the doors' accounts."""
        if now - self._folded < HOUR:
            return
        self._folded = now
        before = now - 24 * HOUR
        try:
            commit.fold(self._cursor, before)
        except duckdb.Error as error:
            self._reconnect(error)
        else:
            with self._state.lock:
                self._state.recent.forget(before)


def _outcome(work: Callable[[], None]) -> Exception | None:
    """Do something; what it failed with. The thread outlives whatever is handed to it."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 (handed to whoever waits)
        return error
    return None


def translated(error: Exception) -> CityError:
    """What the tables could not take, as it is told to a sender or a reader."""
    if isinstance(error, duckdb.Error) and disk_full(error):
        return full()
    what = Text("时序库暂时无法写入，请稍后重试。", "The series store cannot write at the moment. Try again shortly.")
    return BusyError(what, retry_after=5, cause=str(error)[:200])


def _ending() -> BusyError:
    return BusyError(Text("程序正在停止，请稍后重试。", "The program is stopping. Try again shortly."), retry_after=5)
