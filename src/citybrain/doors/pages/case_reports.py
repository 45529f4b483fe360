"""What people reported of a case, as its official sees it: read for the stated purpose of handling it, masked where policy masks."""

from typing import Final

from citybrain.doors.pages import report_views, rows
from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Caller, Order, Query
from citybrain.kernel.cases import Case
from citybrain.kernel.predicate import And, Compare
from citybrain.kernel.reports import RATINGS
from citybrain.kernel.text import Text
from citybrain.web.desk_views import ReportLine
from citybrain.web.map_views import Map, Point

_MOST: Final = 100
_PLACE: Final = Text("位置", "Place")


def lines(parts: PageParts, caller: Caller, case: Case) -> tuple[ReportLine, ...]:
    """The reports of a case, oldest first; none where no report opened it."""
    if not case.cause.startswith("report:"):
        return ()
    query = Query("report", Compare("case", "eq", case.id), Order("filed"), _MOST)
    return tuple(_line(case, row) for row in rows.read(parts, caller, query, _purpose(case)).rows)


def photo_of(parts: PageParts, caller: Caller, case: Case, report: str) -> str | None:
    """The reference of a report's photo, if this caller may see it."""
    where = And((Compare("case", "eq", case.id), Compare("id", "eq", report)))
    found = parts.guard.reader(caller, _purpose(case)).read(Query("report", where, limit=1))
    if not found.rows or "photo" in found.masked:
        return None
    reference = found.rows[0]["photo"]
    return reference if isinstance(reference, str) else None


def place_map(parts: PageParts, case: Case) -> Map | None:
    """Where the case lies, among the subdistricts; None for a case without a point."""
    if case.place is None:
        return None
    title = rows.area(parts, case.area)
    spot = Point(case.number, case.title, case.place.lon, case.place.lat, value=title.zh, grade=case.grade)
    made = report_views.subdistrict_map(parts, "place", _PLACE)
    return Map("place", _PLACE, shapes=made.shapes, points=(spot,), approval=made.approval, demo=case.origin != "real")


def _line(case: Case, row: rows.Row) -> ReportLine:
    grade = rows.number(row["grade"])
    photo = row["photo"]
    whole = isinstance(photo, str) and "*" not in photo
    return ReportLine(
        filed=rows.needed(row["filed"]),
        words=_said(row, "words"),
        spot=_said(row, "spot"),
        contact=_said(row, "contact"),
        photo=f"/desk/{case.number}/photos/{row['id']}" if whole else "",
        rating=None if grade is None else dict(RATINGS).get(int(grade)),
        judged=_said(row, "rating"),
        demo=row["origin"] != "real",
    )


def _said(row: rows.Row, name: str) -> str:
    value = row[name]
    return value if isinstance(value, str) else ""


def _purpose(case: Case) -> str:
    return f"办理案件 {case.number}"
