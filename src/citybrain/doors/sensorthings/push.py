"""From a ``$filter`` to the kernel's Predicate: as much of it as a store can answer; the rest is read row by row afterwards. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import shapely

from citybrain.doors.sensorthings.nodes import Function, Interval, Literal, Node, Path, Shape, Value
from citybrain.kernel.instant import at, rfc3339
from citybrain.kernel.predicate import EVERYTHING, And, Compare, Not, Op, Or, Predicate, Scalar, Within


@dataclass(frozen=True, slots=True)
class Pushed:
    """A predicate true of at least the rows the filter wants; ``exact`` says of no others."""

    where: Predicate
    exact: bool


Column: TypeAlias = Callable[[Op, Value], "Predicate | Pushed | None"]
"""What a comparison of a property with a value asks of the rows, exactly unless it says otherwise; None where they cannot answer."""
_ALL: Final = Pushed(EVERYTHING, exact=False)
_OPS: Final[Mapping[str, Op]] = {"eq": "eq", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}
_FLIPPED: Final[Mapping[Op, Op]] = {"eq": "eq", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_BOUNDS: Final[Mapping[str, tuple[tuple[Op, str], ...]]] = {
    "before": (("lt", "begin"),),
    "after": (("gt", "end"),),
    "during": (("ge", "begin"), ("le", "end")),
    "overlaps": (("le", "end"),),
    "starts": (("ge", "begin"), ("le", "end")),
}
"""What a relation to an interval asks of the time that a row has, at least."""
_INSIDE: Final = frozenset({"st_within", "st_intersects", "geo.intersects", "st_equals"})


def text(field: str) -> Column:
    """A column of text: stores order texts each in their own way, so only sameness and parts are asked of them."""
    return lambda op, value: (
        Compare(field, op, value) if op in ("eq", "contains") and isinstance(value, str) and _plain(value) else None
    )


def number(field: str) -> Column:
    """A column of numbers."""

    def pushed(op: Op, value: Value) -> Predicate | None:
        return Compare(field, op, value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    return pushed


def instant(field: str) -> Column:
    """A column of instants."""

    def pushed(op: Op, value: Value) -> Predicate | None:
        return Compare(field, op, rfc3339(at(value))) if isinstance(value, datetime) else None

    return pushed


@dataclass(frozen=True, slots=True)
class Places:
    """Where rows stand: the paths of the points that they hold as lon and lat, and which rows are more than a point.

    ``drawn`` are the ids of those whose outline meets a box (west, south, east, north); None: too many to name.
    """

    paths: frozenset[str]
    drawn: Callable[[tuple[float, float, float, float]], tuple[str, ...] | None]


def push(node: Node | None, columns: Mapping[str, Column], places: Places | None = None) -> Pushed:
    """The predicate of a filter over columns by path, and over where rows stand."""
    match node:
        case None:
            return Pushed(EVERYTHING, exact=True)
        case Function(name="and" | "or" as name, args=args):
            parts = [push(arg, columns, places) for arg in args]
            if name == "or" and any(part.where == EVERYTHING for part in parts):
                return _ALL
            whole = tuple(part.where for part in parts if part.where != EVERYTHING)
            if name == "or":
                whole = _gathered(whole)
            return Pushed(Or(whole) if name == "or" else And(whole), all(part.exact for part in parts))
        case Function(name="not", args=(arg,)):
            return _but(push(arg, columns, places))
        case Function(name="ne", args=(left, right)):
            return _but(_compared("eq", left, right, columns))
        case Function(name=name, args=(left, right)):
            return _boxed(name, left, right, places) or _compared(name, left, right, columns)
        case _:
            return _ALL


def _gathered(parts: tuple[Predicate, ...]) -> tuple[Predicate, ...]:
    """Alternatives of which those that name a value of one column each are one: a store takes a long list, and no long chain."""
    named: dict[str, list[Scalar]] = {}
    others: list[Predicate] = []
    for part in parts:
        if isinstance(part, Compare) and part.op == "eq" and not isinstance(part.value, tuple):
            named.setdefault(part.field, []).append(part.value)
        else:
            others.append(part)
    lists = (
        Compare(field, "eq", values[0]) if len(values) == 1 else Compare(field, "in", tuple(values))
        for field, values in named.items()
    )
    return (*lists, *others)


def _but(part: Pushed) -> Pushed:
    """The rows that are not wanted by a part: known where the part is exact."""
    return Pushed(Not(part.where), exact=True) if part.exact else _ALL


def _compared(name: str, left: Node, right: Node, columns: Mapping[str, Column]) -> Pushed:
    op = _OPS.get(name)
    if op is not None and isinstance(left, Literal):
        left, right, op = right, left, _FLIPPED[op]
    if op is None or not isinstance(left, Path) or not isinstance(right, Literal):
        return _near(name, left, right, columns)
    column = columns.get("/".join(left.parts))
    return _pushed(None if column is None else column(op, right.value), exact=True)


def _pushed(found: Predicate | Pushed | None, *, exact: bool) -> Pushed:
    if isinstance(found, Pushed):
        return found
    return _ALL if found is None else Pushed(found, exact)


def _near(name: str, left: Node, right: Node, columns: Mapping[str, Column]) -> Pushed:
    """``substringof`` asks for a part of a text; the predicate is blind to case, so it is not exact.

    Relations of times are bounds of the time that a row has; of an interval that is its begin.
    """
    if name in _BOUNDS and isinstance(left, Path) and isinstance(right, Literal):
        return _bounded(name, left, right.value, columns)
    part, whole = (left, right) if name == "substringof" else (right, left)
    if name not in ("substringof", "contains") or not isinstance(part, Literal) or not isinstance(whole, Path):
        return _ALL
    column = columns.get("/".join(whole.parts))
    return _pushed(None if column is None else column("contains", part.value), exact=False)


def _bounded(name: str, left: Path, value: Value, columns: Mapping[str, Column]) -> Pushed:
    column, begin, end = columns.get("/".join(left.parts)), value, value
    if isinstance(value, Interval):
        begin, end = value.begin, value.end
    if column is None or not isinstance(begin, datetime) or not isinstance(end, datetime):
        return _ALL
    found = [_pushed(column(op, begin if edge == "begin" else end), exact=False).where for op, edge in _BOUNDS[name]]
    known = tuple(one for one in found if one != EVERYTHING)
    return Pushed(And(known), exact=False) if known else _ALL


def _boxed(name: str, left: Node, right: Node, places: Places | None) -> Pushed | None:
    """The box around a geometry that a point, or the outline of what is more than one, must lie in or touch."""
    if name not in _INSIDE or not isinstance(left, Path) or not isinstance(right, Literal) or not isinstance(right.value, Shape):
        return None
    if places is None or "/".join(left.parts) not in places.paths or shapely.is_empty(right.value.geometry):
        return None
    west, south, east, north = (float(side) for side in shapely.bounds(right.value.geometry))
    drawn = places.drawn((west, south, east, north))
    if drawn is None:
        return _ALL
    inside = Within(west, south, east, north)
    return Pushed(Or((inside, Compare("id", "in", drawn))) if drawn else inside, exact=False)


def _plain(value: str) -> bool:
    return not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value)
