"""Bringing a database to the schema that this code knows, once, whoever else starts at the same moment."""

from __future__ import annotations

import uuid
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from ringfence.errors import StoreUnusable
from ringfence.store.database import Database
from ringfence.store.migrations.guards import VERSION_TABLE
from ringfence.store.tables import META, METADATA

_LOCK = 0x52494E47  # of PostgreSQL's advisory locks, one for all stores of a server's database: "RING"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "ringfence.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


@cache
def schemas() -> tuple[str, ...]:
    """The names of all schemas that this code knows, the first one first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.walk_revisions())[::-1]


def schema_of(connection: Connection) -> str | None:
    """The schema that the database has; None if it has none yet."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def migrate(database: Database, to: str = "head") -> None:
    """Bring the database to a schema, in one transaction: nothing changes if anything fails. Raises StoreUnusable."""
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        _refuse_others(database, connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if not connection.execute(META.select().where(META.c.key == "store_id")).first():
            connection.execute(META.insert(), {"key": "store_id", "value": str(uuid.uuid4())})


def _refuse_others(database: Database, connection: Connection) -> None:
    """A newer store, which this code does not understand, and tables of others, which it would write into."""
    schema, known = schema_of(connection), schemas()
    if schema is not None and schema not in known:
        raise StoreUnusable(
            f"{database.name}: the store is of a newer version of Ringfence (schema {schema}); this one knows the"
            f" schemas up to {known[-1]}: start the newer version"
        )
    others = set(inspect(connection).get_table_names()) & set(METADATA.tables)
    if schema is None and others:
        raise StoreUnusable(
            f"{database.name}: there are tables of another program ({', '.join(sorted(others))});"
            " give Ringfence a database of its own"
        )
