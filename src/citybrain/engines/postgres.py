"""PostgreSQL: the transactional store of a district that has outgrown one machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog
from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoneFreeError

from citybrain.engines.space import full
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.errors import BusyError, CityError, ConflictError
from citybrain.kernel.text import Text

PATIENCE = 15.0
"""Seconds that a writer waits for the one before it."""
_READERS, _WRITERS = 8, 4
_log = structlog.get_logger(__name__)
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


class Alone:
    """Being the only process of a name at a database.

    The database knows by a connection that is held open: the name is free again when the process ends, however it ends.
    """

    def __init__(self, url: str | URL, name: str) -> None:
        self._engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_size=1, isolation_level="AUTOCOMMIT")
        self._name = name
        self._held: Connection | None = None

    def hold(self) -> None:
        """Take the name, or see that it is still ours, taking it anew where the connection was lost.

        Raises ConflictError where another process has it, and BusyError while the database is away.
        """
        try:
            if self._held is not None:
                self._held.exec_driver_sql("SELECT 1")
                return
            self._take(self._engine.connect())
        except OperationalError as error:
            if self._held is not None:
                self._held.invalidate()
                self._held.close()
                self._held = None
            what = Text(f"数据库没有应答：{error.orig}", f"The database does not answer: {error.orig}")
            raise BusyError(what, retry_after=5) from error

    def close(self) -> None:
        """Give the name back, at once where the database answers."""
        if self._held is not None:
            with suppress(SQLAlchemyError):
                self._held.exec_driver_sql("SELECT pg_advisory_unlock(hashtext(%s))", (f"citybrain {self._name}",))
            self._held.close()
            self._held = None
        self._engine.dispose()

    def _take(self, connection: Connection) -> None:
        if connection.exec_driver_sql("SELECT pg_try_advisory_lock(hashtext(%s))", (f"citybrain {self._name}",)).scalar():
            self._held = connection
            return
        connection.close()
        what = Text(
            f"该数据库已有一个承担 {self._name} 角色的进程。请先停止它。",
            f"A process with the role {self._name} runs on this database already. Stop it first.",
        )
        raise ConflictError(what, role=self._name)


def _queue(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


@contextmanager
def _open() -> Iterator[None]:
    yield


_STATES: dict[str, Callable[[], CityError]] = {"53100": full}
_BUSY_STATES = frozenset(("55P03", "40001", "40P01", "53300"))
"""Lock not available, serialization failure, deadlock, too many connections."""
_AWAY_STATES = ("08", "57P")
"""Connection exceptions; the server is being ended, is starting or was ended."""


def _translate(error: DBAPIError | NoneFreeError) -> CityError | None:
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state in _BUSY_STATES or isinstance(error, NoneFreeError):
        return BusyError(Text("数据库正忙，请稍后重试。", "The database is busy. Try again shortly."), retry_after=1)
    if isinstance(error, OperationalError | InterfaceError) and (state is None or state.startswith(_AWAY_STATES)):
        return _away(error)
    return _STATES[state]() if state in _STATES else None


def _away(error: DBAPIError) -> BusyError:
    # Addresses and names of servers are for the log: whoever asks over a door is told what to do.
    _log.warning("database_away", why=str(error.orig).strip().partition("\n")[0])
    what = Text(
        "数据库没有应答，请稍后重试；如果正在保存，重试前请先查看是否已保存。",
        "The database does not answer. Try again shortly; of what was being saved, look first whether it was.",
    )
    return BusyError(what, retry_after=2)
