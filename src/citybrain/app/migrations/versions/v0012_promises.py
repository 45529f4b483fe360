"""Closed cases are counted without reading those that are open; promises that people agreed on for streams."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the index of closing times and the table of promises."""
    op.create_index("case_closed", "case", ["closed"])
    op.create_table(
        "promise",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=True),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("wall", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no"),
    )
    op.create_index("promise_of_stream", "promise", ["stream", "no"])
