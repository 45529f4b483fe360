"""Reports and ratings as rows, always inside a transaction that the caller holds."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, RowMapping, insert, select

from citybrain.brain.act import records
from citybrain.brain.act.store import CASE, RATING, REPORT
from citybrain.kernel.cases import Case
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin


class Report(msgspec.Struct, frozen=True):
    """A report as it stands; ``erased`` is when its words, contact and photo were deleted."""

    id: str
    form: str
    case: str
    code: str
    words: str
    spot: str
    contact: str
    photo: str | None
    lon: float | None
    lat: float | None
    area: str | None
    account: str | None
    content: str
    follow: str
    sealed: str
    filed: Instant
    wall: Instant
    erased: Instant | None
    origin: Origin

    @property
    def place(self) -> Place | None:
        """Its point, where it has one."""
        return None if self.lon is None or self.lat is None else Place(self.lon, self.lat)


class Rating(msgspec.Struct, frozen=True):
    """How the reporter judged a closing: grade 5 (best) to 1, and whether it is solved."""

    id: str
    report: str
    closing: Instant
    grade: int
    solved: bool
    words: str
    at: Instant
    wall: Instant


def find(connection: Connection, report_id: str) -> Report | None:
    """A report by id, or None."""
    row = connection.execute(select(REPORT).where(REPORT.c.id == report_id)).mappings().first()
    return None if row is None else _report(row)


def add(connection: Connection, report: Report) -> None:
    """Write a report, once: one of the same id stays as it is."""
    if find(connection, report.id) is None:
        connection.execute(insert(REPORT).values(**msgspec.structs.asdict(report)))


def of_case(connection: Connection, case: str) -> tuple[Report, ...]:
    """The reports of a case, oldest first."""
    rows = connection.execute(select(REPORT).where(REPORT.c.case == case).order_by(REPORT.c.filed, REPORT.c.id)).mappings()
    return tuple(_report(row) for row in rows)


def under(connection: Connection, number: str) -> tuple[Case, tuple[Report, ...]]:
    """A case by number with its reports; raises NotFoundError."""
    case = records.find_case(connection, CASE.c.number == number)
    if case is None:
        raise NotFoundError(Text(f"没有编号“{number}”。", f"There is no number '{number}'."), number=number)
    return case, of_case(connection, case.id)


def open_key(connection: Connection, number: str, form: str) -> str | None:
    """The key of the case of a number, if it was reported by this form and is open; raises NotFoundError for no such report."""
    chosen = select(CASE.c.open_key).join(REPORT, REPORT.c.case == CASE.c.id).where(CASE.c.number == number, REPORT.c.form == form)
    row = connection.execute(chosen).first()
    if row is None:
        raise NotFoundError(Text(f"没有可并入的上报“{number}”。", f"There is no report '{number}' to join."), number=number)
    return None if row.open_key is None else str(row.open_key)


def open_since(connection: Connection, form: str, since: Instant, limit: int) -> Sequence[tuple[Report, Case]]:
    """Reports of a form that were filed since and whose case is open, newest first."""
    chosen = (
        select(REPORT)
        .join(CASE, CASE.c.id == REPORT.c.case)
        .where(REPORT.c.form == form, REPORT.c.filed >= since, CASE.c.closed.is_(None))
        .order_by(REPORT.c.filed.desc())
        .limit(limit)
    )
    found = [_report(row) for row in connection.execute(chosen).mappings()]
    cases = {one.case: records.load_case(connection, one.case) for one in found}
    return [(one, cases[one.case]) for one in found]


def ratings(connection: Connection, report: str) -> tuple[Rating, ...]:
    """How a report's closings were judged, oldest first."""
    rows = connection.execute(select(RATING).where(RATING.c.report == report).order_by(RATING.c.at, RATING.c.id)).mappings()
    return tuple(msgspec.convert({name: row[name] for name in Rating.__struct_fields__}, Rating) for row in rows)


def add_rating(connection: Connection, rating: Rating) -> None:
    """Write a rating; sqlalchemy's IntegrityError where this closing was rated already."""
    connection.execute(insert(RATING).values(**msgspec.structs.asdict(rating)))


def _report(row: RowMapping) -> Report:
    return msgspec.convert({name: row[name] for name in Report.__struct_fields__}, Report)
