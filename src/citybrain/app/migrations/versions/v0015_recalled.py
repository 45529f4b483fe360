"""Places of things that are set to another time by hand keep their ids."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the column of what an id says."""
    op.add_column("placed", sa.Column("named", sa.BigInteger(), nullable=True))
