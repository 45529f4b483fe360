"""What people corrected in readings, and what was measured there."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables of corrections and of the readings they changed."""
    op.create_table(
        "correction",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(36), nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("factor", sa.Float(precision=53), nullable=False),
        sa.Column("offset", sa.Float(precision=53), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("wall", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("ended_by", sa.String(100), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.Column("ended_wall", sa.BigInteger(), nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("no"),
        sa.UniqueConstraint("key"),
    )
    op.create_index("correction_of_stream", "correction", ["stream", "no"])
    op.create_table(
        "corrected",
        sa.Column("correction", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("measured", sa.Float(precision=53), nullable=False),
        sa.Column("door", sa.String(100), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("rests", sa.Integer(), nullable=True),
        sa.Column("before", sa.Float(precision=53), nullable=False),
        sa.Column("after", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("correction", "time"),
    )
    op.create_index("corrected_at", "corrected", ["stream", "time"])
