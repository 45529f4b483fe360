"""A district that goes on is backed up as it stood at one instant, on either store, and begins again on either from the backup."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import create_engine, make_url

from citybrain.app import migrate, saving
from citybrain.app.backups import restore
from citybrain.app.city import City
from citybrain.app.cli import main
from citybrain.engines.duckdb import DuckFacts
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import OUTBOX
from citybrain.kernel.access import Page, Query
from citybrain.kernel.errors import BusyError, ConflictError
from citybrain.kernel.events import Event
from citybrain.kernel.instant import HOUR, Instant
from citybrain.kernel.observations import Batch, SeriesQuery
from tests import several
from tests.app.conftest import NOW, furnished

pytestmark = pytest.mark.postgres
STREAM = "air-01.pm25"


@pytest.fixture(params=["sqlite", "postgres"])
def base(request: pytest.FixtureRequest) -> str:
    """The address of the database; none for SQLite in the state folder."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("empty"))


def event(number: int, subject: str) -> Event:
    return Event(f"{subject}-{number}", "t", subject, Instant(number), {})


def emitted(city: City, number: int, subject: str) -> None:
    with city.stores.transactions.begin() as tx:
        tx.emit(event(number, subject))


def reading(number: int) -> Batch:
    at = np.array([NOW - HOUR + number], np.int64)
    return Batch(f"b{number}", "test", NOW, np.array([1], np.int32), at, np.array([float(number)]), {})


@contextmanager
def busy(city: City) -> Iterator[Callable[[], None]]:
    """Somebody commits that a reading is to come, has it stored, and commits that it was, over and over; gives what waits for some more."""
    ended, numbers, stored = threading.Event(), count(), threading.Semaphore(0)

    async def work() -> None:
        while not ended.is_set():
            number = next(numbers)
            await asyncio.to_thread(emitted, city, number, "begun")
            await city.stores.mine.append(reading(number))
            await asyncio.to_thread(emitted, city, number, "done")
            stored.release()

    def some() -> None:
        assert all(stored.acquire(timeout=30) for _ in range(5))

    worker = threading.Thread(target=lambda: asyncio.run(work()))
    worker.start()
    try:
        yield some
    finally:
        ended.set()
        worker.join()


@pytest.mark.thorough
def test_what_one_store_says_of_the_other_is_true_in_every_copy(tmp_path: Path, base: str) -> None:
    with furnished(tmp_path / "var", database=base) as city, busy(city) as some:
        for number in range(4):
            some()
            saving.save(city.stores, city.settings, tmp_path / f"kept-{number}")
    counted = []
    for number in range(4):
        restore(tmp_path / f"kept-{number}", tmp_path / f"again-{number}")
        with furnished(tmp_path / f"again-{number}") as city:
            said = [one.subject for _, one in city.stores.transactions.events_after(0, 100_000)]
            begun, done = said.count("begun"), said.count("done")
            stored = city.stores.series.scan(SeriesQuery((1,), Instant(NOW - HOUR), NOW)).num_rows
        assert done <= stored <= begun <= done + 1
        counted.append(stored)
    assert counted == sorted(set(counted))


def everything(city: City) -> dict[str, Page]:
    """What every dataset answers."""
    return {name: source(Query(name, limit=1000, count=True)) for name, source in city.sources.items() if name != "observation"}


