"""A backup of a district that goes on: both stores as they stood at one instant, and the files and keys beside them.

Transactions on PostgreSQL become the SQLite file, and facts that another process has are laid beside the observations: whatever a district
runs on, its backup is the state folder of one process, which starts from it as it is, or is moved (see moving).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
from sqlalchemy import Connection, func, select

from citybrain.app import backups, migrate
from citybrain.app.settings import Settings
from citybrain.app.stores import SERIES, SQLITE, Stores
from citybrain.engines.copying import copy
from citybrain.engines.duckdb import lay
from citybrain.engines.space import room
from citybrain.engines.sqlite import Snapshot, open_sqlite
from citybrain.engines.transactions import OUTBOX
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Text

_SHARED = ("files", "keys")
"""What processes share, which is beside the stores where there is one process."""


def save(stores: Stores, settings: Settings, target: Path, facts: Facts | None = None) -> int:
    """Copy the state of the program that runs into an empty folder; returns the number of files. Blocks: run in a thread.

    ``facts`` are those of a worker that does not run; the one that does is asked for its own.

    Neither store takes anything while both are taken hold of, so what one says of the other is true in the copy; then all goes on. On
    PostgreSQL the writers of every process wait at one lock, so it is the same there. Raises ConflictError where the target is not empty,
    StorageFullError, and BusyError while a store or the process with the facts is away, after which nothing of the copy is left.
    """
    state, copied = settings.folder, target / "state"
    with backups.begun(state, target), room(), ExitStack() as held:
        with stores.transactions.begin():
            series = held.enter_context(closing(stores.mine.hold()))
            base = held.enter_context(_base(stores, settings))
        series.write(copied / SERIES)
        base.write(copied / SQLITE)
        if isinstance(base, _Rows) and stores.worker is not None:
            lay(copied / SERIES, _facts(stores.facts if facts is None else facts, base.last), settings.series_memory)
        backups.copied(state, copied, (SERIES, SQLITE, f"{SQLITE}-wal", f"{SQLITE}-shm"))
        if settings.shared:
            for name in _SHARED:
                backups.copied(Path(settings.shared) / name, copied / name, ())
        return backups.sealed(target)


def elsewhere(_: Path) -> int:
    """Say that the district is backed up by the process that keeps its observations; raises ConflictError."""
    what = Text(
        "这里不存观测，不能由它备份。请在 ingest 的机器上备份，用 --state 指定它的状态目录。",
        "No observations lie here, so this process makes no backup. Back up where ingest runs, and name its state folder with --state.",
    )
    raise ConflictError(what)


def _base(stores: Stores, settings: Settings) -> "AbstractContextManager[_Rows | Snapshot]":
    """What is committed now, for the time of a block; whoever keeps others from committing knows what that is."""
    return _rows(stores) if settings.database else closing(Snapshot(settings.folder / SQLITE))


class _Rows:
    """The rows of every table on the snapshot of one reading transaction, and the newest event among them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # The snapshot is that of the first read.
        self.last: int = connection.execute(select(func.max(OUTBOX.c.position))).scalar() or 0

    def write(self, target: Path) -> None:
        """Write them into a SQLite file, each table held against what was read."""
        step, tables = migrate.tables(self._connection)
        with closing(open_sqlite(target)) as made, made.begin() as tx:
            migrate.upgrade(tx.connection, step)
            for _ in copy(self._connection, tx.connection, tables):
                pass


@contextmanager
def _rows(stores: Stores) -> Iterator[_Rows]:
    with stores.transactions.read() as connection:
        yield _Rows(connection)


def _facts(facts: Facts, last: int) -> Iterator[tuple[str, pa.Table, int]]:
    """The fact tables up to an event: what came after it would be passed over where the events are read again.

    Events that a table lacks are still in the outbox of that event's snapshot: none is dropped before all tables have it.
    """
    found = facts.query("SELECT name, max(position) AS position FROM fact_position GROUP BY name ORDER BY name", {}).to_pylist()
    for name, position in msgspec.convert([tuple(row.values()) for row in found], list[tuple[str, int]]):
        upto = min(position, last)
        yield name, facts.query(f'SELECT * FROM "{name}" WHERE position <= $upto', {"upto": upto}), upto
