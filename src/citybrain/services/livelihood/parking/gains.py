"""What sharing berths has brought in the last seven days, each against the forecast of the same days without it.

Without action an owner's berths stay shut to others, so the forecast of each is what the record holds of the seven days before the
first berth was shared: nothing. What is gained is the whole of what was measured; whether a driver would have found another berth
is not known, and the definitions say so.
"""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from citybrain.sdk import DAY, HOUR, DeclarationError, Indicator, Tables, Text
from citybrain.services.livelihood.parking.lots import LOT

WINDOW = 7 * DAY
"""The span over which gains are counted, up to now."""
_DAYS = 7


def kept(tables: Tables) -> ir.Table:
    """Bookings that began in the window and were kept."""
    booked, now = _of_lots(tables, "booking"), _now(tables)
    return booked.filter(booked.state.isin(("arrived", "done")), booked.begins > now - WINDOW, booked.begins <= now)


def opened(tables: Tables) -> ir.Table:
    """Stretches for which berths were open to others in the window, with their ``hours`` in it."""
    shared, now = _of_lots(tables, "offer_window"), _now(tables)
    length = ibis.least(shared.ends, now) - ibis.greatest(shared.begins, now - WINDOW)
    return shared.mutate(hours=length.cast("float64") / HOUR).filter(length > 0)


def opened_now(tables: Tables) -> ir.Table:
    """Stretches for which berths are open to others at this moment."""
    shared, now = _of_lots(tables, "offer_window"), _now(tables)
    return shared.filter(shared.begins <= now, shared.ends > now)


def turnover_gained(tables: Tables) -> ir.Table:
    """Cars a day that kept a booking of a shared berth, by subdistrict and for the district."""
    return _by_area(kept(tables), lambda rows: rows.units.sum() / _DAYS)


def hours_released(tables: Tables) -> ir.Table:
    """Berth hours that owners opened to others, by subdistrict and for the district."""
    return _by_area(opened(tables), lambda rows: (rows.hours * rows.units).sum())


def berths_added(tables: Tables) -> ir.Table:
    """Berths that owners open to others now, by subdistrict and for the district."""
    return _by_area(opened_now(tables), lambda rows: rows.units.sum())


def _by_area(rows: ir.Table, total: Callable[[ir.Table], ir.NumericScalar]) -> ir.Table:
    marked = rows.mutate(code=rows.area.substr(0, 9))
    sums = {
        "value": lambda part: ibis.coalesce(total(part).cast("float64"), 0.0),
        "unknown": lambda _: ibis.literal(0, "int64"),
    }
    everywhere = marked.agg(**sums).mutate(area=ibis.null("string"))
    each = marked.filter(marked.code.notnull()).group_by("code").agg(**sums).rename(area="code")
    return everywhere.select("area", *sums).union(each.select("area", *sums))


def _now(tables: Tables) -> ir.IntegerScalar:
    return _of(tables, "moment").now.as_scalar()


def _of_lots(tables: Tables, name: str) -> ir.Table:
    found = _of(tables, name)
    return found.filter(found.kind == LOT)


def _of(tables: Tables, name: str) -> ir.Table:
    found = tables.table(name)
    if not isinstance(found, ir.Table):
        raise DeclarationError(Text(f"表“{name}”不是 Ibis 表。", f"The table '{name}' is no Ibis table."), table=name)
    return found


_WITHOUT = Text(
    "对照（不采取行动的预测）：不开展错时共享时，这些泊位不对外开放，预测值按定义为 0；驾驶人是否能另找到泊位无从得知。",
    "Forecast without action: unshared, these berths stay shut to others, so the forecast is 0 by definition; whether a driver would have found another "
    "berth is not known.",
)


def _gain(
    name: str,
    title: Text,
    unit: str,
    what: Text,
    source: str,
    measure: Callable[[Tables], ir.Table],
    rows: Callable[[Tables], ir.Table],
) -> Indicator:
    words = Text(f"{what.zh}{_WITHOUT.zh}", f"{what.en} {_WITHOUT.en}")
    return Indicator(name, title, unit, 1, words, (source,), measure, decimals=0, better="up", rows=rows)


GAINS: tuple[Indicator, ...] = (
    _gain(
        "parking_turnover_gained",
        Text("错时共享增加的周转", "Turnover gained by sharing"),
        "{vehicle}/d",
        Text("近7日预订并实际到场的共享泊位数÷7。", "Shared berths that were booked and used in the last 7 days ÷ 7."),
        "booking",
        turnover_gained,
        kept,
    ),
    _gain(
        "parking_hours_released",
        Text("错时共享开放的泊位小时", "Off-peak berth hours released"),
        "h",
        Text("近7日业主对外开放的泊位数×小时数之和。", "Sum over the last 7 days of berths × hours that owners opened to others."),
        "offer_window",
        hours_released,
        opened,
    ),
    _gain(
        "parking_berths_added",
        Text("错时共享新增泊位", "Berths added by sharing"),
        "{space}",
        Text("此刻业主对外开放的泊位数。", "Berths that owners open to others at this moment."),
        "offer_window",
        berths_added,
        opened_now,
    ),
)
