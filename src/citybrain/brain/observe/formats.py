"""The forms in which a door may be sent observations: JSON, NDJSON, CSV and Arrow, all read into the same columns.

A row that cannot be read is refused with its reason and spoils no other; only a body that is not of its form at all is unreadable.
"""

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citybrain.brain.observe.rows import Rows, read_each, read_lines, read_rows, unreadable
from citybrain.brain.observe.texts import Column, Texts
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.observations import Ints, Refusal
from citybrain.kernel.text import Json

_COLUMNS = ("stream", "time", "value")
_ZONED = "The time column of Arrow is a timestamp with a time zone, or text in RFC 3339."


def read_csv(body: bytes) -> Rows:
    """A table with the header ``stream,time,value[,unit]`` in any order, UTF-8, with or without BOM; ``row`` counts from 0 below it.

    A value that is written as a number is one; ``true`` and ``false`` are truths, anything else is a text.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(f"not UTF-8: {error.reason}") from error
    table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise unreadable(f"the header lacks {', '.join(missing)}")
        return read_each(_cells(table))
    except csv.Error as error:
        raise unreadable(f"no CSV: {error}") from error


def read_arrow(body: bytes) -> Rows:
    """An Arrow IPC stream with columns stream (text, or a dictionary of it), time (timestamp with zone, or text), value, unit?."""
    try:
        with pa.ipc.open_stream(body) as stream:
            table = stream.read_all()
            table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(f"no Arrow stream: {error}") from error
    missing = [name for name in _COLUMNS if table.schema.get_all_field_indices(name) == []]
    if missing or any(len(table.schema.get_all_field_indices(name)) > 1 for name in (*_COLUMNS, "unit")):
        raise unreadable(f"the columns {', '.join(_COLUMNS)} must each be there once")
    return _of_table(table)


FORMS: Final[Mapping[str, Callable[[bytes], Rows]]] = {
    "application/json": read_rows,
    "application/x-ndjson": read_lines,
    "text/csv": read_csv,
    "application/vnd.apache.arrow.stream": read_arrow,
}
"""What reads a body, by its media type."""


def _cells(table: "csv.DictReader[str]") -> Iterator[Json]:
    for row in table:
        if table.restkey in row:
            # A cell too many: 1,5 for 1.5 would be taken for 1.
            yield None
            continue
        unit = row.get("unit")
        yield {**{name: row[name] for name in _COLUMNS}, "value": _value(row["value"]), **({"unit": unit} if unit else {})}


def _value(text: str | None) -> Json:
    """What a cell says: a number, true or false, else the text; nothing where it is empty."""
    try:
        return float(text or "")
    except ValueError:
        return {"true": True, "false": False}.get((text or "").lower(), text or None)


def _of_table(table: pa.Table) -> Rows:
    streams, times, values = (table.column(name) for name in _COLUMNS)
    units = table.column("unit") if "unit" in table.schema.names else None
    if pa.types.is_string(times.type) or not _is_plain(streams, values, units):
        names = [name for name in (*_COLUMNS, "unit") if name in table.schema.names]
        if pa.types.is_timestamp(times.type) and times.type.tz is not None:
            table = table.set_column(table.schema.get_field_index("time"), "time", pa.array(_written(times), pa.string()))
        return read_each(_plain(row) for row in table.select(names).to_pylist())
    if not pa.types.is_timestamp(times.type) or times.type.tz is None:
        raise unreadable(_ZONED)
    whole = pc.and_(pc.and_(pc.is_valid(streams), pc.is_valid(times)), pc.is_valid(values)).to_numpy()
    row = np.flatnonzero(whole)
    refused = tuple(Refusal(int(place), "bad_row", "A row needs a stream, a time and a value.") for place in np.flatnonzero(~whole))
    kept = table.filter(pa.array(whole)) if refused else table
    return Rows(
        Texts(kept.column("stream")),
        _micros(kept.column("time")),
        kept.column("value").cast(pa.float64(), safe=False).to_numpy(),
        kept.column("unit").to_pylist() if units is not None and units.null_count < len(units) else None,
        row,
        refused,
    )


def _is_plain(streams: Column, values: Column, units: "Column | None") -> bool:
    """Whether whole columns can be taken as they are: texts, and numbers that are no truths."""
    texts = [streams] if units is None else [streams, units]
    return all(_is_text(column.type) for column in texts) and (
        pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    )


def _is_text(kind: pa.DataType) -> bool:
    return _is_text(kind.value_type) if pa.types.is_dictionary(kind) else pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _micros(times: Column) -> Ints:
    """Whole µs; what is finer than a µs is cut off."""
    return times.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64()).to_numpy()


def _written(times: Column) -> list[str | None]:
    """The same as RFC 3339, for rows that are read one by one."""
    micros = times.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64()).to_pylist()
    return [None if time is None else rfc3339(Instant(time)) for time in micros]


def _plain(row: dict[str, object]) -> Json:
    """A row of Arrow as JSON would have it; what JSON has not becomes None and is refused by name."""
    return {
        name: cell if isinstance(cell, str | bool | int | float) and not (isinstance(cell, float) and math.isnan(cell)) else None
        for name, cell in row.items()
        if cell is not None or name != "unit"
    }
