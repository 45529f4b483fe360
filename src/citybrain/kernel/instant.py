"""Instants: whole microseconds since 1970-01-01T00:00:00Z; durations: whole microseconds."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NewType

Instant = NewType("Instant", int)
Duration = NewType("Duration", int)

SECOND = Duration(1_000_000)
MINUTE = Duration(60 * SECOND)
HOUR = Duration(60 * MINUTE)
DAY = Duration(24 * HOUR)
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has one time zone and no daylight saving since 1991; older dates are not handled."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def at(moment: datetime) -> Instant:
    """The instant of an aware datetime; raises ValueError for a naive one."""
    if moment.tzinfo is None:
        message = "A time without an offset is ambiguous: add Z or +08:00."
        raise ValueError(message)
    delta = moment - _EPOCH
    return Instant((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)


def moment(instant: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=instant)


def local(instant: Instant) -> datetime:
    """The instant on the district's wall clock (Asia/Shanghai)."""
    return moment(instant).astimezone(SHANGHAI)


def local_date(instant: Instant) -> date:
    """The district's calendar date at an instant."""
    return local(instant).date()


def midnight(day: date) -> Instant:
    """The instant at which a district's calendar day begins."""
    return at(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI))


def minute_of(clock: str) -> int:
    """The minute of the day of a local time such as ``16:30``; ``24:00`` is its end. Raises ValueError."""
    hour, _, minute = clock.partition(":")
    found = int(hour) * 60 + int(minute)
    if not (len(hour) == len(minute) == 2 and int(minute) < 60 and 0 <= found <= 24 * 60):
        raise ValueError(f"'{clock}' is no time of the day such as 16:30")
    return found


def parse(text: str) -> Instant:
    """Read RFC 3339 (``2026-11-22T07:30:00Z`` or with an offset); raises ValueError."""
    return at(datetime.fromisoformat(text))


def rfc3339(instant: Instant) -> str:
    """Write RFC 3339 in UTC, with fractions only where there are some."""
    return moment(instant).isoformat().replace("+00:00", "Z")


def duration(text: str) -> Duration:
    """Read an ISO 8601 duration of days, hours, minutes and seconds (``PT20M``); raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        message = f"'{text}' is not a duration. Write it like PT20M, PT1H30M or P2D."
        raise ValueError(message)
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return Duration(round(((days * 24 + hours) * 60 + minutes) * 60_000_000 + seconds * 1_000_000))
