"""The tables as this version of the code uses them; the migrations make them, and a test compares the two.

A row of ``resource`` is valid at every revision N with ``since <= N < until`` (``until`` is NULL while it is current).
``history`` has one row, which says from which revision on it can be read, and which a writer locks in PostgreSQL.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, MetaData, Table, Text, text

TEXT = Text().with_variant(Text(collation="C"), "postgresql")  # bytewise, as SQLite compares: both sort alike
NUMBER = BigInteger().with_variant(Integer, "sqlite")

METADATA = MetaData()


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, NUMBER, primary_key=key, autoincrement=False, nullable=null)


META = Table("meta", METADATA, _text("key", key=True), _text("value"))

HISTORY = Table(
    "history",
    METADATA,
    _number("id", key=True),
    _number("oldest"),
    CheckConstraint("id = 1", name="history_is_one_row"),
)

REVISION = Table(
    "revision",
    METADATA,
    _number("number", key=True),
    *(_text(name) for name in ("at", "account", "user", "operation", "request_id")),
)

RESOURCE = Table(
    "resource",
    METADATA,
    _number("since", key=True),
    _text("kind", key=True),
    _text("id", key=True),
    _text("account"),
    _number("until", null=True),
    _text("body"),
    sqlite_with_rowid=False,
)
_CURRENT = text("until IS NULL")
_PAST = text("until IS NOT NULL")
Index("resource_current", RESOURCE.c.kind, RESOURCE.c.id, unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT)
Index("resource_until", RESOURCE.c.until, sqlite_where=_PAST, postgresql_where=_PAST)

AUDIT = Table(
    "audit",
    METADATA,
    _number("seq", key=True),
    *(_text(name) for name in ("at", "account", "user", "key_id", "source", "operation", "action", "resource")),
    Column("allowed", Boolean, nullable=False),
    _text("code"),
    _text("request_id"),
    _number("revision", null=True),
    _text("before", null=True),
    _text("after", null=True),
)
Index("audit_of_account", AUDIT.c.account, AUDIT.c.seq)

ANSWER = Table(
    "answer",
    METADATA,
    _text("account", key=True),
    _text("key", key=True),
    _text("fingerprint"),
    _number("status"),
    _text("body"),
    _text("at"),
)
Index("answer_at", ANSWER.c.at)

TOKEN = Table(
    "token",
    METADATA,
    _text("digest", key=True),
    *(_text(name) for name in ("account", "user", "key_id", "created", "expires")),
)

REPORT = Table(
    "report",
    METADATA,
    _text("agent", key=True),
    _number("revision"),
    *(_text(name) for name in ("at", "status", "detail")),
)

CONFIRMATION = Table(
    "confirmation",
    METADATA,
    _number("revision", key=True),
    _number("base"),
    *(_text(name) for name in ("account", "deadline", "applied_by")),
)
