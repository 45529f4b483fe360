"""The tables an indicator speaks of, as Ibis expressions that are answered by the facts engine as they stood at an instant."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from citybrain.brain.see.facts import ALERT_FACT, BOOKING_FACT, CASE_FACT, RATING_FACT, STATES, WINDOW_FACT, state_of
from citybrain.kernel.errors import DeclarationError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Area
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin, Stream

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
    "life": pa.string(),
    "origin": pa.string(),
}
STREAM = pa.schema(_STREAM_COLUMNS)
"""The latest value of every stream; time null for one that never reported; ``life`` as in kernel.things.Life."""
AREA = pa.schema({"code": pa.string(), "level": pa.string(), "name_zh": pa.string(), "name_en": pa.string()})
_SCHEMAS: dict[str, pa.Schema] = {
    "case": CASE_FACT,
    "alert": ALERT_FACT,
    "booking": BOOKING_FACT,
    "offer_window": WINDOW_FACT,
    "rating": RATING_FACT,
    "stream": STREAM,
    "area": AREA,
}


class IbisTables:
    """``case``, ``alert``, ``booking``, ``offer_window``, ``rating`` (facts at ``now``), ``stream`` (latest values, handed in) and ``area``."""

    def __init__(self, facts: Facts, streams: Callable[[], pa.Table], areas: Callable[[], Sequence[Area]], now: Instant) -> None:
        self._facts = facts
        self._memory: dict[str, Callable[[], pa.Table]] = {"stream": streams, "area": lambda: area_rows(areas())}
        self._made: dict[str, pa.Table] = {}
        self._now = now

    @property
    def now(self) -> Instant:
        """The city time for which figures are computed."""
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
        names, sql = _compiled(table_of(expression).op())
        return self._facts.query(sql, {}, {name: self._rows(name) for name in names})

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
                self._made[name] = self._facts.query(state_of(self._facts, name), {"now": self._now})
            else:
                self._made[name] = _without_nan(self._memory[name]())
        return self._made[name]


def table_of(expression: object) -> ir.Table:
    """An expression that a pack made, as the Ibis table that it must be; raises DeclarationError."""
    if isinstance(expression, ir.Table):
        return expression
    what = Text("指标的计算式不是 Ibis 表。", "An indicator's measure must be an Ibis table.")
    raise DeclarationError(what, found=type(expression).__name__)


def stream_rows(streams: Sequence[Stream], areas: Mapping[str, str | None], latest: pa.Table) -> pa.Table:
    """STREAM rows from streams, the area of each entity, and latest values (stream_no, time, value, received, life)."""
    known = pa.table(
        {
            "stream_no": pa.array([stream.no for stream in streams], pa.int32()),
            "stream": pa.array([stream.id for stream in streams], pa.string()),
            "area": pa.array([areas.get(stream.entity) for stream in streams], pa.string()),
            **{
                name: pa.array([getattr(stream, name) for stream in streams], pa.string())
                for name in ("entity", "kind", "field", "unit", "origin")
            },
        }
    )
    newest = latest.select(["stream_no", "time", "value", "received", "life"])
    joined = known.join(newest.set_column(0, "stream_no", newest.column("stream_no").cast(pa.int32())), "stream_no")
    life = [cell or "never" for cell in joined.column("life").to_pylist()]
    joined = joined.set_column(joined.schema.get_field_index("life"), "life", pa.array(life, pa.string()))
    return joined.select(STREAM.names).cast(STREAM)


def area_rows(areas: Sequence[Area]) -> pa.Table:
    """AREA rows of areas."""
    rows = [{"code": area.code, "level": area.level, "name_zh": area.name.zh, "name_en": area.name.en} for area in areas]
    return pa.Table.from_pylist(rows, schema=AREA)


@lru_cache(maxsize=256)
def _compiled(expression: ops.Relation) -> tuple[tuple[str, ...], str]:
    """The tables an expression reads, and its SQL; most figures ask the same thing every time."""
    names = sorted({str(table.name) for table in expression.find(ops.UnboundTable)})
    return tuple(names), str(ibis.to_sql(expression.to_expr(), dialect="duckdb"))


def _without_nan(table: pa.Table) -> pa.Table:
    """The table with null for NaN."""
    for place, field in enumerate(table.schema):
        if field.type == pa.float64():
            column = table.column(place)
            table = table.set_column(place, field, pc.if_else(pc.is_nan(column), None, column))
    return table
