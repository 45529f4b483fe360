"""Observations in columnar batches, and what the series store answers about them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.kernel.instant import Duration, Instant
from citybrain.kernel.text import Text

Ints: TypeAlias = NDArray[np.int64]
Numbers: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]

_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("seq", pa.int64()),
    ("stream_no", pa.int32()),
    ("time", pa.int64()),
    ("value", pa.float64()),
    ("received", pa.int64()),
    ("door", pa.string()),
)
ROWS = pa.schema(_COLUMNS)
"""An observation as the series store hands it out: seq is the order of durability, times are µs UTC."""


class Refusal(msgspec.Struct, frozen=True):
    """One row that was not taken, and why; ``row`` counts from 0 in what the sender sent."""

    row: int
    code: str
    why: Text


@dataclass(frozen=True, slots=True)
class Batch:
    """Observations that passed every check, and the account of those sent beside them.

    Arrays are (n,); ``id`` makes a repeat of the same batch harmless; ``refused`` counts the rows of the sending by reason;
    ``duplicate`` counts rows found to be known already.
    """

    id: str
    door: str
    received: Instant
    stream_no: Numbers
    time: Ints
    value: Floats
    refused: Mapping[str, int]
    duplicate: int = 0

    @property
    def sent(self) -> int:
        """All rows of the sending: stored + duplicate + refused."""
        return len(self.time) + self.duplicate + Counter(self.refused).total()


class Receipt(msgspec.Struct, frozen=True):
    """What became of a batch, after it is durable; a repeated batch gives the first receipt again."""

    batch: str
    stored: int
    duplicate: int
    refused: int
    last_seq: int
    repeated: bool = False


class SeriesQuery(msgspec.Struct, frozen=True):
    """Observations of some streams in [since, until); with ``bucket`` (µs), one row a stream and bucket.

    Without a bucket rows come as ROWS, newest revision of each (stream, time), ordered by stream and time. With one:
    stream_no, time (bucket start), mean, low, high, count. What a person struck out is in neither: with ``marks`` it comes too, its
    value infinite, and buckets say of how many ``corrected`` and beside how many ``struck``; one that holds nothing else has no figures.
    """

    streams: tuple[int, ...]
    since: Instant
    until: Instant
    bucket: Duration | None = None
    marks: bool = False


class DoorAccount(msgspec.Struct, frozen=True):
    """The ledger of a door: received = stored + duplicate + refused + pending (None: not known); ``deleted`` of those stored are past."""

    door: str
    received: int
    stored: int
    duplicate: int
    refused: dict[str, int]
    last: Instant | None
    deleted: int = 0
    pending: int | None = 0
