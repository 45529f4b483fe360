"""The journal: what was acknowledged and is not yet in the tables. One write and one fdatasync, so that nobody waits for SQL.

A file is a row of records: a head (mark, length, CRC-32), then a numbered group of batches in MessagePack. What follows a torn
record was never acknowledged. The tables say up to which number they hold everything, so that nothing is stored twice.

Small records are written over zeros that are on the disk already: a file that does not grow changes nothing that the file system
itself keeps, whose own journal would have to be waited for, and behind it whatever anybody else writes to that disk.
"""

import os
import re
import struct
import threading
import zlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from citybrain.engines.syncing import sync
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Batch

FULL = 32 * 1024 * 1024
"""Bytes after which a new file is begun, and a file of which everything is in the tables may go."""
AHEAD = 1024 * 1024
"""Bytes of zeros that are written at once, for small records to come."""
SMALL = 8 * 1024
"""Bytes of a record up to which it is small: a greater one takes longer to write than the file system's journal."""
_HEAD = struct.Struct("<4sII")
_MARK = b"CBJ1"
_NAME = re.compile(r"\d{9}\.journal")


class _Line(msgspec.Struct, frozen=True, array_like=True):
    """A batch as it is written: columns as little-endian bytes of int32, int64 and float64."""

    id: str
    door: str
    received: int
    refused: dict[str, int]
    duplicate: int
    stream_no: bytes
    time: bytes
    value: bytes


class _Record(msgspec.Struct, frozen=True, array_like=True):
    number: int
    batches: list[_Line]


_RECORD = msgspec.msgpack.Decoder(_Record)


class Group(NamedTuple):
    """Batches that became durable together, by number."""

    number: int
    batches: list[Batch]


class _Old(NamedTuple):
    """A file that is written to no more, and the last group in it."""

    path: Path
    last: int


class Journal:
    """The journal of a folder; ``stored`` is the group up to which the tables hold everything.

    ``write`` is called by one thread, ``forget`` by another. Files that hold nothing new are dropped at once.
    """

    def __init__(self, folder: Path, stored: int, full: int = FULL) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._full = full
        self._lock = threading.Lock()
        found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
        self._number = int(found[-1].stem) if found else 0
        self._old: deque[_Old] = deque()
        self._file = -1
        self._size = 0
        self._ready = 0
        """Bytes of the file that is written to, with the zeros that follow what is written."""
        self._group = stored
        self.left: list[Group] = []
        """The groups that a killed run acknowledged and did not store, in their order; for whoever takes them up."""
        for path in found:
            self.left += (group for group in _groups(path) if group.number > stored)
            self._group = self.left[-1].number if self.left else stored
            self._old.append(_Old(path, self._group))
        self.forget(stored)

    def write(self, batches: Sequence[Batch]) -> int:
        """Make batches durable together; returns the number of the group. Raises OSError, after which nothing of it is there."""
        with self._lock:
            number = self._group + 1
            body = msgspec.msgpack.encode(_Record(number, [_line(batch) for batch in batches]))
            record = _HEAD.pack(_MARK, len(body), zlib.crc32(body)) + body
            if self._file < 0 or self._size >= self._full:
                self._begin()
            end = self._size + len(record)
            if self._ready < end <= self._size + SMALL:
                self._make_ready()
            try:
                _whole(self._file, record, self._size)
                os.fdatasync(self._file)
            except OSError:
                self._cut()
                raise
            self._size = end
            self._ready = max(self._ready, end)
            self._group = number
            return number

    def forget(self, upto: int) -> None:
        """Drop the files of which all groups, to a number, are in the tables."""
        with self._lock:
            while self._old and self._old[0].last <= upto:
                self._old.popleft().path.unlink()

    def parts(self) -> list[tuple[Path, int]]:
        """The files that are there, and how many bytes of each: what was acknowledged up to now and may not be in the tables."""
        with self._lock:
            found = [(one.path, one.path.stat().st_size) for one in self._old]
            return found if self._file < 0 else [*found, (self._path(), self._size)]

    def close(self) -> None:
        """End the file that is written to, so that it may be forgotten too."""
        with self._lock:
            self._end()

    def _begin(self) -> None:
        self._end()
        self._number += 1
        self._file = os.open(self._path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._size = self._ready = 0
        try:
            sync(self._folder)
        except OSError:
            self._end()  # its name may not outlast the power: nothing is written to it
            raise

    def _make_ready(self) -> None:
        """Write zeros after what is written; where there is no room for them, records go on by themselves as long as they fit."""
        try:
            _whole(self._file, bytes(AHEAD), self._size)
            os.fsync(self._file)
        except OSError:
            self._cut()
        else:
            self._ready = self._size + AHEAD

    def _cut(self) -> None:
        os.ftruncate(self._file, self._size)
        self._ready = self._size

    def _end(self) -> None:
        if self._file >= 0:
            with suppress(OSError):  # zeros that stay are the end of the file to whoever reads it
                self._cut()
            os.close(self._file)
            self._file = -1
            self._old.append(_Old(self._path(), self._group))

    def _path(self) -> Path:
        return self._folder / f"{self._number:09d}.journal"


def _line(batch: Batch) -> _Line:
    return _Line(
        batch.id,
        batch.door,
        batch.received,
        dict(batch.refused),
        batch.duplicate,
        batch.stream_no.astype("<i4", copy=False).tobytes(),
        batch.time.astype("<i8", copy=False).tobytes(),
        batch.value.astype("<f8", copy=False).tobytes(),
    )


def _batch(line: _Line) -> Batch:
    return Batch(
        line.id,
        line.door,
        Instant(line.received),
        np.frombuffer(line.stream_no, "<i4").astype(np.int32, copy=False),
        np.frombuffer(line.time, "<i8").astype(np.int64, copy=False),
        np.frombuffer(line.value, "<f8").astype(np.float64, copy=False),
        Counter(line.refused),
        line.duplicate,
    )


def _groups(path: Path) -> Iterator[Group]:
    """The whole records of a file, up to the first that is torn."""
    written, place = path.read_bytes(), 0
    while place + _HEAD.size <= len(written):
        mark, length, check = _HEAD.unpack_from(written, place)
        body = written[place + _HEAD.size : place + _HEAD.size + length]
        if mark != _MARK or len(body) != length or zlib.crc32(body) != check:
            return
        record = _RECORD.decode(body)
        yield Group(record.number, [_batch(line) for line in record.batches])
        place += _HEAD.size + length


def _whole(file: int, record: bytes, place: int) -> None:
    done = 0
    while done < len(record):
        done += os.pwrite(file, memoryview(record)[done:], place + done)
