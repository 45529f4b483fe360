"""Places of things that are set to another time by hand keep their ids; observations may be about features of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the column of what an id says, and the table of features."""
    op.add_column("placed", sa.Column("named", sa.BigInteger(), nullable=True))
    op.create_table(
        "featured",
        sa.Column("stream", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("feature", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("stream", "time"),
    )
    op.create_index("featured_by", "featured", ["feature", "stream", "time"])
