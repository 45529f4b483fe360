"""What happened in the night: cases opened and closed, alerts told and cleared from 20:00 to 07:55."""

from datetime import datetime, time, timedelta

import msgspec

from citybrain.brain.see.behind import plain
from citybrain.brain.see.facts import source
from citybrain.kernel.instant import SHANGHAI, Instant, at, local
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Json

FALLS = time(20, 0)
ENDS = time(7, 55)
_MOST = 200
_HAPPENED = {"opened": "case_opened", "closed": "case_closed", "told": "alert_told", "cleared": "alert_cleared"}


class Night(msgspec.Struct, frozen=True):
    """A night's account; every list holds at most 200 rows, newest first, and ``counts`` says how many there are in all."""

    since: Instant
    until: Instant
    opened: tuple[dict[str, Json], ...]
    closed: tuple[dict[str, Json], ...]
    told: tuple[dict[str, Json], ...]
    cleared: tuple[dict[str, Json], ...]
    counts: dict[str, int]


class Nights:
    """The newest night's account, read again only when a fact has come, another night has begun, or time went back."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: tuple[tuple[int, ...], Instant, Night] | None = None

    def at(self, now: Instant) -> Night:
        """The account as known at ``now``."""
        since, until = last_night(now)
        marks = (since, *(self._facts.position(table) for table in _HAPPENED.values()))
        if self._known is not None and self._known[0] == marks and now >= self._known[1]:
            return msgspec.structs.replace(self._known[2], until=until)
        found = night(self._facts, now)
        self._known = None if _ahead(self._facts, now) else (marks, now, found)
        return found


def last_night(now: Instant) -> tuple[Instant, Instant]:
    """The newest night that has begun: [20:00, 07:55 of the morning after), or up to now while it lasts."""
    since, ends = _whole(now)
    return since, min(ends, now)


def night(facts: Facts, now: Instant) -> Night:
    """The account of the newest night as known at ``now``."""
    since, until = last_night(now)
    found = {name: _rows(facts, table, now) for name, table in _HAPPENED.items()}
    counts = {name: total for name, (_, total) in found.items()}
    return Night(since, until, **{name: rows for name, (rows, _) in found.items()}, counts=counts)


def _whole(now: Instant) -> tuple[Instant, Instant]:
    day = local(now).date()
    begun = day if local(now).time() >= FALLS else day - timedelta(days=1)
    return at(datetime.combine(begun, FALLS, SHANGHAI)), at(datetime.combine(begun + timedelta(days=1), ENDS, SHANGHAI))


def _rows(facts: Facts, table: str, now: Instant) -> tuple[tuple[dict[str, Json], ...], int]:
    since, ends = _whole(now)
    within = "time >= $since AND time < $ends AND time <= $now"
    newest = (
        f"SELECT *, count(*) OVER () AS total FROM {source(facts, table)} AS fact WHERE {within} "
        f"ORDER BY time DESC, position DESC LIMIT {_MOST}"
    )
    found = facts.query(newest, {"since": since, "ends": ends, "now": now}).to_pylist()
    total = int(found[0]["total"]) if found else 0
    return tuple(plain({name: cell for name, cell in row.items() if name != "total"}) for row in found), total


def _ahead(facts: Facts, now: Instant) -> bool:
    """Whether facts of this night are recorded that have not happened yet: a replay that began anew meets them as time goes on."""
    ends = _whole(now)[1]
    asked = [
        f"SELECT 1 FROM {source(facts, table)} AS {name} WHERE time > $now AND time < $ends" for name, table in _HAPPENED.items()
    ]
    question = f"SELECT * FROM ({' UNION ALL '.join(asked)}) AS ahead LIMIT 1"
    return facts.query(question, {"now": now, "ends": ends}).num_rows > 0
