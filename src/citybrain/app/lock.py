"""One process owns the state folder; a second one is refused, never let in to spoil it."""

import fcntl
import os
from pathlib import Path
from typing import Self

from citybrain.kernel.errors import ConflictError
from citybrain.kernel.text import Text


class StateLock:
    """An advisory lock on ``<state>/lock``, released by the kernel when the process dies, however it dies."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Take the lock; raises ConflictError naming the process that has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = self._path.read_text(encoding="ascii").strip() or "?"
            os.close(file)
            what = Text(
                f"状态目录 {self._path.parent} 正被进程 {owner} 使用。请先停止它，或用 --state 指定另一目录。",
                f"The state folder {self._path.parent} is in use by process {owner}. Stop it first, or name another folder with --state.",
            )
            raise ConflictError(what, process=owner) from None
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        self._file = file
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
