"""Which observations a predicate may hold for, decided on whole columns before any row is made of them."""

import math
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.kernel.predicate import And, Compare, Not, Or, Predicate

Mask: TypeAlias = NDArray[np.bool_]
_OPS: Final[Mapping[str, Callable[[NDArray[np.generic], float], Mask]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_COLUMNS: Final = frozenset({"value", "time"})
"""Columns of numbers that are never missing."""


def sifted(table: pa.Table, where: Predicate) -> pa.Table:
    """The rows of a scan that a predicate may hold for: conditions on value and time are decided, all others are left to be asked."""
    masks = [mask for part in _conjuncts(where) if (mask := _mask(table, part)) is not None]
    return table.filter(pa.array(reduce(operator.and_, masks))) if masks else table


def _conjuncts(where: Predicate) -> list[Predicate]:
    return [inner for part in where.parts for inner in _conjuncts(part)] if isinstance(where, And) else [where]


def _mask(table: pa.Table, where: Predicate) -> Mask | None:
    """Whether a predicate holds (n,); None where it speaks of anything else than value and time."""
    match where:
        case Compare(field=field, op=op, value=int() | float() as value) if field in _COLUMNS and op in _OPS:
            return None if isinstance(value, bool) else _OPS[op](table[field].to_numpy(), _float(value))
        case Not(part=part):
            inner = _mask(table, part)
            return None if inner is None else ~inner
        case And(parts=parts) | Or(parts=parts):
            masks = [_mask(table, part) for part in parts]
            known = [mask for mask in masks if mask is not None]
            if len(known) < len(masks):
                return None
            every = isinstance(where, And)
            return reduce(operator.and_ if every else operator.or_, known, np.full(table.num_rows, every))
    return None


def _float(value: float) -> float:
    """A number as columns hold it; one past all of them is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
