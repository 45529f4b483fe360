"""The tables an indicator speaks of, as Ibis expressions that are answered by the facts engine as they stood at an instant."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from citybrain.brain.see.facts import ALERT_FACT, BOOKING_FACT, CASE_FACT, RATING_FACT, STATES, WINDOW_FACT
from citybrain.brain.see.folds import Folds
from citybrain.kernel.errors import DeclarationError, NotFoundError
from citybrain.kernel.instant import Instant, local_date, midnight
from citybrain.kernel.places import Area
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity, Origin, Stream

_STREAM_COLUMNS: dict[str, pa.DataType] = {
    "stream": pa.string(),
    "entity": pa.string(),
    "kind": pa.string(),
    "field": pa.string(),
    "area": pa.string(),
    "unit": pa.string(),
    "value": pa.float64(),
    "time": pa.int64(),
    "received": pa.int64(),
    "door": pa.string(),
    "life": pa.string(),
    "origin": pa.string(),
}
STREAM = pa.schema(_STREAM_COLUMNS)
"""The latest value of every stream and how it came in; time null for one that never reported; ``life`` as in kernel.things.Life."""
MOMENT = pa.schema({"now": pa.int64(), "today": pa.int64()})
"""One row: the city time for which figures are computed, and the midnight before it."""
AREA = pa.schema({"code": pa.string(), "level": pa.string(), "name_zh": pa.string(), "name_en": pa.string()})
_SCHEMAS: dict[str, pa.Schema] = {
    "case": CASE_FACT,
    "alert": ALERT_FACT,
    "booking": BOOKING_FACT,
    "offer_window": WINDOW_FACT,
    "rating": RATING_FACT,
    "stream": STREAM,
    "area": AREA,
    "moment": MOMENT,
}


class Plan(NamedTuple):
    """The tables that an expression reads, and its SQL."""

    names: tuple[str, ...]
    sql: str


class IbisTables:
    """``case``, ``alert``, ``booking``, ``offer_window``, ``rating`` (facts at ``now``), ``stream`` (latest values, handed in), ``area``, ``moment``."""

    def __init__(
        self,
        facts: Facts,
        streams: Callable[[], pa.Table],
        areas: Callable[[], Sequence[Area]],
        now: Instant,
        folds: Folds | None = None,
    ) -> None:
        self._facts = facts
        self._folds = Folds(facts) if folds is None else folds
        self._memory: dict[str, Callable[[], pa.Table]] = {
            "stream": streams,
            "area": lambda: area_rows(areas()),
            "moment": lambda: moment_row(now),
        }
        self._made: dict[str, pa.Table] = {}
        self._now = now
        self.timeless = True
        """Whether nobody asked what time it is: what was built then is right at any time."""

    @property
    def now(self) -> Instant:
        """The city time for which figures are computed; who asks the table ``moment`` instead is not built anew each time."""
        self.timeless = False
        return self._now

    def table(self, name: str) -> ir.Table:
        """The Ibis table of a name; raises NotFoundError naming those there are."""
        try:
            return ibis.table(ibis.Schema.from_pyarrow(_SCHEMAS[name]), name=name)
        except KeyError:
            known = ", ".join(_SCHEMAS)
            raise NotFoundError(
                Text(f"没有表“{name}”。可用：{known}。", f"There is no table '{name}'. There are: {known}.")
            ) from None

    def run(self, expression: object) -> pa.Table:
        """The rows of an expression over these tables, computed by the facts engine; raises DeclarationError for anything else."""
        return self.answer(plan(expression))

    def answer(self, planned: "Plan") -> pa.Table:
        """The rows of a plan over these tables."""
        return self._facts.query(planned.sql, {}, {name: self._rows(name) for name in planned.names})

    def origin(self, names: Sequence[str]) -> Origin:
        """``real`` if every row of these tables is; otherwise what the others are."""
        found: set[str] = set()
        for name in names:
            if "origin" in _SCHEMAS[name].names:
                found |= {str(value) for value in self._rows(name).column("origin").unique().to_pylist()}
        return "demo" if "demo" in found else "generated" if "generated" in found else "real"

    def _rows(self, name: str) -> pa.Table:
        """The rows of a table, made once: what is folded from facts is the same for every figure of an instant."""
        if name not in self._made:
            if name in STATES:
                self._made[name] = self._folds.at(name, self._now)
            else:
                self._made[name] = _without_nan(self._memory[name]())
        return self._made[name]


def table_of(expression: object) -> ir.Table:
    """An expression that a pack made, as the Ibis table that it must be; raises DeclarationError."""
    if isinstance(expression, ir.Table):
        return expression
    what = Text("指标的计算式不是 Ibis 表。", "An indicator's measure must be an Ibis table.")
    raise DeclarationError(what, found=type(expression).__name__)


class Register(Protocol):
    """What is known of streams beside their values; ``version`` grows with each change."""

    version: int

    def streams(self) -> Sequence[Stream]:
        """All streams, by number from 1, also those that have ended."""
        ...

    def entity(self, name: str, /) -> Entity:
        """An entity by id."""
        ...


class StreamRows:
    """The table ``stream``: STREAM rows of the streams that have not ended, as they are now.

    What does not change of them is made once a version.
    """

    def __init__(self, register: Register, latest: Callable[[], pa.Table]) -> None:
        self._register = register
        self._latest = latest
        self._version = -1
        self._known = STREAM.empty_table()
        self._ended: pa.BooleanArray | None = None

    def __call__(self) -> pa.Table:
        """The rows; ``latest`` has all streams by number too, so one stands beside the other."""
        if self._version != self._register.version:
            self._version, self._known = self._register.version, _known(self._register)
            ended = [stream.ended is not None for stream in self._register.streams()]
            self._ended = pa.array(ended, pa.bool_()) if any(ended) else None
        latest = self._latest()
        count = min(self._known.num_rows, latest.num_rows)
        known, newest = self._known.slice(0, count), latest.slice(0, count)
        columns = [(newest if name in newest.schema.names else known).column(name) for name in STREAM.names]
        whole = pa.table(columns, names=STREAM.names).cast(STREAM)
        return whole if self._ended is None else whole.filter(pc.invert(self._ended.slice(0, count)))


def _known(register: Register) -> pa.Table:
    streams = register.streams()
    columns = {name: [getattr(stream, name) for stream in streams] for name in ("entity", "kind", "field", "unit", "origin")}
    columns |= {"stream": [stream.id for stream in streams], "area": [register.entity(stream.entity).area for stream in streams]}
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


def area_rows(areas: Sequence[Area]) -> pa.Table:
    """AREA rows of areas."""
    rows = [{"code": area.code, "level": area.level, "name_zh": area.name.zh, "name_en": area.name.en} for area in areas]
    return pa.Table.from_pylist(rows, schema=AREA)


def moment_row(now: Instant) -> pa.Table:
    """The MOMENT row of an instant."""
    return pa.Table.from_pylist([{"now": now, "today": midnight(local_date(now))}], schema=MOMENT)


def plan(expression: object) -> Plan:
    """The plan of an expression; raises DeclarationError for what is no Ibis table."""
    table = table_of(expression)
    names = sorted({str(found.name) for found in table.op().find(ops.UnboundTable)})
    return Plan(tuple(names), str(ibis.to_sql(table, dialect="duckdb")))


def _without_nan(table: pa.Table) -> pa.Table:
    """The table with null for NaN."""
    for place, field in enumerate(table.schema):
        if field.type == pa.float64():
            column = table.column(place)
            table = table.set_column(place, field, pc.if_else(pc.is_nan(column), None, column))
    return table
