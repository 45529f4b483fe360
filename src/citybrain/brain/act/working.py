"""Legal time of the district: national holidays and 调休 by published table, changes by the district on top."""

from collections.abc import Mapping
from datetime import date

import chinese_calendar
import structlog
from chinese_calendar.constants import holidays
from sqlalchemy import Connection, delete, insert, select

from citybrain.brain.act.store import WORKDAY
from citybrain.kernel.calendar import Allowance, WorkCalendar, weekdays_only
from citybrain.kernel.instant import Instant, local_date
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text

_log = structlog.get_logger(__name__)
_FIRST, _LAST = min(holidays).year, max(holidays).year


def published(year: int) -> bool:
    """Whether the holiday table at hand covers a year."""
    covered: bool = _FIRST <= year <= _LAST
    return covered


def works(day: date, changes: Mapping[date, bool]) -> bool:
    """Whether a date is a working day: the district's change first, then the published table, else Monday to Friday."""
    listed: bool = chinese_calendar.is_workday(day) if published(day.year) else weekdays_only(day)
    return changes.get(day, listed)


class Working:
    """Working days and hours; implements the port WorkingTime."""

    def __init__(self, transactions: Transactions[Connection]) -> None:
        self._transactions = transactions

    def change(self, day: date, *, open_that_day: bool, why: str) -> None:
        """Make a date a working day or a day off, whatever the table says."""
        with self._transactions.begin() as tx:
            tx.connection.execute(delete(WORKDAY).where(WORKDAY.c.day == day.isoformat()))
            tx.connection.execute(insert(WORKDAY).values(day=day.isoformat(), works=open_that_day, why=why))

    def changes(self) -> dict[date, bool]:
        """The district's own changes by date."""
        with self._transactions.read() as connection:
            rows = connection.execute(select(WORKDAY.c.day, WORKDAY.c.works)).all()
        return {date.fromisoformat(row.day): bool(row.works) for row in rows}

    def due(self, start: Instant, allowance: Allowance) -> Instant:
        """When an allowance runs out; logs a warning where that lies beyond the published holidays."""
        changes = self.changes()
        end = WorkCalendar(lambda day: works(day, changes)).due(start, allowance)
        if allowance.counting != "hours" and self.doubt(end) is not None:
            _log.warning("holidays_not_published", year=local_date(end).year, last=_LAST)
        return end

    def doubt(self, due: Instant) -> Text | None:
        """What to say beside a deadline that was counted without a holiday table; None where the table covers it."""
        year = local_date(due).year
        if published(year):
            return None
        return Text(
            f"{year} 年的节假日安排尚未收录，按周一至周五计算。",
            f"The holidays of {year} are not in the table yet; counted as Monday to Friday.",
        )
