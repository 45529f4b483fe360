"""Locations with an id of their own: at which of them a thing stands, and stood."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"


def upgrade() -> None:
    """Make the columns that name them; what is there stands at its own place."""
    op.add_column("entity", sa.Column("location", sa.String(200), nullable=True))
    op.add_column("placed", sa.Column("locations", sa.Text(), nullable=True))
    op.create_index("placed_locations", "placed", ["locations"])