@pytest.mark.thorough
def test_on_postgresql_every_answer_is_what_it_was_in_one_process_and_in_another_database(
    tmp_path: Path, empty: str, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "var"
    with furnished(state, database=empty) as city:
        city.accounts.create("数据员", "officer", "Nine-willows-by-the-weir-7", ("data_officer",))
        columns = np.full(3, city.registry.stream(STREAM).no, np.int32), NOW - np.arange(3) * HOUR, np.array([35.0, 41.0, 57.0])
        assert asyncio.run(city.intake.take_columns(*columns, "import", None)).stored == 3
        for number in range(9):
            emitted(city, number, "s")
        with city.stores.transactions.begin() as tx:
            tx.connection.execute(OUTBOX.delete().where(OUTBOX.c.id != "s-3"))
        city.stores.facts.append("told", pa.table({"position": [1]}), 1)
        last = city.stores.transactions.last_position()
        told, rows = everything(city), city.audit.verify()
        # What lay here before the district was moved is not what counts now.
        (state / "city.sqlite").write_bytes(b"of long ago")
        count = saving.save(city.stores, city.settings, tmp_path / "kept")
    assert sum(page.total or 0 for page in told.values()) > 20
    assert restore(tmp_path / "kept", tmp_path / "again") == count
    with furnished(tmp_path / "again") as city:
        assert everything(city) == told
        assert city.audit.verify() >= rows
        assert city.latest.of(city.registry.stream(STREAM).no) is not None
        assert city.stores.facts.position("told") == 1
        emitted(city, 99, "s")
        assert city.stores.transactions.last_position() > last + 5, "no number is given twice"
        assert city.accounts.sign_in("officer", "Nine-willows-by-the-weir-7", "here")
    capsys.readouterr()
    restore(tmp_path / "kept", tmp_path / "moved")
    with several.database(postgres_url, "restored") as other:
        assert main(["move", "--to", other, "--state", str(tmp_path / "moved")]) == 0
        assert "every table agrees" in capsys.readouterr().out
        with furnished(tmp_path / "moved", database=other) as city:
            assert everything(city) == told
            assert city.audit.verify() >= rows


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:.*ServerCursor.*:ResourceWarning")  # SQLAlchemy leaves it when the connection is gone
def test_a_database_that_goes_away_meanwhile_leaves_nothing_of_the_copy(
    tmp_path: Path, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = create_engine(make_url(empty).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    def cut(connection: object, step: str) -> None:
        with owner.connect() as others:
            others.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        del connection, step

    with furnished(tmp_path / "var", database=empty) as city:
        with monkeypatch.context() as patch:
            patch.setattr(migrate, "upgrade", cut)
            with pytest.raises(BusyError, match="does not answer"):
                saving.save(city.stores, city.settings, tmp_path / "kept")
        gc.collect()
        assert list((tmp_path / "kept").iterdir()) == []
        assert saving.save(city.stores, city.settings, tmp_path / "kept") > 3
    owner.dispose()


def test_pictures_and_keys_that_processes_share_are_in_the_copy(tmp_path: Path) -> None:
    with furnished(tmp_path / "var") as city:
        shared = tmp_path / "shared"
        (shared / "files" / "ab").mkdir(parents=True)
        (shared / "files" / "ab" / "abc").write_bytes(b"picture")
        (shared / "other").write_bytes(b"somebody's")
        settings = msgspec.structs.replace(city.settings, shared=str(shared))
        saving.save(city.stores, settings, tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "again")
    assert (tmp_path / "again" / "files" / "ab" / "abc").read_bytes() == b"picture"
    assert not (tmp_path / "again" / "other").exists()


def test_facts_of_another_process_end_with_the_newest_event_of_the_copy(facts: DuckFacts) -> None:
    facts.append("case_opened", pa.table({"position": [1, 4]}), 5)
    facts.append("case_opened", pa.table({"position": [7, 9]}), 9)
    facts.append("case_moved", pa.table({"position": [2]}), 3)
    laid = {name: (rows["position"].to_pylist(), upto) for name, rows, upto in saving._facts(facts, 7)}
    assert laid == {"case_opened": ([1, 4, 7], 7), "case_moved": ([2], 3)}


def test_a_process_without_observations_says_where_to_ask(tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="where ingest runs"):
        saving.elsewhere(tmp_path)


def test_a_copy_that_is_a_sqlite_file_has_no_step_to_take(tmp_path: Path, empty: str) -> None:
    with furnished(tmp_path / "var", database=empty) as city:
        saving.save(city.stores, city.settings, tmp_path / "kept")
    with closing(open_sqlite(tmp_path / "kept" / "state" / "city.sqlite")) as copy, copy.read() as connection:
        assert migrate.pending(connection) == ()
