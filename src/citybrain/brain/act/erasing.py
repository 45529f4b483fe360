"""What is personal in a report goes when its time is over: words, place in words, contact, photo and the words of ratings."""

from sqlalchemy import Connection, func, select, update

from citybrain.brain.act import waiting_photos
from citybrain.brain.act.store import CASE, RATING, REPORT, STEP
from citybrain.kernel.clock import Clock
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.ports import Files, Transactions
from citybrain.kernel.reports import ReportForm

_AT_ONCE = 200
_GONE = {"words": "", "spot": "", "contact": "", "content": "", "photo": None}


def erase_due(transactions: Transactions[Connection], files: Files, form: ReportForm, clock: Clock) -> int:
    """Erase the reports of a form whose case has been closed for its days, by the wall clock; returns how many there were.

    Photos go before the rows that name them: a kill in between is mended by the next run, and leaves no photo behind.
    """
    now = clock.wall()
    with transactions.read() as connection:
        due = _due(connection, form, Instant(now - form.keep_days * DAY))
        reports = {report for report, _ in due}
        lonely = [photo for photo in {photo for _, photo in due if photo} if _lonely(connection, photo, reports)]
    for photo in lonely:
        files.remove(photo)
    with transactions.begin() as tx:
        for report, _ in due:
            tx.connection.execute(update(REPORT).where(REPORT.c.id == report).values(**_GONE, erased=now))
            tx.connection.execute(update(RATING).where(RATING.c.report == report).values(words=""))
    return len(due)


def _due(connection: Connection, form: ReportForm, before: Instant) -> list[tuple[str, str | None]]:
    last = select(func.max(STEP.c.wall)).where(STEP.c.case == CASE.c.id).scalar_subquery()
    chosen = (
        select(REPORT.c.id, REPORT.c.photo)
        .join(CASE, CASE.c.id == REPORT.c.case)
        .where(REPORT.c.form == form.name, REPORT.c.erased.is_(None), CASE.c.closed.is_not(None), last <= before)
        .limit(_AT_ONCE)
    )
    return [(row.id, row.photo) for row in connection.execute(chosen)]


def _lonely(connection: Connection, photo: str, reports: set[str]) -> bool:
    """Whether none but these reports names a photo, no step does, and none that is being written waits for it."""
    named = {row.id for row in connection.execute(select(REPORT.c.id).where(REPORT.c.photo == photo))}
    return named <= reports and not waiting_photos.waits(connection, photo) and not waiting_photos.proves(connection, photo)
