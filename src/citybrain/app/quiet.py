"""A city without doors, for one command at the folder of a program that is not running."""

from collections.abc import Iterator
from contextlib import contextmanager

from citybrain.app import belonging
from citybrain.app.city import City, build, datasets
from citybrain.app.lock import StateLock
from citybrain.app.packs import installed
from citybrain.app.settings import Settings
from citybrain.app.stores import SERIES, Stores, opened
from citybrain.app.walltime import wall
from citybrain.brain import detect
from citybrain.kernel.clock import RunningClock
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.text import Text


@contextmanager
def quiet(settings: Settings) -> Iterator[City]:
    """The city of a state folder; in a district of several processes it takes the place of the one that keeps the observations.

    Raises ConflictError while that one runs, wherever it does, and for a folder that is not its own.
    """
    with kept(settings, upgrade=False) as stores:
        city = build(settings, stores, installed(), RunningClock(wall))
        city.catalogue.register_all(datasets(city.packs, city.origin))
        yield city


@contextmanager
def kept(settings: Settings, *, upgrade: bool | None) -> Iterator[Stores]:
    """The stores of the same, with nothing built on them; ``upgrade`` as for ``opened``."""
    several = settings.role == "ingest"
    if several and not (settings.folder / SERIES).is_dir():
        raise _not_its_own(settings)
    with StateLock(settings.folder), opened(settings, upgrade=upgrade) as stores:
        if several and _lacks(stores):
            raise _not_its_own(settings)
        yield stores


def at_home(settings: Settings, stores: Stores) -> None:
    """Raise ConflictError for a folder that lacks observations which the database of the district knows of: none may be added there.

    The same for one whose facts are another district's, or older than its events.
    """
    if settings.role == "worker" and not belonging.begun(stores.transactions, stores.facts):
        what = Text(
            f"状态目录 {settings.folder} 中的事实表不是本城区的，或与数据库不是同一时刻的。请用 --state 指定 worker 原来的目录；它若已丢失，"
            "请从同一备份恢复，或指定一个空目录，由尚存的事件重建。",
            f"The facts in the state folder {settings.folder} are not those of this district, or not of the same time as its database. Name the "
            "folder that the worker had with --state; if that is lost, restore it from the same backup, or name an empty one: facts are made "
            "anew from the events that are left.",
        )
        raise ConflictError(what, folder=str(settings.folder))
    if stores.own is not None and settings.database and _lacks(stores):
        what = Text(
            f"状态目录 {settings.folder} 中没有本城区的观测数据。请用 --state 指定原来的目录；它若已丢失，请把它和数据库一起从同一备份恢复。",
            f"The state folder {settings.folder} does not hold the observations of this district. Name the folder that does with --state; "
            "if that is lost, restore it and the database from one backup.",
        )
        raise ConflictError(what, folder=str(settings.folder))


def _lacks(stores: Stores) -> bool:
    """Whether the rules have read more than lies here: then it is another folder's, or one of long ago."""
    return stores.series.last_seq() < stores.transactions.cursor(detect.CURSOR)


def _not_its_own(settings: Settings) -> ConflictError:
    what = Text(
        f"状态目录 {settings.folder} 中没有本城区的观测数据。多进程时此命令须在 ingest 停止后对它的状态目录运行，请用 --state 指定。",
        f"The state folder {settings.folder} does not hold the observations of this district. With several processes this command works on "
        "the folder of ingest while that one is stopped: name it with --state.",
    )
    return ConflictError(what, folder=str(settings.folder))
