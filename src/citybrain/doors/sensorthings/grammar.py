"""From the text of ``$filter`` to its tree (OData 4 part 2 clause 5.1.1, as OGC 18-088 clause 9.3.3.5 uses it). Pure."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

import shapely

from citybrain.doors.sensorthings import geometry
from citybrain.doors.sensorthings.functions import ARITY
from citybrain.doors.sensorthings.nodes import Function, Interval, Literal, Node, Path, Shape
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.kernel.instant import duration

_INSTANT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+\- ]\d\d:\d\d)"
_TOKEN: Final = re.compile(
    r"\s*(?:"
    r"(?P<geography>geography'[^']*')|(?P<duration>duration'[^']*')|(?P<text>'(?:[^']|'')*')"
    rf"|(?P<interval>{_INSTANT}/{_INSTANT})|(?P<instant>{_INSTANT})|(?P<date>\d{{4}}-\d\d-\d\d)"
    r"|(?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<name>@?[^\W\d][\w.@]*(?:/[^\W\d@]?[\w.@]+)*)|(?P<sign>[(),\-])"
    r")"
)
_LEVELS: Final = (("or",), ("and",), ("eq", "ne", "gt", "ge", "lt", "le"), ("add", "sub"), ("mul", "div", "mod"))
_COMPARED: Final = 2
"""The level at which ``in`` is read."""
_FLAT: Final = frozenset({"or", "and"})
_WORDS: Final = {"true": Literal(value=True), "false": Literal(value=False), "null": Literal(None)}
_DEEPEST: Final = 40
_LONGEST: Final = 8000
_DIGITS: Final = 18
"""Digits of a whole number that always fits into 64 bits."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


class _UnreadError(Exception):
    """Where a text cannot be read, and why."""

    def __init__(self, near: str, why: str) -> None:
        super().__init__(near, why)
        self.near, self.why = near, why


def parse(text: str, option: str = "$filter") -> Node:
    """The tree of a filter, or of what is sorted by; raises BadInputError saying where it cannot be read, and 501 for an unknown function."""
    try:
        return _read(text)
    except _UnreadError as error:
        zh, en = (
            f"{option} 在“{error.near}”处无法读懂（{error.why}）。",
            f"{option} cannot be read at '{error.near}' ({error.why}).",
        )
        raise wrong(zh, en, option) from None


def _read(text: str) -> Node:
    if len(text) > _LONGEST:
        raise _UnreadError(text[:20], "too long")
    tokens = _Tokens(_tokens(text))
    tree = _binary(tokens, 0, 0)
    if tokens.peek().kind != "end":
        raise _UnreadError(tokens.peek().text, text)
    return tree


class _Tokens:
    """The tokens still to be read."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def peek(self) -> _Token:
        """The next token, left in its place."""
        return self._tokens[self._at]

    def take(self) -> _Token:
        """The next token."""
        self._at += 1
        return self._tokens[self._at - 1]

    def takes(self, *words: str) -> str | None:
        """The next token where it is one of these words or signs."""
        return self.take().text if self.peek().kind in ("name", "sign") and self.peek().text in words else None

    def expect(self, sign: str) -> None:
        """Read a sign, or raise _UnreadError."""
        if self.takes(sign) is None:
            raise _UnreadError(self.peek().text or "end", f"expected {sign}")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _UnreadError(text[at : at + 20], text)
        found.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return [*found, _Token("end", "")]


def _binary(tokens: _Tokens, level: int, depth: int) -> Node:
    if depth > _DEEPEST:
        raise _UnreadError("(", "nested too deeply")
    if level == len(_LEVELS):
        return _unary(tokens, depth)
    left = _binary(tokens, level + 1, depth)
    chain = [left]
    while (word := tokens.takes(*_LEVELS[level])) is not None:
        chain.append(_binary(tokens, level + 1, depth))
        if word in _FLAT:
            # As many as there are stand side by side, so that the tree of a long list is not a deep one.
            left = Function(word, tuple(chain))
            continue
        if len(chain) > _DEEPEST:
            raise _UnreadError(word, "too many in a row")
        left = Function(word, (left, chain[-1]))
    return left if level != _COMPARED or tokens.takes("in") is None else _among(left, tokens, depth)


def _among(left: Node, tokens: _Tokens, depth: int) -> Node:
    """``left in (…)`` as the conditions of which one must hold (OData 4.01 part 2 clause 5.1.1.1.12)."""
    tokens.expect("(")
    found = [Function("eq", (left, _binary(tokens, _COMPARED + 1, depth + 1)))]
    while tokens.takes(",") is not None:
        found.append(Function("eq", (left, _binary(tokens, _COMPARED + 1, depth + 1))))
    tokens.expect(")")
    return found[0] if len(found) == 1 else Function("or", tuple(found))


def _unary(tokens: _Tokens, depth: int) -> Node:
    if depth > _DEEPEST:
        raise _UnreadError("not", "nested too deeply")
    if tokens.takes("not") is not None:
        return Function("not", (_unary(tokens, depth + 1),))
    if tokens.takes("-") is not None:
        return Function("neg", (_unary(tokens, depth + 1),))
    if tokens.takes("(") is not None:
        inner = _binary(tokens, 0, depth + 1)
        tokens.expect(")")
        return inner
    return _primary(tokens, depth)


def _primary(tokens: _Tokens, depth: int) -> Node:
    token = tokens.take()
    if token.kind != "name":
        return _literal(token)
    if token.text in _WORDS:
        return _WORDS[token.text]
    if tokens.takes("(") is None:
        return Path(tuple(token.text.split("/")))
    args: list[Node] = []
    while tokens.takes(")") is None:
        if args:
            tokens.expect(",")
        args.append(_binary(tokens, 0, depth + 1))
    return _function(token.text.lower(), tuple(args))


def _function(name: str, args: tuple[Node, ...]) -> Node:
    if name not in ARITY:
        able = ", ".join(sorted(ARITY))
        raise not_held(f"$filter 中没有函数“{name}”。可用：{able}。", f"$filter has no function '{name}'. Possible: {able}.")
    if len(args) not in ARITY[name]:
        raise _UnreadError(name, "wrong number of arguments")
    return Function(name, args)


def _literal(token: _Token) -> Literal:
    try:
        return Literal(_value(token))
    except (ValueError, OverflowError, shapely.errors.ShapelyError):
        raise _UnreadError(token.text, "cannot be read") from None


def _value(token: _Token) -> str | int | float | datetime | timedelta | Interval | Shape:
    inner = token.text.partition("'")[2][:-1]
    match token.kind:
        case "text":
            return inner.replace("''", "'")
        case "number":
            return _number(token.text)
        case "instant":
            return _instant(token.text)
        case "date":
            return _instant(token.text + "T00:00:00Z")
        case "clock":
            return time.fromisoformat(token.text).isoformat()
        case "interval":
            return Interval(*map(_instant, token.text.split("/")))
        case "duration":
            return timedelta(microseconds=duration(inner))
        case "geography":
            return Shape(geometry.written(inner))
    raise ValueError(token.text)


def _number(text: str) -> float:
    """A whole number where 64 bits hold it; raises ValueError for one that no store could hold."""
    if text.isdigit() and len(text) <= _DIGITS:
        return int(text)
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _instant(text: str) -> datetime:
    """An instant with the offset that it was written with; raises OverflowError for one before or after all years of UTC."""
    found = datetime.fromisoformat(text.replace(" ", "+"))
    found.astimezone(UTC)
    return found
