"""Instructions of leaders on cases."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table of instructions."""
    op.create_table(
        "instruction",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["case.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("instruction_of_case", "instruction", ["case", "given"])
    op.create_index("instruction_due", "instruction", ["due", "id"])
    op.create_index("instruction_state", "instruction", ["state", "case"])
