"""Opening the stores of a state folder: transactions, series and facts, files, keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from citybrain.app import migrate
from citybrain.app.settings import Settings
from citybrain.engines.duckdb import DuckFacts, DuckFile, DuckSeries
from citybrain.engines.files import FolderFiles
from citybrain.engines.keys import SoftKeys
from citybrain.engines.postgres import open_postgres
from citybrain.engines.space import FreeSpace
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Stores:
    """The opened stores."""

    transactions: SqlTransactions
    series: DuckSeries
    facts: DuckFacts
    files: FolderFiles
    keys: SoftKeys
    space: FreeSpace


@contextmanager
def opened(settings: Settings, *, upgrade: bool) -> Iterator[Stores]:
    """The stores of the settings' state folder, closed in order on leaving.

    With ``upgrade`` pending migrations are taken; without, they raise ConflictError: serve never changes a schema unasked.
    """
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    space = FreeSpace(folder, settings.low_water)
    transactions = open_postgres(settings.database) if settings.database else open_sqlite(folder / "city.sqlite", space)
    file: DuckFile | None = None
    series: DuckSeries | None = None
    try:
        _migrate(transactions, upgrade=upgrade)
        file = DuckFile(folder / "series", settings.series_memory, space=space)
        series = DuckSeries(file)
        yield Stores(
            transactions, series, DuckFacts(file), FolderFiles(folder / "files"), SoftKeys(folder / "keys", settings.suite), space
        )
    finally:
        if series is not None:
            series.close()
        if file is not None:
            file.close()
        transactions.close()


def _migrate(transactions: SqlTransactions, *, upgrade: bool) -> None:
    with transactions.read() as connection:
        steps = migrate.pending(connection)
    if not steps:
        return
    if not upgrade:
        what = Text(
            f"数据库缺少 {len(steps)} 个升级步骤。请先备份，再以 citybrain serve --upgrade 启动。",
            f"The database lacks {len(steps)} migration steps. Make a backup, then start with citybrain serve --upgrade.",
        )
        raise ConflictError(what, steps=list(steps))
    with transactions.begin() as tx:
        migrate.upgrade(tx.connection)
