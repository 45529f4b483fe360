"""Copying every row of one transactional store into another, and holding both against one another.

Everything happens within two transactions that the caller has opened: a snapshot of the source, and one of the target that commits
all of it or nothing. Rows go to PostgreSQL by COPY (PostgreSQL manual, "COPY"), which psycopg offers on its own connection alone.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Row, Table, func, inspect, select, text

from citybrain.kernel.errors import BadInputError, BusyError, ConflictError
from citybrain.kernel.text import Text

_PIECE = 5000
"""Rows that are held in memory at once."""
_ROOM = 2**256
_THINGS = """
    SELECT c.relname FROM pg_catalog.pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY c.relname
"""
"""What stands in the schema; what an extension brought is not counted."""
_GOING_ON = "SELECT setval(pg_get_serial_sequence(:table, :column), :newest)"
_NEWEST = "SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, :column)::regclass)"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a table holds: its rows, and a digest of them (SHA-256 of each row, added up) that does not depend on their order."""

    table: str
    rows: int
    digest: str


def standing(target: Connection) -> tuple[str, ...]:
    """The tables, views and sequences that stand in the default schema of a PostgreSQL database, by name."""
    return tuple(target.execute(text(_THINGS)).scalars())


def copy(source: Connection, target: Connection, tables: Sequence[Table]) -> Iterator[Sheet]:
    """Copy tables, parents before children, into those of the same names, which are empty; what each holds, when both sides agree.

    Raises BadInputError for a row that a target on PostgreSQL does not take, BusyError where that breaks off, and ConflictError where the
    copy does not hold what the source does.
    """
    for table in tables:
        sent = _Adding(table)
        send = _send if target.dialect.name == "postgresql" else _insert
        send(target, table, sent.seen(_rows(source, table)))
        _go_on(source, target, table)
        yield _agreed(sent.sheet(), sheet(target, table))


def broken_off(error: BaseException | None) -> BusyError:
    """The error for a database that went away, or has no room, while it was copied to."""
    what = Text(
        f"PostgreSQL 在迁移途中中断：{error}。没有迁移任何内容，请排除后重试。",
        f"PostgreSQL broke off: {error}. Nothing was moved; mend that and move again.",
    )
    return BusyError(what)


def sheet(connection: Connection, table: Table) -> Sheet:
    """What a table holds now."""
    adding = _Adding(table)
    for _ in adding.seen(_rows(connection, table)):
        pass
    return adding.sheet()


class _Adding:
    """Counts rows that pass by, and adds up their digests: two stores order text differently, so the order must not count."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._count = 0
        self._sum = 0

    def seen(self, rows: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
        """The same rows."""
        encode, sha256 = msgspec.msgpack.Encoder().encode, hashlib.sha256
        for row in rows:
            self._sum += int.from_bytes(sha256(encode(tuple(row))).digest(), "big")
            self._count += 1
            yield row

    def sheet(self) -> Sheet:
        """What has passed by."""
        return Sheet(self._table.name, self._count, f"{self._sum % _ROOM:064x}")


def _rows(connection: Connection, table: Table) -> Iterator[Row[Any]]:
    wanted = select(table).order_by(*table.primary_key).execution_options(yield_per=_PIECE)
    with connection.execute(wanted) as found:
        yield from found


def _send(target: Connection, table: Table, rows: Iterable[Row[Any]]) -> None:
    statement = f"COPY {_listed(target, table)} FROM STDIN"
    driver = target.dialect.loaded_dbapi
    # Psycopg's connection; it is named nowhere, for it is installed only where it is wanted.
    own: Any = target.connection.driver_connection
    number = 0
    try:
        with own.cursor() as cursor, cursor.copy(statement) as pipe:
            for row in rows:
                number += 1
                pipe.write_row(row)
    except driver.OperationalError as error:
        # SQLAlchemy has not seen what befell its connection, and would roll back on a lost one.
        target.invalidate(error)
        raise broken_off(error) from error
    except (driver.DataError, driver.IntegrityError) as error:
        where = (error.diag.context or f"COPY {table.name}, line {number}").partition(": ")[0]
        why = error.diag.message_primary or str(error)
        what = Text(
            f"PostgreSQL 不接受表 {table.name} 的一行（{where}，按主键排序）：{why}。没有迁移任何内容，请改正该行后重试。",
            f"PostgreSQL does not take a row of {table.name} ({where}, by primary key): {why}. Nothing was moved; mend that row first.",
        )
        raise BadInputError(what, table=table.name) from error


def _listed(connection: Connection, table: Table) -> str:
    """A table with its columns, as statements name them."""
    quoted = connection.dialect.identifier_preparer
    return f"{quoted.format_table(table)} ({', '.join(quoted.format_column(column) for column in table.columns)})"


def _insert(target: Connection, table: Table, rows: Iterable[Row[Any]]) -> None:
    statement = f"INSERT INTO {_listed(target, table)} VALUES ({', '.join('?' * len(table.columns))})"
    left = iter(rows)
    while piece := [tuple(row) for row in islice(left, _PIECE)]:
        target.exec_driver_sql(statement, piece)


def _go_on(source: Connection, target: Connection, table: Table) -> None:
    """Have the numbers that a table gives itself go on after the greatest that was ever given."""
    column: Column[Any] | None = table.autoincrement_column
    if column is None:
        return
    newest = max(source.execute(select(func.max(column))).scalar() or 0, _given(source, table, column) or 0)
    if not newest:
        return
    if target.dialect.name == "postgresql":
        target.execute(text(_GOING_ON), {**_numbers(target, table, column), "newest": newest})
    else:
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        target.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :newest)"), {"name": table.name, "newest": newest})


def _given(source: Connection, table: Table, column: Column[Any]) -> int | None:
    """The greatest number that a table has given itself, whether its row is still there or not."""
    if source.dialect.name == "postgresql":
        return source.execute(text(_NEWEST), _numbers(source, table, column)).scalar()
    if not inspect(source).has_table("sqlite_sequence"):
        return None
    return source.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name}).scalar()


def _numbers(connection: Connection, table: Table, column: Column[Any]) -> dict[str, str]:
    return {"table": connection.dialect.identifier_preparer.format_table(table), "column": column.name}


def _agreed(sent: Sheet, found: Sheet) -> Sheet:
    if sent == found:
        return found
    what = Text(
        f"表 {sent.table} 复制后不一致（原有 {sent.rows} 行，复制 {found.rows} 行，或内容不同）。没有留下任何复制的内容，请报告此问题。",
        f"The table {sent.table} differs after the copy ({sent.rows} rows there, {found.rows} here, or their content). Nothing of the copy "
        "was left; please report this.",
    )
    raise ConflictError(what, table=sent.table)
