"""Things that somebody makes over a door: what was said of their properties, sensors and streams, and when a stream ended."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the end of a stream, and make the table of what makers said."""
    op.add_column("stream", sa.Column("ended", sa.BigInteger(), nullable=True))
    op.create_table(
        "described",
        sa.Column("noun", sa.String(length=20), nullable=False),
        sa.Column("id", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("noun", "id"),
    )
