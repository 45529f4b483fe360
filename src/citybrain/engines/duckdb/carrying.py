"""Fact tables carried into a folder of their own, without the observations that lie beside them, and folders cleared of such.

A folder of facts that was copied from one of observations holds these too, and no retention reaches it. It is made anew with the facts
alone and swapped in; the old one leaves the disk. A kill leaves the one or the other, and the next call goes on.
A backup has both in one folder again: the facts of another process are laid into it.
"""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import duckdb
import msgspec
import pyarrow as pa

from citybrain.engines.duckdb.commit import transaction
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile, disk_full
from citybrain.engines.duckdb.state import number
from citybrain.engines.space import full, room
from citybrain.engines.syncing import sync
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text

_OWN: Final = "city.duckdb"
_BATCH: Final = 100_000
_POSITIONS: Final = "fact_position"
_BESIDE: Final = ("closed/", "journal/")
"""Where observations lie in files of their own."""


class Cleared(msgspec.Struct, frozen=True):
    """A copy of observations that left a folder of facts: how many, between which times, and the SHA-256 (hex) of each file that went."""

    id: str
    rows: int
    first: Instant | None
    last: Instant | None
    files: dict[str, str]


def carry(source: Path, target: Path, memory: str = "256MB") -> int:
    """Copy the fact tables of a folder that nobody uses into a new one; returns their rows.

    Raises ConflictError where the target is there already, StorageFullError; what was begun is removed.
    """
    if target.exists():
        what = Text(f"{target} 已存在，未迁移事实表。", f"{target} is there already: no facts were carried.")
        raise ConflictError(what, folder=str(target))
    beside = target.with_name(f"{target.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    count = _carried(source, beside, memory)
    beside.rename(target)
    sync(target.parent)
    return count


def clear(folder: Path, memory: str = "256MB") -> Cleared | None:
    """Rid a folder of facts of observations that lie in it; what went, until ``forget`` is told that it is on record.

    Meant for before the folder is opened. Raises StorageFullError, and nothing has changed then.
    """
    new, old, note = (folder.with_name(f"{folder.name}.{name}") for name in ("new", "old", "cleared"))
    if new.exists() and old.exists() and not folder.exists():
        new.rename(folder)
    shutil.rmtree(new, ignore_errors=True)
    if not old.exists() and (found := _observed(folder, memory)) is not None:
        _carried(folder, new, memory)
        with room():
            note.write_bytes(msgspec.json.encode(found))
            sync(note)
        folder.rename(old)
        new.rename(folder)
        sync(folder.parent)
    if old.exists():
        shutil.rmtree(old)
        sync(folder.parent)
    return msgspec.json.decode(note.read_bytes(), type=Cleared) if note.exists() else None


def forget(folder: Path) -> None:
    """What ``clear`` says of a folder is on record now."""
    folder.with_name(f"{folder.name}.cleared").unlink(missing_ok=True)


def lay(folder: Path, laid: Iterable[tuple[str, pa.Table, int]], memory: str = "256MB") -> None:
    """Put fact tables, each with the outbox position it has reached, into a folder that nobody uses, in the place of all that lie there.

    Raises StorageFullError; the folder is of no use then.
    """
    file = DuckFile(folder, memory)
    try:
        with room(), file.cursor() as cursor:
            for (name,) in cursor.execute(f"SELECT name FROM {_POSITIONS}").fetchall():
                cursor.execute(f'DROP TABLE IF EXISTS "{name}"')
            cursor.execute(f"DELETE FROM {_POSITIONS}")
        facts = DuckFacts(file)
        for name, rows, position in laid:
            facts.append(name, rows, position)
    finally:
        file.close()


def _carried(source: Path, target: Path, memory: str) -> int:
    try:
        return _copied(source, target, memory)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _copied(source: Path, target: Path, memory: str) -> int:
    came, went = DuckFile(source, memory), DuckFile(target, memory)
    try:
        with came.cursor() as read, went.cursor() as write, transaction(write):
            names = [str(name) for (name,) in read.execute(_TABLES).fetchall()]
            for name in names:
                rows = read.execute(f'SELECT * FROM "{name}"').to_arrow_reader(_BATCH)
                write.register("shape", rows.schema.empty_table())
                write.execute(f'CREATE TABLE IF NOT EXISTS "{name}" AS SELECT * FROM shape')
                write.register("carried", rows)
                write.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM carried')
            return sum(number(write, f'SELECT count(*) FROM "{name}"', []) for name in names if name != _POSITIONS)
    except duckdb.Error as error:
        if disk_full(error):
            raise full() from error
        raise
    finally:
        came.close()
        went.close()


def _observed(folder: Path, memory: str) -> Cleared | None:
    """What of observations lies in a folder of facts; None where there is nothing."""
    if not (folder / _OWN).exists():
        return None
    file = DuckFile(folder, memory)
    try:
        with file.cursor() as cursor:
            rows, first, last = cursor.execute(_OBSERVATIONS).fetchone() or (0, None, None)
    finally:
        file.close()
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    if not rows and not any(name.startswith(_BESIDE) for name in files):
        return None
    return Cleared(new_id(), int(rows or 0), first, last, {name: _digest(path) for name, path in files.items()})


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_TABLES = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND NOT internal ORDER BY 1"
_OBSERVATIONS = (
    "SELECT sum(rows)::BIGINT, min(low), max(high) FROM (SELECT count(*) AS rows, min(time) AS low, max(time) AS high FROM series.obs"
    " UNION ALL SELECT sum(rows), min(low), max(high) FROM series.segment WHERE rows > 0)"
)
