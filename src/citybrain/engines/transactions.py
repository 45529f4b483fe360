"""Transactions: one commit for the change and for its events, the same on SQLite and PostgreSQL."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFreeError

from citybrain.kernel.errors import CityError
from citybrain.kernel.events import Event
from citybrain.kernel.instant import Instant
from citybrain.kernel.predicate import Scalar
from citybrain.kernel.text import Json

Gate: TypeAlias = Callable[[], AbstractContextManager[None]]
"""What a writer passes before it begins: a lock, a look at the free space."""
Translate: TypeAlias = Callable[[DBAPIError | NoneFreeError], CityError | None]
"""A product's error as one of ours, or None when it should pass as it is."""

METADATA = MetaData()
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("position", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False),
    Column("type", String(200), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,  # a position is never given twice, not even after rows were deleted
)
_EMIT = insert(OUTBOX)
CURSOR_POSITION = Table(
    "cursor_position",
    METADATA,
    Column("name", String(100), primary_key=True),
    Column("position", BigInteger, nullable=False),
)


def create(connection: Connection) -> None:
    """Make the outbox and the positions where they are missing; app migrates with alembic instead."""
    METADATA.create_all(connection)


class OpenTransaction:
    """One transaction: its connection, and the outbox in the same commit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.emitted = False

    @property
    def connection(self) -> Connection:
        """The SQLAlchemy connection."""
        return self._connection

    def emit(self, *events: Event) -> None:
        """Write events that are delivered, in this order, if and only if this transaction commits."""
        rows = [msgspec.structs.asdict(event) | {"body": msgspec.json.encode(event.body).decode()} for event in events]
        self._connection.execute(_EMIT, rows)
        self.emitted = True


class SqlTransactions:
    """Transactions over two SQLAlchemy engines: one that writes, one that reads snapshots."""

    def __init__(self, writing: Engine, reading: Engine, gate: Gate, translate: Translate) -> None:
        self._writing = writing
        self._reading = reading
        self._gate = gate
        self._translate = translate
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._writers: set[int] = set()

    @contextmanager
    def begin(self) -> Iterator[OpenTransaction]:
        """Read and write, one writer at a time; commits on leaving, durable when it returns.

        Raises StorageFullError and BusyError; a begin inside a begin of the same thread is a RuntimeError.
        """
        with self._once_a_thread(), self._gate(), self._translated(), self._writing.begin() as connection:
            transaction = OpenTransaction(connection)
            yield transaction
        if transaction.emitted:
            self._wake()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read a consistent snapshot; never blocks on a writer, and cannot write."""
        with self._translated(), self._reading.begin() as connection:
            yield connection

    def events_after(self, cursor: int, limit: int) -> Sequence[tuple[int, Event]]:
        """Committed events with their outbox position, in order, after a position."""
        wanted = select(OUTBOX).where(OUTBOX.c.position > cursor).order_by(OUTBOX.c.position).limit(limit)
        with self.read() as connection:
            rows = connection.execute(wanted).all()
        return [(row.position, _event(row)) for row in rows]

    def ask(self, sql: str, values: Mapping[str, Scalar]) -> Sequence[Mapping[str, object]]:
        """Rows of a query with ``:name`` parameters, on a snapshot."""
        with self.read() as connection:
            found = connection.execute(text(sql), dict(values))
            names = tuple(found.keys())
            return [dict(zip(names, row, strict=True)) for row in found]

    def last_position(self) -> int:
        """The newest committed outbox position; 0 at first."""
        with self.read() as connection:
            return connection.execute(select(func.max(OUTBOX.c.position))).scalar_one_or_none() or 0

    def forget(self, before: Instant, readers: Sequence[str]) -> int:
        """Drop events older than an instant that every one of some readers has passed; returns how many.

        The newest event stays: whoever begins to read asks for its position.
        """
        passed = min(self.cursor(reader) for reader in readers)
        with self.begin() as tx:
            newest = tx.connection.execute(select(func.max(OUTBOX.c.position))).scalar_one_or_none() or 0
            old = delete(OUTBOX).where(OUTBOX.c.time < before, OUTBOX.c.position <= min(passed, newest - 1))
            return tx.connection.execute(old).rowcount

    def cursor(self, name: str) -> int:
        """The durable position of a named reader; 0 at first."""
        wanted = select(CURSOR_POSITION.c.position).where(CURSOR_POSITION.c.name == name)
        with self.read() as connection:
            return connection.execute(wanted).scalar_one_or_none() or 0

    def advance(self, connection: object, name: str, position: int) -> None:
        """Move a named reader's position within an open transaction's connection; raises TypeError for anything else."""
        if not isinstance(connection, Connection):
            message = f"A position moves within an open transaction's connection, not within {type(connection).__name__}."
            raise TypeError(message)
        change = update(CURSOR_POSITION).where(CURSOR_POSITION.c.name == name).values(position=position)
        if connection.execute(change).rowcount == 0:
            connection.execute(insert(CURSOR_POSITION).values(name=name, position=position))

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back, in the committing thread, after each commit that emitted; returns what ends it.

        The callback only wakes somebody up: it must be quick and must not raise.
        """
        with self._lock:
            self._listeners.append(callback)

        def end() -> None:
            with self._lock:
                self._listeners.remove(callback)

        return end

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._writing.dispose()
        self._reading.dispose()

    def _wake(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    @contextmanager
    def _once_a_thread(self) -> Iterator[None]:
        thread = threading.get_ident()
        if thread in self._writers:
            message = "A transaction is already open in this thread: hand its Tx on instead of beginning another."
            raise RuntimeError(message)
        self._writers.add(thread)
        try:
            yield
        finally:
            self._writers.discard(thread)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, NoneFreeError) as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                # The server was away: whatever waits in either pool is of before that.
                self.close()
            ours = self._translate(error)
            if ours is None:
                raise
            raise ours from error


def _event(row: Row[*tuple[object, ...]]) -> Event:
    body: dict[str, Json] = msgspec.json.decode(row.body)
    return Event(row.id, row.type, row.subject, Instant(row.time), body)
