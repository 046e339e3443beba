"""What a server keeps besides resources: answers to repeat, tokens, reports of agents, changes to be confirmed."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column

from ringfence.store.migrations.guards import NUMBER, TEXT

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the four tables."""
    op.create_table(
        "answer",
        Column("account", TEXT, primary_key=True),
        Column("key", TEXT, primary_key=True),
        Column("fingerprint", TEXT, nullable=False),
        Column("status", NUMBER, nullable=False),
        Column("body", TEXT, nullable=False),
        Column("at", TEXT, nullable=False),
    )
    op.create_index("answer_at", "answer", ["at"])
    op.create_table("token", Column("digest", TEXT, primary_key=True), *_texts("account user key_id created expires"))
    op.create_table(
        "report",
        Column("agent", TEXT, primary_key=True),
        Column("revision", NUMBER, nullable=False),
        *_texts("at status detail"),
    )
    op.create_table(
        "confirmation",
        Column("revision", NUMBER, primary_key=True, autoincrement=False),
        Column("base", NUMBER, nullable=False),
        *_texts("account deadline applied_by"),
    )


def _texts(names: str) -> list[Column[str]]:
    return [Column(name, TEXT, nullable=False) for name in names.split()]
