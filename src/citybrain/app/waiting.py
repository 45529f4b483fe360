"""Rows that are on their way to the process that keeps the observations, by door: what of them waits in JetStream, and what is not there yet."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote, unquote

from citybrain.engines.nats import Work


def about(door: str, rows: int) -> str:
    """What a piece says of itself: by which door it came, and how many rows it is of."""
    return f"{quote(door, safe='').replace('.', '%2E')}.{rows}"


class Waiting:
    """Rows by door of some kinds of work, whose pieces say what they are about."""

    def __init__(self, *works: Work) -> None:
        self._works = works

    def __call__(self) -> Counter[str]:
        """Those that JetStream keeps and nobody has taken up. Blocks; raises BusyError where it does not answer."""
        return _rows(work.waits() for work in self._works)

    def held(self) -> Counter[str]:
        """Those that came to this process and that JetStream has not confirmed to have."""
        return _rows(work.held() for work in self._works)


def _rows(pieces: Iterable[Counter[str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for counted in pieces:
        for said, count in counted.items():
            door, _, rows = said.rpartition(".")
            if door:
                found[unquote(door)] += int(rows) * count
    return found
