"""The tree of a ``$filter``, and the values that its leaves and functions give."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

import shapely

from citybrain.kernel.text import Json

Value: TypeAlias = "Json | datetime | timedelta | Interval | Shape"


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time, from and to (ISO 8601)."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Shape:
    """A geometry in WGS 84 degrees, lon-lat."""

    geometry: shapely.Geometry


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the text."""

    value: Value


@dataclass(frozen=True, slots=True)
class Path:
    """A property, perhaps of a linked entity: ``Datastream/properties/life``."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function with its arguments; operators are functions too (``and``, ``eq``, ``add``, ``not``, ``neg``)."""

    name: str
    args: "tuple[Node, ...]"


Node: TypeAlias = Literal | Path | Function


def paths(node: Node) -> Iterator[tuple[str, ...]]:
    """Every path that a tree speaks of."""
    if isinstance(node, Path):
        yield node.parts
    if isinstance(node, Function):
        for arg in node.args:
            yield from paths(arg)


def conjuncts(node: Node) -> Iterator[Node]:
    """The conditions of a tree that must all hold."""
    if isinstance(node, Function) and node.name == "and":
        for arg in node.args:
            yield from conjuncts(arg)
    else:
        yield node


def below(node: Node, link: str) -> Node | None:
    """A tree as it is said of what a link leads to; None where it speaks of anything else, or of nothing."""
    spoken = list(paths(node))
    if not spoken or any(len(parts) < 2 or parts[0] != link for parts in spoken):
        return None
    return _cut(node)


def _cut(node: Node) -> Node:
    match node:
        case Path(parts=parts):
            return Path(parts[1:])
        case Function(name=name, args=args):
            return Function(name, tuple(map(_cut, args)))
    return node
