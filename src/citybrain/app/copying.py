"""What the commands do that copy a state folder and open nothing in it."""

import argparse

from citybrain.app import backups
from citybrain.app.given import settings_of
from citybrain.app.lock import StateLock
from citybrain.app.saying import say


def backup(given: argparse.Namespace) -> int:
    """Back up the state folder of a program that is not running."""
    settings = settings_of(given)
    with StateLock(settings.folder):
        say(f"{backups.backup(settings.folder, given.target)} 个文件 · files")
    return 0


def restore(given: argparse.Namespace) -> int:
    """Restore a backup into an empty state folder."""
    settings = settings_of(given)
    with StateLock(settings.folder):
        say(f"{backups.restore(given.source, settings.folder)} 个文件 · files")
    return 0
