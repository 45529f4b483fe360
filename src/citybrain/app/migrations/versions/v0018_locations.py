"""Locations with an id of their own, at which a thing stands, and stood; longer keys of corrections, which say what came in with them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the columns that name them, and widen the key; what is there stands at its own place."""
    op.add_column("entity", sa.Column("location", sa.String(200), nullable=True))
    op.add_column("placed", sa.Column("locations", sa.Text(), nullable=True))
    op.create_index("placed_locations", "placed", ["locations"])
    with op.batch_alter_table("correction") as table:
        table.alter_column("key", existing_type=sa.String(36), existing_nullable=False, type_=sa.String(100))
