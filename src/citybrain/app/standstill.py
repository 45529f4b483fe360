"""A backup of a district on PostgreSQL of which nothing runs, or not the process that keeps the observations.

The command takes that one's place: it opens the stores as they are and does what the program would do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citybrain.app import belonging, saving
from citybrain.app.lock import StateLock
from citybrain.app.quiet import at_home, kept
from citybrain.app.settings import Settings
from citybrain.app.stores import FACTS, SERIES, Stores
from citybrain.engines.duckdb import DuckFacts, DuckFile
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Text


def save(settings: Settings, target: Path, worker: Path | None) -> int:
    """Copy the whole state into an empty folder; returns the number of files. ``worker`` is the state folder of one that does not run.

    Raises ConflictError where another process keeps the observations, for a folder that is another district's, and as ``saving.save`` does.
    """
    if not (settings.folder / SERIES).is_dir():
        raise _elsewhere(settings)
    with kept(settings, upgrade=None) as stores:
        at_home(settings, stores)
        with _facts(settings, stores, worker) as held:
            return saving.save(stores, settings, target, held)


@contextmanager
def _facts(settings: Settings, stores: Stores, folder: Path | None) -> Iterator[Facts]:
    """The facts of the district: here, in the folder of the worker, or with the worker that runs."""
    if stores.worker is None:
        yield stores.facts
    elif folder is None:
        try:
            stores.facts.query("SELECT 1 AS there", {})
        except BusyError as error:
            what = Text(
                "worker 没有运行，它保管的事实表不能少。请启动它，或用 --facts 指定它的状态目录。",
                "The worker does not run, and the facts that it keeps belong to the backup. Start it, or name its state folder with --facts.",
            )
            raise BusyError(what) from error
        yield stores.facts
    else:
        if not (folder / FACTS).is_dir():
            what = Text(
                f"{folder} 不是 worker 的状态目录：其中没有 {FACTS}。",
                f"{folder} is no state folder of a worker: it has no {FACTS}.",
            )
            raise BadInputError(what, folder=str(folder))
        with StateLock(folder):
            file = DuckFile(folder / FACTS, settings.series_memory)
            try:
                found = DuckFacts(file)
                if not belonging.fit(stores.transactions, found):
                    raise _others(folder)
                yield found
            finally:
                file.close()


def _others(folder: Path) -> ConflictError:
    what = Text(
        f"{folder} 中的事实表不是本城区的，或早于本城区最近的事件。请用 --facts 指定本城区 worker 最近使用的状态目录。",
        f"The facts in {folder} are not those of this district, or older than its events. Name the state folder that its worker used last "
        "with --facts.",
    )
    return ConflictError(what, folder=str(folder))


def _elsewhere(settings: Settings) -> ConflictError:
    what = Text(
        f"状态目录 {settings.folder} 中没有观测数据，不能由它备份。请用 --state 指定存观测的目录（多进程时是 ingest 的）。",
        f"No observations lie in the state folder {settings.folder}, so it makes no backup. Name the folder that has them with --state: in a "
        "district of several processes that of ingest.",
    )
    return ConflictError(what, folder=str(settings.folder))
