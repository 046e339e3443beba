"""The guard against INSERT OR REPLACE in SQLite asks by each key apart: with OR in one query it cost half an insert."""

from __future__ import annotations

from alembic import op

from ringfence.store.migrations.guards import is_postgresql, refuse

revision = "0004"
down_revision = "0003"

_KEY = "kind = NEW.kind AND id = NEW.id"
_SAME_KEY = f"EXISTS (SELECT 1 FROM resource WHERE since = NEW.since AND {_KEY})"  # noqa: S608  # ours
_STILL_THERE = f"NEW.until IS NULL AND EXISTS (SELECT 1 FROM resource WHERE until IS NULL AND {_KEY})"  # noqa: S608


def upgrade() -> None:
    """Replace the trigger."""
    if not is_postgresql():
        op.execute("DROP TRIGGER resource_no_insert")
        refuse("resource", "INSERT", "history is not rewritten", when=f"{_SAME_KEY} OR {_STILL_THERE}")
