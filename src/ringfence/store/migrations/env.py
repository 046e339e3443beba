"""What Alembic runs: the migrations, on a connection and in a transaction that the store gives."""

from __future__ import annotations

from alembic import context

from ringfence.store.migrations.guards import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
