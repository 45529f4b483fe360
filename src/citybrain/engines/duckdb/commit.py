"""What becomes of batches: planned in memory when they are acknowledged, and stored in the tables many groups at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from citybrain.engines.duckdb import state as states
from citybrain.engines.duckdb.columns import NONE, Columns, joined
from citybrain.engines.duckdb.ledger import Door, after_batch, key, next_no, opened
from citybrain.engines.duckdb.revision import days_of
from citybrain.engines.duckdb.state import State
from citybrain.engines.duckdb.tables import COLUMNS
from citybrain.kernel.observations import Batch, Receipt

_BATCHES_TYPES: dict[str, pa.DataType] = {
    "id": pa.string(),
    "key": pa.int64(),
    "received": pa.int64(),
    "door": pa.int32(),
    "stored": pa.int64(),
    "duplicate": pa.int64(),
    "refused": pa.string(),
    "last_seq": pa.int64(),
}
_BATCHES = pa.schema(_BATCHES_TYPES)
Receipts = Mapping[str, Receipt]


class Plan(NamedTuple):
    """A group of batches as it will stand: those that are new and their keys, doors after it, columns and receipts by id."""

    fresh: tuple[Batch, ...]
    keys: tuple[int, ...]
    doors: dict[str, Door]
    columns: Columns
    receipts: Receipts
    known: Receipts

    def answers(self, batches: Sequence[Batch]) -> list[Receipt]:
        """A receipt for each batch, in their order; the first of an id that is stored now is not a repeat."""
        given: set[str] = set()
        answers: list[Receipt] = []
        for batch in batches:
            receipt = self.known.get(batch.id) or self.receipts[batch.id]
            repeated = batch.id in self.known or batch.id in given
            given.add(batch.id)
            answers.append(Receipt(receipt.batch, receipt.stored, receipt.duplicate, receipt.refused, receipt.last_seq, repeated))
        return answers


@contextmanager
def transaction(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit on leaving, roll back on an error."""
    cursor.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # the first error says why; a file given up by DuckDB cannot roll back
            cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")


def plan(state: State, batches: Sequence[Batch], look: Callable[[Sequence[str]], Receipts]) -> Plan:
    """What batches come to, given what is acknowledged already; changes nothing. ``look`` gives receipts of ids that may be known."""
    keys = {batch.id: key(batch.id) for batch in batches}
    hits = state.recent.among(list(keys.values()))
    known = look([name for name, found in keys.items() if found in hits]) if hits else {}
    fresh = tuple({batch.id: batch for batch in reversed(batches) if batch.id not in known}.values())[::-1]
    doors = _doors(state, fresh)
    receipts = _receipts(fresh, state.last_seq)
    return Plan(fresh, tuple(keys[batch.id] for batch in fresh), doors, _columns(fresh, doors, state.last_seq), receipts, known)


def store(cursor: duckdb.DuckDBPyConnection, state: State, plans: Sequence[Plan], number: int) -> None:
    """Put plans into the tables in one transaction, with the number of the last group. Raises duckdb.Error."""
    rows = joined([one.columns for one in plans])
    days = days_of(rows.time) - state.hot_days
    with transaction(cursor):
        _insert(cursor, rows, [line for one in plans for line in _lines(one)])
        open_doors(cursor, state)
        for day in days:
            cursor.execute("INSERT INTO series.hot_day VALUES (?)", [day])
        cursor.execute("UPDATE series.journal SET stored = ?", [number])
    state.hot_days = state.hot_days | days


def open_doors(cursor: duckdb.DuckDBPyConnection, state: State) -> None:
    """Enter the doors that are new, within an open transaction."""
    have = {name for (name,) in cursor.execute("SELECT name FROM series.door").fetchall()}
    for name, door in state.doors.items():
        if name not in have:
            cursor.execute("INSERT INTO series.door VALUES (?, ?, 0, 0, 0, '{}', NULL)", [door.no, name])


def receipts(cursor: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, Receipt]:
    """The receipts of those batches that are in the tables."""
    sql = "SELECT id, stored, duplicate, refused, last_seq FROM series.batch WHERE id IN (SELECT unnest($ids))"
    rows = cursor.execute(sql, {"ids": list(ids)}).fetchall()
    return {
        name: Receipt(name, stored, duplicate, sum(states.reasons(refused).values()), last_seq)
        for name, stored, duplicate, refused, last_seq in rows
    }


def fold(cursor: duckdb.DuckDBPyConnection, before: int) -> None:
    """Count batches received before an instant into their doors for good, and forget their ids."""
    with transaction(cursor):
        doors = states.with_batches(cursor, states.folded(cursor), before)
        states.write_doors(cursor, doors)
        cursor.execute("DELETE FROM series.batch WHERE received < ?", [before])


def _receipts(fresh: Sequence[Batch], last_seq: int) -> dict[str, Receipt]:
    result: dict[str, Receipt] = {}
    for batch in fresh:
        last_seq += len(batch.time)
        refused = sum(batch.refused.values())
        result[batch.id] = Receipt(batch.id, len(batch.time), batch.duplicate, refused, last_seq)
    return result


def _doors(state: State, fresh: Sequence[Batch]) -> dict[str, Door]:
    doors: dict[str, Door] = {}
    for batch in fresh:
        door = doors.get(batch.door) or state.doors.get(batch.door)
        if door is None:
            door = opened(next_no((*state.doors.values(), *doors.values())), batch.door)
        doors[batch.door] = Door(door.no, after_batch(door.account, batch))
    return doors


def _columns(fresh: Sequence[Batch], doors: dict[str, Door], last_seq: int) -> Columns:
    """The observations of batches; always a copy, since senders may use their arrays again."""
    if not fresh:
        return NONE
    counts = [len(batch.time) for batch in fresh]
    return Columns(
        last_seq + 1 + np.arange(sum(counts), dtype=np.int64),
        np.concatenate([batch.stream_no for batch in fresh]).astype(np.int32, copy=False),
        np.concatenate([batch.time for batch in fresh]).astype(np.int64, copy=False),
        np.concatenate([batch.value for batch in fresh]).astype(np.float64, copy=False),
        np.array([batch.received for batch in fresh], dtype=np.int64).repeat(counts),
        np.array([doors[batch.door].no for batch in fresh], dtype=np.int32).repeat(counts),
    )


def _lines(one: Plan) -> Iterator[tuple[str, int, int, int, int, int, str | None, int]]:
    for batch, known in zip(one.fresh, one.keys, strict=True):
        refused = states.counts(dict(batch.refused)) if batch.refused else None
        receipt = one.receipts[batch.id]
        no = one.doors[batch.door].no
        yield batch.id, known, batch.received, no, receipt.stored, batch.duplicate, refused, receipt.last_seq


def _insert(
    cursor: duckdb.DuckDBPyConnection, rows: Columns, lines: Sequence[tuple[str, int, int, int, int, int, str | None, int]]
) -> None:
    if rows.rows:
        # Plain arrays are planned and read in two thirds of the time of an Arrow table.
        cursor.register("incoming", rows._asdict())
        cursor.execute(f"INSERT INTO series.obs SELECT {COLUMNS} FROM incoming")
    if lines:
        cursor.register("ids", pa.table(list(zip(*lines, strict=True)), schema=_BATCHES))
        cursor.execute("INSERT INTO series.batch SELECT * FROM ids")
