"""Committed events in, flat fact rows out: each event lands exactly once in the fact tables it speaks of.

outbox → FactFeed → case_opened · case_moved · case_closed · alert_told · alert_cleared
                  → offer_released · offer_withdrawn · booking_made · booking_changed · report_rated
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import pyarrow as pa
import structlog
from sqlalchemy import Connection

from citybrain.kernel.alerts import Alert
from citybrain.kernel.bookings import Booking, Offer, windows
from citybrain.kernel.cases import Case
from citybrain.kernel.events import Event
from citybrain.kernel.instant import Instant
from citybrain.kernel.ports import Facts, Transactions
from citybrain.kernel.text import Json
from citybrain.kernel.things import Origin

log = structlog.get_logger()

_CASE_COLUMNS: dict[str, pa.DataType] = {
    "event": pa.string(),
    "position": pa.int64(),
    "time": pa.int64(),
    "case": pa.string(),
    "number": pa.string(),
    "matter": pa.string(),
    "title_zh": pa.string(),
    "title_en": pa.string(),
    "flow": pa.string(),
    "state": pa.string(),
    "unit": pa.string(),
    "handler": pa.string(),
    "area": pa.string(),
    "entity": pa.string(),
    "cause": pa.string(),
    "grade": pa.int32(),
    "opened": pa.int64(),
    "due": pa.int64(),
    "closed": pa.int64(),
    "on_time": pa.bool_(),
    "version": pa.int32(),
    "origin": pa.string(),
    "move": pa.string(),
}
CASE_FACT = pa.schema(_CASE_COLUMNS)
"""A case as it was after an event; times in µs UTC, ``on_time`` null until it is closed."""
_ALERT_COLUMNS: dict[str, pa.DataType] = {
    "event": pa.string(),
    "position": pa.int64(),
    "time": pa.int64(),
    "alert": pa.string(),
    "rule": pa.string(),
    "rule_version": pa.string(),
    "entity": pa.string(),
    "area": pa.string(),
    "grade": pa.int32(),
    "state": pa.string(),
    "began": pa.int64(),
    "told": pa.int64(),
    "cleared": pa.int64(),
    "because_zh": pa.string(),
    "because_en": pa.string(),
    "case": pa.string(),
    "origin": pa.string(),
}
ALERT_FACT = pa.schema(_ALERT_COLUMNS)
"""An alert as it was after an event; times in µs UTC."""
_BOOKING_COLUMNS: dict[str, pa.DataType] = {
    "event": pa.string(),
    "position": pa.int64(),
    "time": pa.int64(),
    "booking": pa.string(),
    "offer": pa.string(),
    "entity": pa.string(),
    "kind": pa.string(),
    "area": pa.string(),
    "begins": pa.int64(),
    "ends": pa.int64(),
    "left_at": pa.int64(),
    "units": pa.int32(),
    "price": pa.int64(),
    "state": pa.string(),
    "appeal": pa.string(),
    "version": pa.int32(),
    "origin": pa.string(),
}
BOOKING_FACT = pa.schema(_BOOKING_COLUMNS)
"""A booking as it was after an event, without who booked; times in µs UTC, ``left_at`` (when it was done) null until then."""
_WINDOW_COLUMNS: dict[str, pa.DataType] = {
    "event": pa.string(),
    "position": pa.int64(),
    "time": pa.int64(),
    "offer_window": pa.string(),
    "offer": pa.string(),
    "entity": pa.string(),
    "kind": pa.string(),
    "area": pa.string(),
    "begins": pa.int64(),
    "ends": pa.int64(),
    "units": pa.int32(),
    "price": pa.int64(),
    "origin": pa.string(),
}
WINDOW_FACT = pa.schema(_WINDOW_COLUMNS)
"""A stretch of time for which an offer gives units away, [begins, ends) in µs UTC; a withdrawal makes it shorter or empty."""
_RATING_COLUMNS: dict[str, pa.DataType] = {
    "event": pa.string(),
    "position": pa.int64(),
    "time": pa.int64(),
    "rating": pa.string(),
    "form": pa.string(),
    "case": pa.string(),
    "number": pa.string(),
    "title_zh": pa.string(),
    "title_en": pa.string(),
    "unit": pa.string(),
    "area": pa.string(),
    "closing": pa.int64(),
    "rated": pa.int64(),
    "grade": pa.int32(),
    "solved": pa.bool_(),
    "origin": pa.string(),
}
RATING_FACT = pa.schema(_RATING_COLUMNS)
"""How a reporter judged a closing, without who reported or their words: grade 5 (best) to 1; times in µs UTC."""
FACTS: dict[str, pa.Schema] = {
    "case_opened": CASE_FACT,
    "case_moved": CASE_FACT,
    "case_closed": CASE_FACT,
    "alert_told": ALERT_FACT,
    "alert_cleared": ALERT_FACT,
    "offer_released": WINDOW_FACT,
    "offer_withdrawn": WINDOW_FACT,
    "booking_made": BOOKING_FACT,
    "booking_changed": BOOKING_FACT,
    "report_rated": RATING_FACT,
}
STATES = {
    "case": ("case_opened", "case_moved"),
    "alert": ("alert_told", "alert_cleared"),
    "booking": ("booking_made", "booking_changed"),
    "offer_window": ("offer_released", "offer_withdrawn"),
    "rating": ("report_rated",),
}
"""What the present state of a noun is folded from."""
SQL_TYPES: dict[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.bool_(): "BOOLEAN",
}
_NEWEST = {
    "case": "version DESC, position DESC",
    "alert": "position DESC",
    "booking": "version DESC, position DESC",
    "offer_window": "position DESC",
    "rating": "position DESC",
}
_CASE_TABLES = {"citybrain.act.case.opened.v1": "case_opened", "citybrain.act.case.moved.v1": "case_moved"}
_ALERTS = "citybrain.detect.alert."
_BOOKING_TABLES = {"citybrain.act.booking.made.v1": "booking_made", "citybrain.act.booking.changed.v1": "booking_changed"}
_OFFER_TABLES = {"citybrain.act.offer.published.v1": "offer_released", "citybrain.act.offer.withdrawn.v1": "offer_withdrawn"}
_RATED = "citybrain.act.report.rated.v1"

Row = dict[str, object]


class Rated(msgspec.Struct, frozen=True):
    """A rating as its event tells it."""

    id: str
    form: str
    closing: Instant
    grade: int
    solved: bool
    at: Instant
    origin: Origin


class FactFeed:
    """Follows the outbox into the fact tables; a kill between any two commits neither loses nor doubles a row."""

    READER: Final = "see.facts"
    """Its name as a reader of the outbox."""

    def __init__(self, transactions: Transactions[Connection], facts: Facts) -> None:
        self._transactions = transactions
        self._facts = facts
        self._begun = False

    def run_once(self, limit: int = 1000) -> int:
        """Take the next events; returns how many there were.

        Each fact table remembers the outbox position it has reached in the commit of its rows, so events that are read again
        after a kill are passed over table by table.
        """
        if not self._begun:
            self._begin()
        self._begun = True
        events = self._transactions.events_after(self._transactions.cursor(self.READER), limit)
        if not events:
            return 0
        last = events[-1][0]
        for name, rows in flatten(events).items():
            reached = self._facts.position(name)
            fresh = [row for row in rows if _position(row) > reached]
            if fresh:
                self._facts.append(name, pa.Table.from_pylist(fresh, schema=FACTS[name]), last)
        with self._transactions.begin() as tx:
            self._transactions.advance(tx.connection, self.READER, last)
        return len(events)

    def _begin(self) -> None:
        """Read the outbox anew where there is not one fact, as in a folder that is new: events that made none are read in vain.

        Facts of events that the outbox has no more are lost then, which is logged.
        """
        if self._transactions.cursor(self.READER) == 0 or any(self._facts.position(name) for name in FACTS):
            return
        with self._transactions.begin() as tx:
            self._transactions.advance(tx.connection, self.READER, 0)
        oldest = next((position for position, _ in self._transactions.events_after(0, 1)), 1)
        if oldest > 1:
            log.warning("facts_begin_late", position=oldest)


def source(facts: Facts, name: str) -> str:
    """The SQL of a fact table: its name, or no rows of its columns while no fact has made the table."""
    if facts.position(name):
        return name
    columns = ", ".join(f'CAST(NULL AS {SQL_TYPES[field.type]}) AS "{field.name}"' for field in FACTS[name])
    return f"(SELECT {columns} WHERE 1 = 0)"


def state_of(facts: Facts, name: str) -> str:
    """The SQL of a noun (``case``, ``rating`` …) as it stood at ``$now``, from the facts that had happened by then, whenever they arrived.

    Of a case that is its highest version, of an alert its newest fact.
    """
    return f"SELECT * FROM ({_every(facts, name)}) AS happened WHERE time <= $now QUALIFY {_last(name)} = 1"


def latest(facts: Facts, name: str) -> str:
    """The SQL of the latest ``time`` among the facts of a noun."""
    return f"SELECT max(time) AS time FROM ({_every(facts, name)}) AS happened"


def fresh(facts: Facts, name: str) -> str:
    """The SQL of the facts of a noun beyond the positions ``$case_opened``, ``$case_moved`` … of its tables."""
    return " UNION ALL ".join(
        f"SELECT * FROM {source(facts, table)} AS {table} WHERE position > ${table}" for table in STATES[name]
    )


def carried(name: str) -> str:
    """The SQL of a noun's state, from the rows ``before`` and the facts that are ``fresh``: what has no news stands as it was."""
    touched = f'SELECT * FROM fresh UNION ALL BY NAME SELECT before.* FROM before SEMI JOIN fresh USING ("{name}")'
    untouched = f'SELECT before.* FROM before ANTI JOIN fresh USING ("{name}")'
    return f"{untouched} UNION ALL BY NAME SELECT * FROM ({touched}) AS happened QUALIFY {_last(name)} = 1"


