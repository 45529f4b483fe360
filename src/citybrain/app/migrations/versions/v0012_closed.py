"""Closed cases are counted without reading those that are open."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the index of closing times."""
    op.create_index("case_closed", "case", ["closed"])
