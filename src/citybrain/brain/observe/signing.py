"""Who changes what is there, why, and when."""

from typing import Final, NamedTuple

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text

_SHORTEST: Final = 4
"""Characters of a reason that can be one."""


class Signed(NamedTuple):
    """Who acts, why, and when (wall time)."""

    by: str
    why: str
    wall: Instant


def signed(by: str, why: str, wall: Instant) -> Signed:
    """Who acts and why; raises BadInputError for a reason that is none."""
    if len(why.strip()) < _SHORTEST:
        what = Text(f"请写明理由（至少 {_SHORTEST} 个字）。", f"Say why, in {_SHORTEST} characters at least.")
        raise BadInputError(what, field="why")
    return Signed(by, why.strip(), wall)
