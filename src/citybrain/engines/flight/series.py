"""The Series port over Flight: the one process that owns the observations answers, the others ask."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

import msgspec
import numpy as np
import pyarrow as pa

from citybrain.engines.duckdb import Deletion
from citybrain.engines.duckdb.split import Owner, Split
from citybrain.engines.flight.calls import Answer, Call, Calls, plain, unwrapped, wrapped
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Batch, DoorAccount, Floats, Ints, Numbers, Receipt, SeriesQuery
from citybrain.kernel.ports import Series

_STORED = 60.0
"""Seconds that a batch may take to become durable."""


class Kept(Series, Owner, Protocol):
    """A series store that also splits questions and knows what it deleted."""

    def deletions(self) -> Sequence[Deletion]:
        """The record of every deletion, the oldest first."""
        ...


class _Parted(msgspec.Struct, frozen=True):
    """A Split on its way, its tables as Arrow IPC streams."""

    clean: tuple[str, ...]
    mixed: tuple[str, ...]
    doors: dict[int, str]
    hot: bytes
    totals: bytes


class RemoteSeries:
    """Observations that another process owns; each answer is of its present state."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def append(self, batch: Batch) -> Receipt:
        """Make a batch durable there; raises BusyError, StorageFullError."""
        columns = pa.table({"stream_no": batch.stream_no, "time": batch.time, "value": batch.value})
        said = {"id": batch.id, "door": batch.door, "received": int(batch.received), "duplicate": batch.duplicate}
        found = await asyncio.to_thread(
            partial(self._calls.plain, "append", {"rows": columns}, refused=dict(batch.refused), **said)
        )
        return msgspec.convert(found, Receipt)

    def scan(self, query: SeriesQuery) -> pa.Table:
        """Observations or buckets of a SeriesQuery."""
        return self._calls.ask("scan", **msgspec.structs.asdict(query))

    def after(self, seq: int, limit: int) -> pa.Table:
        """Observations (ROWS) with a greater sequence number, in order, to the end of a commit."""
        return self._calls.ask("after", seq=seq, limit=limit)

    def known(self, stream_no: Numbers, time: Ints) -> Floats:
        """The newest stored value at each (stream, time), infinite where it was struck out, NaN where there is none; shapes (n,)."""
        found = self._calls.ask("known", {"wanted": pa.table({"stream_no": stream_no, "time": time})})
        return np.asarray(found["value"], np.float64)

    def latest(self, at_most: int | None = None, streams: tuple[int, ...] | None = None) -> pa.Table:
        """The newest observation (ROWS) of every stream, or of some."""
        return self._calls.ask("latest", at_most=at_most, streams=streams)

    def doors(self) -> Sequence[DoorAccount]:
        """The ledger of every door since the beginning."""
        return msgspec.convert(self._calls.plain("doors"), tuple[DoorAccount, ...])

    def last_seq(self) -> int:
        """The greatest durable sequence number; 0 at first."""
        return msgspec.convert(self._calls.plain("last_seq"), int)

    def split(self, query: SeriesQuery) -> Split:
        """The parts of a scan, for whoever reads closed files elsewhere."""
        return _whole(self._calls.plain("split", **msgspec.structs.asdict(query)))

    def split_latest(self, at_most: int | None = None) -> Split:
        """The parts of ``latest``."""
        return _whole(self._calls.plain("split_latest", at_most=at_most))

    def deletions(self) -> Sequence[Deletion]:
        """The record of every deletion, the oldest first."""
        return msgspec.convert(self._calls.plain("deletions"), tuple[Deletion, ...])


def series_answers(series: Kept, loop: asyncio.AbstractEventLoop) -> Mapping[str, Answer]:
    """What the owner answers of its series; batches are appended on its loop."""

    def append(call: Call) -> pa.Table:
        rows, said = call.table("rows"), msgspec.convert(call.values, _Sent)
        no, time = np.asarray(rows["stream_no"], np.int32), np.asarray(rows["time"], np.int64)
        value = np.asarray(rows["value"], np.float64)
        batch = Batch(said.id, said.door, Instant(said.received), no, time, value, said.refused, said.duplicate)
        return plain(asyncio.run_coroutine_threadsafe(series.append(batch), loop).result(_STORED))

    def known(call: Call) -> pa.Table:
        wanted = call.table("wanted")
        found = series.known(np.asarray(wanted["stream_no"], np.int32), np.asarray(wanted["time"], np.int64))
        return pa.table({"value": found})

    return {
        "append": append,
        "scan": lambda call: series.scan(msgspec.convert(call.values, SeriesQuery)),
        "after": lambda call: series.after(*msgspec.convert((call.values["seq"], call.values["limit"]), tuple[int, int])),
        "known": known,
        "latest": lambda call: series.latest(*_named(call.values["at_most"], call.values["streams"])),
        "doors": lambda _: plain(series.doors()),
        "last_seq": lambda _: plain(series.last_seq()),
        "deletions": lambda _: plain(series.deletions()),
        "split": lambda call: plain(_parted(series.split(msgspec.convert(call.values, SeriesQuery)))),
        "split_latest": lambda call: plain(_parted(series.split_latest(msgspec.convert(call.values["at_most"], int | None)))),
    }


def _named(at_most: object, streams: object) -> tuple[int | None, tuple[int, ...] | None]:
    return msgspec.convert(at_most, int | None), msgspec.convert(streams, tuple[int, ...] | None)


def _parted(part: Split) -> _Parted:
    return _Parted(part.clean, part.mixed, dict(part.doors), wrapped(part.hot), wrapped(part.totals))


def _whole(found: object) -> Split:
    part = msgspec.convert(found, _Parted)
    return Split(part.clean, part.mixed, unwrapped(part.hot), unwrapped(part.totals), part.doors)


class _Sent(msgspec.Struct, frozen=True):
    """A batch without its columns."""

    id: str
    door: str
    received: int
    duplicate: int
    refused: dict[str, int]
