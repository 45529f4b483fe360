"""What the writer keeps in memory about what is acknowledged; all of it is read back from file and journal at start."""

import threading
from collections.abc import Iterable, Mapping, Sequence

import duckdb
import msgspec
import numpy as np

from citybrain.engines.duckdb.deletions import deleted
from citybrain.engines.duckdb.ledger import Door, RecentKeys, added, next_no, opened
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import DoorAccount

_COUNTS = msgspec.json.Decoder(dict[str, int])


class State:
    """The greatest sequence number, the doors by name, the batches of the last day, and the days that obs may hold.

    Whoever changes it holds ``lock``; others read it, so collections are replaced, never changed. ``hot_days`` is the storer's own.
    """

    def __init__(self, last_seq: int, doors: dict[str, Door], recent: RecentKeys, hot_days: frozenset[int]) -> None:
        self.lock = threading.RLock()
        self.last_seq = last_seq
        self.doors = doors
        self.recent = recent
        self.hot_days = hot_days

    def remember(self, last_seq: int, doors: Mapping[str, Door], keys: Iterable[int], received: int) -> None:
        """Take what a group of batches came to."""
        with self.lock:
            self.recent.add(keys, received)
            self.doors = {**self.doors, **doors}
            self.last_seq = last_seq

    def open(self, name: str) -> Door:
        """The door of a name, opened where it is new."""
        with self.lock:
            door = self.doors.get(name) or opened(next_no(self.doors.values()), name)
            self.doors = self.doors | {name: door}
            return door

    def delete(self, rows: Mapping[int, int]) -> None:
        """Count rows that were deleted, by the number of the door through which they had come."""
        with self.lock:
            accounts = {name: (door.no, door.account) for name, door in self.doors.items()}
            self.doors = {
                name: Door(no, msgspec.structs.replace(account, deleted=account.deleted + rows.get(no, 0)))
                for name, (no, account) in accounts.items()
            }

    def count(self, name: str, stored: int, duplicate: int, last: Instant) -> None:
        """Count rows of an import into the account of its door."""
        with self.lock:
            door = self.open(name)
            self.doors = self.doors | {name: Door(door.no, added(door.account, stored, duplicate, {}, last))}


def load(cursor: duckdb.DuckDBPyConnection) -> State:
    """Read the state of a file."""
    last_seq = number(
        cursor,
        "SELECT greatest(coalesce((SELECT max(seq) FROM series.obs), 0), coalesce((SELECT max(last_seq) FROM series.segment), 0), "
        "coalesce((SELECT max(last_seq) FROM series.batch), 0), 0)",
    )
    keys = cursor.execute("SELECT key, received FROM series.batch").fetchnumpy()
    received = np.asarray(keys["received"], dtype=np.int64)
    recent = RecentKeys(np.asarray(keys["key"], dtype=np.int64), int(received.max(initial=0)))
    return State(last_seq, with_batches(cursor, folded(cursor)), recent, hot_days(cursor))


def hot_days(cursor: duckdb.DuckDBPyConnection) -> frozenset[int]:
    """The days of which the hot table may hold rows."""
    return frozenset(int(day) for (day,) in cursor.execute("SELECT day FROM series.hot_day").fetchall())


def number(cursor: duckdb.DuckDBPyConnection, sql: str, values: Sequence[object] = ()) -> int:
    """The one whole number that a question is answered with; 0 for NULL."""
    row = cursor.execute(sql, list(values)).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def folded(cursor: duckdb.DuckDBPyConnection) -> dict[str, Door]:
    """The doors with what is in their table; younger batches are not in it."""
    gone = deleted(cursor)
    rows = cursor.execute("SELECT no, name, received, stored, duplicate, refused, last FROM series.door").fetchall()
    return {
        name: Door(no, DoorAccount(name, received, stored, duplicate, _COUNTS.decode(refused), _instant(last), gone[no]))
        for no, name, received, stored, duplicate, refused, last in rows
    }


def with_batches(cursor: duckdb.DuckDBPyConnection, doors: dict[str, Door], before: int | None = None) -> dict[str, Door]:
    """The doors with their batches (received before an instant) counted in."""
    by_no = {door.no: name for name, door in doors.items()}
    result = dict(doors)

    def count(no: int, stored: int, duplicate: int, refused: dict[str, int], last: int | None) -> None:
        name = by_no[no]
        result[name] = Door(no, added(result[name].account, stored, duplicate, refused, _instant(last)))

    where = "" if before is None else f"WHERE received < {before}"
    totals = f"SELECT door, sum(stored), sum(duplicate), max(received) FROM series.batch {where} GROUP BY door"
    for no, stored, duplicate, last in cursor.execute(totals).fetchall():
        count(no, int(stored), int(duplicate), {}, last)
    reasons = f"SELECT door, refused, count(*) FROM series.batch {where} GROUP BY door, refused HAVING refused IS NOT NULL"
    for no, refused, times in cursor.execute(reasons).fetchall():
        count(no, 0, 0, {why: n * times for why, n in _COUNTS.decode(refused).items()}, None)
    return result


def write_doors(cursor: duckdb.DuckDBPyConnection, doors: dict[str, Door]) -> None:
    """Replace the door table, within an open transaction."""
    cursor.execute("DELETE FROM series.door")
    for door in doors.values():
        account = door.account
        row = [door.no, account.door, account.received, account.stored, account.duplicate, counts(account.refused), account.last]
        cursor.execute("INSERT INTO series.door VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def counts(refused: dict[str, int]) -> str:
    """Reasons and their counts as they are stored."""
    return msgspec.json.encode(refused).decode()


def reasons(stored: str | None) -> dict[str, int]:
    """Reasons and their counts as they were stored; none for NULL."""
    return {} if stored is None else _COUNTS.decode(stored)


def _instant(value: int | None) -> Instant | None:
    return None if value is None else Instant(value)
