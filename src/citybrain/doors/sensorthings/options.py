"""Query options (OGC 18-088 clauses 9.3 and 14): those of OData, nested in ``$expand``, and ``$resultFormat``. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from citybrain.doors.sensorthings.grammar import parse
from citybrain.doors.sensorthings.model import IDS, SETS, EntitySet
from citybrain.doors.sensorthings.nodes import Node, paths
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.doors.sensorthings.typed import check

USUAL: Final = 100
MOST: Final = 1000
_OUTSIDE: Final = frozenset({"lang", "purpose"})
_DEEPEST: Final = 8
_LONGEST: Final = 20
"""Segments of a path within an expression."""


@dataclass(frozen=True, slots=True)
class Sort:
    """An expression to sort by."""

    by: Node
    text: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Options:
    """What an address asks of a set or of an entity; ``texts`` are the options as they were written."""

    where: Node | None = None
    select: frozenset[str] | None = None
    expand: tuple[tuple[str, "Options"], ...] = ()
    order: tuple[Sort, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    cursor: str | None = None
    arrays: bool = False
    texts: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether all of a set is asked for, in its own order."""
        return self.where is None and not self.order and self.top is None and not (self.skip or self.count or self.cursor)


def options(pairs: Iterable[tuple[str, str]], of: EntitySet, depth: int = 0) -> Options:
    """The options of an address of a set's entities; raises BadInputError naming the option, 501 for one not held."""
    found = Options()
    said: dict[str, str] = {}
    for name, text in pairs:
        if name in _OUTSIDE and not depth:
            said[name] = text
            continue
        if name in said:
            raise wrong(f"{name} 出现了两次。", f"{name} stands twice.", name)
        said[name] = text
        found = _with(found, name, text, of, depth)
    return replace(found, texts=tuple(said.items()))


def _with(found: Options, name: str, text: str, of: EntitySet, depth: int) -> Options:
    match name:
        case "$filter":
            return replace(found, where=_parsed(text, of, name))
        case "$select":
            return replace(found, select=_select(text, of))
        case "$expand":
            return replace(found, expand=_expand(text, of, depth + 1))
        case "$orderby":
            return replace(found, order=tuple(_sort(part, of) for part in parted(text, ",")))
        case "$top":
            return replace(found, top=min(_whole(name, text), MOST))
        case "$skip":
            return replace(found, skip=_whole(name, text))
        case "$count":
            return replace(found, count=_yes(text))
        case "$skiptoken":
            return replace(found, cursor=text)
        case "$resultFormat":
            return replace(found, arrays=_arrays(text, of, depth))
    able = "$filter, $select, $expand, $orderby, $top, $skip, $count, $resultFormat"
    raise wrong(f"未知参数“{name}”。可用：{able}。", f"Unknown option '{name}'. Possible: {able}.", name)


def parted(text: str, sign: str) -> list[str]:
    """A text cut at a sign where it stands outside brackets and quotes."""
    parts, depth, inside, begin = [], 0, False, 0
    for place, letter in enumerate(text):
        if letter == "'":
            inside = not inside
        elif not inside:
            depth += (letter == "(") - (letter == ")")
            if letter == sign and depth == 0:
                parts.append(text[begin:place])
                begin = place + 1
    return [part.strip() for part in (*parts, text[begin:])]


def _select(text: str, of: EntitySet) -> frozenset[str]:
    names = [part.strip() for part in text.split(",")]
    able = {*of.properties, *of.navs, *IDS}
    for name in names:
        if name not in able:
            listed = ", ".join(sorted(able))
            raise wrong(f"$select 中没有“{name}”。可用：{listed}。", f"$select has no '{name}'. Possible: {listed}.", "$select")
    return frozenset("id" if name in IDS else name for name in names)


def _expand(text: str, of: EntitySet, depth: int) -> tuple[tuple[str, Options], ...]:
    if depth > _DEEPEST:
        raise wrong("$expand 嵌套过深。", "$expand is nested too deeply.", "$expand")
    merged: dict[str, Options] = {}
    for part in parted(text, ","):
        head, bracket, rest = part.partition("(")
        name, slash, below = head.partition("/")
        if name not in of.navs or (bracket and not rest.endswith(")")):
            able = ", ".join(of.navs)
            raise wrong(
                f"$expand 中的“{part}”有误。{of.name} 可展开：{able}。", f"'{part}' is no expand of {of.name}: {able}.", "$expand"
            )
        beyond = SETS[of.navs[name].to]
        inner = Options(expand=_expand(below + bracket + rest, beyond, depth + 1)) if slash else _inner(rest, beyond, depth)
        before = merged.get(name)
        merged[name] = inner if before is None else replace(inner, expand=(*before.expand, *inner.expand))
    return tuple(merged.items())


def _inner(rest: str, of: EntitySet, depth: int) -> Options:
    return options(_pairs(rest[:-1]), of, depth) if rest else Options()


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in parted(text, ";"):
        if part:
            name, _, value = part.partition("=")
            yield name.strip(), value.strip()


def _sort(text: str, of: EntitySet) -> Sort:
    words, _, way = text.rpartition(" ")
    descending = way.lower() == "desc"
    if way.lower() not in ("asc", "desc"):
        words = text
    return Sort(_parsed(words, of, "$orderby"), words, descending)


def _parsed(text: str, of: EntitySet, option: str) -> Node:
    tree = parse(text, option)
    for path in paths(tree):
        if len(path) > _LONGEST:
            raise wrong(f"{option} 中的路径过长。", f"A path in {option} is too long.", option)
        _known(path, of, option)
    check(tree, of, option)
    return tree


def _known(path: tuple[str, ...], of: EntitySet, option: str) -> None:
    """Raise BadInputError for a path that the model does not have."""
    if path[0] in of.navs and len(path) > 1:
        _known(path[1:], SETS[of.navs[path[0]].to], option)
    elif path[0] not in of.properties and path[0] not in IDS:
        able = ", ".join((*of.properties, "id", *(f"{nav}/…" for nav in of.navs)))
        raise wrong(f"{of.name} 没有属性“{path[0]}”。可用：{able}。", f"{of.name} have no '{path[0]}'. Possible: {able}.", option)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise wrong(f"{name} 须为非负整数，收到“{text}”。", f"{name} is a whole number from 0, not '{text}'.", name)
    return int(text)


def _arrays(text: str, of: EntitySet, depth: int) -> bool:
    """Whether data arrays are asked for: of Observations, and not within ``$expand``."""
    if text != "dataArray" or of.name != "Observations" or depth:
        raise wrong(
            "$resultFormat 只能是 dataArray，且只用于读取 Observations，不能写在 $expand 中。",
            "$resultFormat is dataArray, of Observations, and not within $expand.",
            "$resultFormat",
        )
    return True


def _yes(text: str) -> bool:
    if text not in ("true", "false"):
        raise wrong("$count 须为 true 或 false。", "$count is true or false.", "$count")
    return text == "true"
