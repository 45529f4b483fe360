"""Alerts: raised and cleared within a transaction with their event, read by whoever shows them."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from citybrain.brain.detect.store import ALERT, alert_of, alert_row, alerts_where
from citybrain.kernel.alerts import Alert, Evidence
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.events import Event
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.ports import Transactions, Tx
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity

TOLD = "citybrain.detect.alert.told.v1"
CLEARED = "citybrain.detect.alert.cleared.v1"
_AT_ONCE = 500
"""Ids in one question to the store."""
_TELL = insert(ALERT)
_CLEAR = update(ALERT).where(ALERT.c.id == bindparam("of_alert")).values(state="cleared", cleared=bindparam("at"))


class Alerts:
    """What people were told, newest first."""

    def __init__(self, transactions: Transactions[Connection]) -> None:
        self._transactions = transactions

    def open(self) -> tuple[Alert, ...]:
        """Alerts whose reason is not gone yet."""
        with self._transactions.read() as connection:
            return tuple(alerts_where(connection, ALERT.c.state == "open"))

    def alert(self, id: str) -> Alert:  # noqa: A002 - the word of the public face
        """An alert by id; raises NotFoundError."""
        with self._transactions.read() as connection:
            row = connection.execute(select(ALERT).where(ALERT.c.id == id)).one_or_none()
        if row is None:
            what = Text(f"没有标识为“{id}”的预警。", f"There is no alert with the id '{id}'.")
            raise NotFoundError(what, id=id)
        return alert_of(row)

    def evidence(self, ids: Sequence[str]) -> dict[str, tuple[Evidence, ...]]:
        """The readings that alerts rest on, by the id of each that there is."""
        found: dict[str, tuple[Evidence, ...]] = {}
        with self._transactions.read() as connection:
            for begin in range(0, len(ids), _AT_ONCE):
                named = alerts_where(connection, ALERT.c.id.in_(ids[begin : begin + _AT_ONCE]))
                found |= {one.id: one.evidence for one in named}
        return found

    def since(self, instant: Instant) -> tuple[Alert, ...]:
        """Alerts told at or after an instant."""
        with self._transactions.read() as connection:
            return tuple(alerts_where(connection, ALERT.c.told >= instant))


class Changes:
    """Alerts to be told and cleared in one transaction, in the order in which it came about; written together, for a storm brings thousands."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[Alert, Entity, bool]] = {}
        self._steps: list[tuple[str, Instant | None]] = []

    def tell(self, alert: Alert, entity: Entity, *, wants_case: bool) -> None:
        """A new alert."""
        self._told[alert.id] = alert, entity, wants_case
        self._steps.append((alert.id, None))

    def clear(self, alert_id: str, at: Instant) -> None:
        """An alert whose reason is gone; one that is cleared already stays as it is."""
        self._steps.append((alert_id, at))

    def write(self, tx: Tx[Connection]) -> None:
        """Write the alerts and their events."""
        if self._told:
            rows = [alert_row(alert, entity, wants_case=wants_case) for alert, entity, wants_case in self._told.values()]
            tx.connection.execute(_TELL, rows)
        known = {one.id: one for one in self._open(tx.connection)}
        cleared: dict[str, Alert] = {}
        events: list[Event] = []
        for alert_id, at in self._steps:
            if at is None:
                told = self._told[alert_id][0]
                events.append(_event(TOLD, told, told.told))
            elif alert_id in known and alert_id not in cleared:
                cleared[alert_id] = msgspec.structs.replace(known[alert_id], state="cleared", cleared=at)
                events.append(_event(CLEARED, cleared[alert_id], at))
        if cleared:
            tx.connection.execute(_CLEAR, [{"of_alert": one.id, "at": one.cleared} for one in cleared.values()])
        if events:
            tx.emit(*events)

    def _open(self, connection: Connection) -> Iterator[Alert]:
        """The alerts to be cleared that are open: those of this transaction, and those of before."""
        wanted = dict.fromkeys(alert_id for alert_id, at in self._steps if at is not None)
        before = [alert_id for alert_id in wanted if alert_id not in self._told]
        yield from (self._told[alert_id][0] for alert_id in wanted if alert_id in self._told)
        for begin in range(0, len(before), _AT_ONCE):
            yield from alerts_where(connection, ALERT.c.id.in_(before[begin : begin + _AT_ONCE]), ALERT.c.state == "open")


def wanting_case(connection: Connection) -> Sequence[str]:
    """Ids of alerts whose case is still to be opened, oldest first."""
    wanted = select(ALERT.c.id).where(ALERT.c.wants_case == 1).order_by(ALERT.c.told, ALERT.c.began, ALERT.c.id)
    return connection.execute(wanted).scalars().all()


def has_case(tx: Tx[Connection], alert_id: str, case: str | None) -> None:
    """Note the case that was opened for an alert."""
    tx.connection.execute(update(ALERT).where(ALERT.c.id == alert_id).values(case_id=case, wants_case=0))


def _event(name: str, alert: Alert, at: Instant) -> Event:
    return Event(new_id(), name, alert.id, at, msgspec.to_builtins(alert))
