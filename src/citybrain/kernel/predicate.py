"""One predicate for every door and store: doors parse to it, SQL and Python compile from it.

A field that is missing (None) makes every comparison false; ``not`` of it is true, as in the row it is absent. Text, numbers and
booleans are unlike: comparing them is false. ``contains`` speaks of text and ignores the case of the letters A to Z alone.
SQL and Python give the same rows (a property test holds them to it), once ``fitted`` has put a predicate to the columns' types.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.datasets import ColumnType
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.text import Text

Scalar: TypeAlias = str | int | float | bool
Op: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "in"]
Row: TypeAlias = Mapping[str, object]


class Compare(msgspec.Struct, frozen=True, tag="compare"):
    """``field op value``; ``contains`` is a substring, ``in`` takes a tuple."""

    field: str
    op: Op
    value: Scalar | tuple[Scalar, ...]


class And(msgspec.Struct, frozen=True, tag="and"):
    """All parts hold; true when there are none."""

    parts: "tuple[Predicate, ...]"


class Or(msgspec.Struct, frozen=True, tag="or"):
    """Some part holds; false when there are none."""

    parts: "tuple[Predicate, ...]"


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The part does not hold."""

    part: "Predicate"


class Within(msgspec.Struct, frozen=True, tag="within"):
    """The row's point (fields ``lon`` and ``lat``) lies in the box west, south, east, north (degrees)."""

    west: float
    south: float
    east: float
    north: float


Predicate: TypeAlias = Compare | And | Or | Not | Within
EVERYTHING = And(())
NOTHING = Or(())


def fields(predicate: Predicate) -> frozenset[str]:
    """The names of all fields a predicate speaks of."""
    match predicate:
        case Compare(field=field):
            return frozenset((field,))
        case Within():
            return frozenset(("lon", "lat"))
        case Not(part=part):
            return fields(part)
        case And(parts=parts) | Or(parts=parts):
            return frozenset[str]().union(*(fields(part) for part in parts))


def both(first: Predicate, second: Predicate) -> Predicate:
    """Both hold, without needless nesting."""
    if first == EVERYTHING:
        return second
    return first if second == EVERYTHING else And((first, second))


def holds(predicate: Predicate, row: Row) -> bool:
    """Whether a row satisfies a predicate; comparing unlike types is false, never an error."""
    match predicate:
        case Compare():
            return _compare(predicate, row.get(predicate.field))
        case And(parts=parts):
            return all(holds(part, row) for part in parts)
        case Or(parts=parts):
            return any(holds(part, row) for part in parts)
        case Not(part=part):
            return not holds(part, row)
        case Within(west=west, south=south, east=east, north=north):
            lon, lat = row.get("lon"), row.get("lat")
            if not isinstance(lon, int | float) or not isinstance(lat, int | float):
                return False
            return west <= lon <= east and south <= lat <= north


_SORTS: dict[ColumnType, str] = {
    "text": "text",
    "json": "text",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
}


def fitted(predicate: Predicate, types: Mapping[str, ColumnType]) -> Predicate:
    """The same predicate for columns of known types: a comparison that unlike types make false becomes NOTHING.

    To be called before ``sql``, since stores disagree about unlike types (SQLite converts, PostgreSQL refuses). Instants are left
    alone: their store turns them into its own form. So are fields whose type is not given.
    """
    match predicate:
        case And(parts=parts):
            return And(tuple(fitted(part, types) for part in parts))
        case Or(parts=parts):
            return Or(tuple(fitted(part, types) for part in parts))
        case Not(part=part):
            return Not(fitted(part, types))
        case Within():
            return predicate
        case Compare():
            return _fitted(predicate, _SORTS.get(types.get(predicate.field, "instant")))


def _fitted(compare: Compare, sort: str | None) -> Predicate:
    if sort is None:
        return compare
    if isinstance(compare.value, tuple):
        return Compare(compare.field, compare.op, tuple(value for value in compare.value if _sort(value) == sort))
    if _sort(compare.value) != sort or (compare.op == "contains" and sort != "text"):
        return NOTHING
    return compare


class Clause(msgspec.Struct, frozen=True):
    """A SQL condition with named parameters (``:p0``)."""

    sql: str
    values: dict[str, Scalar]


