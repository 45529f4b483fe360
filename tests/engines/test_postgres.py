"""Being the only process of a name at a database."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, create_engine, make_url
from structlog.testing import capture_logs

from citybrain.engines.postgres import Alone, open_postgres
from citybrain.kernel.errors import BusyError, ConflictError

pytestmark = pytest.mark.postgres


@pytest.fixture
def alone(postgres_url: str) -> Iterator[Callable[[str], Alone]]:
    made: list[Alone] = []

    def make(name: str) -> Alone:
        made.append(Alone(postgres_url, name))
        return made[-1]

    yield make
    for one in made:
        one.close()


def in_the_end(one: Alone, seconds: float = 10) -> None:
    """Take a name that the database is about to let go."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            one.hold()
        except ConflictError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


def test_a_second_process_is_told_until_the_first_has_gone(alone: Callable[[str], Alone]) -> None:
    first, second, other = alone("ingest"), alone("ingest"), alone("worker")
    first.hold()
    first.hold()
    other.hold()
    with pytest.raises(ConflictError, match="role ingest runs on this database already"):
        second.hold()
    first.close()
    second.hold()


def test_a_name_that_was_lost_is_taken_anew_unless_another_took_it_meanwhile(
    alone: Callable[[str], Alone], postgres_url: str
) -> None:
    first, second = alone("ingest"), alone("ingest")
    first.hold()
    owner = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    def cut() -> None:
        with owner.connect() as connection:
            held = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            connection.exec_driver_sql(held)

    cut()
    with pytest.raises(BusyError):
        first.hold()
    in_the_end(first)
    cut()
    with pytest.raises(BusyError):
        first.hold()
    in_the_end(second)
    with pytest.raises(ConflictError):
        first.hold()
    owner.dispose()


def test_a_database_that_is_away_or_has_no_connection_free_is_busy_and_answers_when_it_can(postgres_url: str) -> None:
    nowhere = open_postgres("postgresql://127.0.0.1:1/city", patience=1)
    with capture_logs() as said:
        for use in (nowhere.begin, nowhere.read):
            with pytest.raises(BusyError, match=r"does not answer\. ") as told, use():
                pass
            assert "127.0.0.1" not in str(told.value)
    assert [(one["event"], "refused" in one["why"]) for one in said] == [("database_away", True)] * 2
    nowhere.close()
    narrow = open_postgres(postgres_url, patience=0.2)
    with narrow.begin():
        pass
    with ExitStack() as held:
        many = (held.enter_context(narrow.read()) for _ in range(100))
        with pytest.raises(BusyError, match="is busy"):
            list(many)
    owner = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        ours = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        connection.exec_driver_sql(ours)
    owner.dispose()
    with pytest.raises(BusyError, match="look first whether it was"), narrow.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    for use in (narrow.read, narrow.begin):
        with use() as found:
            connection = found if isinstance(found, Connection) else found.connection
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1, "nothing of before is met again, in either pool"
    narrow.close()
