"""Schemas: each is reached from the one before with what was written at it, once, and is what the code thinks it is."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ringfence.errors import StoreUnusable
from ringfence.store.database import Database
from ringfence.store.migrating import migrate, schema_of, schemas
from ringfence.store.migrations.guards import VERSION_TABLE
from ringfence.store.rows import AuditEntry, Revision, Row, Token, Version
from ringfence.store.store import Store
from ringfence.store.tables import METADATA
from tests.store.writers import commit, row

AT = "2026-11-22T09:21:22.123Z"

# What a store of that schema may hold, written as the code of that time wrote it. A new schema adds its own.
WRITTEN = {
    "0001": [
        f"INSERT INTO revision VALUES (1, '{AT}', 'root', '', 'Make', 'r1'), (2, '{AT}', 'root', 'bob', 'Edit', 'r2')",
        "INSERT INTO resource (since, kind, id, account, until, body) VALUES (1, 'rule', 'a', 'root', NULL, '1')",
        "INSERT INTO resource (since, kind, id, account, until, body) VALUES (1, 'rule', 'b', 'root', NULL, '1')",
        "UPDATE resource SET until = 2 WHERE id = 'a'",
        "INSERT INTO resource (since, kind, id, account, until, body) VALUES (2, 'rule', 'a', 'root', NULL, '2')",
        "INSERT INTO meta VALUES ('colour', 'blue')",
    ],
    "0002": [
        f"INSERT INTO audit VALUES (1, '{AT}', 'root', 'bob', 'AK', '::1', 'Edit', 'e', '', true, '', 'r', 2, '1', '2')"
    ],
    "0003": [
        f"INSERT INTO token VALUES ('d1', 'root', 'bob', 'AK', '{AT}', '9999-01-01T00:00:00.000Z')",
        f"INSERT INTO report VALUES ('host1', 2, '{AT}', 'ok', '')",
        f"INSERT INTO confirmation VALUES (2, 1, 'root', '{AT}', 'c1')",
        "INSERT INTO answer VALUES ('root', 'k1', 'f', 200, '{}', '9999-01-01T00:00:00.000Z')",
    ],
    "0004": [],
}


def test_each_schema_keeps_what_was_written_at_the_ones_before(url: str) -> None:
    assert tuple(WRITTEN) == schemas()
    database = Database(url)
    for schema, statements in WRITTEN.items():
        migrate(database, schema)
        with database.writing() as connection:
            assert schema_of(connection) == schema
            for statement in statements:
                connection.exec_driver_sql(statement)
    database.close()

    store = Store.open(url)
    one, two, three = Row("rule", "a", "root", "1"), Row("rule", "b", "root", "1"), Row("rule", "a", "root", "2")
    assert store.load(1) == (1, [one, two])
    assert store.load() == (2, [three, two])
    assert store.revisions(1) == [Revision(2, AT, "root", "bob", "Edit", "r2", (Version(one, three),))]
    audited = AuditEntry(AT, "root", "bob", "AK", "::1", "Edit", "e", "", True, "", "r", 2, "1", "2", 1)
    assert store.find_audit() == [audited]
    assert store.token("d1") == Token("d1", "root", "bob", "AK", AT, "9999-01-01T00:00:00.000Z")
    assert [report.agent for report in store.reports()] == ["host1"]
    assert [confirmation.base for confirmation in store.confirmations()] == [1]
    assert (answer := store.answer("root", "k1"))
    assert answer.status == 200
    assert store.meta("colour") == "blue"
    assert commit(store, Version(None, row("c"))) == 3
    store.close()


def test_the_newest_schema_is_what_the_code_uses(store: Store) -> None:
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_opening_again_changes_nothing(url: str, store: Store) -> None:
    commit(store, Version(None, row("a")))
    again = Store.open(url)
    assert again.load() == store.load()
    assert again.meta("store_id") == store.meta("store_id") != ""
    again.close()


def test_processes_that_start_at_once_make_one_store(url: str) -> None:
    program = "import sys; from ringfence.store.store import Store; print(Store.open(sys.argv[1]).meta('store_id'))"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * 2, ended
    assert len({out for out, _ in ended}) == 1


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            f"UPDATE {VERSION_TABLE} SET version_num = '9999'",
            "newer version of Ringfence .schema 9999.*start the newer",
        ),
        (f"DROP TABLE {VERSION_TABLE}", "tables of another program .answer, audit.*a database of its own"),
    ],
)
def test_what_this_version_does_not_understand_is_left_alone(url: str, statement: str, message: str) -> None:
    store = Store.open(url)
    commit(store, Version(None, row("a")))
    with store._database.writing() as connection:
        connection.exec_driver_sql(statement)
    with pytest.raises(StoreUnusable, match=message) as raised:
        Store.open(url)
    assert raised.value.code == "store.unusable"
    assert store.load() == (1, [row("a")])
    store.close()


def test_a_migration_that_fails_leaves_the_schema_before_it(url: str) -> None:
    """A table is in the way of the last migration: the ones before it are not left behind half done either."""
    database = Database(url)
    migrate(database, "0001")
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE confirmation (x integer)")
    with pytest.raises(StoreUnusable, match="confirmation"):
        migrate(database)
    with database.reading() as connection:
        assert schema_of(connection) == "0001"
        assert connection.exec_driver_sql("SELECT count(*) FROM revision").scalar() == 0
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE confirmation")
    migrate(database)
    database.close()
