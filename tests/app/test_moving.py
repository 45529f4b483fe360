"""A district that has outgrown SQLite takes its past along: every table, whole or not at all."""

import math
import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, LargeBinary, String, Table, create_engine, make_url

from citybrain.app import migrate
from citybrain.app.city import City, build, datasets
from citybrain.app.cli import main
from citybrain.app.moving import move
from citybrain.app.packs import installed
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.engines.copying import Sheet, sheet, standing
from citybrain.engines.postgres import open_postgres
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import OUTBOX, SqlTransactions
from citybrain.kernel.access import Page, Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError, NotFoundError
from citybrain.kernel.events import Event
from citybrain.kernel.instant import Instant
from tests import several
from tests.app.conftest import NOW, furnished

pytestmark = pytest.mark.postgres
TABLES = tuple(table for room in migrate.METADATA for table in room.sorted_tables)
WORDS = ("", "清和街道 \N{GRINNING FACE}\t\"'\\.\\N\r\n", '{"zh": "\\u0000", "en": [null, 1e400]}')
ROWS = len(WORDS)
LARGEST = 2**63 - 1
FLOATS = (5e-324, -1.7976931348623157e308, 0.1 + 0.2)


@pytest.fixture
def filled(tmp_path: Path) -> Settings:
    """A stopped district whose every table has rows of the most awkward values that it takes."""
    settings = Settings(state=str(tmp_path / "var"), low_water=0)
    with opened(settings, upgrade=True) as stores, stores.transactions.begin() as tx:
        for table in TABLES:
            tx.connection.execute(table.insert(), [row(table, number) for number in range(ROWS)])
    return settings


def row(table: Table, number: int) -> dict[str, object]:
    return {column.name: value(column, number) for column in table.columns}


def value(column: Column[Any], number: int) -> object:
    """Something that the column takes, none like another where it must not be; the last row leaves out what may be left out."""
    if column.nullable and number == ROWS - 1:
        return None
    return whole(column, number) if isinstance(column.type, Integer) else other(column, number)


def whole(column: Column[Any], number: int) -> int:
    if column.table is OUTBOX:
        return number + 1 if column.primary_key else LARGEST - number
    most = LARGEST if isinstance(column.type, BigInteger) else 2**31 - 1
    return (most, -most - 1, 0)[number]


def other(column: Column[Any], number: int) -> object:
    kind = column.type
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, LargeBinary):
        return (b"", bytes(range(256)), b"\\x00")[number]
    if isinstance(kind, Float):
        return FLOATS[number]
    assert isinstance(kind, String), f"{column} has a type that this test does not know"
    if column.primary_key or column.foreign_keys or alone(column):
        return f"名{number}"
    return WORDS[number].ljust(kind.length or 0, "界")[: kind.length]


def alone(column: Column[Any]) -> bool:
    """Whether the values of a column must differ."""
    return bool(column.unique) or any(index.unique and column.name in index.columns for index in column.table.indexes)


def sheets(connection: Connection) -> dict[str, Sheet]:
    return {table.name: sheet(connection, table) for table in TABLES}


def nobody(_: Sheet) -> None:
    """Hears of nothing."""


