"""The ledger of decisions: every advice as it was given, and what somebody decided on it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "advice",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("question", sa.String(length=100), nullable=False),
        sa.Column("pack", sa.String(length=100), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("wall", sa.BigInteger(), nullable=False),
        sa.Column("found", sa.String(length=20), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=True),
        sa.Column("idle", sa.Double(), nullable=True),
        sa.Column("simple", sa.Double(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("advice_question", "advice", ["question", "asked"])
    op.create_index("advice_asked", "advice", ["asked", "id"])
    op.create_table(
        "decision",
        sa.Column("advice", sa.String(length=36), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("wall", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("advice"),
    )
