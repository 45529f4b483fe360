"""A backup of a district that goes on: both stores as they stood at one instant, and the files and keys beside them."""

from contextlib import ExitStack, closing
from pathlib import Path

from citybrain.app import backups
from citybrain.app.stores import SERIES, SQLITE, Stores
from citybrain.engines.space import room
from citybrain.engines.sqlite import Snapshot


def save(stores: Stores, state: Path, target: Path) -> int:
    """Copy the state of the program that runs into an empty folder; returns the number of files. Blocks: run in a thread.

    Neither store takes anything while both are taken hold of, so what one says of the other is true in the copy; then all goes on.
    Raises ConflictError where the target is not empty, StorageFullError and BusyError, after which nothing of the copy is left.
    """
    with backups.begun(state, target), room(), ExitStack() as held:
        with stores.transactions.begin():
            series = held.enter_context(closing(stores.mine.hold()))
            base = held.enter_context(closing(Snapshot(state / SQLITE)))
        series.write(target / "state" / SERIES)
        base.write(target / "state" / SQLITE)
        backups.copied(state, target / "state", (SERIES, SQLITE, f"{SQLITE}-wal", f"{SQLITE}-shm"))
        return backups.sealed(target)
