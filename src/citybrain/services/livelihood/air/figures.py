"""The district's air figures: mean index of the stations now, and the share of stations that report everything."""

import ibis
import ibis.expr.types as ir

from citybrain.sdk import DeclarationError, Indicator, Life, Tables, Text
from citybrain.services.livelihood.air.rules import STATION
from citybrain.services.livelihood.air.scale import FIELDS

_NO_STATION = Text("无监测站", "no station")
_NO_VALUE = Text("各监测站均无有效指数", "no station has a valid index")


def mean_index(tables: Tables) -> ir.Table:
    """Mean of the live hourly indices, for the district and every subdistrict; stations without one are unknown."""
    streams = _stations(tables).filter(lambda rows: rows.field == "aqi")
    live = streams.life == Life.LIVE.value
    return _by_area(tables, streams, streams.value, live)


def stations_live(tables: Tables) -> ir.Table:
    """Share (%) of stations whose six pollutants are all live; the others are unknown."""
    streams = _stations(tables)
    streams = streams.filter(streams.field.isin(FIELDS))
    dead = streams.life != Life.LIVE.value
    whole = streams.group_by(["entity", "area"]).agg(
        dead=dead.sum(),
        # The newest time of a station that is whole; the time at which the first stream of another fell silent.
        time=ibis.ifelse(dead.sum() == 0, streams.time.max(), streams.time.min(where=dead)),
    )
    live = whole.dead == 0
    return _by_area(tables, whole, live.cast("float64") * 100, ibis.literal(value=True), live)


def _by_area(
    tables: Tables, rows: ir.Table, value: ir.Value, counts: ir.BooleanValue, live: ir.BooleanValue | None = None
) -> ir.Table:
    """A row for the district (area null) and one for each subdistrict: mean of ``value`` over the rows that count.

    Rows that are not ``live`` are unknown, their oldest time is since when.
    """
    known = counts if live is None else live
    marked = rows.select(
        code=rows.area.substr(0, 9),
        value=ibis.ifelse(counts, value, None),
        dead=(~known).cast("int64"),
        heard=ibis.ifelse(known, rows.time, None),
        lost=ibis.ifelse(known, None, rows.time),
        one=ibis.literal(1, "int64"),
    )
    areas = _table(tables, "area")
    places = areas.filter(areas.level == "subdistrict").select(area=areas.code)
    placed = places.left_join(marked, places.area == marked.code)
    sums = {
        "value": lambda t: t.value.mean(),
        "unknown": lambda t: t.dead.sum().fill_null(0),
        "as_of": lambda t: t.heard.max(),
        "silent_since": lambda t: t.lost.min(),
        "stations": lambda t: t.one.sum().fill_null(0),
    }
    each = placed.group_by("area").agg(**sums)
    all_of_them = marked.agg(**sums).mutate(area=ibis.null("string"))
    both = all_of_them.select("area", *sums).union(each.select("area", *sums))
    none, silent = both.stations == 0, both.value.isnull() & both.silent_since.isnull()
    zh = ibis.cases((none, _NO_STATION.zh), (silent, _NO_VALUE.zh), else_=ibis.null("string"))
    en = ibis.cases((none, _NO_STATION.en), (silent, _NO_VALUE.en), else_=ibis.null("string"))
    return both.mutate(reason_zh=zh, reason_en=en).drop("stations")


def _stations(tables: Tables) -> ir.Table:
    streams = _table(tables, "stream")
    return streams.filter(streams.kind == STATION)


def _table(tables: Tables, name: str) -> ir.Table:
    table = tables.table(name)
    if not isinstance(table, ir.Table):
        raise DeclarationError(Text(f"表“{name}”不是 Ibis 表。", f"The table '{name}' is not an Ibis table."), table=name)
    return table


INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "air_aqi_mean",
        Text("监测站 AQI 均值", "Mean AQI of the stations"),
        "{index}",
        1,
        Text(
            "辖区各监测站最新一小时 AQI（HJ 633 实时报）的算术平均；无有效指数的监测站计为不明，不参与平均。",
            "Arithmetic mean of the stations' newest hourly AQI (real-time report, HJ 633); stations without one are unknown "
            "and left out.",
        ),
        (f"stream:{STATION}.aqi",),
        mean_index,
        better="down",
    ),
    Indicator(
        "air_stations_live",
        Text("监测站在线率", "Share of stations live"),
        "%",
        1,
        Text("六项污染物数值均正常的监测站÷全部监测站。", "Stations whose six pollutants are all live ÷ all stations."),
        tuple(f"stream:{STATION}.{field}" for field in FIELDS),
        stations_live,
        decimals=1,
        better="up",
    ),
)
