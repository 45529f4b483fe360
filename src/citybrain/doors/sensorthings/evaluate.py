"""Whether an entity satisfies a ``$filter``, by plain reading of its tree. Pure.

A path may lead through a link to many; then an expression has several values, and a condition holds when one of them does.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Final, TypeAlias

from citybrain.doors.sensorthings.functions import OPERATIONS, compared
from citybrain.doors.sensorthings.nodes import Function, Literal, Node, Path, Value
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.errors import BadInputError

Resolve: TypeAlias = Callable[[tuple[str, ...]], tuple[Value, ...]]
"""The values of a path: one, or as many as the links on its way lead to; null where there is nothing."""
COMPARISONS: Final = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
_MOST: Final = 1000
"""Values of an expression that several paths to many give together."""
_ENDS: Final[Mapping[str, datetime]] = {
    "mindatetime": datetime(1, 1, 1, tzinfo=UTC),
    "maxdatetime": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}


def holds(node: Node, resolve: Resolve, now: datetime) -> bool:
    """Whether a condition is true; null is not."""
    return any(value is True for value in values(node, resolve, now))


def values(node: Node, resolve: Resolve, now: datetime) -> tuple[Value, ...]:
    """The values of an expression: one, unless a path in it leads to many; raises BadInputError where several do, and it has too many."""
    match node:
        case Literal(value=value):
            return (value,)
        case Path(parts=parts):
            return resolve(parts)
        case Function(name="and", args=args):
            return (all(holds(arg, resolve, now) for arg in args),)
        case Function(name="or", args=args):
            return (any(holds(arg, resolve, now) for arg in args),)
        case Function(name="not", args=(arg,)):
            return (not holds(arg, resolve, now),)
        case Function(name=name, args=args):
            found = [values(arg, resolve, now) for arg in args]
            if math.prod(map(len, found)) > max([_MOST, *map(len, found)]):
                raise _too_many(name)
            return tuple(_apply(name, each, now) for each in product(*found))


def _too_many(name: str) -> BadInputError:
    return wrong(
        f"“{name}”把到达多个对象的路径相互组合，超过 {_MOST} 种：请减少这样的路径。",
        f"'{name}' combines paths that lead to many, more than {_MOST} times over: name fewer of them.",
        "$filter",
    )


def _apply(name: str, args: tuple[Value, ...], now: datetime) -> Value:
    if name in COMPARISONS:
        return compared(name, *args)
    if not args:
        return _ENDS.get(name, now)
    return OPERATIONS[name][1](args)