def _every(facts: Facts, name: str) -> str:
    return " UNION ALL ".join(f"SELECT * FROM {source(facts, table)} AS {table}" for table in STATES[name])


def _last(name: str) -> str:
    return f'row_number() OVER (PARTITION BY "{name}" ORDER BY {_NEWEST[name]})'


def flatten(events: Sequence[tuple[int, Event]]) -> dict[str, list[Row]]:
    """The rows of each fact table that events make; events of other kinds make none."""
    tables: dict[str, list[Row]] = {}
    for position, event in events:
        try:
            rows = _rows(position, event)
        except msgspec.ValidationError as error:
            log.error("fact_unreadable", event_id=event.id, type=event.type, why=str(error))  # noqa: TRY400 - the event, not our stack, is at fault
            continue
        for name, row in rows:
            tables.setdefault(name, []).append(row)
    return tables


def _rows(position: int, event: Event) -> list[tuple[str, Row]]:
    head: Row = {"event": event.id, "position": position, "time": event.time}
    if event.type in _CASE_TABLES:
        case = msgspec.convert(event.body.get("case"), Case)
        row = head | _case_row(case) | {"move": _move(event.body.get("step"))}
        rows = [(_CASE_TABLES[event.type], row)]
        return rows if case.closed is None else [*rows, ("case_closed", row)]
    if event.type.startswith(_ALERTS):
        alert = msgspec.convert(event.body.get("alert", event.body), Alert)
        return [("alert_told" if alert.state == "open" else "alert_cleared", head | _alert_row(alert))]
    if event.type in _BOOKING_TABLES:
        booking = msgspec.convert(event.body.get("booking"), Booking)
        return [(_BOOKING_TABLES[event.type], head | _booking_row(booking))]
    if event.type in _OFFER_TABLES:
        return [(_OFFER_TABLES[event.type], head | row) for row in _window_rows(event)]
    if event.type == _RATED:
        rated = msgspec.convert(event.body.get("rating"), Rated)
        case = msgspec.convert(event.body.get("case"), Case)
        return [("report_rated", head | _rating_row(rated, case))]
    return []


