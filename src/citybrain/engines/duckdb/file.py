"""The one DuckDB file: opened by one process, handed out as cursors, opened anew when DuckDB gives it up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import structlog

from citybrain.engines.duckdb.tables import DDL
from citybrain.engines.space import FreeSpace
from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Text

_FULL_WORDS = ("no space left", "disk full", "file too large", "quota exceeded")
_log = structlog.get_logger(__name__)


class DuckFile:
    """A folder with ``city.duckdb``, ``closed/`` (Parquet) and ``spill/``; DuckDB may touch no other place.

    After a FatalException (a full disk) DuckDB refuses everything until the file is opened anew; ``generation`` counts that.
    """

    def __init__(self, folder: Path, memory: str = "256MB", threads: int = 2, space: FreeSpace | None = None) -> None:
        self.folder = folder
        self.closed = folder / "closed"
        self.closed.mkdir(parents=True, exist_ok=True)
        self.space = space or FreeSpace(folder)
        self.generation = 0
        self.settled: Callable[[], object] = _at_once
        """Waits until what is acknowledged is in the tables; the writer gives it."""
        self._memory = memory
        self._threads = threads
        self._lock = threading.RLock()
        self._live: set[duckdb.DuckDBPyConnection] = set()
        self._root: duckdb.DuckDBPyConnection | None = self._open()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A cursor that its taker gives back with ``release``; raises BusyError while the file cannot be opened."""
        with self._lock:
            if self._root is None:
                self.reopen(self.generation)
            if self._root is None:
                raise _broken()
            cursor = self._root.cursor()
            self._live.add(cursor)
            return cursor

    def release(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Close a cursor."""
        with self._lock:
            self._live.discard(cursor)
        cursor.close()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for a block; raises BusyError after a FatalException, when the file has been opened anew."""
        generation = self.generation
        cursor = self.connect()
        try:
            yield cursor
        except duckdb.FatalException as error:
            self.reopen(generation)
            raise _broken() from error
        finally:
            self.release(cursor)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that sees all that is acknowledged; raises BusyError, StorageFullError while it cannot be stored."""
        self.settled()
        with self.cursor() as cursor:
            yield cursor

    def reopen(self, generation: int) -> None:
        """Open the file anew, unless somebody did since that generation; every cursor handed out is closed."""
        with self._lock:
            if generation != self.generation:
                return
            self._close_all()
            self.generation += 1
            try:
                self._root = self._open()
            except duckdb.Error as error:
                _log.error("series_file_not_opened", file=str(self.folder), error=str(error))
            else:
                _log.warning("series_file_opened_anew", file=str(self.folder), generation=self.generation)

    def close(self) -> None:
        """Close every cursor and the file; DuckDB writes a checkpoint."""
        with self._lock:
            self._close_all()

    def _close_all(self) -> None:
        for cursor in self._live:
            cursor.close()
        self._live.clear()
        if self._root is not None:
            self._root.close()
            self._root = None

    def _open(self) -> duckdb.DuckDBPyConnection:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._memory,
            "threads": self._threads,
            "temp_directory": str(self.folder / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "preserve_insertion_order": False,
        }
        root = duckdb.connect(str(self.folder / "city.duckdb"), config=settings)
        root.execute("SET parquet_metadata_cache = true")
        root.execute("SET allowed_directories = [" + quoted(str(self.folder)) + "]")
        root.execute("SET enable_external_access = false")
        root.execute(DDL)
        return root


def disk_full(error: duckdb.Error) -> bool:
    """Whether DuckDB failed because nothing more can be written; it has no error class for that."""
    words = str(error).lower()
    return any(word in words for word in _FULL_WORDS)


def quoted(word: str) -> str:
    """A SQL string literal."""
    return "'" + word.replace("'", "''") + "'"


def _at_once() -> None:
    """Nothing is waiting where there is no writer."""


def _broken() -> BusyError:
    what = Text("时序库正在重新打开，请稍后重试。", "The series store is being opened anew. Try again shortly.")
    return BusyError(what, retry_after=1)
