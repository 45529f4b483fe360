"""From the words of an address to one Query: filters by column, order, page; an unknown word is refused with the known ones."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias, get_args
from urllib.parse import unquote

from citybrain.kernel.access import Order, Query
from citybrain.kernel.datasets import Column, ColumnType, Dataset
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant, parse, rfc3339
from citybrain.kernel.predicate import And, Compare, Op, Predicate, Scalar, Within
from citybrain.kernel.text import Text

Words: TypeAlias = Sequence[tuple[str, str]]

EVERYWHERE: Final = ("lang", "purpose")
"""Words that every address takes: the language of errors, and the purpose of reading."""
PAGING: Final = ("limit", "cursor", "count", "sort", "bbox")
MOST: Final = 1000
_USUAL: Final = 100
_OPS: Final = frozenset[str](get_args(Op))
_TRUE: Final = {"true": True, "false": False}
_EARLIEST: Final = Instant(-62_135_596_800_000_000)
"""0001-01-01T00:00:00Z, the first instant that RFC 3339 can write."""


def query(dataset: Dataset, words: Words, also: tuple[str, ...] = ()) -> Query:
    """The question that an address asks of a dataset.

    ``column=value`` and ``column.op=value`` (ops of the predicate; ``in`` takes commas), ``bbox=west,south,east,north``,
    ``sort=-column``, ``limit`` (1 to 1000), ``cursor``, ``count=true``; ``also`` names words that the address reads itself.
    Raises BadInputError naming the word.
    """
    columns = {column.name: column for column in dataset.columns}
    plain = tuple((name, value) for name, value in words if name not in (*EVERYWHERE, *also))
    control = once(((name, value) for name, value in plain if name in PAGING and name not in columns))
    parts = [_compare(columns, name, value) for name, value in plain if name not in control]
    if "bbox" in control:
        parts.append(_box(control["bbox"]))
    where: Predicate = parts[0] if len(parts) == 1 else And(tuple(parts))
    order = _order(columns, control["sort"]) if control.get("sort") else None
    return Query(dataset.name, where, order, limit(control.get("limit")), control.get("cursor") or None, yes(control, "count"))


def known(words: Words, names: Iterable[str]) -> dict[str, str]:
    """The words of an address that takes only these; raises BadInputError naming the stranger and those that are known."""
    allowed = tuple(names)
    for name, _ in words:
        if name not in allowed and name not in EVERYWHERE:
            raise stranger(name, allowed)
    return once((name, value) for name, value in words if name not in EVERYWHERE)


def once(words: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Words by name; raises BadInputError for one said twice."""
    found: dict[str, str] = {}
    for name, value in words:
        if name in found:
            what = Text(f"参数“{name}”出现了两次，请只写一次。", f"'{name}' stands twice. Write it once.")
            raise BadInputError(what, parameter=name)
        found[name] = value
    return found


def stranger(name: str, names: Iterable[str]) -> BadInputError:
    """The error for a word that an address does not know."""
    able = sorted({*names, *EVERYWHERE})
    listed = "、".join(able), ", ".join(able)
    what = Text(f"未知参数“{name}”。可用参数：{listed[0]}。", f"Unknown parameter '{name}'. Known: {listed[1]}.")
    return BadInputError(what, parameter=name, known=[*able])


def limit(text: str | None) -> int:
    """How many rows a page holds; raises BadInputError outside 1 to 1000."""
    if text is None:
        return _USUAL
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST and len(text) < 9:
        return int(text)
    what = Text(f"limit 须为 1 至 {MOST} 的整数，收到“{text}”。", f"limit is a whole number from 1 to {MOST}, not '{text}'.")
    raise BadInputError(what, parameter="limit")


def yes(words: dict[str, str], name: str) -> bool:
    """A word that is true or false; false where it is not said."""
    value = words.get(name, "false")
    if value not in _TRUE:
        raise BadInputError(Text(f"{name} 须为 true 或 false。", f"{name} is true or false."), parameter=name)
    return _TRUE[value]


