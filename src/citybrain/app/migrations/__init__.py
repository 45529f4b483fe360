"""Linear migrations of the transactional store (alembic)."""
