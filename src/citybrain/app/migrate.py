"""Bringing the transactional store to the present schema; ``serve`` refuses while steps are pending."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from citybrain.brain import act, decide, detect, exchange, observe, protect, see
from citybrain.engines import transactions

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
    """The steps that this store has not taken yet, oldest first."""
    scripts = ScriptDirectory.from_config(_config(connection))
    have = MigrationContext.configure(connection).get_current_revision()
    steps = scripts.iterate_revisions("head", have) if have != scripts.get_current_head() else iter(())
    return tuple(reversed([step.revision for step in steps]))


def upgrade(connection: Connection) -> None:
    """Take every pending step; on SQLite and PostgreSQL all of it happens or nothing."""
    command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
