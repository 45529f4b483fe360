"""Migrations: they build exactly the tables that the rooms declare, on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, make_url

from citybrain.app import migrate
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.brain.observe import About, Featured
from citybrain.engines.postgres import open_postgres
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import Instant


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> SqlTransactions:
    """A store without any table."""
    if request.param == "sqlite":
        return open_sqlite(tmp_path / "city.sqlite")
    url = str(request.getfixturevalue("postgres_url"))
    owner = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with owner.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS migrated CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA migrated")
    owner.dispose()
    return open_postgres(url, "migrated")


def declared() -> MetaData:
    """The tables of all rooms as one."""
    whole = MetaData()
    for room in migrate.METADATA:
        for table in room.tables.values():
            table.to_metadata(whole)
    return whole


def test_the_migrations_build_exactly_the_tables_that_the_rooms_declare(bare: SqlTransactions) -> None:
    with bare.read() as connection:
        assert migrate.pending(connection) != ()
    with bare.begin() as tx:
        migrate.upgrade(tx.connection)
    with bare.read() as connection:
        assert migrate.pending(connection) == ()
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, declared()) == []
    bare.close()


def test_an_upgrade_that_is_taken_twice_changes_nothing(bare: SqlTransactions) -> None:
    for _ in range(2):
        with bare.begin() as tx:
            migrate.upgrade(tx.connection)
    with bare.read() as connection:
        assert migrate.pending(connection) == ()
    bare.close()


def test_what_observations_are_about_is_still_there_after_they_may_say_more(bare: SqlTransactions) -> None:
    with bare.begin() as tx:
        older = Config()
        older.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        older.attributes["connection"] = tx.connection
        command.upgrade(older, "0015")
        tx.connection.exec_driver_sql("INSERT INTO featured (stream, time, feature) VALUES (1, 10, 'pond')")
    with bare.begin() as tx:
        migrate.upgrade(tx.connection)
    featured = Featured(bare)
    featured.put([About(1, Instant(20), None, '{"parameters":{"by":"hand"}}')])
    assert featured.of([1], 0, 99) == {
        "1.10": About(1, Instant(10), "pond", None),
        "1.20": About(1, Instant(20), None, '{"parameters":{"by":"hand"}}'),
    }
    bare.close()


def test_a_district_is_not_served_while_steps_are_pending(tmp_path: Path) -> None:
    settings = Settings(state=str(tmp_path), low_water=0)
    with pytest.raises(ConflictError, match="--upgrade"), opened(settings, upgrade=False):
        pass
    with opened(settings, upgrade=True):
        pass
    with opened(settings, upgrade=False) as stores:
        assert stores.transactions.last_position() == 0


def test_a_database_of_a_later_release_is_not_opened_and_the_step_is_named(bare: SqlTransactions) -> None:
    with bare.begin() as tx:
        migrate.upgrade(tx.connection)
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConflictError, match=r"later release \(step 9999\)"), bare.read() as connection:
        migrate.pending(connection)
    bare.close()
