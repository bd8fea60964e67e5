"""Alembic environment: always called from ``storage.upgrade`` with an open connection."""

from alembic import context

from storage.base import Table

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
