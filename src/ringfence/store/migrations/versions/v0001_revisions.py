"""Resources by revisions, how far back they can be read, and what the store knows of itself."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, Column, text

from ringfence.store.migrations.guards import (
    NUMBER,
    TEXT,
    is_postgresql,
    make_functions,
    refuse,
    refuse_emptying,
    refuse_replacing,
)

revision = "0001"
down_revision = None

_HISTORY = "history is not rewritten"
_PRUNED = "what is pruned stays pruned"


def upgrade() -> None:
    """Make the first schema."""
    _make_tables()
    if is_postgresql():
        make_functions()
    _guard_pruning()
    _guard_history()


def _make_tables() -> None:
    op.create_table("meta", Column("key", TEXT, primary_key=True), Column("value", TEXT, nullable=False))
    history = op.create_table(
        "history",
        Column("id", NUMBER, primary_key=True, autoincrement=False),
        Column("oldest", NUMBER, nullable=False),
        CheckConstraint("id = 1", name="history_is_one_row"),
    )
    op.bulk_insert(history, [{"id": 1, "oldest": 0}])
    op.create_table(
        "revision",
        Column("number", NUMBER, primary_key=True, autoincrement=False),
        *(Column(name, TEXT, nullable=False) for name in ("at", "account", "user", "operation", "request_id")),
    )
    _make_resource()


def _make_resource() -> None:
    op.create_table(
        "resource",
        Column("since", NUMBER, primary_key=True, autoincrement=False),
        Column("kind", TEXT, primary_key=True),
        Column("id", TEXT, primary_key=True),
        Column("account", TEXT, nullable=False),
        Column("until", NUMBER, nullable=True),
        Column("body", TEXT, nullable=False),
        sqlite_with_rowid=False,  # one page less to write for every change
    )
    current, past = text("until IS NULL"), text("until IS NOT NULL")
    op.create_index(
        "resource_current", "resource", ["kind", "id"], unique=True, sqlite_where=current, postgresql_where=current
    )
    op.create_index("resource_until", "resource", ["until"], sqlite_where=past, postgresql_where=past)


def _guard_pruning() -> None:
    """What was pruned may go: first the row of ``history`` says that it is past reading, and never takes it back."""
    unfit = "NEW.id <> 1 OR NEW.oldest < OLD.oldest OR NEW.oldest > ringfence_newest()"
    refuse("history", "UPDATE", _PRUNED, when=unfit)
    refuse("history", "DELETE", _PRUNED)
    refuse_emptying("history", _PRUNED)
    refuse_replacing("history", "id = NEW.id", _PRUNED)


def _guard_history() -> None:
    refuse("revision", "UPDATE", _HISTORY)
    refuse("revision", "DELETE", _HISTORY, when="OLD.number >= ringfence_oldest()")
    refuse_replacing("revision", "number = NEW.number", _HISTORY)
    same = " AND ".join(f"NEW.{name} = OLD.{name}" for name in ("since", "kind", "id", "account", "body"))
    ended_once = f"OLD.until IS NULL AND NEW.until IS NOT NULL AND NEW.until > OLD.since AND {same}"
    refuse("resource", "UPDATE", _HISTORY, when=f"NOT ({ended_once})")
    refuse("resource", "DELETE", _HISTORY, when="OLD.until IS NULL OR OLD.until >= ringfence_oldest()")
    same_key = "since = NEW.since AND kind = NEW.kind AND id = NEW.id"
    still_there = "until IS NULL AND kind = NEW.kind AND id = NEW.id AND NEW.until IS NULL"
    refuse_replacing("resource", f"({same_key}) OR ({still_there})", _HISTORY)
    refuse_emptying("revision", _HISTORY)
    refuse_emptying("resource", _HISTORY)
