"""Alerts: raised and cleared within a transaction with their event, read by whoever shows them."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, insert, select, update

from citybrain.brain.detect.store import ALERT, alert_of, alert_row, alerts_where
from citybrain.kernel.alerts import Alert
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.events import Event
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.ports import Transactions, Tx
from citybrain.kernel.text import Text
from citybrain.kernel.things import Entity

TOLD = "citybrain.detect.alert.told.v1"
CLEARED = "citybrain.detect.alert.cleared.v1"


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

    def since(self, instant: Instant) -> tuple[Alert, ...]:
        """Alerts told at or after an instant."""
        with self._transactions.read() as connection:
            return tuple(alerts_where(connection, ALERT.c.told >= instant))


def tell(tx: Tx[Connection], alert: Alert, entity: Entity, *, wants_case: bool) -> None:
    """Write a new alert and its event."""
    tx.connection.execute(insert(ALERT).values(alert_row(alert, entity, wants_case=wants_case)))
    tx.emit(_event(TOLD, alert, alert.told))


def clear(tx: Tx[Connection], alert_id: str, at: Instant) -> None:
    """Mark an alert cleared and emit its event; one that is cleared already stays as it is."""
    row = tx.connection.execute(select(ALERT).where(ALERT.c.id == alert_id, ALERT.c.state == "open")).one_or_none()
    if row is None:
        return
    tx.connection.execute(update(ALERT).where(ALERT.c.id == alert_id).values(state="cleared", cleared=at))
    tx.emit(_event(CLEARED, msgspec.structs.replace(alert_of(row), state="cleared", cleared=at), at))


def wanting_case(connection: Connection) -> Sequence[str]:
    """Ids of alerts whose case is still to be opened, oldest first."""
    wanted = select(ALERT.c.id).where(ALERT.c.wants_case == 1).order_by(ALERT.c.told, ALERT.c.id)
    return connection.execute(wanted).scalars().all()


def has_case(tx: Tx[Connection], alert_id: str, case: str | None) -> None:
    """Note the case that was opened for an alert."""
    tx.connection.execute(update(ALERT).where(ALERT.c.id == alert_id).values(case_id=case, wants_case=0))


def _event(name: str, alert: Alert, at: Instant) -> Event:
    return Event(new_id(), name, alert.id, at, msgspec.to_builtins(alert))
