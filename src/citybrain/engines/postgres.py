"""PostgreSQL: the transactional store of a district that has outgrown one machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from citybrain.engines.space import full
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.errors import BusyError, CityError, ConflictError
from citybrain.kernel.text import Text

PATIENCE = 15.0
"""Seconds that a writer waits for the one before it."""
_READERS, _WRITERS = 8, 4
_WRITER_LOCK = 0x43495459
"""The advisory lock that writers queue for; any number would do, but all processes must agree on it.

An outbox position is taken from a sequence when an event is emitted, but seen by readers only after the commit. Two writers
side by side could commit 8 before 7, and a reader that has gone on to 8 would never see 7. The lock is held from before the
first position is taken until the commit can be seen, so positions appear in order. It is taken at the beginning, not at the
first event, because the audit chain, case numbers and deduplication all read before they write: one writer at a time is what
SQLite promises, and the faculties are written against that promise.
"""


def open_postgres(url: str | URL, schema: str | None = None, patience: float = PATIENCE) -> SqlTransactions:
    """Transactions in a PostgreSQL database (``postgresql://…``), in its default schema unless one is named."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    options = f"-c lock_timeout={round(patience * 1000)} -c timezone=UTC"
    if schema is not None:
        options += f" -c search_path={schema}"
    arguments = {"options": options}
    writing = create_engine(address, pool_size=_WRITERS, max_overflow=0, pool_timeout=patience, connect_args=arguments)
    reading = create_engine(
        address,
        pool_size=_READERS,
        max_overflow=0,
        pool_timeout=patience,
        connect_args=arguments,
        execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    )
    event.listen(writing, "begin", _queue)
    return SqlTransactions(writing, reading, _open, _translate)


@contextmanager
def alone(url: str | URL, name: str) -> Iterator[None]:
    """Be the only process of a name at a database for the time of a block; raises ConflictError where there is one already.

    The database knows by a connection that is held open: it is free again when the process ends, however it ends.
    """
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_size=1, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            if not connection.exec_driver_sql("SELECT pg_try_advisory_lock(hashtext(%s))", (f"citybrain {name}",)).scalar():
                what = Text(
                    f"该数据库已有一个角色为 {name} 的进程。请先停止它。",
                    f"A process with the role {name} runs on this database already. Stop it first.",
                )
                raise ConflictError(what, role=name)
            yield
    finally:
        engine.dispose()


def _queue(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


@contextmanager
def _open() -> Iterator[None]:
    yield


_STATES: dict[str, Callable[[], CityError]] = {"53100": full}
_BUSY_STATES = frozenset(("55P03", "40001", "40P01", "53300"))
"""Lock not available, serialization failure, deadlock, too many connections."""


def _translate(error: DBAPIError) -> CityError | None:
    state = getattr(error.orig, "sqlstate", None)
    if state in _BUSY_STATES:
        return BusyError(Text("数据库正忙，请稍后重试。", "The database is busy. Try again shortly."), retry_after=1)
    return _STATES[state]() if state in _STATES else None
