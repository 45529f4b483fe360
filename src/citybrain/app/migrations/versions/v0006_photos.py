"""Photos that were uploaded and wait for their report to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "report_photo",
        sa.Column("photo", sa.Text(), nullable=False),
        sa.Column("wall", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("photo"),
    )
    op.create_index("report_photo_wall", "report_photo", ["wall"])
    op.create_index("report_by_photo", "report", ["photo"])
