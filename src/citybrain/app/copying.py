"""What the commands do that copy a state folder; nothing in it is opened but for a district on PostgreSQL that does not run."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from citybrain.app import backups, control
from citybrain.app.given import settings_of
from citybrain.app.lock import StateLock
from citybrain.app.saying import say
from citybrain.app.settings import Settings
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text


def backup(given: argparse.Namespace) -> int:
    """Back up a state folder; where a program runs on it, that program does it."""
    settings = settings_of(given)
    with _told():
        files = control.backup(settings.folder, given.target)
        if files is None:
            # Before the lock, which would make the folder.
            backups.present(settings.folder)
            files = _standing(given, settings)
    say(f"{files} 个文件 · files")
    return 0


def _standing(given: argparse.Namespace, settings: Settings) -> int:
    """Back up a state folder at which no program answers; returns the number of files."""
    if settings.database:
        # Imported where it is wanted alone: without a database nothing of the stores is opened.
        own = settings_of(given, role="ingest") if settings.ingest_at else settings
        files: int = import_module("citybrain.app.standstill").save(own, given.target, given.facts)
        return files
    with StateLock(settings.folder):
        return backups.backup(settings.folder, given.target)


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
