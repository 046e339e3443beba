"""The store: rows by revisions, and what a server must not forget, in SQLite or PostgreSQL. It knows no meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from ringfence.store import backup, history, records
from ringfence.store.database import WAIT, Database
from ringfence.store.migrating import migrate
from ringfence.store.rows import (
    AuditEntry,
    AuditFilter,
    Confirmation,
    IdempotentAnswer,
    Report,
    Revision,
    Row,
    Token,
)
from ringfence.store.writer import Writer


class Store:
    """One store. Its methods may be called from any thread; what one of them wrote is durable when it returns.

    Every method may raise StoreUnusable (the database is gone, full, read-only …), and those that write StoreBusy
    (other writers did not finish in time). A thread that is inside ``writing`` writes through its Writer only.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @staticmethod
    def open(url: str, *, wait: float = WAIT) -> Store:
        """Open a store by its URL, ``sqlite:///PATH`` or ``postgresql+psycopg://…``; make it, or bring it up to date.

        ``wait`` is how many seconds a writer waits for other writers. Raises StoreUnusable, or StoreBusy.
        """
        database = Database(url, wait)
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        return Store(database)

    def close(self) -> None:
        """Close the connections; the store may still be used, and opens new ones then."""
        self._database.close()

    def url_for_people(self) -> str:
        """Where the store is, without passwords: for messages and logs."""
        return self._database.name

    def head(self) -> int:
        """The number of the newest revision; 0 in a new store."""
        with self._database.reading() as connection:
            return history.head(connection).number

    def load(self, at: int | None = None) -> tuple[int, list[Row]]:
        """A revision (the newest, if none is named) and all rows that are valid at it, in the order of kind and id.

        Raises UnknownRevision if it was pruned or is not there yet.
        """
        with self._database.reading() as connection:
            return history.load(connection, at)

    def revisions(self, after: int, limit: int = 1000) -> list[Revision]:
        """The revisions that follow on one, with all they did; at most ``limit`` of them.

        Raises UnknownRevision if some of them were pruned, or ``after`` itself is not there yet.
        """
        with self._database.reading() as connection:
            return history.revisions(connection, after, limit, history.head(connection))

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """A transaction in which this writer is alone among all processes; nothing is kept but by ``Writer.commit``."""
        with self._database.writing() as connection:
            yield Writer(self._database, connection)
            connection.rollback()

    def prune(self, before_revision: int) -> None:
        """Forget what is only needed to read revisions before this one; the audit stays whole.

        Afterwards ``load`` reads from this revision on, and ``revisions`` gives it and those after it.
        """
        with self._database.writing() as connection:
            history.prune(connection, before_revision)

    def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries of what made no revision: refusals, and reading."""
        with self.writing() as writer:
            writer.commit(None, entries)

    def find_audit(
        self,
        wanted: AuditFilter | None = None,
        *,
        after_seq: int = 0,
        before_seq: int | None = None,
        newest_first: bool = False,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Audit entries with ``after_seq`` < seq < ``before_seq``: the first ``limit`` of them, or the newest."""
        with self._database.reading() as connection:
            return records.find_audit(
                connection,
                wanted or AuditFilter(),
                after_seq=after_seq,
                before_seq=before_seq,
                newest_first=newest_first,
                limit=limit,
            )

    def answer(self, account: str, key: str) -> IdempotentAnswer | None:
        """What was answered to an account's request with that idempotency key in the last 24 hours."""
        with self._database.reading() as connection:
            return records.answer(connection, account, key)

    def token(self, digest: str) -> Token | None:
        """The token with that digest (``token_digest``), unless it has expired or was revoked."""
        with self._database.reading() as connection:
            return records.token(connection, digest)

    def add_token(self, token: Token) -> None:
        """Keep a token until it expires."""
        with self._database.writing() as connection:
            records.add_token(connection, token)

    def revoke_token(self, digest: str) -> bool:
        """Forget a token; whether there was one."""
        with self._database.writing() as connection:
            return records.revoke_token(connection, digest)

    def revoke_tokens(self, account: str, user: str | None = None, key_id: str | None = None) -> int:
        """Forget the tokens of an account, or only those of one user or one access key of it; how many."""
        with self._database.writing() as connection:
            return records.revoke_tokens(connection, account, user, key_id)

    def report(self, report: Report) -> None:
        """Keep an agent's report in the place of its last one. A power failure may lose it: agents repeat theirs."""
        with self._database.writing(durable=False) as connection:
            records.put_report(connection, report)

    def reports(self) -> list[Report]:
        """The last report of every agent, in the order of their names."""
        with self._database.reading() as connection:
            return records.reports(connection)

    def forget_agent(self, agent: str) -> bool:
        """Forget an agent that is no more; whether it had reported."""
        with self._database.writing() as connection:
            return records.forget_agent(connection, agent)

    def confirmations(self) -> list[Confirmation]:
        """The revisions that are still to be confirmed, in their order."""
        with self._database.reading() as connection:
            return records.confirmations(connection)

    def settle(self, revision: int) -> bool:
        """That revision is confirmed; False if it was not awaited any more, as it is undone or confirmed already."""
        with self._database.writing() as connection:
            return records.settle(connection, revision)

    def meta(self, key: str) -> str | None:
        """What the store keeps about itself under a key; ``store_id`` is there from the start."""
        with self._database.reading() as connection:
            return records.meta(connection, key)

    def set_meta(self, key: str, value: str) -> None:
        """Keep a value under a key. What only one of several servers may do is done through a Writer."""
        with self._database.writing() as connection:
            records.set_meta(connection, key, value)

    def dump(self, stream: IO[bytes]) -> None:
        """Write a backup of one moment, while writers go on: portable JSON lines, the same from either database."""
        with self._database.reading() as connection:
            backup.dump(connection, stream)

    def restore(self, stream: Iterable[bytes]) -> int:
        """Write a backup into this store, which must be empty; the revision it leads to, from which the store goes on.

        The backup is checked as a whole first. Raises BackupUnusable, and nothing is written.
        """
        with self._database.writing() as connection:
            return backup.restore(connection, stream)
