"""The pieces of time in which a question about observations is answered, so that none holds more rows than fit. Pure."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.observations import Ints

PIECE = 250_000
"""Rows that are read at once, as far as the counts of days can tell."""
Span: TypeAlias = tuple[Instant, Instant]


class Days(NamedTuple):
    """How many rows there are in each day that has some: its beginning (µs) in order of time, and its rows; shapes (n,)."""

    begin: Ints
    rows: Ints

    @property
    def total(self) -> int:
        """All rows."""
        return int(self.rows.sum())


def days(table: pa.Table, *, struck: bool = False) -> Days:
    """The days of a scan by days, of all its streams together; with what was ``struck`` out where the scan has marks."""
    begin, place = np.unique(table["time"].to_numpy(), return_inverse=True)
    count = table["count"].to_numpy() + (table["struck"].to_numpy() if struck else 0)
    rows = np.bincount(place, weights=count, minlength=len(begin))
    return Days(begin, rows.astype(np.int64))


def pieces(counted: Days, since: Instant, until: Instant, *, descending: bool, most: int = PIECE) -> Iterator[tuple[Span, int]]:
    """Spans that together hold every row in [since, until), with the rows in them, in the order asked for.

    A day of too many rows is cut into equal parts, of which each counts for the same; small days are put together.
    """
    cut = [part for day in zip(counted.begin.tolist(), counted.rows.tolist(), strict=True) for part in _parts(*day, most)]
    inside = [(max(low, since), min(high, until), rows) for low, high, rows in cut if low < until and high > since]
    begin, end, held = None, 0, 0
    for low, high, rows in inside[:: -1 if descending else 1]:
        if begin is not None and held + rows > most:
            yield (Instant(begin), Instant(end)), held
            begin, held = None, 0
        begin, end = (low, high) if begin is None else (min(begin, low), max(end, high))
        held += rows
    if begin is not None:
        yield (Instant(begin), Instant(end)), held


def _parts(begin: int, rows: int, most: int) -> list[tuple[int, int, int]]:
    count = -(-rows // most)
    edges = [begin + int(DAY) * part // count for part in range(count + 1)]
    return [(low, high, -(-rows // count)) for low, high in pairwise(edges)]
