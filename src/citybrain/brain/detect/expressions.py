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


_Where: TypeAlias = Callable[[Frame], Truths]
_Numeric: TypeAlias = Callable[[Frame], Numbers]
_Texting: TypeAlias = Callable[[Frame], Texts]


@dataclass(frozen=True, slots=True)
class Condition:
    """Where a condition is surely true and where surely false over a frame, each (n,); where neither, something is missing.

    The two are asked apart: most rules hold nowhere in a frame, and what holds nowhere need not be known to be false.
    """

    true: _Where
    false: _Where


def compiled(node: Node) -> Condition:
    """A condition as functions on frames; every frame must hold the names of the tree."""
    match node:
        case Has(name=name):
            return Condition(lambda frame: _present(frame[name]), lambda frame: ~_present(frame[name]))
        case Literally(value=value):
            yes = bool(value)
            return Condition(lambda frame: np.full(_length(frame), yes), lambda frame: np.full(_length(frame), not yes))
        case Apply(sign="!", parts=(part,)):
            return _turned(compiled(part))
        case Apply(sign="&&", parts=(left, right)):
            first, second = compiled(left), compiled(right)
            return Condition(_all(first.true, second.true), _any(first.false, second.false))
        case Apply(sign="||", parts=(left, right)):
            first, second = compiled(left), compiled(right)
            return Condition(_any(first.true, second.true), _all(first.false, second.false))
        case Apply(sign="?", parts=(which, yes, no)):
            return _either(compiled(which), compiled(yes), compiled(no))
        case Apply(sign="in", parts=(part, *listed)):
            return _listed(part, [each for each in listed if isinstance(each, Literally)])
        case Apply(sign=sign, parts=(left, right)):
            return _compared(sign, left, right)
        case _:
            message = f"{node} is no condition"
            raise TypeError(message)


def _all(one: _Where, other: _Where) -> _Where:
    def both(frame: Frame) -> Truths:
        first = one(frame)
        return first & other(frame) if first.any() else first

    return both


def _any(one: _Where, other: _Where) -> _Where:
    return lambda frame: one(frame) | other(frame)


def _compared(sign: str, left: Node, right: Node) -> Condition:
    if left.sort == "number":
        return _ordered(sign, _numeric(left), _numeric(right))
    if left.sort == "text":
        return _same(sign, _texting(left), _texting(right))
    first, second = compiled(left), compiled(right)
    alike = _any(_all(first.true, second.true), _all(first.false, second.false))
    unlike = _any(_all(first.true, second.false), _all(first.false, second.true))
    return Condition(alike, unlike) if sign == "==" else Condition(unlike, alike)


_SIGNS: dict[str, tuple[Callable[[Numbers, Numbers], Truths], Callable[[Numbers, Numbers], Truths]]] = {
    "<": (np.less, np.greater_equal),
    "<=": (np.less_equal, np.greater),
    ">": (np.greater, np.less_equal),
    ">=": (np.greater_equal, np.less),
    "==": (np.equal, lambda one, other: (one < other) | (one > other)),
    "!=": (lambda one, other: (one < other) | (one > other), np.equal),
}
"""How numbers compare, and how they surely do not: NaN does neither."""


def _ordered(sign: str, left: _Numeric, right: _Numeric) -> Condition:
    yes, no = _SIGNS[sign]
    return Condition(lambda frame: yes(left(frame), right(frame)), lambda frame: no(left(frame), right(frame)))


def _same(sign: str, left: _Texting, right: _Texting) -> Condition:
    def alike(frame: Frame) -> Truths:
        one, other = left(frame), right(frame)
        return _present(one) & _present(other) & np.asarray(one == other, np.bool_)

    def unlike(frame: Frame) -> Truths:
        one, other = left(frame), right(frame)
        return _present(one) & _present(other) & ~np.asarray(one == other, np.bool_)

    return Condition(alike, unlike) if sign == "==" else Condition(unlike, alike)


def _listed(part: Node, listed: list[Literally]) -> Condition:
    if part.sort == "truth":
        return _among(compiled(part), {bool(each.value) for each in listed})
    values: _Numeric | _Texting = _numeric(part) if part.sort == "number" else _texting(part)

    def within(have: Numbers | Texts) -> Truths:
        found = np.zeros(len(have), np.bool_)
        for each in listed:
            found |= np.asarray(have == each.value, np.bool_)
        return found

    def listing(frame: Frame) -> Truths:
        have = values(frame)
        return _present(have) & within(have)

    def missing(frame: Frame) -> Truths:
        have = values(frame)
        return _present(have) & ~within(have)

    return Condition(listing, missing)


def _among(one: Condition, wanted: set[bool]) -> Condition:
    """Whether a truth is one of those listed; where it is not known, neither."""

    def chosen(frame: Frame, values: frozenset[bool]) -> Truths:
        return (one.true(frame) & (True in values)) | (one.false(frame) & (False in values))

    other = frozenset({True, False} - wanted)
    return Condition(lambda frame: chosen(frame, frozenset(wanted)), lambda frame: chosen(frame, other))


def _either(which: Condition, yes: Condition, no: Condition) -> Condition:
    return Condition(
        _any(_all(which.true, yes.true), _all(which.false, no.true)), _any(_all(which.true, yes.false), _all(which.false, no.false))
    )


def _numeric(node: Node) -> _Numeric:
    match node:
        case Literally(value=value):
            return lambda frame: np.full(_length(frame), value, np.float64)
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
        return np.where(which.true(frame), yes(frame), np.where(which.false(frame), no(frame), np.nan))

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
                none = np.full(_length(frame), None, object)
                return np.where(case_of.true(frame), first(frame), np.where(case_of.false(frame), second(frame), none))

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


def _turned(condition: Condition) -> Condition:
    return Condition(condition.false, condition.true)


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
