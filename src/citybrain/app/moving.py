"""Moving the transactions of a district that has outgrown SQLite into an empty PostgreSQL database, all of them or nothing."""

from collections.abc import Callable
from contextlib import closing

from sqlalchemy import Connection, Table, inspect, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from citybrain.app import migrate
from citybrain.app.settings import Settings
from citybrain.app.stores import SQLITE, up_to_date
from citybrain.engines.copying import Sheet, broken_off, copy, standing
from citybrain.engines.postgres import Alone, open_postgres
from citybrain.engines.sqlite import open_sqlite
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError, NotFoundError
from citybrain.kernel.text import Text

_LEFT = frozenset(("alembic_version",))
"""The migrations write it anew."""


def move(settings: Settings, to: str, tell: Callable[[Sheet], None]) -> int:
    """Copy every table of the SQLite file of a stopped district; ``tell`` hears of each. Returns the number of rows.

    The caller holds the state folder. Raises BadInputError for an address or a row that does not fit, NotFoundError without a SQLite file,
    ConflictError where the database is not empty, steps are pending or the copy differs, and BusyError where it does not answer. Whatever
    ends it, a kill too, leaves the database as it was: there is one transaction.
    """
    _fitting(settings, to)
    file = settings.folder / SQLITE
    if not file.is_file():
        what = Text(f"没有 {file}：这里没有可迁移的业务数据。", f"There is no {file}: nothing to move stands here.")
        raise NotFoundError(what, file=str(file))
    with closing(Alone(to, "ingest")) as alone, closing(open_sqlite(file)) as source, closing(open_postgres(to)) as target:
        alone.hold()
        up_to_date(source)
        copied: list[Sheet] = []
        tables: tuple[Table, ...] = ()
        try:
            with source.read() as before, target.begin() as tx:
                _empty(tx.connection)
                migrate.upgrade(tx.connection)
                tables = _tables(before)
                for sheet in copy(before, tx.connection, tables):
                    copied.append(sheet)
                    tell(sheet)
        except BusyError as error:
            lost = error.__cause__
            if not isinstance(lost, OperationalError):
                raise
            raise (_unsure(lost) if tables and len(copied) == len(tables) else broken_off(lost.orig)) from lost
    return sum(sheet.rows for sheet in copied)


def _fitting(settings: Settings, to: str) -> None:
    if settings.database:
        what = Text(
            "设置 database 已指定 PostgreSQL：城区已不在 SQLite 上。要迁移请先去掉该设置。",
            "The setting database names PostgreSQL already: the district is not on SQLite. Take the setting out to move it.",
        )
        raise ConflictError(what, setting="database")
    try:
        known = make_url(to).get_backend_name() == "postgresql"
    except ArgumentError:
        known = False
    if not known:
        what = Text(
            "--to 须是 PostgreSQL 的地址，如 postgresql://用户@主机/库。",
            "--to is the address of a PostgreSQL database, such as postgresql://user@host/name.",
        )
        raise BadInputError(what)


def _unsure(error: OperationalError) -> BusyError:
    """The connection was lost while it committed: the database alone knows what became of it."""
    what = Text(
        f"提交时与 PostgreSQL 的连接中断：{error.orig}。全部已迁入或全部没有：请再运行一次，若提示数据库不是空的，即已全部迁入。",
        f"The connection broke off at the commit: {error.orig}. All of it was moved or nothing: move again; if the database is not empty "
        "then, all of it was.",
    )
    return BusyError(what)


def _empty(connection: Connection) -> None:
    if found := standing(connection):
        what = Text(
            f"该数据库不是空的（有 {len(found)} 项，如 {found[0]}）。没有迁移任何内容，请指定一个空数据库。",
            f"The database is not empty ({len(found)} things, such as {found[0]}). Nothing was moved; name an empty one.",
        )
        raise ConflictError(what, found=list(found[:20]))


def _tables(source: Connection) -> tuple[Table, ...]:
    """Every table, parents before children; raises ConflictError for one that no room declares, rather than leave it behind."""
    tables = tuple(table for room in migrate.METADATA for table in room.sorted_tables)
    strangers = sorted(set(inspect(source).get_table_names()) - {table.name for table in tables} - _LEFT)
    if strangers:
        what = Text(
            f"SQLite 中有程序不认识的表 {strangers[0]}，不会被迁移。请先移出或删除它。",
            f"SQLite holds a table that the program does not know: {strangers[0]}. It would be left behind; take it out first.",
        )
        raise ConflictError(what, tables=list(strangers))
    return tables
