"""Rows out as CSV, JSON, Parquet or, where they have places, GeoJSON (RFC 7946), page by page through a Reader, every row marked with where it is from.

CSV is UTF-8 with a byte-order mark (spreadsheets then read every GB 18030 character), one instruction of a spreadsheet's formula
language in a cell is made plain text (OWASP, CSV injection). Nothing is held in memory but a page. Of rows that say what they are
JSON and GeoJSON count at their end how many are of which mark and how many were left out, Parquet in its metadata; CSV has no place
for it (see ``Manifest``).
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Literal, TypeAlias

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from citybrain.brain.exchange import readings
from citybrain.brain.exchange.readings import Readings, Tally
from citybrain.kernel.access import Query
from citybrain.kernel.datasets import Column, ColumnType, Dataset
from citybrain.kernel.errors import UnsupportedError
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.ports import Reader
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Origin

Format: TypeAlias = Literal["csv", "json", "parquet", "geojson"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}
COORDINATES = frozenset({"lon", "lat", "h3_9"})
"""Columns that tell the public where something is, before a map was approved (审图号)."""
DEMO_MARK = "演示数据"
_PAGE = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_DEMO = Column("demo", Text("是否演示数据", "Demonstration data"), "boolean")
_ORIGIN = Column("origin", Text("数据性质", "Origin"), "text")
Row: TypeAlias = Mapping[str, Json]


class Manifest(msgspec.Struct, frozen=True):
    """What a file of a query holds, made at a city time: its columns, how many rows, and of readings how many of which mark."""

    dataset: str
    title: Text
    source: Text
    origin: Origin
    demo: bool
    made: Instant
    columns: tuple[Column, ...]
    rows: int | None
    readings: Readings | None


def manifest(reader: Reader, query: Query, dataset: Dataset, now: Instant) -> Manifest:
    """The manifest of the file that the same query gives; raises what the Reader raises."""
    found = readings.counted(reader, query) if readings.marked(dataset) else None
    count = msgspec.structs.replace(query, limit=0, cursor=None, count=True)
    total = reader.read(count).total if found is None else sum(found.rows.values())
    columns, demo = columns_of(dataset), dataset.origin != "real"
    return Manifest(dataset.name, dataset.title, dataset.source, dataset.origin, demo, now, columns, total, found)


def file_name(dataset: Dataset, day: date, form: Format) -> str:
    """The file's name: dataset, city date, and 演示数据 where it is not real."""
    mark = "" if dataset.origin == "real" else f"_{DEMO_MARK}"
    return f"{dataset.name}_{day:%Y%m%d}{mark}.{form}"


def stream(reader: Reader, query: Query, dataset: Dataset, form: Format, hidden: frozenset[str] = frozenset()) -> Iterator[bytes]:
    """The whole answer to a query in pieces, from its cursor on; the query's own limit is the size of a page only.

    ``hidden`` are columns that stay empty.

    The first page is read before the first piece is asked for, so that a refusal comes as an error and not as a broken file:
    raises what the Reader raises, and UnsupportedError for GeoJSON of a dataset without places.
    """
    if form == "geojson" and not placed(dataset):
        what = Text(
            f"“{dataset.title.zh}”没有位置，不能导出为 GeoJSON。请用 CSV、JSON 或 Parquet。",
            f"'{dataset.title.en}' has no places for GeoJSON. Use CSV, JSON or Parquet.",
        )
        raise UnsupportedError(what, format=form)
    tally = readings.tally(reader, query, dataset)
    pages = _pages(reader, msgspec.structs.replace(query, limit=_PAGE, count=False), dataset.origin, hidden)
    whole = _with(next(pages), pages)
    return _WRITERS[form](whole if tally is None else tally.passing(whole), columns_of(dataset), dataset, tally)


def placed(dataset: Dataset) -> bool:
    """Whether the rows of a dataset have places."""
    return {"lon", "lat"} <= {column.name for column in dataset.columns}


def columns_of(dataset: Dataset) -> tuple[Column, ...]:
    """The columns of an export: those of the dataset, then ``demo`` and ``origin``."""
    own = tuple(column for column in dataset.columns if column.name not in ("demo", "origin"))
    return (*own, _DEMO, _ORIGIN)


