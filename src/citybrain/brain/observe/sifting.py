"""A predicate held against whole columns at once; NaN stands for a number that is missing. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.observations import Floats, Ints
from citybrain.kernel.predicate import And, Compare, Not, Or, Predicate, Within, holds


class Words(NamedTuple):
    """A column of texts: for each row (n,) the place of its text among those that there are."""

    places: Ints
    texts: tuple[str | None, ...]


def words(texts: Sequence[str | None]) -> Words:
    """The column of the texts of rows."""
    known = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return Words(np.array([known[text] for text in texts], np.int64), tuple(known))


Column: TypeAlias = Ints | Floats | Words

_OPS: dict[str, Callable[[Ints | Floats, int | float], NDArray[np.bool_]]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


def sift(where: Predicate, column: Callable[[str], Column], rows: int) -> NDArray[np.bool_]:
    """Which rows, shape (n,), satisfy a predicate that is fitted to its columns: as ``predicate.holds`` says of each of them."""
    match where:
        case And(parts=parts):
            every = np.ones(rows, np.bool_)
            for part in parts:
                every &= sift(part, column, rows)
            return every
        case Or(parts=parts):
            some = np.zeros(rows, np.bool_)
            for part in parts:
                some |= sift(part, column, rows)
            return some
        case Not(part=part):
            return ~sift(part, column, rows)
        case Within():
            return np.zeros(rows, np.bool_)
        case Compare(field=field):
            cells = column(field)
            if isinstance(cells, Words):
                known: NDArray[np.bool_] = np.array([holds(where, {field: text}) for text in cells.texts], np.bool_)[cells.places]
                return known
            return _compared(where, cells)


def _compared(where: Compare, cells: Ints | Floats) -> NDArray[np.bool_]:
    there: NDArray[np.bool_] = ~np.isnan(cells)
    if isinstance(where.value, tuple):
        there &= np.isin(cells, [value for value in where.value if _number(value)])
    elif where.op in _OPS and isinstance(where.value, int | float) and _number(where.value):
        there &= _OPS[where.op](cells, where.value)
    else:
        there[:] = False
    return there


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
