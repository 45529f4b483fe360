"""Lists of cases by state and unit, found without reading those that closed years ago."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """State leads: the few open cases are sorted, the many closed ones never met; due and closed are there to count what is late."""
    op.drop_index("case_unit_state", "case")
    op.create_index("case_state_unit", "case", ["state", "unit", "due", "closed"], unique=False)
