"""A copy of the store as it stood at one instant, made while it is written to.

The tables are read on one snapshot, the closed files are held by links, the journal by open files of which so many bytes count.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from citybrain.engines.duckdb import segments
from citybrain.engines.duckdb.file import DuckFile, disk_full, quoted
from citybrain.engines.space import full, room
from citybrain.engines.syncing import sync

STAGE: Final = "saving"
"""The folder beside the tables in which a copy comes into being; what a kill has left there goes with the next one."""
_OWN: Final = "city.duckdb"
_PIECE: Final = 1 << 20


def sweep(folder: Path) -> None:
    """Take away what a kill has left of a copy."""
    shutil.rmtree(folder / STAGE, ignore_errors=True)


class Journaled(NamedTuple):
    """A file of the journal, open, and how many of its bytes were there."""

    name: str
    handle: int
    size: int


class Saving:
    """What stood when it was made, until ``close``. Made while nothing is acknowledged, which takes as long as the files take to link."""

    def __init__(self, file: DuckFile, journal: Sequence[tuple[Path, int]]) -> None:
        self._file = file
        self._stage = file.folder / STAGE
        self._held = ExitStack()
        try:
            self._journal = [part for path, size in journal for part in self._open(path, size)]
            self._begin()
        except BaseException:
            self.close()
            raise

    def write(self, target: Path) -> None:
        """Write the copy into a folder that is made for it; blocks as long as there is much. Raises StorageFullError, BusyError."""
        with room():
            self._tables(self._stage / _OWN)
            target.mkdir(parents=True)
            shutil.copyfile(self._stage / _OWN, target / _OWN)
            (target / "closed").mkdir()
            for name in self._segments:
                shutil.copyfile(self._stage / "closed" / name, target / "closed" / name)
            (target / "journal").mkdir()
            for part in self._journal:
                _copy(part, target / "journal" / part.name)

    def close(self) -> None:
        """Let go of all that is held."""
        self._held.close()
        sweep(self._file.folder)

    def _open(self, path: Path, size: int) -> Iterator[Journaled]:
        with suppress(FileNotFoundError):  # forgotten in this moment: all of it is in the tables, whose snapshot comes after
            handle = os.open(path, os.O_RDONLY)
            self._held.callback(os.close, handle)
            yield Journaled(path.name, handle, size)

    def _begin(self) -> None:
        """Link what is there, take the snapshot, and link what the snapshot names beyond: a file that it names stays for a while."""
        sweep(self._file.folder)
        (self._stage / "closed").mkdir(parents=True)
        for path in self._file.closed.iterdir():
            self._link(path.name)
        self._cursor = self._file.connect()
        self._held.callback(self._file.release, self._cursor)
        self._cursor.execute("BEGIN")
        self._segments = [segment.path for segment in segments.every(self._cursor)]
        for name in self._segments:
            if not (self._stage / "closed" / name).exists():
                self._link(name)

    def _link(self, name: str) -> None:
        with suppress(FileNotFoundError):  # swept in this moment: no snapshot names it
            os.link(self._file.closed / name, self._stage / "closed" / name)

    def _tables(self, path: Path) -> None:
        try:
            found = self._cursor.execute(_NAMES).fetchall()
            self._cursor.execute(f"ATTACH {quoted(str(path))} AS saved")
            try:
                self._cursor.execute("CREATE SCHEMA IF NOT EXISTS saved.series")
                for schema, table in found:
                    self._cursor.execute(f'CREATE TABLE saved."{schema}"."{table}" AS FROM city."{schema}"."{table}"')
                self._cursor.execute("COMMIT")
            finally:
                # Also after an error, when the transaction is over: the file must not stay attached.
                with suppress(duckdb.Error):
                    self._cursor.execute("ROLLBACK")
                self._cursor.execute("DETACH saved")
        except duckdb.Error as error:
            if disk_full(error):
                raise full() from error
            raise
        sync(path)


def _copy(part: Journaled, target: Path) -> None:
    with target.open("wb") as file:
        place = 0
        while place < part.size:
            piece = os.pread(part.handle, min(_PIECE, part.size - place), place)
            file.write(piece)
            place += len(piece)


_NAMES = (
    "SELECT schema_name, table_name FROM duckdb_tables() "
    "WHERE database_name = 'city' AND schema_name IN ('main', 'series') AND NOT internal AND NOT temporary ORDER BY 1, 2"
)
