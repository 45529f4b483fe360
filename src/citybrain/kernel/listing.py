"""A page of a dataset straight from its tables: predicate and order pushed down, keyset cursor, rows as plain JSON."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel import instant, predicate
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.datasets import ColumnType, Dataset
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.instant import Instant
from citybrain.kernel.predicate import And, Compare, Not, Or, Predicate, Scalar
from citybrain.kernel.text import Json, Text

_MOST = 1000
Asker: TypeAlias = Callable[[str, Mapping[str, Scalar]], Sequence[Mapping[str, object]]]
"""Answers SQL with ``:name`` parameters, on a snapshot; see ``Transactions.ask``."""
_Cursor: TypeAlias = tuple[str, Literal["up", "down"], int | float | str, int | str]


@dataclass(frozen=True, slots=True)
class Listing:
    """A Source over SQL.

    ``cells`` maps every column of the dataset to its SQL expression, ``orders`` are the columns (never null) to sort by,
    the first of them newest first by default; ``values`` binds what an expression needs, such as ``:now``.
    """

    ask: Asker
    dataset: Dataset
    tables: str
    cells: Mapping[str, str]
    orders: tuple[str, ...]
    values: Callable[[], Mapping[str, Scalar]] = dict

    def __call__(self, query: Query) -> Page:
        """Rows of a query; raises UnsupportedError for a field or order that is not offered, BadInputError for a foreign cursor."""
        order = query.order or Order(self.orders[0], descending=True)
        if order.field not in self.orders:
            listed = ", ".join(self.orders)
            what = Text(f"不能按“{order.field}”排序。可用：{listed}。", f"Cannot sort by '{order.field}'. Possible: {listed}.")
            raise UnsupportedError(what, field=order.field)
        types = {column.name: column.type for column in self.dataset.columns}
        limit = max(0, min(query.limit, _MOST))
        clause = predicate.sql(timed(predicate.fitted(query.where, types), types), self.cells)
        values = {**clause.values, **self.values()}
        if limit == 0:
            return Page((), None, self._total(clause.sql, values) if query.count else None)
        where, after = self._after(order, query.cursor)
        chosen = ", ".join(f'{expression} AS "{name}"' for name, expression in self.cells.items())
        way = "DESC" if order.descending else "ASC"
        keys = f"ORDER BY {self.cells[order.field]} {way}, {self.cells[self.dataset.key]} {way}"
        page = f"SELECT {chosen} FROM {self.tables} WHERE {clause.sql}{where} {keys} LIMIT {limit + 1}"
        raw = self.ask(page, {**values, **after})
        more = len(raw) > limit
        total = len(raw) if query.count else None
        if query.count and (more or query.cursor is not None):
            total = self._total(clause.sql, values)
        mark = _encode(order, raw[limit - 1], self.dataset.key) if more else None
        return Page(tuple({name: _cell(value, types[name]) for name, value in row.items()} for row in raw[:limit]), mark, total)

    def _total(self, where: str, values: Mapping[str, Scalar]) -> int:
        return int(str(self.ask(f"SELECT COUNT(*) AS total FROM {self.tables} WHERE {where}", values)[0]["total"]))

    def _after(self, order: Order, cursor: str | None) -> tuple[str, dict[str, Scalar]]:
        if cursor is None:
            return "", {}
        field, way, value, key = _decode(cursor)
        if field != order.field or way != ("down" if order.descending else "up"):
            what = Text("游标与排序方式不符，请从第一页开始。", "The cursor belongs to another order. Start from the first page.")
            raise BadInputError(what, cursor=cursor)
        sign, column, own = "<" if order.descending else ">", self.cells[field], self.cells[self.dataset.key]
        where = f" AND ({column} {sign} :after OR ({column} = :after AND {own} {sign} :after_key))"
        return where, {"after": value, "after_key": key}


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
        return instant.parse(value)
    except ValueError:
        what = Text(
            f"“{value}”不是时间。请写作 2026-11-22T07:00:00Z。", f"'{value}' is no time. Write it like 2026-11-22T07:00:00Z."
        )
        raise BadInputError(what, value=value) from None


def _cell(value: object, kind: ColumnType) -> Json:
    if value is None or (kind == "text" and isinstance(value, str)):
        return value
    if kind == "instant":
        return instant.rfc3339(Instant(int(str(value))))
    if kind == "json":
        decoded: Json = msgspec.json.decode(str(value))
        return decoded
    if kind == "boolean":
        return bool(value)
    if isinstance(value, str | int | float):
        return value
    return str(value)


def _encode(order: Order, row: Mapping[str, object], key: str) -> str:
    mark = (order.field, "down" if order.descending else "up", row[order.field], row[key])
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode()


def _decode(cursor: str) -> _Cursor:
    try:
        mark: _Cursor = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=_Cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        what = Text("游标无法识别，请从第一页开始。", "The cursor cannot be read. Start from the first page.")
        raise BadInputError(what, cursor=cursor) from error
    return mark
