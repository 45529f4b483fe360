"""The record of what was deleted: counted and digested row by row while it goes, and kept for ever."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from citybrain.engines.duckdb.revision import column32, column64
from citybrain.engines.duckdb.tables import STORED
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Numbers

LINE = np.dtype([("seq", "<i8"), ("stream_no", "<i4"), ("time", "<i8"), ("value", "<f8"), ("received", "<i8"), ("door", "<i4")])
"""A row as it is digested: 40 bytes without gaps, little-endian, in the order of the columns of the Parquet files."""
_DOORS = msgspec.json.Decoder(dict[str, int])


class Deletion(msgspec.Struct, frozen=True):
    """What was deleted from one closed file: rows of a kind before an instant (µs UTC), by a setting of so many days.

    ``first`` and ``last`` are the times of the rows; ``digest`` is the SHA-256 (hex) over their LINEs in order of stream and time;
    ``doors`` says through which doors they had come; ``file`` was replaced, and was found gone at ``erased`` (wall; None: not yet).
    """

    id: str
    kind: str
    days: int
    before: Instant
    wall: Instant
    file: str
    first: Instant
    last: Instant
    rows: int
    streams: int
    digest: str
    doors: dict[str, int]
    erased: Instant | None = None


class Tally:
    """Counts and digests what is taken out of a file, while the rest of it passes."""

    def __init__(self, streams: Numbers, before: Instant) -> None:
        self._streams = np.unique(streams)
        self._before = before
        self._low, self._high, self._rows = 2**62, -(2**62), 0
        self._seen: set[int] = set()
        self._digest = hashlib.sha256()
        self.doors: Counter[int] = Counter()
        """Rows taken out by the number of their door."""

    def rest(self, parts: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Parts (STORED) less the rows that go, in their order."""
        for part in parts:
            goes = np.isin(column32(part, "stream_no"), self._streams) & (column64(part, "time") < self._before)
            self._count(part.filter(pa.array(goes)))
            yield part.filter(pa.array(~goes))

    def record(self, identifier: str, kind: str, days: int, wall: Instant, file: str) -> Deletion:
        """The record of what was taken out, doors by number."""
        doors = {str(no): rows for no, rows in sorted(self.doors.items())}
        span = Instant(self._low), Instant(self._high)
        rows, streams, digest = self._rows, len(self._seen), self._digest.hexdigest()
        return Deletion(identifier, kind, days, self._before, wall, file, *span, rows, streams, digest, doors)

    def _count(self, gone: pa.Table) -> None:
        if not gone.num_rows:
            return
        time = column64(gone, "time")
        self._low, self._high = min(self._low, int(time.min())), max(self._high, int(time.max()))
        self._rows += gone.num_rows
        self._seen.update(np.unique(column32(gone, "stream_no")).tolist())
        self.doors.update(column32(gone, "door").tolist())
        self._digest.update(lines(gone))


def lines(rows: pa.Table) -> bytes:
    """Rows (STORED) as they are digested."""
    packed = np.empty(rows.num_rows, LINE)
    for name in STORED.names:
        packed[name] = rows.column(name).to_numpy()
    return packed.tobytes()


def enter(cursor: duckdb.DuckDBPyConnection, one: Deletion) -> None:
    """Enter a deletion with doors by number, within an open transaction."""
    span = [one.file, one.first, one.last, one.rows, one.streams, one.digest]
    row = [one.id, one.kind, one.days, one.before, one.wall, *span, msgspec.json.encode(one.doors).decode(), one.erased]
    cursor.execute(f"INSERT INTO series.deletion VALUES ({', '.join('?' * len(row))})", row)


def recorded(cursor: duckdb.DuckDBPyConnection) -> list[Deletion]:
    """Every deletion, the oldest first, doors by name."""
    names = {str(no): name for no, name in cursor.execute("SELECT no, name FROM series.door").fetchall()}
    rows = cursor.execute(f"SELECT {', '.join(Deletion.__struct_fields__)} FROM series.deletion ORDER BY id").fetchall()
    found = [dict(zip(Deletion.__struct_fields__, row, strict=True)) for row in rows]
    for one in found:
        one["doors"] = {names[no]: rows for no, rows in _DOORS.decode(one["doors"]).items()}
    return msgspec.convert(found, list[Deletion])


def deleted(cursor: duckdb.DuckDBPyConnection) -> Counter[int]:
    """The rows deleted of every door, by its number."""
    found: Counter[int] = Counter()
    for (doors,) in cursor.execute("SELECT doors FROM series.deletion").fetchall():
        found.update({int(no): rows for no, rows in _DOORS.decode(doors).items()})
    return found
