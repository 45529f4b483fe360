"""Results that are no numbers: of which sort those of a stream are, and the words that some of them say."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the column of the sort, which was number for all until now, and the table of words."""
    op.add_column("stream", sa.Column("sort", sa.String(20), nullable=False, server_default="number"))
    op.create_table(
        "word",
        sa.Column("stream", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "code"),
    )
    op.create_index("word_by_digest", "word", ["digest", "stream"], unique=True)
