"""A database by its URL: connections that keep what was committed, transactions, and errors as one message."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from ringfence.errors import StoreBusy, StoreMismatch, StoreUnusable
from ringfence.store.urls import for_people, parse

WAIT = 30.0  # seconds for another writer: those of this process, and then those of others

DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, psycopg.Error)  # through SQLAlchemy, and from the drivers

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# Lock not available, deadlock, serialisation failure, too many connections (PostgreSQL, appendix A: error codes).
_BUSY_STATES = {"55P03", "40P01", "40001", "53300"}


class Database:
    """Connections to one database, and its transactions. Safe for threads; one writer of a process at a time.

    ``wait`` is how many seconds a writer waits for the others of its process, and then for those of other processes.
    """

    def __init__(self, text: str, wait: float = WAIT) -> None:
        url = parse(text)
        self.name = for_people(url)
        self.is_sqlite = url.drivername == "sqlite"
        self._wait = wait
        self._turn = threading.Lock()
        self._writer = 0
        if self.is_sqlite:
            assert url.database
            _make_file(Path(url.database), self.name)
        settings = _sqlite_settings if self.is_sqlite else _postgresql_settings
        self._engine = _engine(url, wait, settings(wait, durable=True))
        self._lanes = {True: _Lane(self._engine), False: _Lane(_engine(url, wait, settings(wait, durable=False)))}
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connections that nobody uses; there are new ones as soon as they are needed."""
        with self._alone():
            for lane in self._lanes.values():
                lane.close()
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent snapshot of the database, which no writer waits for."""
        with self.translating(), self._engine.connect() as connection:
            connection.exec_driver_sql(
                "BEGIN" if self.is_sqlite else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
            )
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction that may write, committed at the end of the block, if not before; what raises undoes it.

        In SQLite there is one at a time; in PostgreSQL, who must be alone locks a row (``history.locked_head``). What
        is not ``durable`` may be lost by a power failure, though never torn: that spares the wait for the disk.
        """
        with self._alone(), self.translating(), self._lanes[durable].transaction() as connection:
            if self.is_sqlite:
                connection.connection.cursor().execute("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    @contextmanager
    def translating(self) -> Iterator[None]:
        """Raise errors of the database as StoreBusy, StoreMismatch or StoreUnusable, each one message."""
        try:
            yield
        except DATABASE_ERRORS as error:
            self._raise(error)

    def _raise(self, error: Exception) -> NoReturn:
        cause = getattr(error, "orig", None) or error
        if isinstance(error, NoConnection) or _is_busy(cause):
            raise StoreBusy(f"{self.name}: another writer did not finish in time; try again") from error
        reason = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        if isinstance(cause, sqlite3.IntegrityError | psycopg.IntegrityError):
            raise StoreMismatch(f"{self.name}: this does not follow from what is stored: {reason}") from error
        raise StoreUnusable(f"{self.name}: {reason}; {_remedy(reason)}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The writers of one process queue here: SQLite would let them poll, and not in turn."""
        if self._writer == threading.get_ident():
            raise RuntimeError("a thread that writes began to write again: it would wait for itself")
        if not self._turn.acquire(timeout=self._wait):
            raise StoreBusy(f"{self.name}: another writer did not finish in {self._wait:g} s; try again")
        self._writer = threading.get_ident()
        try:
            yield
        finally:
            self._writer = 0
            self._turn.release()

    def _check(self) -> None:
        """That the database keeps its promises here; raises StoreUnusable."""
        with self.translating(), self._engine.connect() as connection:
            if self.is_sqlite:
                self._turn_wal_on(connection)
            elif connection.exec_driver_sql("SHOW fsync").scalar_one() != "on":
                raise StoreUnusable(f"{self.name}: the server runs with fsync off and would lose data; turn it on")

    def _turn_wal_on(self, connection: Connection) -> None:
        deadline = time.monotonic() + self._wait
        while True:
            try:
                mode = connection.exec_driver_sql("PRAGMA journal_mode=WAL").scalar_one()
                break
            except DBAPIError as error:
                # SQLite does not wait by itself for another process that turns it on just now.
                if not _is_busy(error.orig) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        if mode != "wal":
            raise StoreUnusable(
                f"{self.name}: SQLite has no write-ahead log there (journal_mode={mode}); put the store on a local disk"
            )


class _Lane:
    """The one connection by which a process writes, kept open from one transaction to the next."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None
        self._engine.dispose()

    def _take(self) -> Connection:
        """The connection, or a new one if a server has closed it meanwhile, as by a restart."""
        connection, self._connection = self._connection, None
        if connection and connection.dialect.name != "sqlite":
            try:
                connection.connection.cursor().execute("SELECT 1")
            except psycopg.Error:
                connection.invalidate()
                connection.close()
                connection = None
        return connection or self._engine.connect()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The connection, for a transaction; what the block does not commit is rolled back."""
        connection = self._take()
        try:
            with connection.begin():
                yield connection
        except DATABASE_ERRORS:
            connection.invalidate()  # whatever it was in the middle of: the next transaction gets a new one
            connection.close()
            raise
        except BaseException:
            self._connection = connection
            raise
        self._connection = connection


def _make_file(path: Path, name: str) -> None:
    """Make the file before SQLite does, for its owner only: what SQLite adds takes over its mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnusable(
            f"{name}: {error.strerror}; name a file that may be written, in a directory that is there"
        ) from None


def _engine(url: URL, wait: float, settings: list[str]) -> Engine:
    connect: dict[str, Any] = {"connect_timeout": 10}
    if url.drivername == "sqlite":
        connect = {"timeout": wait, "isolation_level": None}  # transactions begin where this module says so
    engine = create_engine(
        url,
        connect_args=connect,
        hide_parameters=True,  # they hold what must not reach a log
        pool_size=10,
        max_overflow=10,
        pool_timeout=wait,
        pool_pre_ping=url.drivername != "sqlite",  # a server may have been restarted
    )

    @event.listens_for(engine, "connect")
    def settle(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for setting in settings:
            cursor.execute(setting)
        cursor.close()
        connection.commit()

    return engine


def _sqlite_settings(_wait: float, *, durable: bool) -> list[str]:
    synchronous = "FULL" if durable else "NORMAL"
    return [
        f"PRAGMA synchronous={synchronous}",
        "PRAGMA foreign_keys=ON",
        "PRAGMA wal_autocheckpoint=4000",  # pages, 16 MiB: a checkpoint waits for the disk twice more
    ]


def _postgresql_settings(wait: float, *, durable: bool) -> list[str]:
    """Whatever the server's and the database's own settings are."""
    return [
        f"SET synchronous_commit = {'on' if durable else 'off'}",
        f"SET lock_timeout = {int(wait * 1000)}",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
    ]


def _is_busy(error: object) -> bool:
    """Whether a driver's error says that another was faster, and nothing worse."""
    code = getattr(error, "sqlite_errorcode", None)
    return (code is not None and code & 0xFF in _BUSY) or getattr(error, "sqlstate", None) in _BUSY_STATES


def _remedy(reason: str) -> str:
    if "readonly" in reason or "read-only" in reason:
        return "it must be writable, with the directory that it is in"
    if "full" in reason:
        return "make room, and try again"
    if "not a database" in reason:
        return "name another file, or none that exists yet"
    return "check that the database runs and that its URL is right"
