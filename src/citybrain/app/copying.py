"""What the commands do that copy a state folder and open nothing in it."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from citybrain.app import backups, control
from citybrain.app.given import settings_of
from citybrain.app.lock import StateLock
from citybrain.app.saying import say
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text

_WITHOUT: Final = (
    "程序没有运行：备份只含此目录，PostgreSQL 中的业务数据须用它自己的工具备份（pg_dump）\n"
    "nothing runs here: the backup is of this folder alone; PostgreSQL has to be dumped by its own tools (pg_dump)"
)


def backup(given: argparse.Namespace) -> int:
    """Back up a state folder; where a program runs on it, that program does it."""
    settings = settings_of(given)
    with _told():
        files = control.backup(settings.folder, given.target)
        if files is None:
            # Before the lock, which would make the folder.
            backups.present(settings.folder)
            with StateLock(settings.folder):
                files = backups.backup(settings.folder, given.target)
            if settings.database:
                say(_WITHOUT)
    say(f"{files} 个文件 · files")
    return 0


def restore(given: argparse.Namespace) -> int:
    """Restore a backup into an empty state folder."""
    settings = settings_of(given)
    with _told(), StateLock(settings.folder):
        say(f"{backups.restore(given.source, settings.folder)} 个文件 · files")
    return 0


@contextmanager
def _told() -> Iterator[None]:
    """Raise BadInputError for what the system refuses of a folder: one that is a file, may not be written, or is full."""
    try:
        yield
    except OSError as error:
        where, why = error.filename or "?", error.strerror or str(error)
        what = Text(
            f"无法读写 {where}（{why}）。请检查目录和权限。", f"{where} cannot be read or written ({why}). Check the folder."
        )
        raise BadInputError(what, path=str(where)) from error