def neutral(cell: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe goes before ``= + - @``, tab and line breaks."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _with(first: Sequence[Row], rest: Iterable[Sequence[Row]]) -> Iterator[Sequence[Row]]:
    yield first
    yield from rest


def _pages(reader: Reader, query: Query, origin: Origin, hidden: frozenset[str]) -> Iterator[Sequence[Row]]:
    none = dict.fromkeys(hidden)
    while True:
        page = reader.read(query)
        yield [_marked({**row, **none}, origin) for row in page.rows]
        if page.next is None:
            return
        query = msgspec.structs.replace(query, cursor=page.next)


def _marked(row: Row, origin: Origin) -> Row:
    own = row.get("origin") or origin
    return {**row, "origin": own, "demo": own != "real"}


def _csv(pages: Iterable[Sequence[Row]], columns: Sequence[Column], _: Dataset, __: Tally | None) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    yield b"\xef\xbb\xbf" + _drained(buffer)
    for page in pages:
        writer.writerows([[_cell(row.get(column.name), column) for column in columns] for row in page])
        yield _drained(buffer)


def _drained(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cell(value: Json, column: Column) -> str | int | float | None:
    match value:
        case bool():
            return "true" if value else "false"
        case str() if column.type == "json":
            # A text that reads like a number, a truth or JSON is told from one: it begins with a quotation mark.
            return msgspec.json.encode(value).decode()
        case str():
            return neutral(value)
        case dict() | list():
            return msgspec.json.encode(value).decode()
        case _:
            return value


def _json(pages: Iterable[Sequence[Row]], columns: Sequence[Column], dataset: Dataset, tally: Tally | None) -> Iterator[bytes]:
    head = {"dataset": dataset.name, "title": dataset.title, "source": dataset.source, "origin": dataset.origin}
    yield msgspec.json.encode(head | {"demo": dataset.origin != "real"})[:-1] + b',"items":['
    before = b"\n"
    for page in pages:
        for row in page:
            yield before + msgspec.json.encode({column.name: row.get(column.name) for column in columns})
            before = b",\n"
    yield _end(tally)


def _geojson(pages: Iterable[Sequence[Row]], columns: Sequence[Column], dataset: Dataset, tally: Tally | None) -> Iterator[bytes]:
    """A point for each row, in WGS 84, longitude first; null where a row has no place, or not for this caller."""
    head = {"type": "FeatureCollection", "name": dataset.name, "title": dataset.title, "source": dataset.source}
    yield msgspec.json.encode(head | {"origin": dataset.origin, "demo": dataset.origin != "real"})[:-1] + b',"features":['
    names = [column.name for column in columns if column.name not in ("lon", "lat")]
    before = b"\n"
    for page in pages:
        for row in page:
            lon, lat = row.get("lon"), row.get("lat")
            point: Json = None
            if isinstance(lon, int | float) and isinstance(lat, int | float):
                point = {"type": "Point", "coordinates": [lon, lat]}
            told: Json = {name: row.get(name) for name in names}
            feature: Json = {"type": "Feature", "id": row.get(dataset.key), "geometry": point, "properties": told}
            yield before + msgspec.json.encode(feature)
            before = b",\n"
    yield _end(tally)


def _end(tally: Tally | None) -> bytes:
    """What closes a document of rows: the counts stand behind the rows, for they are of those that are in it."""
    return b"\n]}\n" if tally is None else b'\n],"readings":' + msgspec.json.encode(tally.readings()) + b"}\n"


_ARROW: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "json": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "instant": pa.timestamp("us", tz="UTC"),
}


def _parquet(pages: Iterable[Sequence[Row]], columns: Sequence[Column], dataset: Dataset, tally: Tally | None) -> Iterator[bytes]:
    said: dict[bytes | str, bytes | str] = {"dataset": dataset.name, "origin": dataset.origin, "source": dataset.source.zh}
    units = {column.name: {"unit": column.unit} if column.unit else None for column in columns}
    schema = pa.schema([pa.field(one.name, _ARROW[one.type], metadata=units[one.name]) for one in columns], metadata=said)
    sink = _Pieces()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for page in pages:
            writer.write_table(
                pa.Table.from_pylist([{one.name: _typed(row.get(one.name), one) for one in columns} for row in page], schema)
            )
            yield sink.taken()
        if tally is not None:
            writer.add_key_value_metadata({"readings": msgspec.json.encode(tally.readings()).decode()})
    yield sink.taken()


def _typed(value: Json, column: Column) -> object:
    if value is None:
        return None
    match column.type:
        case "instant":
            return parse(str(value))
        case "json":
            return msgspec.json.encode(value).decode()
        case "text":
            return value if isinstance(value, str) else msgspec.json.encode(value).decode()
        case _:
            return value


class _Pieces(io.RawIOBase):
    """A file that is only ever written forward; what was written is taken away piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, piece: object) -> int:
        part = bytes(memoryview(piece)) if isinstance(piece, bytes | bytearray | memoryview) else b""
        self._parts.append(part)
        self._length += len(part)
        return len(part)

    def taken(self) -> bytes:
        """What was written since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


_WRITERS: dict[Format, Callable[[Iterable[Sequence[Row]], Sequence[Column], Dataset, Tally | None], Iterator[bytes]]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
    "geojson": _geojson,
}
