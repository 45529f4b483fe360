"""What else an observation says, beside what it is about: when its result was, how long it spans, its quality and parameters."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Let observations be about nothing of their own, and make the columns of what they say."""
    with op.batch_alter_table("featured") as table:
        table.alter_column("feature", existing_type=sa.String(200), nullable=True)
        table.add_column(sa.Column("said", sa.Text(), nullable=True))
        table.add_column(sa.Column("lag", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("lasts", sa.BigInteger(), nullable=True))
    said, lasting = sa.text("lag IS NOT NULL"), sa.text("lasts IS NOT NULL")
    op.create_index("featured_lag", "featured", ["stream", "lag"], sqlite_where=said, postgresql_where=said)
    op.create_index("featured_lasts", "featured", ["stream", "lasts"], sqlite_where=lasting, postgresql_where=lasting)
