"""The operators and functions of ``$filter`` on plain values; what does not fit gives null, never an error. Pure."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from citybrain.doors.sensorthings import geometry
from citybrain.doors.sensorthings.nodes import Interval, Value

_LARGE: Final = 2**63
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
Operation: TypeAlias = Callable[[tuple[Value, ...]], Value]
Number: TypeAlias = int | float


def moment(value: Value) -> datetime | None:
    """A value as an aware instant: one itself, RFC 3339, or the beginning (UTC) of a date, as ``date()`` gives it; of an interval its begin."""
    if isinstance(value, Interval):
        return value.begin
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(f"{value}T00:00:00Z" if _DATE.fullmatch(value) else value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) and value.tzinfo is not None else None


def interval(value: Value) -> Interval | None:
    """A text as an interval of two aware instants (ISO 8601)."""
    first, sign, last = value.partition("/") if isinstance(value, str) else ("", "", "")
    begin, end = moment(first), moment(last)
    return Interval(begin, end) if sign and begin is not None and end is not None else None


def number(value: Value) -> Number | None:
    """A value as a finite number; true and false are none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def rank(value: Value) -> tuple[int, float, str]:
    """Where a value stands in an order: nulls first, then numbers and times (an interval by its begin), then texts."""
    value = value.begin if isinstance(value, Interval) else value
    known = number(value)
    if known is not None:
        return 1, float(known), ""
    if isinstance(value, datetime):
        return 1, value.timestamp(), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))


def _finite(value: Number) -> Number | None:
    """What an operation gives: whole as far as 64 bits hold it, and null where no number of OData does (infinite, or none at all)."""
    found = value if isinstance(value, int) and abs(value) < _LARGE else float(value)
    return found if math.isfinite(found) else None


def compared(name: str, left: Value, right: Value) -> bool:
    """Whether ``left name right``; null is equal to null alone, unlike values are not equal and have no order."""
    if left is None or right is None:
        return {"eq": left is right, "ne": left is not right}.get(name, False)
    if isinstance(left, Interval) or isinstance(right, Interval):
        return _beside(name, left, right)
    if isinstance(left, datetime) or isinstance(right, datetime):
        left, right = moment(left), moment(right)
    return _ordered(name, left, right)


def _ordered(name: str, left: Value, right: Value) -> bool:
    sign = _sign(left, right)
    if sign is not None:
        return sign in _ORDERS[name]
    same = isinstance(left, bool) and isinstance(right, bool) and left == right
    return {"eq": same, "ne": not same}.get(name, False)


