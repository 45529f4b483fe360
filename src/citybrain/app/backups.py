"""Backups of a state folder: every file with its SHA-256, checked before anything is restored.

That of a program that is not running is copied file by file; one that runs has it done by itself (see saving).
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from citybrain.engines.syncing import sync
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.text import Text

_MANIFEST = "manifest.json"
_LEFT_OUT = frozenset(("lock", "log", "control"))
_SAVING = "saving"
"""The folder in which a copy comes into being."""


def present(state: Path) -> None:
    """Raise BadInputError for a state folder that is not there, or in which there is nothing to back up."""
    if not state.is_dir() or not any(path for path in state.iterdir() if path.name not in _LEFT_OUT):
        what = Text(
            f"状态目录 {state} 不存在或没有内容，无可备份。请用 --state 指定。",
            f"There is nothing to back up in the state folder {state}: it is missing or empty. Name the one meant with --state.",
        )
        raise BadInputError(what, folder=str(state))


def backup(state: Path, target: Path) -> int:
    """Copy a state folder that nobody is using; returns the number of files. Raises ConflictError where the target is not empty."""
    with begun(state, target):
        copied(state, target / "state", ())
        return sealed(target)


@contextmanager
def begun(state: Path, target: Path) -> Iterator[None]:
    """A target beside the state that was empty; what was begun is taken away where it fails."""
    if target.resolve().is_relative_to(state.resolve()):
        what = Text(
            f"备份不能放在状态目录 {state} 之内。请指定别处的空目录。",
            f"A backup does not go into the state folder {state} itself. Name an empty folder elsewhere.",
        )
        raise ConflictError(what, folder=str(target))
    _empty(target)
    try:
        yield
    except BaseException:
        shutil.rmtree(target / "state", ignore_errors=True)
        raise


def copied(state: Path, target: Path, apart: tuple[str, ...]) -> None:
    """Copy the files of a state folder but for those at its top that are copied in another way; one that goes meanwhile is not missed."""
    for path in sorted(state.rglob("*")):
        name = path.relative_to(state)
        if name.parts[0] in apart or path.name in _LEFT_OUT or _SAVING in name.parts or not path.is_file():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy2(path, target / name)


def sealed(target: Path) -> int:
    """Write the manifest once everything is on the disk."""
    sums = {}
    for path in sorted(path for path in (target / "state").rglob("*") if path.is_file()):
        sync(path)
        sums[path.relative_to(target / "state").as_posix()] = _sum(path)
    (target / _MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(sums)))
    for path in (target / _MANIFEST, *(path for path in (target / "state").rglob("*") if path.is_dir()), target):
        sync(path)
    return len(sums)


def restore(source: Path, state: Path) -> int:
    """Put a backup into an empty state folder; raises BadInputError naming the file that is missing or was changed."""
    _empty(state)
    try:
        sums = msgspec.json.decode((source / _MANIFEST).read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
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
