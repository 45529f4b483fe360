"""When a figure is due: on every change of what it reads, at most once a wall second, and at least each city hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from citybrain.kernel.instant import HOUR, MINUTE, SECOND, Instant

PAUSE = SECOND
AGEING = 5 * MINUTE
"""Values fall silent without any event: figures of streams are looked at again after so much city time."""


@dataclass(frozen=True, slots=True)
class _Turn:
    versions: tuple[int, ...]
    wall: Instant
    city: Instant


class Pace:
    """Remembers each figure's last turn, nothing else."""

    def __init__(self) -> None:
        self._turns: dict[str, _Turn] = {}
        self._touched: dict[str, int] = {}

    def touch(self, table: str) -> None:
        """A table that has no version of its own has changed."""
        self._touched[table] = self._touched.get(table, 0) + 1

    def due(self, name: str, reads: Sequence[str], versions: Mapping[str, int], wall: Instant, city: Instant) -> bool:
        """Whether a figure is to be computed now; a yes counts as its turn."""
        seen = tuple(versions.get(table, self._touched.get(table, 0)) for table in reads)
        last = self._turns.get(name)
        if last is not None and not _due(last, seen, reads, wall, city):
            return False
        self._turns[name] = _Turn(seen, wall, city)
        return True


def _due(last: _Turn, seen: tuple[int, ...], reads: Sequence[str], wall: Instant, city: Instant) -> bool:
    if 0 <= wall - last.wall < PAUSE:
        return False
    if seen != last.versions or city // HOUR != last.city // HOUR:
        return True
    return "stream" in reads and city - last.city >= AGEING
