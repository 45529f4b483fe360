"""What was beside readings that were struck out, and observations that were moved to another stream, in one act with their readings."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Make the table of what is set aside, and the columns of what was said anew; what was struck out before keeps its words where they are."""
    op.add_column("restated", sa.Column("moved_stream", sa.Integer(), nullable=True))
    op.add_column("restated", sa.Column("was_restated", sa.Text(), nullable=True))
    op.add_column("restated", sa.Column("key", sa.String(100), nullable=True))
    pending = sa.text("key IS NOT NULL")
    op.create_index("restated_key", "restated", ["key"], sqlite_where=pending, postgresql_where=pending)
    op.create_table(
        "aside",
        sa.Column("correction", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("feature", sa.String(200), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("restated", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("correction", "time"),
    )
    op.create_index("aside_by", "aside", ["feature"])
