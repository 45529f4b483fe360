"""A page of rows from SQL, with predicate, order and keyset pushed down; the same for figures and for fact tables."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from citybrain.kernel import predicate
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.datasets import ColumnType, Dataset
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.instant import Instant, parse, rfc3339
from citybrain.kernel.predicate import And, Compare, Not, Or, Predicate, Scalar
from citybrain.kernel.text import Json, Text

_MOST = 1000
_Mark: TypeAlias = tuple[str, bool, int | float | str, int | str]
Asker: TypeAlias = Callable[[str, Mapping[str, Scalar]], Sequence[Mapping[str, object]]]
"""Answers SQL with ``:name`` parameters."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A Source over SQL: ``tables`` after FROM, ``cells`` from column to expression, ``orders`` the columns to sort by.

    Those are never null; the first is the default, newest first.
    """

    ask: Asker
    dataset: Dataset
    tables: str
    cells: Mapping[str, str]
    orders: tuple[str, ...]

    def __call__(self, query: Query) -> Page:
        """Rows of a query; raises UnsupportedError for a field or order that is not offered, BadInputError for a foreign cursor."""
        order = query.order or Order(self.orders[0], descending=True)
        if order.field not in self.orders:
            listed = ", ".join(self.orders)
            what = Text(f"不能按“{order.field}”排序。可用：{listed}。", f"Cannot sort by '{order.field}'. Possible: {listed}.")
            raise UnsupportedError(what, field=order.field)
        types = {column.name: column.type for column in self.dataset.columns}
        clause = predicate.sql(timed(predicate.fitted(query.where, types), types), self.cells)
        limit = max(1, min(query.limit, _MOST))
        after, values = self._after(order, query.cursor)
        chosen = ", ".join(f'{cell} AS "{name}"' for name, cell in self.cells.items())
        way = "DESC" if order.descending else "ASC"
        keys = f"ORDER BY {self.cells[order.field]} {way}, {self.cells[self.dataset.key]} {way} LIMIT {limit + 1}"
        raw = self.ask(f"SELECT {chosen} FROM {self.tables} WHERE {clause.sql}{after} {keys}", {**clause.values, **values})
        mark = _encode(order, raw[limit - 1], self.dataset.key) if len(raw) > limit else None
        return Page(tuple(_row(row, types) for row in raw[:limit]), mark, self._total(query, clause))

    def _total(self, query: Query, clause: predicate.Clause) -> int | None:
        if not query.count:
            return None
        counted = self.ask(f"SELECT COUNT(*) AS total FROM {self.tables} WHERE {clause.sql}", clause.values)
        return int(str(counted[0]["total"]))

    def _after(self, order: Order, cursor: str | None) -> tuple[str, dict[str, Scalar]]:
        if cursor is None:
            return "", {}
        field, descending, value, key = _decode(cursor)
        if (field, descending) != (order.field, order.descending):
            what = Text("游标与排序方式不符，请从第一页开始。", "The cursor belongs to another order. Start from the first page.")
            raise BadInputError(what, cursor=cursor)
        sign, column, own = "<" if descending else ">", self.cells[field], self.cells[self.dataset.key]
        after = f" AND ({column} {sign} :after OR ({column} = :after AND {own} {sign} :after_key))"
        return after, {"after": value, "after_key": key}


def timed(where: Predicate, types: Mapping[str, ColumnType]) -> Predicate:
    """The predicate with instants written as RFC 3339 turned into µs, as the tables hold them; raises BadInputError."""
    match where:
        case Compare(field=field, op=op, value=value) if types.get(field) == "instant":
            return Compare(field, op, tuple(map(_micros, value)) if isinstance(value, tuple) else _micros(value))
        case And(parts=parts):
            return And(tuple(timed(part, types) for part in parts))
        case Or(parts=parts):
            return Or(tuple(timed(part, types) for part in parts))
        case Not(part=part):
            return Not(timed(part, types))
        case _:
            return where


def _micros(value: Scalar) -> Scalar:
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except ValueError:
        what = Text(f"“{value}”不是时间，应如 2026-11-22T07:00:00Z。", f"'{value}' is no time. Write it like 2026-11-22T07:00:00Z.")
        raise BadInputError(what, value=value) from None


def _row(raw: Mapping[str, object], types: Mapping[str, ColumnType]) -> dict[str, Json]:
    return {name: _cell(value, types[name]) for name, value in raw.items()}


def _cell(value: object, kind: ColumnType) -> Json:
    if value is None:
        return None
    if kind == "instant":
        return rfc3339(Instant(int(str(value))))
    if kind == "json":
        decoded: Json = msgspec.json.decode(str(value))
        return decoded
    return value if isinstance(value, str | int | float | bool) else str(value)


def _encode(order: Order, row: Mapping[str, object], key: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((order.field, order.descending, row[order.field], row[key]))).decode()


def _decode(cursor: str) -> _Mark:
    try:
        mark: _Mark = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=_Mark)
    except (ValueError, msgspec.MsgspecError) as error:
        what = Text("游标无法识别，请从第一页开始。", "The cursor cannot be read. Start from the first page.")
        raise BadInputError(what, cursor=cursor) from error
    return mark