def instant(text: str, name: str) -> Instant:
    """An instant of RFC 3339 with its offset; raises BadInputError. A space stands for an unescaped ``+``."""
    try:
        found = parse(text.replace(" ", "+") if "T" in text else text)
    except (ValueError, OverflowError):
        found = _EARLIEST
    if found <= _EARLIEST:
        what = Text(
            f"{name} 不是带时区的时间：“{text}”。请写作 2026-11-22T07:30:00Z 或 2026-11-22T15:30:00%2B08:00。",
            f"{name} is no time with an offset: '{text}'. Write it like 2026-11-22T07:30:00Z or 2026-11-22T15:30:00%2B08:00.",
        )
        raise BadInputError(what, parameter=name)
    return found


def _compare(columns: dict[str, Column], name: str, value: str) -> Predicate:
    field, dot, word = name.rpartition(".")
    column = columns.get(name) or (columns.get(field) if dot and word in _OPS else None)
    if column is None:
        raise stranger(name, (*columns, *PAGING, *(f"<column>.{op}" for op in sorted(_OPS))))
    op = _op("eq" if column.name == name else word)
    if (op == "contains") != (column.type == "json") and column.type != "text":
        what = Text(
            f"列“{column.name}”（{column.type}）不能用 {op} 筛选：contains 用于文本，其他用于数值、时间和文本。",
            f"'{column.name}' ({column.type}) takes no {op}: contains is for texts, the others for numbers, times and texts.",
        )
        raise BadInputError(what, parameter=name)
    if op == "in":
        return Compare(column.name, op, tuple(_scalar(column, part, name) for part in value.split(",")))
    return Compare(column.name, op, _scalar(column, value, name))


def _op(word: str) -> Op:
    return next(op for op in get_args(Op) if op == word)


def _order(columns: dict[str, Column], text: str) -> Order:
    field = text.removeprefix("-")
    if field not in columns:
        known_columns = ", ".join(columns)
        what = Text(f"不能按“{field}”排序。可用：{known_columns}。", f"Cannot sort by '{field}'. Known: {known_columns}.")
        raise BadInputError(what, parameter="sort")
    return Order(field, descending=text.startswith("-"))


def _box(text: str) -> Within:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west, south, east, north = 1.0, 0.0, 0.0, 0.0
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        what = Text(
            "bbox 须为 西,南,东,北 四个十进制度数（WGS 84）。", "bbox is west,south,east,north in decimal degrees (WGS 84)."
        )
        raise BadInputError(what, parameter="bbox")
    return Within(west, south, east, north)


def _scalar(column: Column, text: str, name: str) -> Scalar:
    try:
        return _read(column.type, text, name)
    except (ValueError, KeyError):
        words = {
            "number": ("数字", "a number"),
            "integer": ("整数", "a whole number"),
            "boolean": ("true 或 false", "true or false"),
        }
        zh, en = words.get(column.type, ("文本", "text"))
        raise BadInputError(Text(f"{name} 须为{zh}，收到“{text}”。", f"{name} is {en}, not '{text}'."), parameter=name) from None


def _read(kind: ColumnType, text: str, name: str) -> Scalar:
    if kind == "boolean":
        return _TRUE[text]
    if kind == "integer":
        return _whole(text)
    if kind == "number":
        return _finite(text)
    return rfc3339(instant(text, name)) if kind == "instant" else text


def _whole(text: str) -> int:
    number = int(text[:20])
    if len(text) > 20 or not -(2**63) <= number < 2**63:
        raise ValueError(text)
    return number


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(text)
    return number


def unescaped(text: str) -> str:
    """A header's text with its percent-escapes of UTF-8 read; raises BadInputError for NUL."""
    plain = unquote(text, errors="replace")
    if "\x00" in plain:
        raise BadInputError(Text("请求头中含有 NUL 字符。", "A header holds a NUL character."))
    return plain
