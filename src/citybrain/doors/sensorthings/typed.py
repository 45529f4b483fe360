"""What kind of value each part of a ``$filter`` gives, as far as the model says it, and the refusal of what can hold for nothing. Pure.

A property of which the model says nothing (``properties/kind``, ``result``) may be anything: what is said of it is taken as it is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from citybrain.doors.sensorthings import nodes
from citybrain.doors.sensorthings.functions import moment
from citybrain.doors.sensorthings.geometry import RELATIONS
from citybrain.doors.sensorthings.model import IDS, SETS, EntitySet
from citybrain.doors.sensorthings.nodes import Function, Interval, Node, Path, Shape, Value
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.errors import BadInputError

Type: TypeAlias = Literal["boolean", "number", "text", "time", "duration", "shape", "any"]
_TEXTS: Final = frozenset({"name", "description", "definition", "encodingType", "observationType", *IDS})
_TIMES: Final = frozenset({"phenomenonTime", "resultTime", "time"})
_LOGIC: Final = frozenset({"and", "or", "not"})
_EQUAL: Final = frozenset({"eq", "ne"})
_ORDER: Final = frozenset({"gt", "ge", "lt", "le"})
_SIGNS: Final = _LOGIC | _EQUAL | _ORDER | {"add", "sub", "mul", "div", "mod", "neg"}
_NUMBERS: Final = ("mul", "div", "mod", "neg", "round", "floor", "ceiling")
_SPANS: Final[frozenset[tuple[Type, Type]]] = frozenset({("number", "number"), ("time", "duration"), ("duration", "duration")})
_SUMS: Final[Mapping[str, frozenset[tuple[Type, Type]]]] = {"add": _SPANS, "sub": _SPANS | {("time", "time")}}
_WITHIN_TIME: Final = ("year", "month", "day", "hour", "minute", "second", "fractionalseconds", "totaloffsetminutes")
_ALLEN: Final = ("before", "after", "meets", "during", "overlaps", "starts", "finishes")
"""Relations of times, which FROST-Server has too."""
_TAKES: Final[Mapping[str, tuple[Type, ...]]] = {
    **dict.fromkeys(_LOGIC, ("boolean",)),
    **dict.fromkeys(_NUMBERS, ("number",)),
    **dict.fromkeys(("substringof", "contains", "endswith", "startswith", "length", "indexof"), ("text",)),
    **dict.fromkeys(("tolower", "toupper", "trim", "concat"), ("text",)),
    "substring": ("text", "number"),
    **dict.fromkeys((*_WITHIN_TIME, "date", "time", *_ALLEN), ("time",)),
    **dict.fromkeys((*RELATIONS, "geo.distance", "geo.length"), ("shape",)),
    "st_relate": ("shape", "shape", "text"),
}
"""What operators and functions take, one after the other; the last stands for all that follow."""
_GIVES: Final[Mapping[str, Type]] = {
    **dict.fromkeys(_LOGIC | _EQUAL | _ORDER, "boolean"),
    **dict.fromkeys((*_NUMBERS, "length", "indexof", *_WITHIN_TIME, "geo.distance", "geo.length"), "number"),
    **dict.fromkeys(("substringof", "contains", "endswith", "startswith", *RELATIONS, "st_relate", *_ALLEN), "boolean"),
    **dict.fromkeys(("tolower", "toupper", "trim", "concat", "substring", "time"), "text"),
    **dict.fromkeys(("now", "mindatetime", "maxdatetime"), "time"),
}
"""What they give; ``date()`` is compared with texts and with times alike."""
_WORDS: Final[Mapping[Type, tuple[str, str]]] = {
    "boolean": ("真假", "true or false"),
    "number": ("数", "a number"),
    "text": ("文字", "a text"),
    "time": ("时间", "a time"),
    "duration": ("时长", "a duration"),
    "shape": ("几何", "a geometry"),
    "any": ("任意", "anything"),
}


def check(tree: Node, of: EntitySet, option: str) -> None:
    """Raise BadInputError for an expression over a set that gives nothing whatever the entity is, showing how it was read."""
    found = _sort(tree, of, option)
    if option == "$filter" and found not in ("boolean", "any"):
        raise _unfit(tree, tree, found, "boolean", option)


def spelt(node: Node) -> str:
    """An expression as it was read, with the brackets that were not written."""
    match node:
        case nodes.Literal(value=value):
            return _literal(value)
        case Path(parts=parts):
            return "/".join(parts)
        case Function(name="not" | "neg" as name, args=(arg,)):
            return f"({'not ' if name == 'not' else '-'}{spelt(arg)})"
        case Function(name=name, args=args) if name in _SIGNS:
            return f"({f' {name} '.join(map(spelt, args))})"
        case Function(name=name, args=args):
            return f"{name}({', '.join(map(spelt, args))})"


def _sort(node: Node, of: EntitySet, option: str) -> Type:
    match node:
        case nodes.Literal(value=value):
            return _of_value(value)
        case Path(parts=parts):
            return _of_path(parts, of)
        case Function(name=name, args=args):
            found = tuple(_sort(arg, of, option) for arg in args)
            if name in _EQUAL or name in _ORDER:
                _compared(node, found, option)
            if name in _SUMS:
                return _summed(node, found, option)
            takes = _TAKES.get(name, ())
            for place, (arg, sort) in enumerate(zip(args, found, strict=True)):
                if takes and sort not in ("any", takes[min(place, len(takes) - 1)]):
                    raise _unfit(node, arg, sort, takes[min(place, len(takes) - 1)], option)
            return _GIVES.get(name, "any")


def _of_path(parts: tuple[str, ...], of: EntitySet) -> Type:
    first, rest = parts[0], parts[1:]
    if first in of.navs and rest:
        return _of_path(rest, SETS[of.navs[first].to])
    if first == "unitOfMeasurement" and rest:
        return "text"
    return "any" if rest else "text" if first in _TEXTS else "time" if first in _TIMES else "any"


def _of_value(value: Value) -> Type:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            # A text that says a time is compared with times as one.
            return "text" if moment(value) is None else "any"
        case datetime() | Interval():
            return "time"
        case timedelta():
            return "duration"
        case Shape():
            return "shape"
        case _:
            return "any"


def _compared(node: Function, found: tuple[Type, ...], option: str) -> None:
    """Raise for kinds that are never equal, and for those that have no order."""
    known = set(found) - {"any"}
    one, two = (_WORDS[sort] for sort in found)
    if len(known) > 1:
        zh, en = f"“{one[0]}”与“{two[0]}”不能比较", f"{one[1]} and {two[1]} are not compared"
        raise _refused(node, zh, en, option)
    if "shape" in known or (node.name in _ORDER and "boolean" in known):
        sign, here = node.name, _WORDS[known.pop()]
        raise _refused(node, f"“{here[0]}”不能用 {sign}", f"{here[1]} has no '{sign}'", option)


def _summed(node: Function, found: tuple[Type, ...], option: str) -> Type:
    able = [pair for pair in _SUMS[node.name] if all(one in ("any", sort) for one, sort in zip(found, pair, strict=True))]
    if not able:
        one, two = (_WORDS[sort] for sort in found)
        zh, en = f"“{one[0]}”与“{two[0]}”不能 {node.name}", f"{one[1]} and {two[1]} have no '{node.name}'"
        raise _refused(node, zh, en, option)
    given: set[Type] = {_SUMMED[node.name, pair] for pair in able}
    return given.pop() if len(given) == 1 else "any"


_SUMMED: Final[Mapping[tuple[str, tuple[Type, Type]], Type]] = {
    **{(name, ("number", "number")): "number" for name in _SUMS},
    **{(name, ("time", "duration")): "time" for name in _SUMS},
    **{(name, ("duration", "duration")): "duration" for name in _SUMS},
    ("sub", ("time", "time")): "duration",
}


def _unfit(node: Node, arg: Node, sort: Type, wanted: Type, option: str) -> BadInputError:
    is_, needs = _WORDS[sort], _WORDS[wanted]
    zh = f"“{spelt(arg)}”是{is_[0]}，此处须为{needs[0]}"
    return _refused(node, zh, f"{spelt(arg)} is {is_[1]}, and {needs[1]} belongs here", option)


def _refused(node: Node, zh: str, en: str, option: str) -> BadInputError:
    """What cannot hold, as it was read; where ``not`` was read before what follows it, how it is to be written."""
    zh, en = f"{option} 被读作 {spelt(node)}：{zh}。", f"{option} is read as {spelt(node)}: {en}."
    match node:
        case Function(name=name, args=(Function(name="not", args=(inner,)), other)) if name in _EQUAL or name in _ORDER:
            meant = f"not ({spelt(inner)} {name} {spelt(other)})"
            zh, en = f"{zh}not 先于 {name}，请写 {meant}。", f"{en} 'not' goes before '{name}': write {meant}."
    return wrong(zh, en, option)


def _literal(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Interval(begin=begin, end=end):
            return f"{_literal(begin)}/{_literal(end)}"
        case timedelta():
            return "duration'…'"
        case Shape():
            return "geography'…'"
        case _:
            return str(value)
