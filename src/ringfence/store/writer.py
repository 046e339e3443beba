"""The one who writes: a transaction that nobody else's can slip into, from the head it found to the next revision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ringfence.errors import StoreMismatch
from ringfence.store import history, records
from ringfence.store.database import Database
from ringfence.store.rows import AuditEntry, Confirmation, IdempotentAnswer, Revision


class Writer:
    """What ``Store.writing`` gives: all that is done through it is committed together by ``commit``, or not at all."""

    __slots__ = ("_audit", "_began", "_connection", "_database", "_head", "_revisions")

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database, self._connection = database, connection
        self._began = self._head = history.locked_head(connection)
        self._revisions: list[Revision] = []
        self._audit: list[AuditEntry] = []

    @property
    def head(self) -> int:
        """The newest revision, which stays the newest until this writer commits."""
        return self._head.number

    def missed(self, known: int) -> list[Revision]:
        """The revisions since one that is known; raises UnknownRevision where some of them are pruned."""
        return history.revisions(self._connection, known, None, self._head) if known != self._head.number else []

    def answer(self, account: str, key: str) -> IdempotentAnswer | None:
        """What was answered to a request with that key before, even by a writer just before this one."""
        return records.answer(self._connection, account, key)

    def meta(self, key: str) -> str | None:
        """What the store keeps about itself under a key."""
        return records.meta(self._connection, key)

    def set_meta(self, key: str, value: str) -> None:
        """Keep a value under a key, with what is committed."""
        records.set_meta(self._connection, key, value)

    def confirmations(self) -> list[Confirmation]:
        """The revisions that are still to be confirmed, in their order; it costs nothing where there are none."""
        return records.confirmations(self._connection) if self._head.awaited else []

    def await_confirmation(self, confirmation: Confirmation) -> None:
        """With the revision that is committed: it is to be undone at a deadline unless it is confirmed."""
        records.await_confirmation(self._connection, confirmation)
        self._head = replace(self._head, awaited=self._head.awaited + 1)

    def settle(self, revision: int) -> bool:
        """With what is committed: that revision is confirmed or undone. False if it was not awaited any more."""
        return records.settle(self._connection, revision)

    def add(
        self, revision: Revision | None, audit: Sequence[AuditEntry] = (), answer: IdempotentAnswer | None = None
    ) -> None:
        """Take in a revision (None: nothing was changed), audit entries, and an answer to repeat; see `finish`.

        Raises StoreMismatch, and all that this writer has taken in is lost, if the revision is not the next one, or if
        the answer's key has one already.
        """
        if revision and revision.number != self.head + 1:
            raise StoreMismatch(f"revision {revision.number} was to be committed, but the next one is {self.head + 1}")
        if answer:
            with self._database.translating():
                records.keep_answer(self._connection, answer)
        self._revisions += [revision] if revision else []
        self._audit += audit
        number = revision.number if revision else self._head.number
        self._head = replace(self._head, number=number, audited=self._head.audited + len(audit))

    def finish(self) -> None:
        """Write and commit all that was taken in; durable on return. It ends the writer: others may write.

        Raises StoreMismatch, and nothing is written, if something that a revision changes is not as it says.
        """
        with self._database.translating():
            history.add_revisions(self._connection, self._revisions)
            history.add_audit(self._connection, self._began, self._audit)
            self._connection.commit()

    def commit(
        self, revision: Revision | None, audit: Sequence[AuditEntry] = (), answer: IdempotentAnswer | None = None
    ) -> None:
        """Write one revision and finish: see `add`."""
        self.add(revision, audit, answer)
        self.finish()
