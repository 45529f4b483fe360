"""Free space: writes are refused while there is still room to finish what was begun."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.text import Text

LOW_WATER = 256 * 1024 * 1024
"""Default mark, in bytes: enough for the log of the greatest commit and a checkpoint."""
_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def free_bytes(path: Path) -> int:
    """Bytes that this process may still write on the file system of a path."""
    return shutil.disk_usage(path).free


class FreeSpace:
    """The low-water mark of a folder; ``free`` measures it."""

    def __init__(self, path: Path, low_water_bytes: int = LOW_WATER, free: Callable[[Path], int] = free_bytes) -> None:
        self._path = path
        self._low_water = low_water_bytes
        self._free = free

    def check(self) -> None:
        """Raise StorageFullError when less than the mark is free."""
        free = self._free(self._path)
        if free < self._low_water:
            raise full(free)


def full(free: int = 0) -> StorageFullError:
    """The error for a store that has no room; ``free`` in bytes."""
    mebibytes = free // (1024 * 1024)
    what = Text(
        f"存储空间不足（剩余 {mebibytes} MiB），本次没有写入。请清理磁盘或扩容后重试。",
        f"Storage is full ({mebibytes} MiB left); nothing was written. Free or add disk space, then try again.",
    )
    return StorageFullError(what, free_bytes=free)


@contextmanager
def room() -> Iterator[None]:
    """Within: an OSError that says there is no room becomes a StorageFullError."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise full() from error
        raise
