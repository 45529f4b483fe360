"""What observe puts into the catalogue: entity, stream, area, observation and each declared kind, with the sources of their rows."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import msgspec
import numpy as np
from sqlalchemy import Connection

from citybrain.brain.observe import shelves
from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.observed import Observed
from citybrain.brain.observe.registry import Registry
from citybrain.kernel import predicate
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.listing import Listing, timed
from citybrain.kernel.ports import Series, Source, Transactions
from citybrain.kernel.predicate import And, Compare, Predicate
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Entity, Stream

_MOST = 1000
_Row: TypeAlias = dict[str, Json]
_Mark: TypeAlias = tuple[str, bool, str | float | None, str]


def sources(transactions: Transactions[Connection], registry: Registry, latest: Latest, series: Series) -> Mapping[str, Source]:
    """The sources of all datasets of observe by name."""
    kinds: dict[str, Source] = {
        kind.name: Memory(shelves.of_kind(kind, None), _kind_rows(registry, latest, kind.name)) for kind in registry.kinds()
    }
    own: dict[str, Source] = {
        "entity": Listing(transactions.ask, shelves.ENTITY, "entity", _ENTITY, ("valid_from", "id", "kind")),
        "area": Listing(transactions.ask, shelves.AREA, "area", _AREA, ("code", "level")),
        "stream": Memory(shelves.STREAM, lambda: _stream_rows(registry, latest), partial(_streams_of, registry, latest)),
        "observation": Observed(registry, series, shelves.OBSERVATION),
    }
    return kinds | own


_ENTITY = {
    "id": "id",
    "kind": "kind",
    "title": "title",
    "lon": "lon",
    "lat": "lat",
    "area": "area_id",
    "h3_9": "h3_9",
    "body": "body",
    "version": "version",
    "valid_from": "valid_from",
    "valid_to": "valid_to",
    "origin": "origin",
}
_AREA = {"code": "code", "level": "level", "name": "name", "parent": "parent", "origin": "origin"}


@dataclass(frozen=True, slots=True)
class Memory:
    """A Source over rows that live in memory: latest values and what hangs on them; ordered by id unless asked otherwise.

    ``some`` gives the rows among which those of a predicate are, or None where that is all of them.
    """

    dataset: Dataset
    rows: Callable[[], Iterable[_Row]]
    some: Callable[[Predicate], Iterable[_Row] | None] = lambda _: None

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
            ((_sort(row, order.field), str(row[self.dataset.key]), row) for row in rows if predicate.holds(where, row)),
            key=lambda each: (each[0] is not None, each[0] if each[0] is not None else "", each[1]),
            reverse=order.descending,
        )
        begin = _place([(value, key) for value, key, _ in found], _decode(order, query.cursor), descending=order.descending)
        limit = max(1, min(query.limit, _MOST))
        page = found[begin : begin + limit]
        mark = _encode(order, page[-1][0], page[-1][1]) if len(found) > begin + limit else None
        plain = tuple({name: _plain(value, name in micros) for name, value in row.items()} for _, _, row in page)
        return Page(plain, mark, len(found) if query.count else None)


def _sort(row: _Row, field: str) -> str | float | None:
    value = row[field]
    if isinstance(value, dict):
        return str(value.get("zh"))
    return value if isinstance(value, str | int | float) or value is None else str(value)


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


def _encode(order: Order, value: str | float | None, key: str) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((order.field, order.descending, value, key))).decode()


def _decode(order: Order, cursor: str | None) -> tuple[str | float | None, str] | None:
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


def _plain(value: Json, instant: bool) -> Json:  # noqa: FBT001 - a column's type, not a switch
    return rfc3339(Instant(value)) if instant and isinstance(value, int) else value


def _stream_rows(registry: Registry, latest: Latest) -> Iterable[_Row]:
    table = latest.table()
    for stream, row in zip(registry.streams(), table.to_pylist(), strict=True):
        yield _stream_row(stream, registry.entity(stream.entity), row)


def _streams_of(registry: Registry, latest: Latest, where: Predicate) -> Iterable[_Row] | None:
    """The streams of the ids or the entity that a predicate names; None where it names none."""
    for part in where.parts if isinstance(where, And) else (where,):
        if isinstance(part, And):
            found = _streams_of(registry, latest, part)
            if found is not None:
                return found
        if isinstance(part, Compare) and part.field in ("id", "entity") and part.op in ("eq", "in"):
            named = [str(name) for name in (part.value if isinstance(part.value, tuple) else (part.value,))]
            numbers = registry.stream_numbers()
            own = [numbers[name] for name in named if name in numbers]
            theirs = [stream.no for name in named for stream in registry.streams_of(name)]
            return _rows_of(registry, latest, sorted(set(own if part.field == "id" else theirs)))
    return None


def _rows_of(registry: Registry, latest: Latest, numbers: Sequence[int]) -> Iterable[_Row]:
    streams = registry.streams()
    readings = latest.table(np.array(numbers, np.int32)).to_pylist() if numbers else []
    wanted = [streams[number - 1] for number in numbers]
    return [_stream_row(stream, registry.entity(stream.entity), row) for stream, row in zip(wanted, readings, strict=True)]


def _stream_row(stream: Stream, entity: Entity, row: Mapping[str, Json]) -> _Row:
    contract = stream.contract
    return {
        "id": stream.id,
        "entity": stream.entity,
        "kind": stream.kind,
        "field": stream.field,
        "unit": stream.unit,
        "area": entity.area,
        "time": row["time"],
        "value": row["value"],
        "received": row["received"],
        "life": row["life"],
        "every": _seconds(contract.every),
        "silent_after": _seconds(contract.silent_after),
        "low": contract.low,
        "high": contract.high,
        "contract": "none" if contract == type(contract)() else "stated",
        "source": stream.source,
        "origin": stream.origin,
    }


def _seconds(span: int | None) -> float | None:
    return None if span is None else span / 1_000_000


def _kind_rows(registry: Registry, latest: Latest, kind: str) -> Callable[[], Iterable[_Row]]:
    fields = registry.kind(kind).fields

    def rows() -> Iterable[_Row]:
        entities = registry.entities(kind)
        numbers = registry.stream_numbers()
        streams = [numbers[f"{entity.id}.{field.name}"] for entity in entities for field in fields if field.measured]
        readings = iter(latest.table(np.array(streams, np.int32)).to_pylist() if streams else [])
        for entity in entities:
            place = entity.place
            row: _Row = {
                "id": entity.id,
                "title": msgspec.to_builtins(entity.title),
                "lon": None if place is None else place.lon,
                "lat": None if place is None else place.lat,
                "area": entity.area,
                "origin": entity.origin,
            }
            for field in fields:
                if not field.measured:
                    row[field.name] = entity.body.get(field.name)
                    continue
                reading = next(readings)
                row[field.name] = reading["value"]
                row[f"{field.name}_time"], row[f"{field.name}_life"] = reading["time"], reading["life"]
            yield row

    return rows
