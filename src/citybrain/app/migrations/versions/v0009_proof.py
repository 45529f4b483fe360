"""Photos that prove the work on a case."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table of the photos of steps."""
    op.create_table(
        "step_photo",
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("photo", sa.Text(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=True),
        sa.Column("metres", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["step"], ["step.id"]),
        sa.PrimaryKeyConstraint("step"),
    )
    op.create_index("step_photo_by_photo", "step_photo", ["photo"])
