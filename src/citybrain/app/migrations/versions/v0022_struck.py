"""Since when a thing stands where it does, deleted while it stands there."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Mark such places."""
    op.add_column("placed", sa.Column("struck", sa.Boolean(), nullable=True))
