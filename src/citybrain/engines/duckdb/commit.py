"""One commit of the series store: observations, batch ids and doors together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from citybrain.engines.duckdb import state as states
from citybrain.engines.duckdb.ledger import Door, after_batch, key, opened
from citybrain.engines.duckdb.revision import days_of
from citybrain.engines.duckdb.state import State
from citybrain.engines.duckdb.tables import COLUMNS, STORED
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
_FEW = 32


class Written(NamedTuple):
    """What a commit stored (STORED), and the receipt of each batch handed in."""

    rows: pa.Table
    receipts: list[Receipt]


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


def write(cursor: duckdb.DuckDBPyConnection, state: State, batches: Sequence[Batch]) -> Written:
    """Commit batches that are not known yet; state changes only after the commit. Raises duckdb.Error."""
    known = _known(cursor, state, batches)
    fresh = list({batch.id: batch for batch in reversed(batches) if batch.id not in known}.values())[::-1]
    receipts = _receipts(fresh, state.last_seq)
    doors = _doors(state, fresh)
    rows = _rows(fresh, doors, state.last_seq)
    days = days_of(rows.column("time").to_numpy()) - state.hot_days
    if fresh:
        with transaction(cursor):
            _insert(cursor, fresh, receipts, doors, rows)
            _insert_new(cursor, state, doors, days)
        _remember(state, fresh, doors, days, rows.num_rows)
    return Written(rows, _answers(batches, known, receipts))


def receipts(cursor: duckdb.DuckDBPyConnection, ids: Sequence[str]) -> dict[str, Receipt]:
    """The receipts of those batches that are in the file."""
    sql = "SELECT id, stored, duplicate, refused, last_seq FROM series.batch WHERE id IN (SELECT unnest($ids))"
    rows = cursor.execute(sql, {"ids": list(ids)}).fetchall()
    return {
        name: Receipt(name, stored, duplicate, sum(states.reasons(refused).values()), last_seq)
        for name, stored, duplicate, refused, last_seq in rows
    }


def fold(cursor: duckdb.DuckDBPyConnection, state: State, before: int) -> None:
    """Count batches received before an instant into their doors for good, and forget their ids."""
    with transaction(cursor):
        doors = states.with_batches(cursor, states.folded(cursor), before)
        states.write_doors(cursor, doors)
        cursor.execute("DELETE FROM series.batch WHERE received < ?", [before])
    state.recent.forget(before)


def _known(cursor: duckdb.DuckDBPyConnection, state: State, batches: Sequence[Batch]) -> dict[str, Receipt]:
    keys = {key(batch.id): batch.id for batch in batches}
    hits = state.recent.among(list(keys))
    return receipts(cursor, [keys[hit] for hit in hits]) if hits else {}


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
        door = doors.get(batch.door) or state.doors.get(batch.door) or opened(len(state.doors) + len(doors), batch.door)
        doors[batch.door] = Door(door.no, after_batch(door.account, batch))
    return doors


def _rows(fresh: Sequence[Batch], doors: dict[str, Door], last_seq: int) -> pa.Table:
    """The observations of batches in one table (STORED); always a copy, since senders may use their arrays again."""
    if not fresh:
        return STORED.empty_table()
    counts = [len(batch.time) for batch in fresh]
    columns = [
        last_seq + 1 + np.arange(sum(counts), dtype=np.int64),
        np.concatenate([batch.stream_no for batch in fresh]).astype(np.int32, copy=False),
        np.concatenate([batch.time for batch in fresh]).astype(np.int64, copy=False),
        np.concatenate([batch.value for batch in fresh]).astype(np.float64, copy=False),
        np.repeat(np.array([batch.received for batch in fresh], dtype=np.int64), counts),
        np.repeat(np.array([doors[batch.door].no for batch in fresh], dtype=np.int32), counts),
    ]
    return pa.table(columns, schema=STORED)


def _insert(
    cursor: duckdb.DuckDBPyConnection,
    fresh: Sequence[Batch],
    receipts: dict[str, Receipt],
    doors: dict[str, Door],
    rows: pa.Table,
) -> None:
    if rows.num_rows:
        # Plain arrays are planned and read in two thirds of the time of an Arrow table.
        cursor.register("incoming", {name: rows.column(name).to_numpy() for name in STORED.names})
        cursor.execute(f"INSERT INTO series.obs SELECT {COLUMNS} FROM incoming")
    lines = [
        (
            batch.id,
            key(batch.id),
            batch.received,
            doors[batch.door].no,
            receipts[batch.id].stored,
            batch.duplicate,
            states.counts(dict(batch.refused)) if batch.refused else None,
            receipts[batch.id].last_seq,
        )
        for batch in fresh
    ]
    if len(lines) <= _FEW:
        # Half the time of a table handed in: planning that takes longer than so few rows.
        places = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * len(lines))
        cursor.execute(f"INSERT INTO series.batch VALUES {places}", [cell for line in lines for cell in line])
        return
    cursor.register("ids", pa.table(list(zip(*lines, strict=True)), schema=_BATCHES))
    cursor.execute("INSERT INTO series.batch SELECT * FROM ids")


def _insert_new(cursor: duckdb.DuckDBPyConnection, state: State, doors: dict[str, Door], days: frozenset[int]) -> None:
    for name, door in doors.items():
        if name not in state.doors:
            cursor.execute("INSERT INTO series.door VALUES (?, ?, 0, 0, 0, '{}', NULL)", [door.no, name])
    for day in days:
        cursor.execute("INSERT INTO series.hot_day VALUES (?)", [day])


def _remember(state: State, fresh: Sequence[Batch], doors: dict[str, Door], days: frozenset[int], rows: int) -> None:
    state.last_seq += rows
    state.doors = state.doors | doors
    state.hot_days = state.hot_days | days
    state.recent.add([key(batch.id) for batch in fresh], max(batch.received for batch in fresh))


def _answers(batches: Sequence[Batch], known: dict[str, Receipt], receipts: dict[str, Receipt]) -> list[Receipt]:
    """A receipt for each batch, in their order; the first of an id that was stored now is not a repeat."""
    given: set[str] = set()
    answers: list[Receipt] = []
    for batch in batches:
        receipt = known.get(batch.id) or receipts[batch.id]
        repeated = batch.id in known or batch.id in given
        given.add(batch.id)
        answers.append(Receipt(receipt.batch, receipt.stored, receipt.duplicate, receipt.refused, receipt.last_seq, repeated))
    return answers
