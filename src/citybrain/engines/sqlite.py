"""SQLite: the embedded transactional store, write-ahead log, every commit synced to the disk."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFreeError
from sqlalchemy.pool import ConnectionPoolEntry

from citybrain.engines.space import FreeSpace, full
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.errors import BusyError, CityError
from citybrain.kernel.text import Text

PATIENCE = 15.0
"""Seconds that a writer waits for the one before it."""
_READERS = 8
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-16000")


def open_sqlite(path: Path, space: FreeSpace | None = None, patience: float = PATIENCE) -> SqlTransactions:
    """Transactions in one SQLite file, made where it is missing; its folder must exist."""
    writing = _engine(path, 1, "BEGIN IMMEDIATE", patience)
    reading = _engine(path, _READERS, "BEGIN", patience, "query_only=ON")
    return SqlTransactions(writing, reading, _Gate(space or FreeSpace(path.parent), patience).writer, _translate)


class Snapshot:
    """What is committed in a file when it is made, until ``close``; whoever keeps others from committing knows what that is."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("BEGIN").close()
        # The snapshot is that of the first read.
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def write(self, target: Path) -> None:
        """Write it as a file of its own. Raises StorageFullError."""
        copy = sqlite3.connect(target)
        try:
            self._connection.backup(copy)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
                raise full() from error
            raise
        finally:
            copy.close()

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


class _Gate:
    """Lets one writer through; SQLite's own lock would make the others poll."""

    def __init__(self, space: FreeSpace, patience: float) -> None:
        self._space = space
        self._patience = patience
        self._lock = threading.Lock()

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the lock; raises StorageFullError, and BusyError after the patience is over."""
        self._space.check()
        if not self._lock.acquire(timeout=self._patience):
            raise _busy()
        try:
            yield
        finally:
            self._lock.release()


def _engine(path: Path, size: int, begin: str, patience: float, *more: str) -> Engine:
    """An engine on which SQLAlchemy says BEGIN itself: the driver would begin late, and never for a SELECT."""
    url = URL.create("sqlite", database=str(path))
    arguments = {"isolation_level": None, "timeout": patience, "check_same_thread": False}
    engine = create_engine(url, pool_size=size, max_overflow=0, pool_timeout=patience, connect_args=arguments)
    event.listen(engine, "connect", _settings((*_PRAGMAS, *more)))
    event.listen(engine, "begin", _beginning(begin))
    return engine


def _settings(pragmas: tuple[str, ...]) -> Callable[[sqlite3.Connection, ConnectionPoolEntry], None]:
    def prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    return prepare


def _beginning(statement: str) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin


def _translate(error: DBAPIError | NoneFreeError) -> CityError | None:
    if isinstance(error, NoneFreeError):
        return _busy()
    cause = error.orig
    if not isinstance(cause, sqlite3.Error):
        return None
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return full()
    return _busy() if code == sqlite3.SQLITE_BUSY else None


def _busy() -> BusyError:
    return BusyError(Text("数据库正忙，请稍后重试。", "The database is busy. Try again shortly."), retry_after=1)
