"""Backups of a state folder: every file with its SHA-256, checked before anything is restored."""

import hashlib
import shutil
from pathlib import Path

import msgspec

from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.text import Text

_MANIFEST = "manifest.json"
_LEFT_OUT = frozenset(("lock", "log"))


def backup(state: Path, target: Path) -> int:
    """Copy a state folder that nobody is using; returns the number of files. Raises ConflictError where the target is not empty."""
    _empty(target)
    files = sorted(path for path in state.rglob("*") if path.is_file() and path.name not in _LEFT_OUT)
    sums = {}
    for path in files:
        name = path.relative_to(state).as_posix()
        copy = target / "state" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
        sums[name] = _sum(copy)
    (target / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(sums)))
    return len(sums)


def restore(source: Path, state: Path) -> int:
    """Put a backup into an empty state folder; raises BadInputError naming the file that is missing or was changed."""
    _empty(state)
    try:
        sums = msgspec.json.decode((source / _MANIFEST).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError) as error:
        what = Text(f"{source} 不是备份：缺少可读的 {_MANIFEST}。", f"{source} is no backup: it has no readable {_MANIFEST}.")
        raise BadInputError(what) from error
    for name, expected in sums.items():
        path = source / "state" / name
        if not path.is_file() or _sum(path) != expected:
            what = Text(
                f"备份文件 {name} 缺失或已被改动，未恢复任何内容。请换一份备份。",
                f"{name} of the backup is missing or was changed. Nothing was restored; use another backup.",
            )
            raise BadInputError(what, file=name)
    for name in sums:
        copy = state / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / "state" / name, copy)
    return len(sums)


def _empty(folder: Path) -> None:
    if folder.exists() and any(path for path in folder.iterdir() if path.name not in _LEFT_OUT):
        what = Text(f"目录 {folder} 不是空的。请指定一个空目录。", f"The folder {folder} is not empty. Name an empty one.")
        raise ConflictError(what, folder=str(folder))


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
