"""History is not rewritten, by the database's own refusal: whatever program connects to it."""

from __future__ import annotations

import pytest

from ringfence.errors import StoreMismatch
from ringfence.store.rows import Version
from ringfence.store.store import Store
from tests.store.writers import commit, row

HISTORY, AUDIT, PRUNED = "history is not rewritten", "the audit is append-only", "what is pruned stays pruned"


@pytest.fixture
def used(store: Store) -> Store:
    """A store with three revisions, of which the first is pruned."""
    commit(store, Version(None, row("a", "1")), Version(None, row("b", "1")))
    commit(store, Version(row("a", "1"), row("a", "2")))
    commit(store, Version(row("b", "1"), None))
    store.prune(2)
    return store


REFUSED = [
    ("UPDATE audit SET allowed = false", AUDIT),
    ("UPDATE audit SET code = 'x' WHERE seq = 1", AUDIT),
    ("DELETE FROM audit WHERE seq = 3", AUDIT),
    ("UPDATE revision SET account = 'x'", HISTORY),
    ("UPDATE revision SET number = 9 WHERE number = 3", HISTORY),
    ("DELETE FROM revision WHERE number = 2", HISTORY),
    ("DELETE FROM revision", HISTORY),
    ("UPDATE resource SET body = 'x' WHERE until IS NULL", HISTORY),
    ("UPDATE resource SET until = NULL WHERE until = 3", HISTORY),
    ("UPDATE resource SET until = 9 WHERE until = 3", HISTORY),
    ("UPDATE resource SET until = 1 WHERE until IS NULL", HISTORY),
    ("UPDATE resource SET until = 4, account = 'x' WHERE until IS NULL", HISTORY),
    ("DELETE FROM resource WHERE until IS NULL", HISTORY),
    ("DELETE FROM resource WHERE until = 3", HISTORY),
    ("UPDATE history SET oldest = 1", PRUNED),
    ("UPDATE history SET oldest = 4", PRUNED),
    ("DELETE FROM history", PRUNED),
]


def everything(store: Store) -> tuple[object, ...]:
    return store.load(), store.load(2), store.revisions(1), store.find_audit()


def refuses(store: Store, statement: str, message: str) -> None:
    before = everything(store)
    with pytest.raises(StoreMismatch, match=message), store._database.writing() as connection:
        connection.exec_driver_sql(statement)
    assert everything(store) == before, statement


def test_history_is_not_rewritten(used: Store) -> None:
    for statement, message in REFUSED:
        refuses(used, statement, message)


def test_history_is_not_emptied_or_replaced(used: Store) -> None:
    """The ways around a DELETE: TRUNCATE in PostgreSQL, INSERT OR REPLACE in SQLite."""
    for table in ("audit", "revision", "resource", "history"):
        replacing = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
        statement = replacing if used._database.is_sqlite else f"TRUNCATE {table}"
        refuses(used, statement, "rewritten|append-only|pruned")


@pytest.mark.parametrize("which", ["until IS NULL", "until IS NOT NULL"])
def test_neither_a_row_of_before_nor_what_follows_it_is_replaced(used: Store, which: str) -> None:
    """SQLite lets go by either key: an ended row by its own, a valid one also by what a later revision says of it."""
    if used._database.is_sqlite:
        later = "since + 1" if which == "until IS NULL" else "since"
        columns = "since, kind, id, account, until, body"
        replaced = f"SELECT {later}, kind, id, account, until, 'x' FROM resource WHERE {which} LIMIT 1"
        refuses(used, f"INSERT OR REPLACE INTO resource ({columns}) {replaced}", "rewritten")
