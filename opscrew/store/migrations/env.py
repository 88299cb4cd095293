"""Alembic's entry: always on the connection it is given, so a migration is one transaction."""

from alembic import context

from opscrew.store import tables  # noqa: F401  (registers every table)
from opscrew.store.base import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
