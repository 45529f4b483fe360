"""What the commands do that copy a state folder and open nothing in it."""

import argparse

from citybrain.app import backups, control
from citybrain.app.given import settings_of
from citybrain.app.lock import StateLock
from citybrain.app.saying import say


def backup(given: argparse.Namespace) -> int:
    """Back up a state folder; where a program runs on it, that program does it."""
    settings = settings_of(given)
    files = control.backup(settings.folder, given.target)
    if files is None:
        with StateLock(settings.folder):
            files = backups.backup(settings.folder, given.target)
    say(f"{files} 个文件 · files")
    return 0


def restore(given: argparse.Namespace) -> int:
    """Restore a backup into an empty state folder."""
    settings = settings_of(given)
    with StateLock(settings.folder):
        say(f"{backups.restore(given.source, settings.folder)} 个文件 · files")
    return 0
