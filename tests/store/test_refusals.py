"""What is no place for a store is refused with one message that says what would be right, and never a password."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringfence.errors import StoreUnusable
from ringfence.store.rows import Version
from ringfence.store.store import Store
from ringfence.store.urls import for_people, parse
from tests.store.writers import commit, revision, row


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "does not parse; a store is"),
        ("nonsense with hunter2", "does not parse; a store is"),
        ("postgresql://u:hunter2@h:port/db", "does not parse; a store is"),
        ("mysql://u:hunter2@h/db", "no store is kept in 'mysql'; a store is"),
        ("sqlite+aiosqlite:///x.db", "no store is kept in 'sqlite.aiosqlite'; a store is"),
        ("sqlite://", "is a file"),
        ("sqlite:///:memory:", "is a file"),
        ("sqlite:///file:x.db?mode=memory&uri=true", "is a file"),
        ("sqlite://u:hunter2@h/x.db", "is a file"),
        ("sqlite:////nowhere/at/all.db", "No such file or directory; name a file that may be written"),
        ("sqlite:////dev", "Is a directory; name a file that may be written"),
        ("postgresql://u:hunter2@127.0.0.1:1/db", "check that the database runs and that its URL is right"),
        ("postgresql://u@127.0.0.1:1/db?password=hunter2", "check that the database runs"),
    ],
)
def test_a_url_that_is_no_store(url: str, message: str) -> None:
    with pytest.raises(StoreUnusable, match=message) as raised:
        Store.open(url)
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.code == "store.unusable"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////var/lib/store.db", "sqlite:////var/lib/store.db"),
        ("postgresql://u:hunter2@h:5432/db", "postgresql+psycopg://u:***@h:5432/db"),
        ("postgresql+psycopg://u:h%40nter2@h/db", "postgresql+psycopg://u:***@h/db"),
        (
            "postgresql://u@h/db?sslmode=verify-full&sslpassword=hunter2&password=hunter2",
            "postgresql+psycopg://u@h/db?password=***&sslmode=verify-full&sslpassword=***",
        ),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert for_people(parse(url)) == shown


def test_a_store_says_where_it_is(url: str, store: Store) -> None:
    assert store.url_for_people() == for_people(parse(url))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("precious text, and not a database at all\n" * 100)
    with pytest.raises(StoreUnusable, match="not a database; name another file"):
        Store.open(f"sqlite:///{other}")
    assert other.read_text().startswith("precious text")


def test_a_store_is_durable_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store.open(f"sqlite:///{path}")
    commit(store, Version(None, row("a")))
    assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
        f"store.db{part}": 0o600 for part in ("", "-wal", "-shm")
    }
    with store._database.writing() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "foreign_keys")
        }
    assert pragmas == {"synchronous": 2, "foreign_keys": 1}
    store.close()


def test_postgresql_waits_for_the_disk_whatever_its_defaults_are(postgres: Callable[[], str]) -> None:
    store = Store.open(postgres().replace("options=", "options=-csynchronous_commit%3Doff%20"))
    with store._database.writing() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    store.close()


@pytest.fixture
def unprivileged(tmp_path: Path) -> Iterator[Callable[[Callable[[], None]], str]]:
    """Run something in a process that is not root (who may write everywhere); what it wrote to its error output."""

    def run(what: Callable[[], None]) -> str:
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                what()
                message = "nothing was refused"
            except BaseException as error:
                message = f"{type(error).__name__}: {error}"
            os.write(writing, message.encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as stream:
            message = stream.read()
        os.waitpid(pid, 0)
        return message

    path = tmp_path
    while path != path.parent and path.name.startswith(("pytest-", "test_")):
        path.chmod(0o755)
        path = path.parent
    yield run
    for each in tmp_path.rglob("*"):
        each.chmod(0o700)


def test_what_may_not_be_written(tmp_path: Path, unprivileged: Callable[[Callable[[], None]], str]) -> None:
    directory = tmp_path / "test_store"
    directory.mkdir()
    url = f"sqlite:///{directory}/store.db"
    store = Store.open(url)
    commit(store, Version(None, row("a")))
    store.close()
    for file in directory.iterdir():
        file.chmod(0o444)
    directory.chmod(0o555)
    refused = unprivileged(lambda: Store.open(url).close())
    assert refused.startswith("StoreUnusable: sqlite:///")
    assert "Permission denied; name a file that may be written, in a directory that is there" in refused

    for file in directory.iterdir():
        file.chmod(0o666)  # the file may be written, but no write-ahead log beside it
    refused = unprivileged(lambda: Store.open(url).close())
    assert refused.startswith("StoreUnusable: sqlite:///")
    assert "in" in refused
    assert "\n" not in refused

    refused = unprivileged(lambda: Store.open(f"sqlite:///{directory}/new.db").close())
    assert "Permission denied; name a file" in refused
    assert {file.name for file in directory.iterdir()} == {"store.db"}


def test_a_database_that_breaks_while_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = Store.open(f"sqlite:///{path}")
    commit(store, Version(None, row("a")))
    other = sqlite3.connect(path)
    other.execute("ALTER TABLE revision RENAME TO elsewhere")
    for use in (store.head, lambda: commit(store, Version(None, row("b")))):
        with pytest.raises(StoreUnusable, match="no such table"):
            use()
    other.execute("ALTER TABLE elsewhere RENAME TO revision")
    other.close()
    assert commit(store, Version(None, row("b"))) == 2
    store.close()


def cut_all(store: Store, statement: str) -> None:
    with store._database.writing() as connection:
        connection.exec_driver_sql(statement)


def commit_after(store: Store, what: Callable[[], None]) -> None:
    with store.writing() as writer:
        what()
        writer.commit(revision(writer.head + 1, Version(None, row("never"))))


def test_a_server_that_was_restarted_is_found_again(postgres: Callable[[], str]) -> None:
    """The connections of a store are cut: what was going on fails with one message, what follows goes through."""
    url = postgres()
    store, other = Store.open(url), Store.open(url)
    commit(store, Version(None, row("a")))
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'ringfence'"
    )
    cut_all(other, cut)
    assert store.head() == 1
    assert commit(store, Version(None, row("b"))) == 2

    with pytest.raises(StoreUnusable, match=r"(terminat|connection is lost).*check that the database runs"):
        commit_after(store, lambda: cut_all(other, cut))
    assert store.load() == (2, [row("a"), row("b")])
    assert commit(store, Version(None, row("c"))) == 3
    store.close()
    other.close()
