"""What happened in the night: cases opened and closed, alerts told and cleared from 20:00 to 07:55, and what is late now."""

from datetime import datetime, time, timedelta

import msgspec

from citybrain.brain.see.behind import plain
from citybrain.brain.see.facts import source, state_of
from citybrain.kernel.instant import SHANGHAI, Instant, at, local
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Json

FALLS = time(20, 0)
ENDS = time(7, 55)
_MOST = 200


class Night(msgspec.Struct, frozen=True):
    """A night's account; every list holds at most 200 rows, newest first, and ``counts`` says how many there are in all."""

    since: Instant
    until: Instant
    opened: tuple[dict[str, Json], ...]
    closed: tuple[dict[str, Json], ...]
    told: tuple[dict[str, Json], ...]
    cleared: tuple[dict[str, Json], ...]
    late: tuple[dict[str, Json], ...]
    counts: dict[str, int]


def last_night(now: Instant) -> tuple[Instant, Instant]:
    """The newest night that has begun: [20:00, 07:55 of the morning after), or up to now while it lasts."""
    day = local(now).date()
    begun = day if local(now).time() >= FALLS else day - timedelta(days=1)
    since = at(datetime.combine(begun, FALLS, SHANGHAI))
    until = at(datetime.combine(begun + timedelta(days=1), ENDS, SHANGHAI))
    return since, min(until, now)


def night(facts: Facts, now: Instant) -> Night:
    """The account of the newest night as known at ``now``; what is late is late now."""
    since, until = last_night(now)
    found = {name: _rows(facts, text, since, until, now) for name, text in _questions(facts).items()}
    counts = {name: total for name, (_, total) in found.items()}
    return Night(since, until, **{name: rows for name, (rows, _) in found.items()}, counts=counts)


_HAPPENED = {"opened": "case_opened", "closed": "case_closed", "told": "alert_told", "cleared": "alert_cleared"}


def _questions(facts: Facts) -> dict[str, str]:
    within = "time >= $since AND time < $until AND time <= $now"
    asked = {name: f"SELECT * FROM {source(facts, table)} AS fact WHERE {within}" for name, table in _HAPPENED.items()}
    return asked | {"late": f"SELECT * FROM ({state_of(facts, 'case')}) AS stands WHERE closed IS NULL AND due < $now"}


def _rows(facts: Facts, question: str, since: Instant, until: Instant, now: Instant) -> tuple[tuple[dict[str, Json], ...], int]:
    values: dict[str, Json] = {"since": since, "until": until, "now": now}
    given = {name: value for name, value in values.items() if f"${name}" in question}
    newest = f"SELECT *, count(*) OVER () AS total FROM ({question}) AS asked ORDER BY time DESC, position DESC LIMIT {_MOST}"
    found = facts.query(newest, given).to_pylist()
    total = int(found[0]["total"]) if found else 0
    return tuple(plain({name: cell for name, cell in row.items() if name != "total"}) for row in found), total
