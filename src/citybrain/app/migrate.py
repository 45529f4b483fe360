"""Bringing the transactional store to the present schema; ``serve`` refuses while steps are pending."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, inspect

from citybrain.brain import act, decide, detect, exchange, observe, protect, see
from citybrain.engines import transactions
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.text import Text

METADATA: tuple[MetaData, ...] = (
    transactions.METADATA,
    observe.METADATA,
    detect.METADATA,
    act.METADATA,
    decide.METADATA,
    exchange.METADATA,
    see.METADATA,
    protect.METADATA,
)
"""The tables of every room; a test compares them with what the migrations build."""


def pending(connection: Connection) -> tuple[str, ...]:
    """The steps that this store has not taken yet, oldest first. Raises ConflictError for one that has taken a step of a later release."""
    scripts = ScriptDirectory.from_config(_config(connection))
    have = MigrationContext.configure(connection).get_current_revision()
    if have is not None and have not in {step.revision for step in scripts.walk_revisions()}:
        what = Text(
            f"数据库已升级到更新的版本（步骤 {have}），此版本不能使用它。请装上那个版本再启动。",
            f"The database is of a later release (step {have}), and this one cannot use it. Install that release, then start.",
        )
        raise ConflictError(what, step=have)
    steps = scripts.iterate_revisions("head", have) if have != scripts.get_current_head() else iter(())
    return tuple(reversed([step.revision for step in steps]))


def upgrade(connection: Connection, to: str = "head") -> None:
    """Take every pending step, or those up to one; on SQLite and PostgreSQL all of it happens or nothing."""
    command.upgrade(_config(connection), to)


def tables(connection: Connection) -> tuple[str, tuple[Table, ...]]:
    """The last step that a store has taken, and its tables with the columns that they had then, parents before children.

    No step has ever taken a table or a column away, so these are all that the program made there.
    """
    declared = [table for room in METADATA for table in room.sorted_tables]
    if not pending(connection):
        return "head", tuple(declared)
    there = inspect(connection)
    known = set(there.get_table_names())
    have = MigrationContext.configure(connection).get_current_revision() or "base"
    return have, tuple(
        _then(table, {column["name"] for column in there.get_columns(table.name)}) for table in declared if table.name in known
    )


def _then(table: Table, columns: set[str]) -> Table:
    kept = (column for column in table.columns if column.name in columns)
    alike = (Column(one.name, one.type, primary_key=one.primary_key, autoincrement=one.autoincrement) for one in kept)
    return Table(table.name, MetaData(), *alike)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
