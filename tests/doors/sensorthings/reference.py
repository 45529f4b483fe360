"""A second reading of ``$filter``, for tests: trees of plain tuples, what they mean over the JSON that the door answers, and how they are written.

Nothing of the door is used. A tree is ``("lit", kind, value, text)``, ``("path", "a/b")``, ``("in", tree, literals)`` or ``(name, tree, …)``;
each has as many values as its paths lead to, and a condition holds where one of its values is true.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, TypeAlias

Tree: TypeAlias = tuple[Any, ...]
Value: TypeAlias = Any
"""Whatever stands in JSON, and times and their spans."""
LEVELS = {
    "or": 0, "and": 1, "eq": 2, "ne": 2, "gt": 2, "ge": 2, "lt": 2, "le": 2, "in": 2, "add": 3, "sub": 3, "mul": 4, "div": 4, "mod": 4,
    "not": 5, "neg": 5,
}  # fmt: skip
TEXTS = frozenset({
    "length", "indexof", "substring", "tolower", "toupper", "trim", "concat", "substringof", "contains", "startswith", "endswith",
})  # fmt: skip
PARTS = frozenset({
    "year", "month", "day", "hour", "minute", "second", "fractionalseconds", "date", "totaloffsetminutes",
})  # fmt: skip
NUMBERS = frozenset({"add", "sub", "mul", "div", "mod", "neg", "round", "floor", "ceiling"})
TIMES = ("phenomenonTime", "resultTime", "validTime", "time")


@dataclass(frozen=True)
class City:
    """All entities by set and id, as the door answers them, and what their links lead to."""

    entities: Mapping[str, Mapping[str, Mapping[str, Any]]]
    links: Mapping[tuple[str, str, str], tuple[tuple[str, str], ...]]

    def at(self, here: tuple[str, str], parts: Sequence[str]) -> list[Any]:
        """The values of a path of an entity (its set and id)."""
        first = parts[0]
        if first in ("id", "@iot.id"):
            return [here[1]]
        if (*here, first) in self.links:
            return [value for beyond in self.links[*here, first] for value in self.at(beyond, parts[1:])]
        value: Any = self.entities[here[0]][here[1]]
        for part in parts:
            value = value.get(part) if isinstance(value, dict) else None
        return [timed(value) if first in TIMES else value]


def timed(value: object) -> Value:
    """A time as an instant, or as a pair for an interval."""
    if not isinstance(value, str):
        return value
    begin, slash, end = value.partition("/")
    return (datetime.fromisoformat(begin), datetime.fromisoformat(end)) if slash else datetime.fromisoformat(begin)


def written(tree: Tree, level: int = 0) -> str:
    """A tree as text, with brackets only where it would be read otherwise."""
    match tree:
        case ("lit", _, _, text):
            return str(text)
        case ("path", path):
            return str(path)
        case ("in", left, listed):
            text = f"{written(left, 3)} in ({', '.join(written(one) for one in listed)})"
        case (("not" | "neg") as sign, inner):
            text = f"{'not ' if sign == 'not' else '-'}{written(inner, 5)}"
        case (sign, left, right) if sign in LEVELS:
            # Two comparisons in a row are never meant.
            own = LEVELS[sign]
            text = f"{written(left, own + (own == 2))} {sign} {written(right, own + 1)}"
        case (name, *args):
            return f"{name}({','.join(written(arg) for arg in args)})"
        case _:
            raise ValueError(tree)
    return f"({text})" if LEVELS[tree[0]] < level else text


def holds(tree: Tree, city: City, here: tuple[str, str]) -> bool:
    """Whether a condition is true of an entity."""
    return any(value is True for value in values(tree, city, here))


def values(tree: Tree, city: City, here: tuple[str, str]) -> list[Any]:
    """All values of a tree."""
    match tree:
        case ("lit", _, value, _):
            return [value]
        case ("path", path):
            return city.at(here, path.split("/"))
        case ("and", *args):
            return [all(holds(arg, city, here) for arg in args)]
        case ("or", *args):
            return [any(holds(arg, city, here) for arg in args)]
        case ("not", inner):
            return [not holds(inner, city, here)]
        case ("in", left, listed):
            return [any(compared("eq", one, literal[2]) for one in values(left, city, here) for literal in listed)]
        case (name, *args):
            return [_apply(name, each) for each in product(*(values(arg, city, here) for arg in args))]
    raise ValueError(tree)


def _apply(name: str, args: Sequence[Any]) -> Value:
    if name in ("eq", "ne", "gt", "ge", "lt", "le"):
        return compared(name, *args)
    if any(arg is None for arg in args) or (name in TEXTS and not isinstance(args[0], str)):
        return None
    if name in PARTS or any(isinstance(arg, timedelta) for arg in args):
        begun = tuple(arg if isinstance(arg, timedelta) else _begin(arg) for arg in args)
        return None if None in begun else WORK[name](*begun)
    if name in NUMBERS and isinstance(args[0], str | list):
        return None
    return WORK[name](*args)


def compared(name: str, one: Value, two: Value) -> bool:
    """A comparison; null is equal to null alone, and what is unlike has no order."""
    if one is None or two is None:
        return {"eq": one is two, "ne": one is not two}.get(name, False)
    if isinstance(one, datetime | date | tuple) or isinstance(two, datetime | date | tuple):
        return _times(name, one, two)
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (one, two))
    if not numbers and type(one) is not type(two):
        return name == "ne"
    if isinstance(one, bool | dict | list) and name not in ("eq", "ne"):
        return False
    if isinstance(one, dict | list):
        return name == "ne"
    return _ordered(name, one, two)


def _ordered(name: str, one: Value, two: Value) -> bool:
    return bool({"eq": one == two, "ne": one != two}[name] if name in ("eq", "ne") else {
        "gt": lambda: one > two, "ge": lambda: one >= two, "lt": lambda: one < two, "le": lambda: one <= two
    }[name]())  # fmt: skip


def _times(name: str, one: Value, two: Value) -> bool:
    left, right = _span(one), _span(two)
    if left is None or right is None:
        return name == "ne"
    if left[0] == left[1] and right[0] == right[1]:
        return _ordered(name, left[0], right[0])
    same = left == right
    before, after = left[1] <= right[0] and not same, left[0] >= right[1] and not same
    return {
        "eq": same,
        "ne": not same,
        "lt": before,
        "le": before or same,
        "gt": after and left[0] > right[0],
        "ge": after or same,
    }[name]


def _span(value: Value) -> tuple[datetime, datetime] | None:
    if isinstance(value, tuple):
        return value
    if isinstance(value, str):
        # Below ``properties`` the model knows no times: what is compared with one is read as one.
        begin = _begin(value)
        return None if begin is None else (begin, begin)
    if isinstance(value, datetime):
        return value, value
    if isinstance(value, date):
        begin = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return begin, begin
    return None


def _whole(one: float, two: float) -> bool:
    return isinstance(one, int) and isinstance(two, int)


def _div(one: float, two: float) -> float | None:
    if not two:
        return None
    return math.trunc(one / two) if _whole(one, two) else one / two


def _mod(one: float, two: float) -> float | None:
    if not two:
        return None
    return int(math.fmod(one, two)) if _whole(one, two) else math.fmod(one, two)


def _round(one: float) -> int:
    return math.floor(one + 0.5) if one >= 0 else math.ceil(one - 0.5)


def _point(value: Value) -> tuple[float, float]:
    """A point of the door's GeoJSON, or of ours."""
    found = value["coordinates"] if isinstance(value, dict) else value
    return found[0], found[1]


