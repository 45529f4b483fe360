"""What the house counts: rows of cases, alerts and streams, marked and summed for the district and for every subdistrict.

A mark is (area, hit, base, unknown, since): whether the row counts, among how many, and since when it cannot be known.
"""

from collections.abc import Callable
from typing import TypeAlias

import ibis
import ibis.expr.types as ir

from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.pack import Tables
from citybrain.kernel.text import Text

PERIOD_DAYS = 30
_DISMISSED = "dismissed"
_SUBDISTRICT = 9
NO_CASES = Text("近30日没有应结案的案件", "no case fell due or was closed in the last 30 days")
NO_STREAMS = Text("没有在线监测项", "no stream is declared here")

Marks = Callable[[Tables], ir.Table]
Bound: TypeAlias = Instant | ir.NumericValue
"""An instant, or what Ibis is to read as one."""


def open_cases(tables: Tables) -> ir.Table:
    """Cases that are not closed."""
    cases = _table(tables, "case")
    return cases.filter(cases.closed.isnull())


def overdue_cases(tables: Tables) -> ir.Table:
    """Open cases whose promised time has run out."""
    cases = open_cases(tables)
    return cases.filter(cases.due < _table(tables, "moment").now.as_scalar())


def closed_cases(tables: Tables, since: Bound, until: Bound) -> ir.Table:
    """Cases closed in [since, until), those not accepted (不予受理) left out."""
    cases = _table(tables, "case")
    return cases.filter((cases.closed >= since) & (cases.closed < until) & (cases.state != _DISMISSED))


def reckoned_cases(tables: Tables, since: Bound, until: Bound) -> ir.Table:
    """Cases whose outcome became known in [since, until): closed in time then, or run out of time then.

    Every case has one such instant, the earlier of its closing and its due time, so that periods add up.
    """
    cases = _table(tables, "case")
    known = ibis.least(ibis.coalesce(cases.closed, cases.due), cases.due)
    return cases.filter((known >= since) & (known < until) & (cases.state != _DISMISSED))


def closed_today(tables: Tables) -> ir.Table:
    """Cases closed since the district's midnight."""
    moment = _table(tables, "moment")
    return closed_cases(tables, moment.today.as_scalar(), moment.now.as_scalar() + 1)


def reckoned_lately(tables: Tables) -> ir.Table:
    """Cases of the on-time closing rate: reckoned in the last 30 days, today included."""
    moment = _table(tables, "moment")
    return reckoned_cases(tables, moment.today.as_scalar() - (PERIOD_DAYS - 1) * DAY, moment.now.as_scalar() + 1)


def open_alerts(tables: Tables) -> ir.Table:
    """Alerts that have not been cleared."""
    alerts = _table(tables, "alert")
    return alerts.filter(alerts.state == "open")


def watched_streams(tables: Tables) -> ir.Table:
    """Streams that should report now: all but those in their closed hours."""
    streams = _table(tables, "stream")
    return streams.filter(streams.life != "closed")


ROWS: dict[str, Callable[[Tables], ir.Table]] = {
    "open_cases": open_cases,
    "overdue_cases": overdue_cases,
    "closed_today": closed_today,
    "on_time_closing_rate": reckoned_lately,
    "streams_live": watched_streams,
    "streams_live_share": watched_streams,
    "alerts_open": open_alerts,
}
"""What stands behind each figure."""


def case_marks(rows: Callable[[Tables], ir.Table]) -> Marks:
    """Cases, each a hit."""

    def marks(tables: Tables) -> ir.Table:
        return _marked(rows(tables), hit=ibis.literal(1))

    return marks


def on_time_marks(tables: Tables) -> ir.Table:
    """Cases of the on-time closing rate; a hit was closed in time."""
    cases = reckoned_lately(tables)
    return _marked(cases, hit=ibis.coalesce(cases.on_time, ibis.literal(value=False)).cast("int64"))


def live_marks(tables: Tables) -> ir.Table:
    """Streams that should report; a hit is live, the others are unknown since their last reading."""
    streams = watched_streams(tables)
    dead = streams.life != "live"
    since = ibis.cases((dead, streams.time), else_=ibis.null("int64"))
    return _marked(streams, hit=(~dead).cast("int64"), unknown=dead.cast("int64"), since=since)


def alert_marks(tables: Tables) -> ir.Table:
    """Open alerts; what has a stream that is not live is unknown: no rule can see it."""
    streams = watched_streams(tables)
    blind = streams.filter(streams.life != "live").group_by(["entity", "area"]).agg(since=lambda rows: rows.time.min())
    unseen = _marked(blind, hit=ibis.literal(0), unknown=ibis.literal(1), since=blind.since)
    return _marked(open_alerts(tables), hit=ibis.literal(1)).union(unseen)


_NONE = ibis.literal(0, "int64")
_NEVER = ibis.null("int64")


def _marked(rows: ir.Table, hit: ir.Value, unknown: ir.Value = _NONE, since: ir.Value = _NEVER) -> ir.Table:
    return rows.select(
        area=rows.area.substr(0, _SUBDISTRICT),
        hit=hit.cast("int64"),
        base=ibis.literal(1, "int64"),
        unknown=unknown.cast("int64"),
        since=since,
    )


def counted(marks: Marks) -> Callable[[Tables], object]:
    """The measure that counts hits."""
    return lambda tables: by_area(tables, marks(tables), lambda rows: rows.hit.sum().fill_null(0).cast("float64"), None)


def shared(marks: Marks, empty: Text) -> Callable[[Tables], object]:
    """The measure of hits among all, in percent; where there are none it has no value, for the reason ``empty``."""

    def share(rows: ir.Table) -> ir.Value:
        return rows.hit.sum().cast("float64") * 100.0 / rows.base.sum().nullif(0)

    return lambda tables: by_area(tables, marks(tables), share, empty)


def by_area(tables: Tables, marks: ir.Table, value: Callable[[ir.Table], ir.Value], empty: Text | None) -> ir.Table:
    """The district's figure (area null) and one for each subdistrict, whether or not it has rows."""
    areas = _table(tables, "area")
    places = areas.filter(areas.level == "subdistrict").select(place=areas.code)
    placed = places.left_join(marks, places.place == marks.area)
    sums = {
        "value": value,
        "unknown": lambda rows: rows.unknown.sum().fill_null(0),
        "silent_since": lambda rows: rows.since.min(),
    }
    each = placed.group_by("place").agg(**sums)
    whole = marks.agg(**sums).mutate(place=ibis.null("string"))
    both = whole.select("place", *sums).union(each.select("place", *sums))
    reason_zh, reason_en = (ibis.null("string"),) * 2 if empty is None else (ibis.literal(empty.zh), ibis.literal(empty.en))
    missing = both.value.isnull()
    return both.select(
        area=both.place,
        value=both.value,
        unknown=both.unknown,
        silent_since=both.silent_since,
        reason_zh=ibis.cases((missing, reason_zh), else_=ibis.null("string")),
        reason_en=ibis.cases((missing, reason_en), else_=ibis.null("string")),
    )


def _table(tables: Tables, name: str) -> ir.Table:
    table = tables.table(name)
    if not isinstance(table, ir.Table):
        raise DeclarationError(Text(f"表“{name}”不是 Ibis 表。", f"The table '{name}' is not an Ibis table."), table=name)
    return table