def _sign(left: Value, right: Value) -> int | None:
    """Which is greater (1 the left one), or None for values without an order."""
    if isinstance(left, datetime) and isinstance(right, datetime):
        return (left > right) - (left < right)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return (left > right) - (left < right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    one, two = number(left), number(right)
    return None if one is None or two is None else (one > two) - (one < two)


def _beside(name: str, left: Value, right: Value) -> bool:
    """A time against an interval: before it, after it, or (``eq``) the same."""
    one, two = _span(left), _span(right)
    if one is None or two is None:
        return name == "ne"
    same = one == two
    before, after = one.end <= two.begin and not same, one.begin >= two.end and not same
    # What begins at an instant is not after it (FROST-Server has it so too).
    past = after and one.begin > two.begin
    return {"eq": same, "ne": not same, "lt": before, "le": before or same, "gt": past, "ge": after or same}[name]


def _span(value: Value) -> Interval | None:
    if isinstance(value, Interval):
        return value
    at = moment(value)
    return None if at is None else Interval(at, at)


_ORDERS: Final[Mapping[str, tuple[int, ...]]] = {"eq": (0,), "ne": (-1, 1), "lt": (-1,), "le": (-1, 0), "gt": (1,), "ge": (0, 1)}


def _sum(sign: int) -> Operation:
    def work(args: tuple[Value, ...]) -> Value:
        left, right = args
        one, two = number(left), number(right)
        if one is not None and two is not None:
            return _finite(one + sign * two)
        at, other = moment(left), moment(right)
        try:
            if at is not None and isinstance(right, timedelta):
                return at + sign * right
            if isinstance(left, timedelta) and isinstance(right, timedelta):
                return left + sign * right
        except OverflowError:
            return None
        return at - other if sign < 0 and at is not None and other is not None else None

    return work


def _numeric(work: Callable[[Number, Number], Number]) -> Operation:
    def called(args: tuple[Value, ...]) -> Value:
        one, two = number(args[0]), number(args[-1])
        try:
            return None if one is None or two is None else _finite(work(one, two))
        except (ZeroDivisionError, OverflowError, ValueError):
            return None

    return called


def _divided(one: Number, two: Number) -> Number:
    """Whole numbers give a whole number, cut towards zero (OData 4 part 2, 5.1.1.2.4)."""
    if isinstance(one, int) and isinstance(two, int):
        return abs(one) // abs(two) * (1 if (one < 0) == (two < 0) else -1)
    return one / two


def _rest(one: Number, two: Number) -> Number:
    if isinstance(one, int) and isinstance(two, int):
        return one - two * _divided(one, two)
    return math.fmod(one, two)


def _round(one: Number, _: Number) -> Number:
    """To the nearest whole number, halves away from zero."""
    return int(math.copysign(math.floor(abs(one) + 0.5), one))


def _temporal(work: Callable[[Interval, Interval], bool]) -> Operation:
    """A relation of times (Allen), each an instant or an interval; null where one is neither."""

    def called(args: tuple[Value, ...]) -> Value:
        one, two = (_span(interval(arg) or arg) for arg in args)
        return None if one is None or two is None else work(one, two)

    return called


def _overlap(one: Interval, two: Interval) -> bool:
    """Whether they share time: an instant in an interval does, intervals that only meet do not."""
    begin, end = max(one.begin, two.begin), min(one.end, two.end)
    return begin < end or (begin == end and (one.begin == one.end or two.begin == two.end))


def _texts(work: Callable[..., Value]) -> Operation:
    def called(args: tuple[Value, ...]) -> Value:
        return work(*args) if all(isinstance(arg, str) for arg in args) else None

    return called


def _substring(args: tuple[Value, ...]) -> Value:
    text, rest = args[0], [arg for arg in args[1:] if isinstance(arg, int) and not isinstance(arg, bool) and arg >= 0]
    if not isinstance(text, str) or len(rest) != len(args) - 1:
        return None
    return text[rest[0] :] if len(rest) == 1 else text[rest[0] : rest[0] + rest[1]]


def _timed(work: Callable[[datetime], Value]) -> Operation:
    def called(args: tuple[Value, ...]) -> Value:
        at = moment(args[0])
        return None if at is None else work(at)

    return called


def _offset(at: datetime) -> Value:
    shift = at.utcoffset()
    return None if shift is None else int(shift.total_seconds() // 60)


OPERATIONS: Final[Mapping[str, tuple[tuple[int, ...], Operation]]] = {
    "add": ((), _sum(1)),
    "sub": ((), _sum(-1)),
    "mul": ((), _numeric(operator.mul)),
    "div": ((), _numeric(_divided)),
    "mod": ((), _numeric(_rest)),
    "neg": ((), _numeric(lambda one, _: -one)),
    "round": ((1,), _numeric(_round)),
    "floor": ((1,), _numeric(lambda one, _: math.floor(one))),
    "ceiling": ((1,), _numeric(lambda one, _: math.ceil(one))),
    "substringof": ((2,), _texts(lambda part, whole: part in whole)),
    "contains": ((2,), _texts(lambda whole, part: part in whole)),
    "endswith": ((2,), _texts(str.endswith)),
    "startswith": ((2,), _texts(str.startswith)),
    "length": ((1,), _texts(len)),
    "indexof": ((2,), _texts(str.find)),
    "substring": ((2, 3), _substring),
    "tolower": ((1,), _texts(str.lower)),
    "toupper": ((1,), _texts(str.upper)),
    "trim": ((1,), _texts(str.strip)),
    "concat": ((2,), _texts(lambda one, two: one + two)),
    "year": ((1,), _timed(lambda at: at.year)),
    "month": ((1,), _timed(lambda at: at.month)),
    "day": ((1,), _timed(lambda at: at.day)),
    "hour": ((1,), _timed(lambda at: at.hour)),
    "minute": ((1,), _timed(lambda at: at.minute)),
    "second": ((1,), _timed(lambda at: at.second)),
    "fractionalseconds": ((1,), _timed(lambda at: at.microsecond / 1_000_000)),
    "date": ((1,), _timed(lambda at: at.date().isoformat())),
    "time": ((1,), _timed(lambda at: at.time().isoformat())),
    "totaloffsetminutes": ((1,), _timed(_offset)),
    **{name: ((2,), work) for name, work in geometry.RELATIONS.items()},
    "before": ((2,), _temporal(lambda one, two: one.end < two.begin)),
    "after": ((2,), _temporal(lambda one, two: one.begin > two.end)),
    "meets": ((2,), _temporal(lambda one, two: one.end == two.begin or one.begin == two.end)),
    "during": ((2,), _temporal(lambda one, two: two.begin <= one.begin and one.end <= two.end)),
    "overlaps": ((2,), _temporal(_overlap)),
    "starts": ((2,), _temporal(lambda one, two: one.begin == two.begin)),
    "finishes": ((2,), _temporal(lambda one, two: one.end == two.end)),
    "st_relate": ((3,), geometry.relate),
    "geo.distance": ((2,), geometry.distance),
    "geo.length": ((1,), geometry.length),
}
"""Name → how many arguments it may be written with (none: an operator), and what it does."""
MOMENTS: Final = ("now", "mindatetime", "maxdatetime")
"""Functions without arguments: the city's time, and the first and last instant that can be written."""
ARITY: Final = {name: able for name, (able, _) in OPERATIONS.items() if able} | dict.fromkeys(MOMENTS, (0,))