def _rating_row(rated: Rated, case: Case) -> Row:
    row: Row = {name: getattr(rated, name) for name in ("form", "closing", "grade", "solved", "origin")}
    about = {"case": case.id, "number": case.number, "unit": case.unit, "area": case.area}
    words = {"title_zh": case.title.zh, "title_en": case.title.en}
    return row | about | words | {"rating": rated.id, "rated": rated.at}


def _booking_row(booking: Booking) -> Row:
    taken = ("offer", "entity", "kind", "area", "begins", "ends", "units", "price", "state", "appeal", "version", "origin")
    row: Row = {name: getattr(booking, name) for name in taken}
    return row | {"booking": booking.id, "left_at": min(booking.changed, booking.ends) if booking.state == "done" else None}


def _window_rows(event: Event) -> list[Row]:
    """The windows of an offer; after a withdrawal those of before, each cut where the offer now ends."""
    offer = msgspec.convert(event.body.get("offer"), Offer)
    before = msgspec.convert(event.body.get("before", {}), dict[str, Instant])
    whole = msgspec.structs.replace(offer, **before)
    shared: Row = {name: getattr(offer, name) for name in ("entity", "kind", "area", "price", "origin")}
    return [
        shared
        | {
            "offer_window": f"{offer.id}:{window.begins}",
            "offer": offer.id,
            "begins": window.begins,
            "ends": max(window.begins, min(window.ends, offer.until)),
            "units": window.units,
        }
        for window in windows(whole, whole.since, whole.until)
    ]


def _case_row(case: Case) -> Row:
    taken = (*_SAME, "flow", "handler", "opened", "due", "closed", "version", "unit", "matter", "number", "cause")
    row: Row = {name: getattr(case, name) for name in taken}
    on_time = None if case.closed is None else case.closed <= case.due
    return row | {"case": case.id, "title_zh": case.title.zh, "title_en": case.title.en, "on_time": on_time}


def _alert_row(alert: Alert) -> Row:
    taken = (*_SAME, "rule", "rule_version", "began", "told", "cleared", "case")
    row: Row = {name: getattr(alert, name) for name in taken}
    return row | {"alert": alert.id, "grade": int(alert.grade), "because_zh": alert.because.zh, "because_en": alert.because.en}


_SAME = ("state", "area", "entity", "grade", "origin")


def _move(step: Json) -> str | None:
    name = step.get("move") if isinstance(step, dict) else None
    return name if isinstance(name, str) else None


def _position(row: Row) -> int:
    position = row["position"]
    return position if isinstance(position, int) else 0
