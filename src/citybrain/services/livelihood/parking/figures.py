"""The district's parking figures: how full its lots are, and how many berths are free; closed and silent lots are unknown."""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from citybrain.sdk import DeclarationError, Indicator, Life, Tables, Text
from citybrain.services.livelihood.parking.lots import LOT


def mean_occupancy(tables: Tables) -> ir.Table:
    """Mean occupancy (%) of the lots with a live value, by subdistrict and for the district; the others are unknown."""
    return _by_area(tables, "occupancy", lambda value: value.mean())


def free_berths(tables: Tables) -> ir.Table:
    """Berths free at the lots with a live value, by subdistrict and for the district; lots without one are unknown."""
    return _by_area(tables, "free", lambda value: value.sum())


def _by_area(tables: Tables, field: str, total: Callable[[ir.NumericColumn], ir.NumericScalar]) -> ir.Table:
    streams = tables.table("stream")
    if not isinstance(streams, ir.Table):
        raise DeclarationError(Text("监测流不是 Ibis 表。", "The streams are no Ibis table."))
    lots = streams.filter((streams.kind == LOT) & (streams.field == field))
    live, closed = lots.life == Life.LIVE.value, lots.life == Life.CLOSED.value
    marked = lots.select(
        code=lots.area.substr(0, 9),
        value=ibis.ifelse(live, lots.value, None),
        dead=(~live).cast("int64"),
        closed=closed.cast("int64"),
        lost=ibis.ifelse(live | closed, None, lots.time),
    )
    sums = {
        "value": lambda rows: total(rows.value),
        "unknown": lambda rows: rows.dead.sum().fill_null(0),
        "closed": lambda rows: rows.closed.sum().fill_null(0),
        "silent_since": lambda rows: rows.lost.min(),
    }
    each = marked.filter(marked.code.notnull()).group_by("code").agg(**sums).rename(area="code")
    everywhere = marked.agg(**sums).mutate(area=ibis.null("string"))
    return everywhere.select("area", *sums).union(each.select("area", *sums))


INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "parking_occupancy",
        Text("停车泊位占用率", "Occupancy of car parks"),
        "%",
        1,
        Text(
            "各停车场最新占用率的算术平均；休息、中断和数据矛盾的停车场计为不明，不参与平均。",
            "Arithmetic mean of the lots' newest occupancy; lots that are closed, silent or contradict themselves are unknown and left out.",
        ),
        (f"stream:{LOT}.occupancy",),
        mean_occupancy,
        better="neither",
    ),
    Indicator(
        "parking_free",
        Text("空余泊位", "Berths free"),
        "{space}",
        1,
        Text(
            "有有效数据的停车场空余泊位之和；其余停车场计为不明，不按零计。",
            "Sum of the berths free at lots with a live value; the other lots are unknown, not zero.",
        ),
        (f"stream:{LOT}.free",),
        free_berths,
        better="up",
    ),
)
