"""The life of streams: whether a stream promises to go as its neighbours do, and what was held against it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the promise, and make the table of doubts."""
    op.add_column("stream", sa.Column("agrees", sa.String(length=20), nullable=True))
    op.add_column("stream", sa.Column("within", sa.Float(precision=53), nullable=False, server_default="1.0"))
    op.create_table(
        "doubt",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("life", sa.String(length=20), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("centre", sa.Float(precision=53), nullable=False),
        sa.Column("scale", sa.Float(precision=53), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("doubt_stream", "doubt", ["stream", "since"])
    op.create_index("doubt_until", "doubt", ["until"])