def _inside(point: Value, box: Value, edge: Callable[[bool, bool], bool]) -> bool:
    """``edge`` says what is wanted of (inside, on the edge)."""
    (x, y), (west, south, east, north) = _point(point), box
    return edge(
        west < x < east and south < y < north,
        west <= x <= east and south <= y <= north and (x in (west, east) or y in (south, north)),
    )


WORK: Mapping[str, Callable[..., Any]] = {
    "add": lambda one, two: one + two,
    "sub": lambda one, two: one - two,
    "mul": lambda one, two: one * two,
    "div": _div,
    "mod": _mod,
    "neg": lambda one: -one,
    "round": _round,
    "floor": math.floor,
    "ceiling": math.ceil,
    "length": len,
    "indexof": lambda whole, part: whole.find(part),
    "substring": lambda text, begin, count=None: text[begin:] if count is None else text[begin : begin + count],
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "concat": lambda one, two: one + two,
    "substringof": lambda part, whole: part in whole,
    "contains": lambda whole, part: part in whole,
    "startswith": lambda whole, part: whole.startswith(part),
    "endswith": lambda whole, part: whole.endswith(part),
    "year": lambda at: at.year,
    "month": lambda at: at.month,
    "day": lambda at: at.day,
    "hour": lambda at: at.hour,
    "minute": lambda at: at.minute,
    "second": lambda at: at.second,
    "fractionalseconds": lambda at: at.microsecond / 1e6,
    "date": lambda at: at.date(),
    "totaloffsetminutes": lambda at: int((at.utcoffset() or timedelta()).total_seconds() // 60),
    "geo.distance": lambda one, two: math.hypot(*(a - b for a, b in zip(_point(one), _point(two), strict=True))),
    "st_within": lambda point, box: _inside(point, box, lambda inside, edge: inside and not edge),
    "st_intersects": lambda point, box: _inside(point, box, lambda inside, edge: inside or edge),
    "geo.intersects": lambda point, box: _inside(point, box, lambda inside, edge: inside or edge),
    "st_disjoint": lambda point, box: not _inside(point, box, lambda inside, edge: inside or edge),
    "st_touches": lambda point, box: _inside(point, box, lambda inside, edge: edge and not inside),
    "st_equals": lambda one, two: _point(one) == _point(two),
}


def _begin(at: Value) -> datetime | None:
    """A time, of a span its begin; a text that says one is one."""
    if isinstance(at, str):
        try:
            at = timed(at)
        except ValueError:
            return None
    found = at[0] if isinstance(at, tuple) else at
    return found if isinstance(found, datetime) else None


def rank(tree: Tree, city: City, here: tuple[str, str]) -> tuple[int, float, str]:
    """Where the first value of an expression stands in an order: nulls, then numbers and times, then texts."""
    value = next(iter(values(tree, city, here)), None)
    if isinstance(value, tuple):
        value = value[0]
    if isinstance(value, datetime):
        return 1, value.timestamp(), ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 1, float(value), ""
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))


def before(one: Sequence[tuple[tuple[int, float, str], bool]], two: Sequence[tuple[tuple[int, float, str], bool]]) -> int:
    """Which of two stands first in an order, each part of which may be turned."""
    for (left, down), (right, _) in zip(one, two, strict=True):
        if left != right:
            return -1 if (left < right) is not down else 1
    return 0
