"""How many rows of an export bear which mark, and how many of the range were left out: of datasets with a column ``mark``.

What was struck out is in no file unless its mark is named, and is counted in every one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from citybrain.kernel.access import Query
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.ports import Reader
from citybrain.kernel.predicate import And, Compare, Predicate, fields
from citybrain.kernel.text import Json

MARK: Final = "mark"
"""The column that says what a row is."""
MARKS: Final = ("measured", "computed", "corrected", "struck", "estimated")
"""What a row can be."""
UNASKED: Final = frozenset(("measured", "computed", "corrected"))
"""The marks that are in a file of which nobody named any."""
_STRUCK: Final = "struck"


class Readings(msgspec.Struct, frozen=True):
    """``rows`` counts those in the file by their mark; ``left_out`` those of the same range that it does not hold."""

    rows: dict[str, int]
    left_out: dict[str, int]


class Tally:
    """Counts rows by their mark while they pass into a file."""

    def __init__(self, left_out: Mapping[str, int]) -> None:
        self._rows = dict.fromkeys(MARKS, 0)
        self._left_out = dict(left_out)

    def passing(self, pages: Iterable[Sequence[Mapping[str, Json]]]) -> Iterator[Sequence[Mapping[str, Json]]]:
        """The same pages."""
        for page in pages:
            for mark, count in Counter(str(row.get(MARK)) for row in page).items():
                self._rows[mark] = self._rows.get(mark, 0) + count
            yield page

    def readings(self) -> Readings:
        """What has passed so far, and what was left out."""
        return Readings(dict(self._rows), self._left_out)


def tally(reader: Reader, query: Query, dataset: Dataset) -> Tally | None:
    """A tally for the file of a query; None for a dataset whose rows bear no marks. Raises what the Reader raises."""
    return Tally(left_out(reader, query)) if marked(dataset) else None


def marked(dataset: Dataset) -> bool:
    """Whether the rows of a dataset say what they are."""
    return any(column.name == MARK for column in dataset.columns)


def counted(reader: Reader, query: Query) -> Readings:
    """What the file of a query would hold if it were made now. Raises what the Reader raises."""
    may = _may(query.where)
    rows = {mark: _count(reader, query.dataset, (query.where,), mark) if mark in may else 0 for mark in MARKS}
    return Readings(rows, left_out(reader, query))


def left_out(reader: Reader, query: Query) -> dict[str, int]:
    """How many readings of a query's range were struck out, where the query does not name their mark."""
    if _STRUCK in _may(query.where):
        return {}
    return {_STRUCK: _count(reader, query.dataset, _range(query.where), _STRUCK)}


def _count(reader: Reader, dataset: str, where: tuple[Predicate, ...], mark: str) -> int:
    asked = And((*where, Compare(MARK, "eq", mark)))
    return reader.read(Query(dataset, asked, limit=0, count=True)).total or 0


def _range(where: Predicate) -> tuple[Predicate, ...]:
    """The parts of a predicate that say nothing of marks: they hold for what is in the range, whatever it is."""
    parts = where.parts if isinstance(where, And) else (where,)
    return tuple(part for part in parts if MARK not in fields(part))


def _may(where: Predicate) -> frozenset[str]:
    """The marks that a file of this predicate may hold."""
    held: frozenset[str] | None = None
    for part in where.parts if isinstance(where, And) else (where,):
        if isinstance(part, Compare) and part.field == MARK and part.op in ("eq", "in"):
            named = frozenset(map(str, part.value if isinstance(part.value, tuple) else (part.value,)))
            held = named if held is None else held & named
    return UNASKED if held is None else held
