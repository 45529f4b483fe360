"""What people type into forms, and how it is written there: numbers and times of the day."""

import math

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant, minute_of, parse
from citybrain.kernel.text import Text


def number(said: str, field: str) -> float:
    """A finite number; raises BadInputError with the field."""
    try:
        found = float(said)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise BadInputError(Text(f"“{said}”不是数。", f"'{said}' is no number."), field=field)
    return found


def minute(said: str, field: str) -> int:
    """The minute of the day of a time such as 18:00, seconds left out; raises BadInputError with the field."""
    try:
        return minute_of(said.strip()[:5])
    except ValueError:
        raise BadInputError(Text("请填写时刻，例如 18:00。", "Give a time such as 18:00."), field=field) from None


def moment(said: str, field: str) -> Instant:
    """The instant of a date and time of the district such as 2026-11-22T15:00; raises BadInputError with the field."""
    written = said.strip().replace(" ", "T")
    try:
        return parse(f"{written}:00+08:00" if written.count(":") == 1 else f"{written}+08:00")
    except ValueError:
        what = Text("请填写日期和时刻，例如 2026-11-22 15:00。", "Give a date and a time such as 2026-11-22 15:00.")
        raise BadInputError(what, field=field) from None


def clock(minute: int) -> str:
    """A minute of the day as it is typed."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
