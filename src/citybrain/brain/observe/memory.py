"""A Source over rows that live in memory, and the cursors of its pages."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from citybrain.kernel import predicate
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.datasets import ColumnType, Dataset
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.listing import timed
from citybrain.kernel.predicate import Predicate
from citybrain.kernel.text import Json, Text

MOST = 1000
"""Rows of a page at most."""
Cells: TypeAlias = dict[str, Json]
_Mark: TypeAlias = tuple[str, bool, str | float | None, str]


@dataclass(frozen=True, slots=True)
class Memory:
    """A Source over rows that live in memory: latest values and what hangs on them; ordered by id unless asked otherwise.

    ``some`` gives the rows among which those of a predicate are, or None where that is all of them.
    """

    dataset: Dataset
    rows: Callable[[], Iterable[Cells]]
    some: Callable[[Predicate], Iterable[Cells] | None] = lambda _: None

    def __call__(self, query: Query) -> Page:
        """Rows of a query; raises UnsupportedError for an unknown field, BadInputError for a foreign cursor."""
        types = {column.name: column.type for column in self.dataset.columns}
        order = query.order or Order(self.dataset.key)
        known = {name: name for name in types}
        predicate.sql(query.where, known)
        predicate.sql(predicate.Compare(order.field, "eq", ""), known)
        micros = {name for name, kind in types.items() if kind == "instant"}
        where = timed(predicate.fitted(query.where, types), types)
        few = self.some(where)
        rows = self.rows() if few is None else few
        found = sorted(
            (
                (_sort(row, order.field, types[order.field]), str(row[self.dataset.key]), row)
                for row in rows
                if predicate.holds(where, row)
            ),
            key=lambda each: (each[0] is not None, each[0] if each[0] is not None else "", each[1]),
            reverse=order.descending,
        )
        begin = _place([(value, key) for value, key, _ in found], decode(order, query.cursor), descending=order.descending)
        limit = max(1, min(query.limit, MOST))
        page = found[begin : begin + limit]
        mark = encode(order, page[-1][0], page[-1][1]) if len(found) > begin + limit else None
        told = tuple({name: plain(value, instant=name in micros) for name, value in row.items()} for _, _, row in page)
        return Page(told, mark, len(found) if query.count else None)


def _sort(row: Cells, field: str, kind: ColumnType) -> str | float | None:
    value = row.get(field)
    if isinstance(value, dict):
        return str(value.get("zh", value))
    return value if (isinstance(value, str | int | float) and kind != "json") or value is None else str(value)


def _rank(value: str | float | None, key: str) -> tuple[bool, str | float, str]:
    return value is not None, "" if value is None else value, key


def _place(
    found: Sequence[tuple[str | float | None, str]], mark: tuple[str | float | None, str] | None, *, descending: bool
) -> int:
    """How many rows stand before or at the mark."""
    if mark is None:
        return 0
    wanted = _rank(*mark)
    passed = [_rank(*each) >= wanted if descending else _rank(*each) <= wanted for each in found]
    return sum(passed)


def encode(order: Order, value: str | float | None, key: str) -> str:
    """The cursor after a row: its value in the order and its key."""
    return base64.urlsafe_b64encode(msgspec.json.encode((order.field, order.descending, value, key))).decode()


def decode(order: Order, cursor: str | None) -> tuple[str | float | None, str] | None:
    """The value and key a cursor stands after; raises BadInputError for one that is of another order, or none."""
    if cursor is None:
        return None
    try:
        mark: _Mark = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=_Mark)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        what = Text("游标无法识别，请从第一页开始。", "The cursor cannot be read. Start from the first page.")
        raise BadInputError(what, cursor=cursor) from error
    if mark[:2] != (order.field, order.descending):
        what = Text("游标与排序方式不符，请从第一页开始。", "The cursor belongs to another order. Start from the first page.")
        raise BadInputError(what, cursor=cursor)
    return mark[2], mark[3]


def plain(value: Json, *, instant: bool) -> Json:
    """A cell as it is handed out: instants as RFC 3339."""
    return rfc3339(Instant(value)) if instant and isinstance(value, int) else value
