"""Legal time: working days and hours, and when a promised time ends."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import DAY, HOUR, MINUTE, SHANGHAI, Duration, Instant, at, local, midnight

Counting: TypeAlias = Literal["hours", "working_hours", "working_days"]
"""紧急工作时 (hours run day and night), 工作时 (only inside working time), 工作日 (whole working days)."""

_MORNING, _EVENING = (8 * 60 + 30) * MINUTE, (17 * 60 + 30) * MINUTE
"""Default working time 08:30-17:30 without a break; a district sets its own."""


class Allowance(msgspec.Struct, frozen=True):
    """A promised time: an amount of one kind of hour or day."""

    amount: int
    counting: Counting


class WorkCalendar:
    """The district's working days and hours; ``works`` says whether a date is a working day (holidays and 调休 included)."""

    def __init__(self, works: Callable[[date], bool], opens: int = _MORNING, closes: int = _EVENING) -> None:
        self._works = works
        self._opens = opens
        self._closes = closes

    def due(self, start: Instant, allowance: Allowance) -> Instant:
        """When an allowance that starts at an instant runs out.

        Working days count from the next working day and end at its close, the usual reading of 工作日.
        """
        if allowance.counting == "hours":
            return Instant(start + allowance.amount * HOUR)
        if allowance.counting == "working_hours":
            return self._after_working(start, allowance.amount * HOUR)
        day = local(start).date()
        for _ in range(allowance.amount):
            day = self._next_working(day)
        return Instant(midnight(day) + self._closes)

    def worked(self, start: Instant, end: Instant) -> Duration:
        """Working time between two instants, in µs."""
        total, day = 0, local(start).date()
        while midnight(day) < end:
            if self._works(day):
                total += max(0, min(end, midnight(day) + self._closes) - max(start, midnight(day) + self._opens))
            day += timedelta(days=1)
        return Duration(total)

    def _after_working(self, start: Instant, amount: int) -> Instant:
        day, left = local(start).date(), amount
        while True:
            if self._works(day):
                begin = max(start, midnight(day) + self._opens)
                room = max(0, midnight(day) + self._closes - begin)
                if left <= room:
                    return Instant(begin + left)
                left -= room
            day += timedelta(days=1)

    def _next_working(self, day: date) -> date:
        day += timedelta(days=1)
        while not self._works(day):
            day += timedelta(days=1)
        return day


def weekdays_only(day: date) -> bool:
    """Monday to Friday: the calendar where no holiday table is at hand."""
    return day.weekday() < 5


def next_local(hour: int, minute: int, after: Instant) -> Instant:
    """The next instant at which the district's clock shows hour:minute, strictly after the given one."""
    day = local(after).date()
    candidate = at(datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI))
    return candidate if candidate > after else Instant(candidate + DAY)
