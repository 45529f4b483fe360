"""Being the only process of a name at a database."""

import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, make_url

from citybrain.engines.postgres import Alone
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
