"""The rows behind a figure: the cases, alerts, streams, bookings or ratings that it counts, as plain JSON."""

from collections.abc import Mapping, Sequence

import ibis.expr.types as ir

from citybrain.brain.see.counts import ROWS
from citybrain.brain.see.tables import IbisTables, table_of
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.pack import Indicator
from citybrain.kernel.text import Json

_INSTANTS = frozenset(
    ("time", "received", "opened", "due", "closed", "began", "told", "cleared", "begins", "ends", "left_at", "rated", "closing")
)
_ORDER = {"case": "opened", "alert": "began", "stream": "stream", "booking": "begins", "offer_window": "begins", "rating": "rated"}
_NEWEST_FIRST = frozenset(("begins", "rated"))


def rows(tables: IbisTables, one: Indicator, area: str | None, limit: int) -> tuple[dict[str, Json], ...]:
    """At most ``limit`` rows of the first table an indicator speaks of, narrowed to what it counts and to an area."""
    wanted = _wanted(tables, one)
    if wanted is None:
        return ()
    if area is not None:
        wanted = wanted.filter(wanted.area.startswith(area))
    order = next(column for column in _ORDER.values() if column in wanted.columns)
    ordered = wanted.order_by(wanted[order].desc() if order in _NEWEST_FIRST else order)
    found = tables.run(ordered.limit(limit)).to_pylist()
    return tuple(plain(row) for row in found)


def streams(tables: IbisTables, one: Indicator) -> tuple[tuple[str, str], ...]:
    """The streams whose latest values an indicator counts, each with its area ('' for none); none for one of cases, alerts and the like."""
    wanted = _wanted(tables, one)
    if wanted is None or "stream" not in wanted.columns:
        return ()
    return tuple((str(row["stream"]), str(row["area"] or "")) for row in tables.run(wanted.select("stream", "area")).to_pylist())


def plain(row: Mapping[str, object]) -> dict[str, Json]:
    """A row with instants as RFC 3339 and a title in both languages in place of its two columns."""
    kept: dict[str, Json] = {name: _cell(name, value) for name, value in row.items() if not name.endswith(("_zh", "_en"))}
    for name in (name.removesuffix("_zh") for name in row if name.endswith("_zh")):
        kept[name] = {"zh": _cell(name, row[f"{name}_zh"]), "en": _cell(name, row[f"{name}_en"])}
    return kept


def _wanted(tables: IbisTables, one: Indicator) -> ir.Table | None:
    if one.rows is not None:
        return table_of(one.rows(tables))
    return ROWS[one.name](tables) if one.name in ROWS else _inputs(tables, one.inputs)


def _inputs(tables: IbisTables, inputs: Sequence[str]) -> ir.Table | None:
    """The streams ``stream:kind.field`` that inputs name, or the whole of their first table."""
    named = [given.partition(":")[2].partition(".") for given in inputs if given.startswith("stream:")]
    if named:
        streams = tables.table("stream")
        pairs = [(streams.kind == kind) & (streams.field == field) for kind, _, field in named]
        return streams.filter(_either(pairs))
    known = [given for given in inputs if given in _ORDER]
    return tables.table(known[0]) if known else None


def _either(parts: Sequence[ir.BooleanValue]) -> ir.BooleanValue:
    found = parts[0]
    for part in parts[1:]:
        found |= part
    return found


def _cell(name: str, value: object) -> Json:
    if isinstance(value, int) and name in _INSTANTS:
        return rfc3339(Instant(value))
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