def at_last(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_every_row_of_every_table_is_there_as_it_was(filled: Settings, empty: str) -> None:
    heard: list[Sheet] = []
    assert move(filled, empty, heard.append) == ROWS * len(TABLES)
    source, target = open_sqlite(filled.folder / "city.sqlite"), open_postgres(empty)
    with source.read() as old, target.read() as new:
        for table in TABLES:
            wanted = [tuple(one) for one in old.execute(table.select().order_by(*table.primary_key))]
            found = [tuple(one) for one in new.execute(table.select())]
            assert sorted(found, key=repr) == sorted(wanted, key=repr), table.name
            assert [[type(item) for item in one] for one in sorted(found, key=repr)] == [
                [type(item) for item in one] for one in sorted(wanted, key=repr)
            ]
        assert migrate.pending(new) == ()
        assert {one.table: one for one in heard} == sheets(old) == sheets(new)
    source.close()
    target.close()


def test_positions_go_on_where_they_were_even_after_the_newest_events_were_dropped(tmp_path: Path, empty: str) -> None:
    settings = Settings(state=str(tmp_path / "var"), low_water=0)
    with opened(settings, upgrade=True) as stores:
        emitted(stores.transactions, 9)
        with stores.transactions.begin() as tx:
            tx.connection.execute(OUTBOX.delete())
    move(settings, empty, nobody)
    target = open_postgres(empty)
    emitted(target, 1)
    assert target.last_position() == 10
    target.close()


def test_a_district_without_events_begins_at_the_first(tmp_path: Path, empty: str) -> None:
    settings = Settings(state=str(tmp_path / "var"), low_water=0)
    with opened(settings, upgrade=True):
        pass
    assert move(settings, empty, nobody) == 0
    target = open_postgres(empty)
    emitted(target, 1)
    assert target.last_position() == 1
    target.close()


def emitted(transactions: SqlTransactions, events: int) -> None:
    with transactions.begin() as tx:
        tx.emit(*(Event(f"{number}", "t", "s", Instant(number), {}) for number in range(events)))


def test_a_database_that_is_not_empty_is_left_as_it_is(filled: Settings, empty: str) -> None:
    move(filled, empty, nobody)
    with pytest.raises(ConflictError, match="not empty"):
        move(filled, empty, nobody)
    target = open_postgres(empty)
    with target.begin() as tx:
        for table in reversed(TABLES):
            tx.connection.execute(table.delete())
    with pytest.raises(ConflictError, match="such as account"):
        move(filled, empty, nobody)
    target.close()


@pytest.mark.parametrize(
    ("column", "wrong", "where"),
    [
        ("subject", "s" * 201, "COPY outbox, line 4, column subject"),
        ("subject", "s\x00", "COPY outbox, line 4"),
        ("time", 1.5, "COPY outbox, line 4, column time"),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_nothing_is_moved(
    filled: Settings, empty: str, column: str, wrong: object, where: str
) -> None:
    with opened(filled, upgrade=False) as stores, stores.transactions.begin() as tx:
        tx.connection.exec_driver_sql(
            f"INSERT INTO outbox VALUES (99, 'i', 't', {'?' if column == 'subject' else repr('s')}, "
            f"{'?' if column == 'time' else 1}, '')",
            (wrong,),
        )
    with pytest.raises(BadInputError, match=where):
        move(filled, empty, nobody)
    assert left(empty) == ()


def left(address: str) -> tuple[str, ...]:
    """What stands in a database."""
    target = open_postgres(address)
    with target.read() as connection:
        found = standing(connection)
    target.close()
    return found


def test_what_the_copy_changed_is_found_before_it_counts(filled: Settings, empty: str) -> None:
    """A trigger stands for whatever might change a row on its way."""

    def spoil(seen: Sheet) -> None:
        if seen.table == "outbox":
            raise AssertionError

    owner = create_engine(make_url(empty).set(drivername="postgresql+psycopg"))
    with owner.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA aside")
        connection.exec_driver_sql(
            "CREATE FUNCTION aside.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.subject := 'other'; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE FUNCTION aside.made() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands()"
            " WHERE object_identity = 'public.outbox' AND command_tag = 'CREATE TABLE') THEN"
            " CREATE TRIGGER spoil BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION aside.spoil(); END IF; END $$"
        )
        connection.exec_driver_sql("CREATE EVENT TRIGGER made ON ddl_command_end EXECUTE FUNCTION aside.made()")
    owner.dispose()
    with pytest.raises(ConflictError, match="outbox differs after the copy"):
        move(filled, empty, spoil)
    assert left(empty) == ()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("last", "told"), [(TABLES[3].name, "Nothing was moved"), (TABLES[-1].name, "broke off at the commit.*move again")]
)
def test_a_database_that_goes_away_meanwhile_has_nothing(filled: Settings, empty: str, last: str, told: str) -> None:
    owner = create_engine(make_url(empty).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    def cut(seen: Sheet) -> None:
        if seen.table == last:
            with owner.connect() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )

    with pytest.raises(BusyError, match=told):
        move(filled, empty, cut)
    owner.dispose()
    assert left(empty) == ()
    assert move(filled, empty, nobody) == ROWS * len(TABLES)


def test_what_cannot_be_moved_is_said_before_anything_is_touched(tmp_path: Path, filled: Settings, empty: str) -> None:
    with pytest.raises(NotFoundError, match="nothing to move"):
        move(Settings(state=str(tmp_path / "other")), empty, nobody)
    assert not (tmp_path / "other").exists()
    for address in ("mysql://host/name", "sqlite:///x", "host"):
        with pytest.raises(BadInputError, match="postgresql://user@host/name"):
            move(filled, address, nobody)
    with pytest.raises(ConflictError, match="not on SQLite"):
        move(Settings(state=filled.state, database=empty), empty, nobody)
    with pytest.raises(BusyError, match=r"does not answer: .*nowhere"):
        move(filled, make_url(empty).set(database="nowhere").render_as_string(hide_password=False), nobody)
    with opened(filled, upgrade=False) as stores, stores.transactions.begin() as tx:
        tx.connection.exec_driver_sql("CREATE TABLE somebodys (x)")
    with pytest.raises(ConflictError, match="somebodys"):
        move(filled, empty, nobody)
    assert left(empty) == ()


def test_a_district_that_lacks_steps_is_upgraded_first(tmp_path: Path, empty: str) -> None:
    (tmp_path / "var").mkdir()
    bare = open_sqlite(tmp_path / "var" / "city.sqlite")
    with bare.begin() as tx:
        tx.connection.exec_driver_sql("CREATE TABLE x (y)")
    bare.close()
    with pytest.raises(ConflictError, match="--upgrade"):
        move(Settings(state=str(tmp_path / "var")), empty, nobody)
    assert left(empty) == ()


@pytest.mark.thorough
def test_the_moved_district_is_asked_the_same_and_its_audit_chain_holds(
    tmp_path: Path, empty: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "var"
    with furnished(state) as city:
        city.accounts.create("数据员", "officer", "Moved-along-2026", ("data_officer",))
        city.accounts.sign_in("officer", "Moved-along-2026", "here")
    with furnished(state) as city:
        told = everything(city)
        rows = city.audit.verify()
    assert main(["move", "--to", empty, "--state", str(state)]) == 0
    said = capsys.readouterr().out
    assert "every table agrees" in said
    assert 'database = "postgresql://' in said
    monkeypatch.setenv("CITYBRAIN_DATABASE", empty)
    assert main(["verify", "--state", str(state)]) == 0
    assert int(capsys.readouterr().out.split()[0]) >= rows > 0
    settings = Settings(state=str(state), district="990104", low_water=0, case_prefix="YS", database=empty)
    with opened(settings, upgrade=False) as stores:
        moved = build(settings, stores, installed(), FixedClock(NOW), "demo")
        moved.catalogue.register_all(datasets(moved.packs, "demo"))
        assert everything(moved) == told
        assert sum(page.total or 0 for page in told.values()) > 20
        assert told["air_station"].total == 1
        assert moved.accounts.sign_in("officer", "Moved-along-2026", "here")
        assert moved.audit.verify() > rows


def everything(city: City) -> dict[str, Page]:
    """What every dataset answers; readings are not among them, for they are not in this store."""
    return {name: source(Query(name, limit=1000, count=True)) for name, source in city.sources.items() if name != "observation"}


@pytest.mark.kill
@pytest.mark.timeout(300)
def test_a_kill_in_the_midst_leaves_the_database_empty_and_the_next_move_whole(filled: Settings, empty: str) -> None:
    with opened(filled, upgrade=False) as stores, stores.transactions.begin() as tx:
        many = [row(OUTBOX, 1) | {"position": number, "id": f"{number}"} for number in range(10, 40_000)]
        tx.connection.execute(OUTBOX.insert(), many)
    owner = create_engine(make_url(empty).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with owner.connect() as watching:

        def others(doing: str) -> bool:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE %s"
            return bool(watching.exec_driver_sql(asked, (doing,)).scalar())

        for doing in ("COPY outbox %", "%FETCH FORWARD%"):
            process = moving(filled, empty)
            at_last(partial(others, doing), 90)
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            at_last(lambda: not others("%"))
            assert left(empty) == ()
            at_last(lambda: not others("%"))
    owner.dispose()
    assert moving(filled, empty).wait(120) == 0
    source, target = open_sqlite(filled.folder / "city.sqlite"), open_postgres(empty)
    with source.read() as old, target.read() as new:
        assert sheets(old) == sheets(new)
    source.close()
    target.close()


def moving(settings: Settings, to: str) -> subprocess.Popen[bytes]:
    command = [*several.CITYBRAIN, "move", "--to", to, "--state", settings.state]
    return subprocess.Popen(command, env=os.environ | {"CITYBRAIN_LOW_WATER": "0"}, stdout=subprocess.DEVNULL)


def test_the_values_of_these_tests_are_awkward() -> None:
    assert math.isfinite(FLOATS[1])
    assert {type(column.type) for table in TABLES for column in table.columns} >= {Boolean, LargeBinary, BigInteger}
