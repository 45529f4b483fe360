"""The forms in which a door may be sent observations: JSON, NDJSON, CSV and Arrow, all read into the same columns.

A row that cannot be read is refused with its reason and spoils no other; only a body that is not of its form at all is unreadable.
"""

import csv
import dataclasses
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from citybrain.brain.observe.rows import SHAPELESS, Rows, read_each, read_lines, read_rows, unreadable
from citybrain.brain.observe.texts import Column, Texts
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.observations import Ints, Refusal
from citybrain.kernel.text import Json

_COLUMNS = ("stream", "time", "value")
_BESIDE: Final = ("unit", "word", "mark")
_READ: Final = {None, "measured", "computed", "corrected"}
"""Marks of readings that there were."""
_TIME = pa.timestamp("us", tz="UTC")
_ABSENT: Final[Mapping[str, pa.DataType]] = {
    "stream": pa.string(),
    "time": _TIME,
    "value": pa.float64(),
    "unit": pa.string(),
    **dict.fromkeys(("word", "mark"), pa.string()),
}
"""The columns of Arrow, and what one is whose type says only that it holds nothing."""
_PER: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}
_LAST: Final = 2**62
"""µs, later than any time that is taken: beyond it seconds would turn round and come out as a day of this year."""
_CALENDAR: Final = (-62_135_596_800_000_000, 253_402_300_799_000_000)
"""µs of the first and the last second of a calendar of four digits."""
_ZONED = "The time column of Arrow is a timestamp with a time zone, or text in RFC 3339."


def read_csv(body: bytes) -> Rows:
    """A table with the header ``stream,time,value[,unit]`` in any order, UTF-8, with or without BOM; ``row`` counts from 0 below it.

    A value that is written as a number is one; ``true`` and ``false`` are truths, anything else is a text. As exports have it a column
    ``word`` says the value in JSON where it is not empty, and ``mark`` what the row is.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(f"not UTF-8: {error.reason}") from error
    return read_each(_cells(io.StringIO(text, newline="")))


def read_pieces(lines: Iterable[str], size: int) -> Iterator[Rows]:
    """A long table, line by line, as sendings of so many rows; ``row`` counts through. Raises UnreadableError where it breaks."""
    return in_pieces(_cells(lines), size)


def in_pieces(cells: Iterator[Json], size: int) -> Iterator[Rows]:
    """Rows as plain values, as sendings of so many; ``row`` counts through."""
    start = 0
    while piece := list(islice(cells, size)):
        rows = read_each(piece)
        refused = tuple(replace(one, row=one.row + start) for one in rows.refused)
        said = {row + start: value for row, value in rows.said.items()}
        yield dataclasses.replace(rows, row=rows.row + start, refused=refused, said=said)
        start += len(piece)


def read_arrow(body: bytes) -> Rows:
    """An Arrow IPC stream with columns stream (text, or a dictionary of it), time (timestamp with zone, or text), value, unit?.

    As exports have them ``word``, the value in JSON, and ``mark``.
    """
    try:
        with pa.ipc.open_stream(body) as stream:
            table = stream.read_all()
            table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(f"no Arrow stream: {error}") from error
    missing = [name for name in _COLUMNS if table.schema.get_all_field_indices(name) == []]
    if missing or any(len(table.schema.get_all_field_indices(name)) > 1 for name in (*_COLUMNS, *_BESIDE)):
        raise unreadable(f"the columns {', '.join(_COLUMNS)} must each be there once")
    return _of_table(table)


def table_cells(table: pa.Table) -> Iterator[Json]:
    """The rows of a table with these columns, one by one."""
    meant = _meant_all(table)
    times = meant.column("time")
    if isinstance(times.type, pa.TimestampType) and times.type.tz is not None:
        meant = meant.set_column(meant.schema.get_field_index("time"), "time", _written(times, times.type.unit))
    return map(_plain, meant.to_pylist())


FORMS: Final[Mapping[str, Callable[[bytes], Rows]]] = {
    "application/json": read_rows,
    "application/x-ndjson": read_lines,
    "text/csv": read_csv,
    "application/vnd.apache.arrow.stream": read_arrow,
}
"""What reads a body, by its media type."""


def _cells(lines: Iterable[str]) -> Iterator[Json]:
    """The rows of a table; raises UnreadableError for a header that does not name each column once, and where it is no CSV."""
    table = csv.DictReader(lines, strict=True)
    try:
        header = table.fieldnames or ()
        missing = [name for name in _COLUMNS if name not in header]
        if missing:
            raise unreadable(f"the header lacks {', '.join(missing)}")
        twice = [name for name in (*_COLUMNS, *_BESIDE) if header.count(name) > 1]
        if twice:
            raise unreadable(f"the header has {', '.join(twice)} more than once")
        yield from map(_cell, table)
    except csv.Error as error:
        raise unreadable(f"no CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise unreadable(f"not UTF-8: {error.reason}") from error


def _cell(row: dict[str | None, str | None]) -> Json:
    if None in row:
        # A cell too many: 1,5 for 1.5 would be taken for 1.
        return None
    value = said(row["word"]) if row.get("word") else _value(row["value"])
    beside = {name: row[name] for name in ("unit", "mark") if row.get(name)}
    return {**{name: row[name] for name in _COLUMNS}, "value": value, **beside}


def said(word: str | None) -> Json:
    """The value that a word says, as JSON; what is no JSON is a text."""
    try:
        found: Json = msgspec.json.decode(word or "")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return word
    return found


def _value(text: str | None) -> Json:
    """What a cell says: a number, true or false, else the text; nothing where it is empty."""
    said = text or ""
    try:
        # Python reads 1_5 as 15; whoever writes a table meant something else.
        return said if "_" in said else float(said)
    except ValueError:
        return {"true": True, "false": False}.get(said.lower(), said or None)


def _of_table(sent: pa.Table) -> Rows:
    table = _meant_all(sent)
    if _speaks(table):
        return read_each(table_cells(sent))
    streams, times, values = (table.column(name) for name in _COLUMNS)
    units = table.column("unit") if "unit" in table.schema.names else None
    if pa.types.is_string(times.type) or not _is_plain(streams, values, units):
        return read_each(table_cells(sent))
    if not isinstance(times.type, pa.TimestampType) or times.type.tz is None:
        raise unreadable(_ZONED)
    whole = pc.and_(pc.and_(pc.is_valid(streams), pc.is_valid(times)), pc.is_valid(values)).to_numpy()
    row = np.flatnonzero(whole)
    refused = tuple(Refusal(int(place), *SHAPELESS) for place in np.flatnonzero(~whole))
    kept = table.filter(pa.array(whole)) if refused else table
    return Rows(
        Texts(kept.column("stream")),
        _micros(kept.column("time"), times.type.unit),
        kept.column("value").cast(pa.float64(), safe=False).to_numpy(),
        kept.column("unit").to_pylist() if units is not None and units.null_count < len(units) else None,
        row,
        refused,
    )


def _meant_all(sent: pa.Table) -> pa.Table:
    return pa.table({name: _meant(sent.column(name), absent) for name, absent in _ABSENT.items() if name in sent.schema.names})


def _speaks(table: pa.Table) -> bool:
    """Whether rows say words, or that they are none: those are read one by one."""
    words = "word" in table.schema.names and table.column("word").null_count < table.num_rows
    return words or ("mark" in table.schema.names and set(table.column("mark").unique().to_pylist()) - _READ != set())


def _meant(column: Column, absent: pa.DataType) -> Column:
    """A column by the type that is meant: text however it is laid out, decimals as numbers, one of nulls alone as ``absent``."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_null(kind):
        return column.cast(absent)
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_string_view(kind):
        return column.cast(pa.string()) if kind == column.type else _decoded(column)
    if absent == _TIME:
        return column.cast(pa.string() if _is_text(kind) else kind)
    return column


