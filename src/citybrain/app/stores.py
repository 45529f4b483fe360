"""Opening the stores of a process: transactions, series and facts (its own, or another process's), files, keys."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from citybrain.app import belonging, migrate
from citybrain.app.history import HistorySeries
from citybrain.app.links import papers
from citybrain.app.settings import Settings
from citybrain.engines.duckdb import Cleared, DuckFacts, DuckFile, DuckSeries, clear
from citybrain.engines.files import FolderFiles
from citybrain.engines.flight import Calls, Kept, RemoteFacts, RemoteSeries
from citybrain.engines.keys import SoftKeys
from citybrain.engines.meeting import Process
from citybrain.engines.objects import ObjectStore
from citybrain.engines.postgres import Alone, open_postgres
from citybrain.engines.space import FreeSpace
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Text

SQLITE = "city.sqlite"
"""The file of the transactions in the state folder, where the district is not on PostgreSQL."""
SERIES = "series"
"""The folder of the observations in the state folder of the process that keeps them."""
FACTS = "facts"
"""The folder of the facts in the state folder of the process with the role worker; no observations lie there."""
_START = 60.0
"""Seconds that the process which owns the observations may take to start."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The opened stores; ``own`` is the series of this process, None where another one owns it.

    ``ingest`` asks who keeps the observations and ``worker`` who makes the figures, where those are other processes.
    ``cleared`` is a copy of observations that lay with the facts and went when they were opened, until that is in the audit trail.
    """

    transactions: SqlTransactions
    series: Kept
    own: DuckSeries | None
    facts: Facts
    files: FolderFiles
    keys: SoftKeys
    space: FreeSpace
    worker: Calls | None = None
    ingest: Calls | None = None
    alone: Alone | None = None
    cleared: Cleared | None = None

    @property
    def mine(self) -> DuckSeries:
        """The series of this process; a RuntimeError where another process owns it."""
        if self.own is None:
            message = "The observations belong to the process with the role ingest."
            raise RuntimeError(message)
        return self.own


@contextmanager
def opened(settings: Settings, *, upgrade: bool | None) -> Iterator[Stores]:
    """The stores of a process with the settings' role, closed in order on leaving.

    With ``upgrade`` pending migrations are taken; without, they raise ConflictError: serve never changes a schema unasked. None opens
    stores as they are, to be copied. On a PostgreSQL database one process keeps the observations, and one has the role worker: a second raises ConflictError. MixedError
    is raised where another process of the district is of another release, or of another district.
    """
    folder, shared = settings.folder, Path(settings.shared or settings.state)
    folder.mkdir(parents=True, exist_ok=True)
    space = FreeSpace(folder, settings.low_water)
    with ExitStack() as stack:
        alone = _alone(settings)
        if alone is not None:
            stack.callback(alone.close)
            alone.hold()
        transactions = open_postgres(settings.database) if settings.database else open_sqlite(folder / SQLITE, space)
        stack.callback(transactions.close)
        if upgrade is False:
            up_to_date(transactions)
        facts: Facts | None
        cleared = clear(folder / FACTS, settings.series_memory) if settings.role == "worker" else None
        own, facts = _own(settings, space, stack)
        worker: Calls | None = None
        if facts is None:
            worker = _calls(settings.worker_at, settings, stack, transactions)
            facts = RemoteFacts(worker)
            # Before a schema is changed: a worker of another release that runs is to be stopped first.
            worker.meet()
        if upgrade:
            _upgraded(transactions)
        ingest: Calls | None = None
        series: Kept | None = own
        if series is None:
            ingest = _calls(settings.ingest_at, settings, stack, transactions)
            ingest.wait("last_seq", _START)
            series = _remote(settings, ingest, stack)
        files, keys = FolderFiles(shared / "files"), SoftKeys(shared / "keys", settings.suite)
        yield Stores(transactions, series, own, facts, files, keys, space, worker, ingest, alone, cleared)


def _alone(settings: Settings) -> Alone | None:
    """The place of this process at the database; one that does everything keeps the observations as well."""
    if settings.role == "api" or not settings.database:
        return None
    return Alone(settings.database, "ingest" if settings.role == "all" else settings.role)


def _own(settings: Settings, space: FreeSpace, stack: ExitStack) -> tuple[DuckSeries | None, DuckFacts | None]:
    """The stores that this process opens itself."""
    if settings.role == "api":
        return None, None
    name = FACTS if settings.role == "worker" else SERIES
    file = DuckFile(settings.folder / name, settings.series_memory, space=space)
    stack.callback(file.close)
    if settings.role == "worker":
        return None, DuckFacts(file)
    series = DuckSeries(file, store=_archive(settings) if settings.archive else None)
    stack.callback(series.close)
    with suppress(BusyError):
        series.claim()
    return series, DuckFacts(file) if settings.role == "all" else None


def _remote(settings: Settings, calls: Calls, stack: ExitStack) -> RemoteSeries:
    """The series of the process that owns the observations; with a Spark server its history is read there."""
    if not settings.spark:
        return RemoteSeries(calls)
    # Imported where it is wanted alone: it takes seconds, and most districts have no Spark.
    spark = import_module("citybrain.engines.spark").SparkSeries(settings.spark, _archive(settings), RemoteSeries(calls))
    stack.callback(spark.close)
    return HistorySeries(calls, spark)


def _archive(settings: Settings) -> ObjectStore:
    try:
        return ObjectStore(settings.archive)
    except (ValueError, OSError) as error:
        what = Text(f"设置 archive 有误：{error}。", f"The setting archive is wrong: {error}.")
        raise BadInputError(what, setting="archive") from error


def _calls(address: str, settings: Settings, stack: ExitStack, transactions: SqlTransactions) -> Calls:
    me, newest = Process(settings.role), partial(belonging.newest, transactions)
    calls = Calls(address, settings.secret, papers=papers(settings), me=me, newest=newest)
    stack.callback(calls.close)
    return calls


def up_to_date(transactions: SqlTransactions) -> None:
    """See that no migration step is pending; raises ConflictError that names them."""
    with transactions.read() as connection:
        steps = migrate.pending(connection)
    if steps:
        what = Text(
            f"数据库缺少 {len(steps)} 个升级步骤。请先备份，再以 citybrain serve --upgrade 启动。",
            f"The database lacks {len(steps)} migration steps. Make a backup, then start with citybrain serve --upgrade.",
        )
        raise ConflictError(what, steps=list(steps))


def _upgraded(transactions: SqlTransactions) -> None:
    with transactions.read() as connection:
        steps = migrate.pending(connection)
    if steps:
        with transactions.begin() as tx:
            migrate.upgrade(tx.connection)
