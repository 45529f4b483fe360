"""Shipping: the closed files are mirrored into an object store, where other engines read them. Local files stay as they are.

A file is entered before it is sent, and counts as there once it is whole; it is struck out after it was removed. So a kill leaves a
file that is sent again, and none is forgotten: what was deleted is certified only when no store is known to hold it.
"""

import re
import threading
from collections.abc import Mapping

import duckdb
import structlog

from citybrain.engines.duckdb import segments
from citybrain.engines.duckdb.commit import transaction
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.writer import Writer
from citybrain.engines.objects import ObjectStore
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.text import Text

_OURS = re.compile(r"(day\d+-\d+|import\d+|kept-[0-9a-f-]+)\.parquet(\.part)?")
"""The names that segments have; nothing else in the store is touched."""
_log = structlog.get_logger(__name__)


class Shipping:
    """Keeps one store equal to the segments; one run at a time, beside everything else."""

    def __init__(self, file: DuckFile, writer: Writer, store: ObjectStore) -> None:
        self._file = file
        self._writer = writer
        self._store = store
        self._alone = threading.Lock()

    def ship(self) -> int:
        """Send the files that are not whole in the store, then remove those that no segment names; how many of both.

        Raises BusyError while the store does not answer, StorageFullError; what was done until then stands. Raises ConflictError, with
        nothing done, as ``claim`` does.
        """
        with self._alone:
            held, named, entered = self._own()
            missing = [name for name in sorted(named) if not (entered.get(name) and self._same(name, held.get(name)))]
            sent = sum(self._send(name) for name in missing)
            left = ({name for name in held if _OURS.fullmatch(name)} | entered.keys()) - self._known()[0]
            for name in sorted(left):
                self._remove(name)
            if sent or left:
                _log.info("series_shipped", store=self._store.address, sent=sent, removed=len(left))
            return sent + len(left)

    def claim(self) -> None:
        """Raise ConflictError for a store that holds closed files of which none was ever sent from here, nor is one of here: another's."""
        self._own()

    def there(self, cursor: duckdb.DuckDBPyConnection) -> frozenset[str]:
        """The files that are whole in the store, at a snapshot."""
        sql = "SELECT path FROM series.shipped WHERE store = ? AND whole"
        return frozenset(path for (path,) in cursor.execute(sql, [self._store.address]).fetchall())

    def _own(self) -> tuple[dict[str, int], set[str], Mapping[str, bool]]:
        """The files in the store, which is this one's, with their sizes; and as ``_known``."""
        held = self._store.names()
        named, entered = self._known()
        closed = [name for name in held if _OURS.fullmatch(name)]
        if closed and not entered and not any(name in named and self._same(name, held[name]) for name in closed):
            what = Text(
                f"归档 {self._store.address} 中已有 {len(closed)} 个别的城区的日文件，没有写入或删除任何内容。请把设置 archive 改为本城区自己的地址；"
                "若那些文件确已无用，请自行清空。",
                f"The archive {self._store.address} holds {len(closed)} closed files of another district; nothing was written or deleted. Give the "
                "setting archive an address of this district's own, or empty that one where its files are of no use.",
            )
            raise ConflictError(what, setting="archive")
        return held, named, entered

    def _known(self) -> tuple[set[str], Mapping[str, bool]]:
        """The names of all segments; the names entered for this store, and whether they are whole."""
        with self._file.cursor() as cursor, transaction(cursor):
            named = {segment.path for segment in segments.every(cursor)}
            sql = "SELECT path, whole FROM series.shipped WHERE store = ?"
            return named, dict(cursor.execute(sql, [self._store.address]).fetchall())

    def _same(self, name: str, size: int | None) -> bool:
        path = self._file.closed / name
        return path.exists() and path.stat().st_size == size

    def _send(self, name: str) -> int:
        """Send a file; 0 when it was replaced meanwhile and swept."""
        self._enter(name, whole=False)
        try:
            self._store.put(self._file.closed / name, name)
        except FileNotFoundError:
            return 0
        self._enter(name, whole=True)
        return 1

    def _remove(self, name: str) -> None:
        self._store.remove(name)
        self._writer.run(lambda cursor: self._strike(cursor, name))

    def _enter(self, name: str, *, whole: bool) -> None:
        def enter(cursor: duckdb.DuckDBPyConnection) -> None:
            self._strike(cursor, name)
            cursor.execute("INSERT INTO series.shipped VALUES (?, ?, ?)", [self._store.address, name, whole])

        self._writer.run(enter)

    def _strike(self, cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        cursor.execute("DELETE FROM series.shipped WHERE store = ? AND path = ?", [self._store.address, name])


def held(cursor: duckdb.DuckDBPyConnection) -> set[str]:
    """The names of files that some store may hold."""
    return {path for (path,) in cursor.execute("SELECT DISTINCT path FROM series.shipped").fetchall()}
