"""What migrations share: types of columns, and triggers by which a database refuses to rewrite history."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Integer, Text

VERSION_TABLE = "ringfence_schema"  # not Alembic's default: another program in the same database may use that

TEXT = Text().with_variant(Text(collation="C"), "postgresql")  # bytewise, as SQLite compares: both sort alike
NUMBER = BigInteger().with_variant(Integer, "sqlite")


def is_postgresql() -> bool:
    """Whether the database that is migrated is PostgreSQL; else it is SQLite."""
    return op.get_bind().dialect.name == "postgresql"


def make_functions() -> None:
    """What the triggers call in PostgreSQL: conditions of triggers hold no queries there, and actions are functions."""
    op.execute(
        "CREATE FUNCTION ringfence_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute("CREATE FUNCTION ringfence_oldest() RETURNS bigint LANGUAGE sql AS 'SELECT oldest FROM history'")
    op.execute(
        "CREATE FUNCTION ringfence_newest() RETURNS bigint LANGUAGE sql AS "
        "'SELECT coalesce(max(number), 0) FROM revision'"
    )


def refuse(table: str, event: str, message: str, *, when: str = "", name: str = "") -> None:
    """Let the database refuse an UPDATE, DELETE or INSERT of the rows for which ``when`` holds, or of every row."""
    trigger = f"{table}_no_{event.lower()}{name}"
    if is_postgresql():
        condition = f"WHEN ({when})" if when else ""
        action = f"EXECUTE FUNCTION ringfence_refuse('{message}')"
    else:
        condition = f"WHEN {_without_functions(when)}" if when else ""
        action = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    op.execute(f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW {condition} {action}")


def _without_functions(condition: str) -> str:
    """SQLite holds no functions of ours, but its conditions may hold queries."""
    oldest, newest = "(SELECT oldest FROM history)", "(SELECT coalesce(max(number), 0) FROM revision)"
    return condition.replace("ringfence_oldest()", oldest).replace("ringfence_newest()", newest)


def refuse_emptying(table: str, message: str) -> None:
    """Let the database refuse what takes all rows at once: TRUNCATE in PostgreSQL; replacing a row in SQLite."""
    if is_postgresql():
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
            f"EXECUTE FUNCTION ringfence_refuse('{message}')"
        )


def refuse_replacing(table: str, key: str, message: str) -> None:
    """Let SQLite refuse INSERT OR REPLACE, which removes a row without a DELETE that a trigger would see."""
    if not is_postgresql():
        refuse(table, "INSERT", message, when=f"EXISTS (SELECT 1 FROM {table} WHERE {key})")  # noqa: S608  # ours
