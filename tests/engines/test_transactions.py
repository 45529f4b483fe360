"""One suite over SQLite and PostgreSQL."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, ForeignKey, Integer, MetaData, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from citybrain.engines.space import FreeSpace
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import OpenTransaction, SqlTransactions
from citybrain.kernel.errors import BusyError, StorageFullError
from citybrain.kernel.events import Event
from citybrain.kernel.instant import Instant

TABLES = MetaData()
NUMBER = Table("number", TABLES, Column("n", Integer, primary_key=True), Column("parent", Integer, ForeignKey("number.n")))


def event(number: int) -> Event:
    return Event(f"id-{number}", "citybrain.test.v1", f"subject-{number}", Instant(number), {"n": number, "文": [1.5, None]})


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(NUMBER)).scalar_one()


def fail_after(tx: OpenTransaction, act: Callable[[], None]) -> None:
    """Write a row, act, and break the key of the row."""
    tx.connection.execute(insert(NUMBER).values(n=1))
    act()
    tx.connection.execute(insert(NUMBER).values(n=1))


def fill_one_page(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA max_page_count=1")
    connection.execute(insert(NUMBER), [{"n": n} for n in range(2, 5_000)])


@pytest.fixture
def store(transactions: SqlTransactions) -> SqlTransactions:
    with transactions.begin() as tx:
        TABLES.create_all(tx.connection)
    return transactions


def test_an_event_is_delivered_as_it_was_written_in_order(store: SqlTransactions) -> None:
    for number in (1, 2, 3):
        with store.begin() as tx:
            tx.emit(event(number))
    positions, events = zip(*store.events_after(0, 10), strict=True)
    assert events == (event(1), event(2), event(3))
    assert list(positions) == sorted(positions)
    assert [found for _, found in store.events_after(positions[0], 1)] == [event(2)]


def test_old_events_are_dropped_once_every_reader_had_them_and_the_newest_stays(store: SqlTransactions) -> None:
    for number in (1, 2, 3, 4):
        with store.begin() as tx:
            tx.emit(event(number))
    positions = [position for position, _ in store.events_after(0, 10)]
    assert store.forget(Instant(9), ("quick", "slow")) == 0
    for reader, position in (("quick", positions[3]), ("slow", positions[1])):
        with store.begin() as tx:
            store.advance(tx.connection, reader, position)
    assert store.forget(Instant(2), ("quick", "slow")) == 1
    assert store.forget(Instant(9), ("quick", "slow")) == 1
    assert [found for _, found in store.events_after(0, 10)] == [event(3), event(4)]
    assert store.forget(Instant(9), ("quick",)) == 1
    assert store.last_position() == positions[3]


def test_a_rolled_back_change_leaves_neither_row_nor_event_nor_wake_up(store: SqlTransactions) -> None:
    woken: list[int] = []
    store.on_commit(lambda: woken.append(1))
    with pytest.raises(IntegrityError), store.begin() as tx:
        fail_after(tx, lambda: tx.emit(event(1)))
    with store.read() as connection:
        assert count(connection) == 0
    assert store.events_after(0, 10) == []
    assert woken == []


def test_a_commit_wakes_listeners_only_when_it_emitted(store: SqlTransactions) -> None:
    woken: list[int] = []
    end = store.on_commit(lambda: woken.append(len(store.events_after(0, 10))))
    with store.begin() as tx:
        tx.connection.execute(insert(NUMBER).values(n=1))
    assert woken == []
    with store.begin() as tx:
        tx.emit(event(1))
    assert woken == [1]
    end()
    with store.begin() as tx:
        tx.emit(event(2))
    assert woken == [1]


def test_a_reader_sees_one_snapshot_and_is_not_blocked_by_a_writer(store: SqlTransactions) -> None:
    with store.read() as connection:
        assert count(connection) == 0
        with store.begin() as tx:
            tx.connection.execute(insert(NUMBER).values(n=1))
            with store.read() as other:
                assert count(other) == 0
        assert count(connection) == 0
    with store.read() as connection:
        assert count(connection) == 1


def test_a_reader_cannot_write(store: SqlTransactions) -> None:
    with pytest.raises(Exception, match=r"read.?only"), store.read() as connection:
        connection.execute(insert(NUMBER).values(n=1))


def test_foreign_keys_are_enforced(store: SqlTransactions) -> None:
    with pytest.raises(IntegrityError), store.begin() as tx:
        tx.connection.execute(insert(NUMBER).values(n=1, parent=99))


def test_a_position_moves_with_the_commit_and_not_without(store: SqlTransactions) -> None:
    assert store.cursor("pump") == 0
    with store.begin() as tx:
        store.advance(tx.connection, "pump", 5)
    with store.begin() as tx:
        store.advance(tx.connection, "pump", 8)
    with pytest.raises(IntegrityError), store.begin() as tx:
        fail_after(tx, lambda: store.advance(tx.connection, "pump", 99))
    assert store.cursor("pump") == 8
    assert store.cursor("other") == 0


def test_a_position_does_not_move_outside_a_connection(store: SqlTransactions) -> None:
    with pytest.raises(TypeError):
        store.advance("a connection", "pump", 5)


def test_a_transaction_inside_a_transaction_is_refused_at_once(store: SqlTransactions) -> None:
    with pytest.raises(RuntimeError, match="already open"), store.begin(), store.begin():
        pass
    with store.begin() as tx:
        tx.connection.execute(insert(NUMBER).values(n=1))


def test_read_then_write_from_many_threads_loses_nothing(store: SqlTransactions) -> None:
    """Each thread reads the greatest number and writes the next one: only one writer at a time gives 40 in a row."""

    def work() -> None:
        for _ in range(10):
            with store.begin() as tx:
                n = tx.connection.execute(select(func.coalesce(func.max(NUMBER.c.n), 0))).scalar_one() + 1
                tx.connection.execute(insert(NUMBER).values(n=n))
                tx.emit(event(n))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    position = 0
    while any(thread.is_alive() for thread in threads) or len(seen) < 40:
        for place, found in store.events_after(position, 7):
            seen.append(found.time)
            position = place
    for thread in threads:
        thread.join()
    assert seen == list(range(1, 41))


def test_sqlite_refuses_to_write_below_the_low_water_mark(tmp_path: Path) -> None:
    room = [1_000]
    store = open_sqlite(tmp_path / "city.sqlite", FreeSpace(tmp_path, 500, lambda _: room[0]))
    with store.begin() as tx:
        TABLES.create_all(tx.connection)
    room[0] = 499
    with pytest.raises(StorageFullError), store.begin() as tx:
        tx.connection.execute(insert(NUMBER).values(n=1))
    room[0] = 500
    with store.begin() as tx:
        tx.connection.execute(insert(NUMBER).values(n=1))
    store.close()


def test_a_full_sqlite_file_is_a_storage_full_error_and_keeps_what_it_had(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "city.sqlite")
    with store.begin() as tx:
        TABLES.create_all(tx.connection)
        tx.connection.execute(insert(NUMBER).values(n=1))
    with pytest.raises(StorageFullError), store.begin() as tx:
        fill_one_page(tx.connection)
    with store.read() as connection:
        assert count(connection) == 1
    store.close()


def test_a_sqlite_writer_waits_only_as_long_as_its_patience(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "city.sqlite", patience=0.05)
    refused: list[BaseException] = []

    def second() -> None:
        try:
            with store.begin():
                pass
        except BusyError as error:
            refused.append(error)

    with store.begin():
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(refused) == 1
    store.close()


def test_sqlite_commits_are_synced(tmp_path: Path) -> None:
    store = open_sqlite(tmp_path / "city.sqlite")
    with store.begin() as tx:
        settings = [tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]
    store.close()