_SQL_OPS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def sql(predicate: Predicate, columns: Mapping[str, str]) -> Clause:
    """Compile to a condition; columns maps field names to SQL expressions that never come from a caller.

    Raises UnsupportedError, with the field's name, for a field that the store cannot push down, and BadInputError for a value
    that no store can hold.
    """
    values: dict[str, Scalar] = {}

    def bind(value: Scalar) -> str:
        name = f"p{len(values)}"
        values[name] = _storable(value)
        return f":{name}"

    return Clause(_sql(predicate, columns, bind), values)


def _sql(predicate: Predicate, columns: Mapping[str, str], bind: Callable[[Scalar], str]) -> str:
    match predicate:
        case And(parts=parts):
            return "(" + " AND ".join(_sql(part, columns, bind) for part in parts) + ")" if parts else "(1 = 1)"
        case Or(parts=parts):
            return "(" + " OR ".join(_sql(part, columns, bind) for part in parts) + ")" if parts else "(1 = 0)"
        case Not(part=part):
            # A missing value compares as false: unknown is false at the top by itself, and must be made so only below a NOT.
            # Said at every comparison it would keep the store from its indexes.
            return f"(NOT COALESCE({_sql(part, columns, bind)}, (1 = 0)))"
        case Within(west=west, south=south, east=east, north=north):
            lon, lat = _column("lon", columns), _column("lat", columns)
            return f"({lon} >= {bind(west)} AND {lon} <= {bind(east)} AND {lat} >= {bind(south)} AND {lat} <= {bind(north)})"
        case Compare():
            return _compare_sql(predicate, columns, bind)


def _compare_sql(compare: Compare, columns: Mapping[str, str], bind: Callable[[Scalar], str]) -> str:
    column = _column(compare.field, columns)
    if isinstance(compare.value, tuple):
        if compare.op != "in":
            raise _bad(compare)
        return f"{column} IN ({', '.join(bind(value) for value in compare.value)})" if compare.value else "(1 = 0)"
    if compare.op == "contains":
        if not isinstance(compare.value, str):
            return "(1 = 0)"
        literal = _lower(compare.value).replace("~", "~~").replace("%", "~%").replace("_", "~_")
        return f"LOWER({column}) LIKE {bind('%' + literal + '%')} ESCAPE '~'"
    if compare.op == "in":
        raise _bad(compare)
    return f"{column} {_SQL_OPS[compare.op]} {bind(compare.value)}"


def _column(field: str, columns: Mapping[str, str]) -> str:
    try:
        return columns[field]
    except KeyError:
        known = ", ".join(sorted(columns))
        what = Text(f"不能按字段“{field}”筛选。可用字段：{known}。", f"Cannot filter by '{field}'. Fields that can: {known}.")
        raise UnsupportedError(what, field=field) from None


def _bad(compare: Compare) -> BadInputError:
    what = Text(
        f"“{compare.field}”的条件写法有误：in 需要一组值，其他比较只取一个值。",
        f"The condition on '{compare.field}' is wrong: 'in' takes a list, every other comparison one value.",
    )
    return BadInputError(what, field=compare.field)


_LONGEST = 2**63


def _storable(value: Scalar) -> Scalar:
    """A value that every store can bind: no text with U+0000 or half a surrogate pair, no NaN, no integer past 64 bits."""
    unheld = isinstance(value, str) and any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value)
    if unheld or (isinstance(value, float) and math.isnan(value)):
        what = Text("比较值含有无法存储的字符或非数值。", "A value to compare with holds what cannot be stored. Take it out.")
        raise BadInputError(what)
    if isinstance(value, int) and abs(value) >= _LONGEST:
        return float("inf") if value > 0 else float("-inf")
    return value


def _lower(text: str) -> str:
    return text.translate(_LOWER)


_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def _sort(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "none"


def _compare(compare: Compare, have: object) -> bool:
    want = compare.value
    if isinstance(want, tuple) != (compare.op == "in"):
        raise _bad(compare)
    if isinstance(want, tuple):
        return any(_sort(have) == _sort(value) and have == value for value in want)
    if _sort(have) != _sort(want):
        return False
    if isinstance(have, str) and isinstance(want, str):
        if compare.op == "contains":
            return _lower(want) in _lower(have)
        return _ordered(compare.op, (have > want) - (have < want))
    if isinstance(have, int | float) and isinstance(want, int | float):
        return _ordered(compare.op, (have > want) - (have < want))
    return False


_ORDER: dict[str, tuple[int, ...]] = {"eq": (0,), "ne": (-1, 1), "lt": (-1,), "le": (-1, 0), "gt": (1,), "ge": (0, 1)}


def _ordered(op: Op, sign: int) -> bool:
    return sign in _ORDER.get(op, ())