def _decoded(column: Column) -> Column:
    """A dictionary of views as texts, which Arrow does not turn by itself."""
    chunks = [
        chunk.dictionary.cast(pa.string()).take(chunk.indices) for chunk in column.chunks if isinstance(chunk, pa.DictionaryArray)
    ]
    return pa.chunked_array(chunks, pa.string())


def _is_plain(streams: Column, values: Column, units: "Column | None") -> bool:
    """Whether whole columns can be taken as they are: texts, and numbers that are no truths."""
    texts = [streams] if units is None else [streams, units]
    return all(_is_text(column.type) for column in texts) and (
        pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    )


def _is_text(kind: pa.DataType) -> bool:
    return _is_text(kind.value_type) if pa.types.is_dictionary(kind) else pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _micros(times: Column, unit: str) -> Ints:
    """Whole µs, the nearest ones as in the other forms; a time beyond what can be held is the last or the first that can."""
    counts: Ints = times.cast(pa.int64()).to_numpy()
    if unit == "ns":
        return counts // 1000 + (counts % 1000 >= 500)
    found: Ints = np.clip(counts, -_LAST // _PER[unit], _LAST // _PER[unit]) * _PER[unit]
    return found


def _written(times: Column, unit: str) -> Column:
    """The same as RFC 3339, for rows that are read one by one."""
    told = iter(np.clip(_micros(times.drop_null(), unit), *_CALENDAR).tolist())
    said = [rfc3339(Instant(next(told))) if known else None for known in times.is_valid().to_pylist()]
    return pa.chunked_array([said], pa.string())


def _plain(row: dict[str, object]) -> Json:
    """A row of Arrow as JSON would have it; what JSON has not becomes None and is refused by name."""
    told: dict[str, Json] = {
        name: cell if isinstance(cell, str | bool | int | float) and not (isinstance(cell, float) and math.isnan(cell)) else None
        for name, cell in row.items()
        if cell is not None or name not in _BESIDE
    }
    word = told.pop("word", None)
    return {**told, "value": said(word)} if isinstance(word, str) and word else told
