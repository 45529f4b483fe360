"""What people type into forms, and how it is written there: numbers and times of the day."""

import math

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import minute_of
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


def clock(minute: int) -> str:
    """A minute of the day as it is typed."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
