"""Observations by column as numpy holds them: to make an Arrow table of one reading takes longer than to write it to the journal."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from citybrain.engines.duckdb.tables import STORED
from citybrain.kernel.observations import Floats, Ints, Numbers


class Columns(NamedTuple):
    """Observations (n,) in the columns of STORED, in their order."""

    seq: Ints
    stream_no: Numbers
    time: Ints
    value: Floats
    received: Ints
    door: Numbers

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.seq)

    def after(self, seq: int) -> "Columns":
        """Those with a greater sequence number; these ascend by one."""
        begin = max(0, seq + 1 - int(self.seq[0])) if self.rows else 0
        seqs, numbers, times, values, received, doors = self
        return Columns(seqs[begin:], numbers[begin:], times[begin:], values[begin:], received[begin:], doors[begin:])

    def table(self) -> pa.Table:
        """The same as a table (STORED), which shares their memory."""
        return pa.table(list(self), schema=STORED)


def joined(parts: Sequence[Columns]) -> Columns:
    """Those of all parts, one after another; always a copy."""
    return Columns(*map(np.concatenate, zip(*parts, strict=True))) if parts else NONE


NONE = Columns(
    np.empty(0, np.int64),
    np.empty(0, np.int32),
    np.empty(0, np.int64),
    np.empty(0, np.float64),
    np.empty(0, np.int64),
    np.empty(0, np.int32),
)
