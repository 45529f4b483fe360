"""Conditions compiled twice from one tree: to numpy for whole frames, and to CEL text for the cel library, which must agree.

What is missing makes nothing true and nothing false (Kleene): ``x > 3`` and ``!(x > 3)`` are both silent without x, and
``x > 3 || y > 2`` holds when y alone is known and great. A number divided by zero has no value.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import cel
import numpy as np
from numpy.typing import NDArray

from citybrain.brain.detect.syntax import Apply, Has, Literally, Name, Node

Truths: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.float64]
Texts: TypeAlias = NDArray[np.object_]
Frame: TypeAlias = Mapping[str, Numbers | Texts]
"""Columns (n,) by name: numbers with NaN for none, texts with None for none."""
Values: TypeAlias = Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Judged:
    """Where a condition is surely true and where surely false, each (n,); where neither, something is missing."""

    true: Truths
    false: Truths


Condition: TypeAlias = Callable[[Frame], Judged]
_Numeric: TypeAlias = Callable[[Frame], Numbers]
_Texting: TypeAlias = Callable[[Frame], Texts]


def compiled(node: Node) -> Condition:
    """A condition as a function on frames; every frame must hold the names of the tree."""
    match node:
        case Has(name=name):
            return lambda frame: _both(_present(frame[name]))
        case Literally(value=value):
            return lambda frame: _both(np.full(_length(frame), bool(value)))
        case Apply(sign="!", parts=(part,)):
            inner = compiled(part)
            return lambda frame: _turned(inner(frame))
        case Apply(sign="&&" | "||" as sign, parts=(left, right)):
            return _joined(sign, compiled(left), compiled(right))
        case Apply(sign="?", parts=(which, yes, no)):
            return _either(compiled(which), compiled(yes), compiled(no))
        case Apply(sign="in", parts=(part, *listed)):
            return _listed(part, [each for each in listed if isinstance(each, Literally)])
        case Apply(sign=sign, parts=(left, right)):
            return _compared(sign, left, right)
        case _:
            message = f"{node} is no condition"
            raise TypeError(message)


def _compared(sign: str, left: Node, right: Node) -> Condition:
    if left.sort == "number":
        return _ordered(sign, _numeric(left), _numeric(right))
    if left.sort == "text":
        return _same(sign, _texting(left), _texting(right))
    first, second = compiled(left), compiled(right)

    def equal(frame: Frame) -> Judged:
        one, other = first(frame), second(frame)
        same = Judged((one.true & other.true) | (one.false & other.false), (one.true & other.false) | (one.false & other.true))
        return same if sign == "==" else _turned(same)

    return equal


_SIGNS: dict[str, tuple[Callable[[Numbers, Numbers], Truths], Callable[[Numbers, Numbers], Truths]]] = {
    "<": (np.less, np.greater_equal),
    "<=": (np.less_equal, np.greater),
    ">": (np.greater, np.less_equal),
    ">=": (np.greater_equal, np.less),
}


def _ordered(sign: str, left: _Numeric, right: _Numeric) -> Condition:
    if sign in _SIGNS:
        yes, no = _SIGNS[sign]

        def ordered(frame: Frame) -> Judged:
            one, other = left(frame), right(frame)
            return Judged(yes(one, other), no(one, other))

        return ordered

    def equal(frame: Frame) -> Judged:
        one, other = left(frame), right(frame)
        same = Judged(one == other, (one < other) | (one > other))
        return same if sign == "==" else _turned(same)

    return equal


def _same(sign: str, left: _Texting, right: _Texting) -> Condition:
    def same(frame: Frame) -> Judged:
        one, other = left(frame), right(frame)
        known = _present(one) & _present(other)
        alike = np.asarray(one == other, np.bool_)
        judged = Judged(known & alike, known & ~alike)
        return judged if sign == "==" else _turned(judged)

    return same


def _listed(part: Node, listed: list[Literally]) -> Condition:
    if part.sort == "truth":
        inner, wanted = compiled(part), {each.value for each in listed}

        def truth(frame: Frame) -> Judged:
            one = inner(frame)
            yes = (one.true & (True in wanted)) | (one.false & (False in wanted))
            return Judged(yes, (one.true | one.false) & ~yes)

        return truth
    values: _Numeric | _Texting = _numeric(part) if part.sort == "number" else _texting(part)

    def listing(frame: Frame) -> Judged:
        have = values(frame)
        known = _present(have)
        within = np.zeros(len(have), np.bool_)
        for each in listed:
            within |= np.asarray(have == each.value, np.bool_)
        return Judged(known & within, known & ~within)

    return listing


def _joined(sign: str, left: Condition, right: Condition) -> Condition:
    def both(frame: Frame) -> Judged:
        one, other = left(frame), right(frame)
        return Judged(one.true & other.true, one.false | other.false)

    def either(frame: Frame) -> Judged:
        one, other = left(frame), right(frame)
        return Judged(one.true | other.true, one.false & other.false)

    return both if sign == "&&" else either


def _either(which: Condition, yes: Condition, no: Condition) -> Condition:
    def either(frame: Frame) -> Judged:
        case, first, second = which(frame), yes(frame), no(frame)
        true = (case.true & first.true) | (case.false & second.true)
        return Judged(true, (case.true & first.false) | (case.false & second.false))

    return either


def _numeric(node: Node) -> _Numeric:
    match node:
        case Literally(value=value):
            number = np.float64(value)
            return lambda frame: np.broadcast_to(number, (_length(frame),))
        case Name(name=name):
            return lambda frame: np.asarray(frame[name], np.float64)
        case Apply(sign="?", parts=(which, yes, no)):
            return _numeric_choice(compiled(which), _numeric(yes), _numeric(no))
        case Apply(sign=sign, parts=(part,)):
            inner = _numeric(part)
            return (lambda frame: -inner(frame)) if sign == "-" else (lambda frame: np.abs(inner(frame)))
        case Apply(sign=sign, parts=(left, right)):
            first, second, work = _numeric(left), _numeric(right), _WORK[sign]
            return lambda frame: work(first(frame), second(frame))
        case _:
            message = f"{node} is no number"
            raise TypeError(message)


def _numeric_choice(which: Condition, yes: _Numeric, no: _Numeric) -> _Numeric:
    def choice(frame: Frame) -> Numbers:
        case = which(frame)
        return np.where(case.true, yes(frame), np.where(case.false, no(frame), np.nan))

    return choice


def _texting(node: Node) -> _Texting:
    match node:
        case Literally(value=value):
            return lambda frame: np.full(_length(frame), value, object)
        case Name(name=name):
            return lambda frame: np.asarray(frame[name], object)
        case Apply(sign="?", parts=(which, yes, no)):
            case_of, first, second = compiled(which), _texting(yes), _texting(no)

            def choice(frame: Frame) -> Texts:
                case = case_of(frame)
                none = np.full(_length(frame), None, object)
                return np.where(case.true, first(frame), np.where(case.false, second(frame), none))

            return choice
        case _:
            message = f"{node} is no text"
            raise TypeError(message)


def _divided(one: Numbers, other: Numbers) -> Numbers:
    return np.divide(one, np.where(other == 0.0, np.nan, other))


def _rest(one: Numbers, other: Numbers) -> Numbers:
    return np.fmod(one, np.where(other == 0.0, np.nan, other))


_WORK: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": _divided,
    "%": _rest,
    "min": np.minimum,
    "max": np.maximum,
}


def _both(true: Truths) -> Judged:
    return Judged(true, ~true)


def _turned(judged: Judged) -> Judged:
    return Judged(judged.false, judged.true)


def _present(column: Numbers | Texts) -> Truths:
    """Where a column has a value."""
    none: Truths = column != None if column.dtype == object else ~np.isnan(np.asarray(column, np.float64))  # noqa: E711 - by element
    return none


def _length(frame: Frame) -> int:
    return len(next(iter(frame.values())))


def cel_text(node: Node) -> str:
    """The tree as CEL for the cel library: names under ``this``, every number a double, division by zero without a value."""
    match node:
        case Literally(value=value):
            return _literal(value)
        case Name(name=name):
            return f"this.{name}"
        case Has(name=name):
            return f"has(this.{name})"
        case Apply(sign="!" | "-" as sign, parts=(part,)):
            return f"{sign}({cel_text(part)})"
        case Apply(sign="?", parts=(which, yes, no)):
            return f"(({cel_text(which)}) ? ({cel_text(yes)}) : ({cel_text(no)}))"
        case Apply(sign="in", parts=(part, *listed)):
            return f"(({cel_text(part)}) in [{', '.join(cel_text(each) for each in listed)}])"
        case Apply(sign="/" | "%" as sign, parts=(left, right)):
            word = f"({cel_text(left)}) / ({cel_text(right)})" if sign == "/" else f"mod({cel_text(left)}, {cel_text(right)})"
            return f"(({cel_text(right)}) == 0.0 ? this.no_value : {word})"
        case Apply(sign="min" | "max" | "abs" as sign, parts=parts):
            return f"{sign}({', '.join(cel_text(part) for part in parts)})"
        case Apply(sign=sign, parts=(left, right)):
            return f"(({cel_text(left)}) {sign} ({cel_text(right)}))"
        case _:
            message = f"{node} cannot be written"
            raise TypeError(message)


def by_cel(node: Node, values: Values) -> bool | None:
    """What the cel library says of a condition: True, False, or None where something it needs is missing."""
    context = cel.Context(variables={"this": dict(values)})
    for name, function in (("mod", math.fmod), ("min", min), ("max", max), ("abs", abs)):
        context.add_function(name, function)
    try:
        return bool(cel.compile(cel_text(node)).execute(context))
    except KeyError:
        return None


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"({value!r})" if value < 0 else repr(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
