"""What people say anew of observations: what was known before, and which observation was moved to another time."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the table of what was said anew, and the column by which an observation tells of it."""
    op.add_column("featured", sa.Column("restated", sa.Text(), nullable=True))
    op.create_table(
        "restated",
        sa.Column("no", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("was_feature", sa.String(200), nullable=True),
        sa.Column("was_said", sa.Text(), nullable=True),
        sa.Column("feature", sa.String(200), nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("moved", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("wall", sa.BigInteger(), nullable=False),
    )
    op.create_index("restated_of", "restated", ["stream", "time"])
