"""The audit: entries are added, never changed and never removed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column

from ringfence.store.migrations.guards import NUMBER, TEXT, refuse, refuse_emptying, refuse_replacing

revision = "0002"
down_revision = "0001"

_AUDIT = "the audit is append-only"


def upgrade() -> None:
    """Add the audit."""
    texts = ("at", "account", "user", "key_id", "source", "operation", "action", "resource")
    op.create_table(
        "audit",
        Column("seq", NUMBER, primary_key=True, autoincrement=False),
        *(Column(name, TEXT, nullable=False) for name in texts),
        Column("allowed", Boolean, nullable=False),
        Column("code", TEXT, nullable=False),
        Column("request_id", TEXT, nullable=False),
        Column("revision", NUMBER, nullable=True),
        Column("before", TEXT, nullable=True),
        Column("after", TEXT, nullable=True),
    )
    op.create_index("audit_of_account", "audit", ["account", "seq"])
    refuse("audit", "UPDATE", _AUDIT)
    refuse("audit", "DELETE", _AUDIT)
    refuse_emptying("audit", _AUDIT)
    refuse_replacing("audit", "seq = NEW.seq", _AUDIT)
