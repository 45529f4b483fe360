"""How satisfied people are with what became of their reports, from their own ratings; who did not rate is not counted."""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from citybrain.sdk import DAY, DeclarationError, Indicator, Tables, Text

FORM = "street"
WINDOW = 90 * DAY
"""The span over which ratings are counted, up to now."""
SATISFIED = 3
"""基本满意 and better; what is below is a complaint (差评)."""
_NONE = Text("近90日没有评价", "nobody rated in the last 90 days")


def rated(tables: Tables) -> ir.Table:
    """The ratings of the window."""
    found, now = _of(tables, "rating"), _of(tables, "moment").now.as_scalar()
    return found.filter(found.form == FORM, found.rated > now - WINDOW)


def satisfaction(tables: Tables) -> ir.Table:
    """Share (%) of ratings of grade 3 to 5, by subdistrict and for the district; without a rating there is no value."""
    return _by_area(rated(tables), lambda rows: (rows.grade >= SATISFIED).cast("float64").mean() * 100.0)


def ratings(tables: Tables) -> ir.Table:
    """How many ratings there are, by subdistrict and for the district."""
    return _by_area(rated(tables), lambda rows: rows.count().cast("float64"))


def _of(tables: Tables, name: str) -> ir.Table:
    found = tables.table(name)
    if not isinstance(found, ir.Table):
        raise DeclarationError(Text(f"“{name}”不是 Ibis 表。", f"'{name}' is no Ibis table."))
    return found


def _by_area(rows: ir.Table, total: Callable[[ir.Table], ir.NumericScalar]) -> ir.Table:
    marked = rows.mutate(code=rows.area.substr(0, 9))
    sums = {"value": total, "unknown": lambda _: ibis.literal(0, "int64")}
    everywhere = marked.agg(**sums).mutate(area=ibis.null("string"))
    each = marked.filter(marked.code.notnull()).group_by("code").agg(**sums).rename(area="code")
    both = everywhere.select("area", *sums).union(each.select("area", *sums))
    missing = both.value.isnull()
    said = {name: ibis.cases((missing, ibis.literal(words)), else_=ibis.null("string")) for name, words in _REASON.items()}
    return both.mutate(**said)


_REASON = {"reason_zh": _NONE.zh, "reason_en": _NONE.en}
INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "report_satisfaction",
        Text("上报满意率", "Satisfied with the outcome"),
        "%",
        1,
        Text(
            "近90日评价为“非常满意、满意、基本满意”的件数÷评价件数。评价由上报人在办结后作出；未评价的不计入，因此不代表全部上报人。",
            "Ratings of fairly satisfied or better ÷ all ratings in the last 90 days, given by reporters after a closing; who did not rate "
            "is not counted, so it does not speak for all reporters.",
        ),
        ("rating",),
        satisfaction,
        decimals=1,
        better="up",
        rows=rated,
    ),
    Indicator(
        "report_ratings",
        Text("上报评价数", "Closings rated"),
        "{case}",
        1,
        Text(
            "近90日上报人对办结情况的评价件数；满意率以此为分母。",
            "Ratings of closings by reporters in the last 90 days: what the share of the satisfied is of.",
        ),
        ("rating",),
        ratings,
        better="neither",
        rows=rated,
    ),
)
