"""The Facts port on DuckDB: append-only fact tables, read-only SQL, and Ibis over the same file."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from citybrain.engines.duckdb.commit import transaction
from citybrain.engines.duckdb.file import DuckFile, disk_full
from citybrain.engines.duckdb.state import number
from citybrain.engines.space import full
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Json, Text

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_OBSERVED = "observation"
_RESERVED = frozenset(("fact_position", _OBSERVED))


class DuckFacts:
    """Fact tables beside the observations; tables given by ``replace`` live in memory and are read under their name."""

    def __init__(self, file: DuckFile) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._replaced: dict[str, pa.Table] = {}
        self._positions: dict[str, int] = {}

    def append(self, name: str, rows: pa.Table, upto: int) -> None:
        """Add rows and remember the outbox position they reach, in one commit; a position reached already adds nothing.

        A column that is new is added, empty in older rows; one that is missing is empty in these. Raises StorageFullError.
        """
        _check(name)
        self._file.space.check()
        with self._lock, _room(), self._file.cursor() as cursor, transaction(cursor):
            if upto <= _position(cursor, name):
                return
            cursor.register("fact_rows", rows)
            _widen(cursor, name)
            cursor.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM fact_rows')
            cursor.execute("DELETE FROM fact_position WHERE name = ?", [name])
            cursor.execute("INSERT INTO fact_position VALUES (?, ?)", [name, upto])
            # Forgotten here, inside the lock, and read again after the commit: nobody else writes this file.
            self._positions.pop(name, None)

    def position(self, name: str) -> int:
        """The outbox position a fact table has reached; 0 at first."""
        known = self._positions.get(name)
        if known is not None:
            return known
        with self._lock, self._file.cursor() as cursor:
            self._positions[name] = _position(cursor, name)
            return self._positions[name]

    def replace(self, name: str, table: pa.Table) -> None:
        """Let a name stand for a table in memory, such as ``stream`` for the latest values; readers meet it from now on."""
        _check(name)
        with self._lock:
            self._replaced = self._replaced | {name: table}

    def query(self, sql: str, values: Mapping[str, Json], tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Read with one SELECT; named parameters as ``$name``, ``tables`` under their names. Observations are the view ``observation``.

        Raises BadInputError for anything else than a SELECT, and for one that DuckDB cannot run.
        """
        with self._reading(sql) as cursor:
            for name, table in (tables or {}).items():
                cursor.register(name, table)
            return cursor.execute(_selected(sql), dict(values)).to_arrow_table()

    def ibis(self) -> Backend:
        """An Ibis backend over the same file, with the tables of ``replace`` as they are now: take one for each question."""
        self._file.settled()
        cursor = self._file.connect()
        self._show(cursor)
        return ibis.duckdb.from_connection(cursor)

    @contextmanager
    def _reading(self, sql: str) -> Iterator[duckdb.DuckDBPyConnection]:
        # Facts do not wait for observations that are acknowledged and not yet stored; whoever asks for observations does.
        opened = self._file.reading() if _OBSERVED in sql else self._file.cursor()
        try:
            with opened as cursor:
                self._show(cursor)
                yield cursor
        except duckdb.Error as error:
            what = Text(f"查询语句无法执行：{error}", f"The query cannot be run: {error}")
            raise BadInputError(what) from error

    def _show(self, cursor: duckdb.DuckDBPyConnection) -> None:
        for name, table in self._replaced.items():
            cursor.register(name, table)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if disk_full(error):
            raise full() from error
        raise


def _selected(sql: str) -> str:
    statements = duckdb.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise BadInputError(Text("只能执行一条 SELECT 查询。", "Only one SELECT can be run here."))
    return sql


def _position(cursor: duckdb.DuckDBPyConnection, name: str) -> int:
    return number(cursor, "SELECT max(position) FROM fact_position WHERE name = ?", [name])


def _widen(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    """Make the table, or add the columns it lacks, within an open transaction."""
    cursor.execute(f'CREATE TABLE IF NOT EXISTS "{name}" AS SELECT * FROM fact_rows LIMIT 0')
    have = {column[0] for column in cursor.execute(f'DESCRIBE "{name}"').fetchall()}
    for column in cursor.execute("DESCRIBE SELECT * FROM fact_rows").fetchall():
        if column[0] not in have:
            _check(column[0])
            cursor.execute(f'ALTER TABLE "{name}" ADD COLUMN "{column[0]}" {column[1]}')


def _check(name: str) -> None:
    if _NAME.fullmatch(name) is None or name in _RESERVED:
        what = Text(
            f"“{name}”不能用作表名或列名：请用小写字母、数字和下划线。",
            f"'{name}' cannot name a table or a column: use a-z, 0-9, _.",
        )
        raise BadInputError(what, name=name)
