"""What alembic runs: the migrations, over the connection that app hands in."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=context.config.attributes.get("target_metadata"))
with context.begin_transaction():
    context.run_migrations()
