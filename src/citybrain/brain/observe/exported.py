"""Observations that were exported, read back from their file: JSON a row a line, Parquet, or CSV, as sendings of so many rows."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from citybrain.brain.observe.formats import in_pieces, read_pieces, table_cells
from citybrain.brain.observe.rows import Rows, lenient, unreadable
from citybrain.brain.observe.shelves import OBSERVATION
from citybrain.kernel.text import Json

_HEAD: Final = 65_536
"""Characters of the first line, at most."""
_COLUMNS: Final = ("stream", "time", "value", "unit", "word", "mark")


class _Head(msgspec.Struct):
    dataset: str
    items: list[msgspec.Raw]


def is_export(file: Path) -> bool:
    """Whether a file of JSON begins as an export of observations does."""
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        return _begins(lines.readline(_HEAD))


def read_export(file: Path, size: int) -> Iterator[Rows]:
    """The rows of an export, by what its name ends in, as sendings of so many; ``row`` counts through.

    Raises UnreadableError where the file is none, or breaks.
    """
    match file.suffix:
        case ".parquet":
            yield from in_pieces(_parquet(file, size), size)
        case ".json":
            with file.open(encoding="utf-8-sig") as lines:
                yield from in_pieces(_items(lines), size)
        case _:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                yield from read_pieces(lines, size)


def _begins(line: str) -> bool:
    try:
        return msgspec.json.decode(f"{line.rstrip()}]}}", type=_Head).dataset == OBSERVATION.name
    except msgspec.MsgspecError:
        return False


def _items(lines: Iterable[str]) -> Iterator[Json]:
    told = _read(lines)
    if not _begins(next(told, "")):
        raise unreadable("no export of observations, a row a line")
    for line in told:
        row = line.strip()
        if row.startswith("]"):
            return
        if row:
            yield lenient(row.removesuffix(",").encode())
    raise unreadable("the export ends amid its rows")


def _read(lines: Iterable[str]) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise unreadable(f"not UTF-8: {error.reason}") from error


def _parquet(file: Path, size: int) -> Iterator[Json]:
    try:
        with pq.ParquetFile(file) as parquet:
            columns = [name for name in _COLUMNS if name in parquet.schema_arrow.names]
            for name in _COLUMNS[:3]:
                if name not in columns:
                    raise unreadable(f"no column {name}")
            for batch in parquet.iter_batches(size, columns=columns):
                yield from table_cells(pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise unreadable(f"no Parquet: {error}") from error
