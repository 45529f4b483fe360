"""A process works with the stores and the processes of its own district, of its own release, or does not start."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import inspect

from citybrain.app import belonging, migrate
from citybrain.app.quiet import at_home
from citybrain.app.roles import Role
from citybrain.app.settings import Settings
from citybrain.app.stores import FACTS, Stores, opened
from citybrain.brain.see import FactFeed
from citybrain.engines.duckdb import DuckFacts, DuckFile
from citybrain.engines.flight import Answers, plain
from citybrain.engines.meeting import MixedError, Process
from citybrain.engines.postgres import open_postgres
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import OUTBOX, SqlTransactions
from citybrain.kernel.errors import ConflictError
from tests.app.conftest import NOW
from tests.app.test_saving import event
from tests.brain.see.conftest import alert, alert_event

SECRET = "s"
NOBODY = "grpc://127.0.0.1:1"


def test_a_database_knows_the_events_that_are_its_own(transactions: SqlTransactions, tmp_path: Path) -> None:
    other = open_sqlite(tmp_path / "other.sqlite")
    assert belonging.newest(other) == (0, ""), "no table yet"
    with other.begin() as tx:
        migrate.upgrade(tx.connection)
    assert belonging.newest(transactions) == (0, "")
    for store, name in ((transactions, "mine"), (other, "theirs")):
        with store.begin() as tx:
            tx.emit(event(1, name), event(2, name))
    mine, theirs = belonging.newest(transactions), belonging.newest(other)
    assert (mine, theirs) == ((2, "mine-2"), (2, "theirs-2"))
    for place, known in ((mine, True), ((1, "mine-1"), True), ((0, ""), True), (theirs, False), ((3, "mine-3"), False)):
        assert belonging.knows(transactions, place) is known
    other.close()


def settings(state: Path, database: str, role: Role, ingest_at: str = NOBODY, worker_at: str = NOBODY) -> Settings:
    """Those of a process of a district."""
    return Settings(
        state=str(state),
        database=database,
        role=role,
        bus="nats://127.0.0.1:1",
        ingest_at=ingest_at,
        worker_at=worker_at,
        shared=str(state),
        secret=SECRET,
        low_water=0,
    )


@contextmanager
def answering(role: str, release: str = Process().release, *, knows: bool = True) -> Iterator[str]:
    """A process of a role; its address."""
    with Answers(
        "grpc://127.0.0.1:0", SECRET, {"last_seq": lambda _: plain(0)}, None, Process(role, release), lambda _: knows
    ) as there:
        yield f"grpc://127.0.0.1:{there.port}"


@pytest.mark.postgres
def test_no_process_starts_beside_one_of_another_release_or_district_and_no_schema_is_changed(tmp_path: Path, empty: str) -> None:
    with answering("worker", "0.0.9") as worker, answering("ingest", knows=False) as ingest:
        refused = (
            (settings(tmp_path, empty, "ingest", worker_at=worker), True, "worker 0.0.9"),
            (settings(tmp_path, empty, "api", worker_at=worker), None, "worker 0.0.9"),
            (settings(tmp_path, empty, "worker", ingest_at=ingest), None, "process ingest is another district's"),
            (settings(tmp_path, empty, "api", ingest_at=ingest), None, "process ingest is another district's"),
        )
        for one, upgrade, why in refused:
            with pytest.raises(MixedError, match=why), opened(one, upgrade=upgrade):
                pass
    store = open_postgres(empty)
    with store.read() as connection:
        assert not inspect(connection).has_table(OUTBOX.name)
    store.close()
    with opened(settings(tmp_path, empty, "ingest"), upgrade=True) as alone:
        assert alone.own is not None, "it starts where no worker runs"


@pytest.fixture
def worker(tmp_path: Path, empty: str) -> Iterator[Callable[[Path], Stores]]:
    """The stores of a worker with a folder, opened as it starts; nothing is left open."""
    with opened(settings(tmp_path / "var", empty, "ingest"), upgrade=True):
        pass
    with answering("ingest") as ingest:

        def start(folder: Path) -> Stores:
            with ExitStack() as stack:
                own = settings(folder, empty, "worker", ingest_at=ingest)
                found = stack.enter_context(opened(own, upgrade=False))
                at_home(own, found)
                return found

        yield start


@pytest.mark.postgres
def test_a_worker_starts_with_its_own_facts_or_none_and_with_no_others(
    tmp_path: Path, empty: str, worker: Callable[[Path], Stores]
) -> None:
    def told(folder: Path, key: str, events: SqlTransactions) -> None:
        with events.begin() as tx:
            tx.emit(alert_event(alert(key), NOW))
        file = DuckFile(folder / FACTS)
        assert FactFeed(events, DuckFacts(file)).run_once() == 1
        file.close()

    mine, theirs, before, alike = (tmp_path / name for name in ("mine", "theirs", "before", "alike"))
    store, other = open_postgres(empty), open_sqlite(tmp_path / "other.sqlite")
    with other.begin() as tx:
        migrate.upgrade(tx.connection)
    for number in range(2):
        told(mine, f"mine-{number}", store)
        told(theirs, f"theirs-{number}", other)
        if number == 0:
            shutil.copytree(mine, before)
    shutil.copytree(theirs, alike)
    told(theirs, "theirs-2", other)
    with store.begin() as tx:
        tx.emit(alert_event(alert("not told yet"), NOW))
    worker(mine)
    worker(tmp_path / "new")
    for folder in (theirs, alike, before):
        with pytest.raises(ConflictError, match="are not those of this district"):
            worker(folder)
    store.close()
    other.close()
