"""The tables an indicator speaks of, as Ibis expressions that are answered by the facts engine as they stood at an instant."""

from collections.abc import Callable, Mapping, Sequence

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import msgspec
import pyarrow as pa

from citybrain.brain.see.facts import ALERT_FACT, CASE_FACT, SQL_TYPES, STATES, state_of
from citybrain.kernel.errors import DeclarationError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Area
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Json, Text
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
_SCHEMAS: dict[str, pa.Schema] = {"case": CASE_FACT, "alert": ALERT_FACT, "stream": STREAM, "area": AREA}


class IbisTables:
    """``case``, ``alert`` (folded from facts at ``now``), ``stream`` (latest values, handed in) and ``area``."""

    def __init__(self, facts: Facts, streams: Callable[[], pa.Table], areas: Callable[[], Sequence[Area]], now: Instant) -> None:
        self._facts = facts
        self._memory: dict[str, Callable[[], pa.Table]] = {"stream": streams, "area": lambda: area_rows(areas())}
        self._texts: dict[str, str] = {}
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
        if not isinstance(expression, ir.Table):
            what = Text("指标的计算式不是 Ibis 表。", "An indicator's measure must be an Ibis table.")
            raise DeclarationError(what, found=type(expression).__name__)
        names = sorted({str(table.name) for table in expression.op().find(ops.UnboundTable)})
        return self._ask(names, str(ibis.to_sql(expression, dialect="duckdb")))

    def origin(self, names: Sequence[str]) -> Origin:
        """``real`` if every row of these tables is; otherwise what the others are."""
        found: set[str] = set()
        for name in names:
            if "origin" in _SCHEMAS[name].names:
                rows = self._ask([name], f'SELECT DISTINCT origin FROM "{name}"')
                found |= {str(value) for value in rows.column("origin").to_pylist()}
        return "demo" if "demo" in found else "generated" if "generated" in found else "real"

    def _ask(self, names: Sequence[str], sql: str) -> pa.Table:
        values: dict[str, Json] = {}
        parts = [f'"{name}" AS ({self._definition(name, values)})' for name in names]
        return self._facts.query(f"WITH {', '.join(parts)} SELECT * FROM ({sql}) AS asked" if parts else sql, values)

    def _definition(self, name: str, values: dict[str, Json]) -> str:
        if name in STATES:
            values["now"] = self._now
            return state_of(self._facts, name)
        if name not in self._texts:
            self._texts[name] = _columns_json(self._memory[name]())
        values[name] = self._texts[name]
        return _unpacked(name, _SCHEMAS[name])


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


def _columns_json(table: pa.Table) -> str:
    columns = {name: [None if cell != cell else cell for cell in table.column(name).to_pylist()] for name in table.schema.names}  # noqa: PLR0124 - NaN
    return msgspec.json.encode(columns).decode()


def _unpacked(name: str, schema: pa.Schema) -> str:
    shape = ", ".join(f'"{field.name}": ["{SQL_TYPES[field.type]}"]' for field in schema)
    columns = ", ".join(f'unnest(given."{field.name}") AS "{field.name}"' for field in schema)
    return f"SELECT {columns} FROM (SELECT from_json(${name}, '{{{shape}}}') AS given) AS handed"
