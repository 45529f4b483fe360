"""The subset of CEL that rules are written in: text to a typed tree, once, at start. Pure.

Comparison, && || !, + - * / %, parentheses, has(x), x in [..], c ? a : b, min, max, abs, numbers, strings, booleans, names.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Sort: TypeAlias = Literal["number", "text", "truth"]


@dataclass(frozen=True, slots=True)
class Literally:
    """A number, a string or a truth value, as written."""

    value: float | str | bool
    sort: Sort


@dataclass(frozen=True, slots=True)
class Name:
    """A field or a parameter."""

    name: str
    sort: Sort


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a field has a live value."""

    name: str
    sort: Sort = "truth"


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator or function on its parts: ``!``, ``-``, ``in`` (the first in the rest), ``?`` and the others by their sign."""

    sign: str
    parts: "tuple[Node, ...]"
    sort: Sort


Node: TypeAlias = Literally | Name | Has | Apply


class SyntaxFault(ValueError):  # noqa: N818 - it is told on as a DeclarationError
    """What is wrong with an expression, and where."""


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:(),\[\]]))"
)
_LEVELS: tuple[tuple[str, ...], ...] = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_DEPTH = 60
_TRUTHS = {"true": True, "false": False}
_FUNCTIONS = {"min": 2, "max": 2, "abs": 1}


def read(text: str, names: Mapping[str, Sort]) -> Node:
    """The tree of a condition over named fields and parameters; raises SyntaxFault for what the subset does not hold."""
    reader = _Reader(_tokens(text), names)
    node = reader.choice(0)
    if reader.peek():
        raise SyntaxFault(f"'{reader.peek()}' was not expected here")
    return node


def condition(text: str, names: Mapping[str, Sort]) -> Node:
    """The same, for an expression that must be true or false."""
    node = read(text, names)
    if node.sort != "truth":
        raise SyntaxFault("the expression is no condition: it is neither true nor false")
    return node


def names_in(node: Node) -> frozenset[str]:
    """All fields and parameters that a tree speaks of."""
    match node:
        case Name(name=name) | Has(name=name):
            return frozenset((name,))
        case Apply(parts=parts):
            return frozenset[str]().union(*(names_in(part) for part in parts))
        case _:
            return frozenset()


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None:
            raise SyntaxFault(f"'{text[place:].strip()[:10]}' is not understood")
        tokens.append(found.group().strip())
        place = found.end()
    return tokens


class _Reader:
    """Recursive descent over tokens; ``depth`` bounds nesting."""

    def __init__(self, tokens: list[str], names: Mapping[str, Sort]) -> None:
        self._tokens = tokens
        self._names = names
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise SyntaxFault("the expression ends too early")
        self._at += 1
        return token

    def want(self, wanted: str) -> None:
        if (have := self.next()) != wanted:
            raise SyntaxFault(f"'{wanted}' was expected, not '{have}'")

    def choice(self, depth: int) -> Node:
        if depth > _DEPTH:
            raise SyntaxFault("the expression is nested too deep")
        first = self.level(0, depth)
        if self.peek() != "?":
            return first
        self.next()
        yes = self.choice(depth + 1)
        self.want(":")
        no = self.choice(depth + 1)
        if first.sort != "truth" or yes.sort != no.sort:
            raise SyntaxFault("'?' needs a condition and two values of one sort")
        return Apply("?", (first, yes, no), yes.sort)

    def level(self, number: int, depth: int) -> Node:
        if number == len(_LEVELS):
            return self.unary(depth)
        left = self.level(number + 1, depth)
        count = 0
        while self.peek() in _LEVELS[number]:
            sign = self.next()
            count += 1
            if count > 1 and number == 2:
                raise SyntaxFault("comparisons cannot be chained: write a < b && b < c")
            left = self.member(left, depth) if sign == "in" else _applied(sign, left, self.level(number + 1, depth))
        return left

    def member(self, left: Node, depth: int) -> Node:
        self.want("[")
        listed = [left]
        while self.peek() != "]":
            listed.append(self.choice(depth + 1))
            if self.peek() != "]":
                self.want(",")
        self.want("]")
        if any(not isinstance(part, Literally) or part.sort != left.sort for part in listed[1:]):
            raise SyntaxFault("'in' takes a list of literals of the same sort")
        return Apply("in", tuple(listed), "truth")

    def unary(self, depth: int) -> Node:
        if depth > _DEPTH:
            raise SyntaxFault("the expression is nested too deep")
        sign = self.peek()
        if sign not in ("!", "-"):
            return self.atom(depth)
        self.next()
        part = self.unary(depth + 1)
        wanted: Sort = "truth" if sign == "!" else "number"
        if part.sort != wanted:
            raise SyntaxFault(f"'{sign}' cannot stand before a {part.sort}")
        if sign == "-" and isinstance(part, Literally) and isinstance(part.value, float):
            return Literally(-part.value, "number")
        return Apply(sign, (part,), wanted)

    def atom(self, depth: int) -> Node:
        if self.peek() == "(":
            self.next()
            node = self.choice(depth + 1)
            self.want(")")
            return node
        token = self.next()
        if token in _TRUTHS:
            return Literally(_TRUTHS[token], "truth")
        if token[0].isdigit():
            return Literally(float(token), "number")
        if token[0] in "'\"":
            return Literally(str(ast.literal_eval(token)), "text")
        if not token.isidentifier():
            raise SyntaxFault(f"'{token}' was not expected here")
        return self.called(token, depth) if self.peek() == "(" else self.named(token)

    def named(self, name: str) -> Name:
        if name not in self._names:
            known = ", ".join(sorted(self._names))
            raise SyntaxFault(f"'{name}' is neither a field nor a parameter; known: {known}")
        return Name(name, self._names[name])

    def called(self, name: str, depth: int) -> Node:
        self.want("(")
        if name == "has":
            field = self.named(self.next())
            self.want(")")
            return Has(field.name)
        if name not in _FUNCTIONS:
            raise SyntaxFault(f"there is no function '{name}'; there are has, min, max and abs")
        parts = [self.choice(depth + 1)]
        while self.peek() == ",":
            self.next()
            parts.append(self.choice(depth + 1))
        self.want(")")
        if len(parts) != _FUNCTIONS[name] or any(part.sort != "number" for part in parts):
            raise SyntaxFault(f"'{name}' takes {_FUNCTIONS[name]} number(s)")
        return Apply(name, tuple(parts), "number")


def _applied(sign: str, left: Node, right: Node) -> Node:
    if sign in ("&&", "||"):
        fits, sort = left.sort == right.sort == "truth", "truth"
    elif sign in ("==", "!="):
        fits, sort = left.sort == right.sort, "truth"
    else:
        fits, sort = left.sort == right.sort == "number", "truth" if sign in ("<", "<=", ">", ">=") else "number"
    if not fits:
        raise SyntaxFault(f"'{sign}' cannot stand between a {left.sort} and a {right.sort}")
    return Apply(sign, (left, right), "number" if sort == "number" else "truth")
