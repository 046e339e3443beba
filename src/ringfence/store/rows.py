"""What the store keeps, as values. It knows no meaning: a resource is its JSON text under a kind and an id.

All times are UTC as text of one width, ``2026-11-22T09:21:22.123Z`` (see ``utc``), so that text sorts as time does.
Bodies are left out of representations: they may hold what must not reach a log.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

ANSWERS_KEPT = timedelta(hours=24)


def utc(moment: datetime) -> str:
    """A moment (with its time zone) as the text that the store keeps: UTC, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def now() -> str:
    """The moment that it is, as the text that the store keeps."""
    return utc(datetime.now(UTC))


def token_digest(secret: str) -> str:
    """By what a token is kept and found: a secret itself is never stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Row(NamedTuple):
    """A resource at one revision: ``body`` is its JSON text, identity included."""

    kind: str
    id: str
    account: str
    body: str

    def __repr__(self) -> str:
        return f"Row(kind={self.kind!r}, id={self.id!r}, account={self.account!r})"


class Version(NamedTuple):
    """What one revision did to one resource: made it (no ``before``), changed it, or removed it (no ``after``)."""

    before: Row | None
    after: Row | None

    @property
    def key(self) -> tuple[str, str]:
        """Kind and id of the resource."""
        row = self.after or self.before
        assert row, "a version of nothing"
        return row.kind, row.id


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of resources: who made it by which operation, and all it did. ``user`` is "" for the account itself.

    Read back, versions come in the order of kind and id.
    """

    number: int
    at: str
    account: str
    user: str
    operation: str
    request_id: str
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One decision: who asked for what on which resource, from where, and whether it was allowed.

    ``code`` is that of the refusal, "" where it was allowed; ``revision`` the one that was made, if any; ``before`` and
    ``after`` JSON texts of the resource. ``seq`` is given by the store: 1, 2, 3 … without gaps, in order of commit.
    """

    at: str
    account: str
    user: str
    key_id: str
    source: str
    operation: str
    action: str
    resource: str
    allowed: bool
    code: str
    request_id: str
    revision: int | None = None
    before: str | None = field(default=None, repr=False)
    after: str | None = field(default=None, repr=False)
    seq: int = 0


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which audit entries are wanted: those that equal every field given; ``since`` <= at < ``until``."""

    account: str | None = None
    user: str | None = None
    key_id: str | None = None
    source: str | None = None
    operation: str | None = None
    action: str | None = None
    resource: str | None = None
    allowed: bool | None = None
    code: str | None = None
    request_id: str | None = None
    revision: int | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class IdempotentAnswer:
    """What was answered to the request with an idempotency key; given again for 24 hours (``ANSWERS_KEPT``).

    ``fingerprint`` is of the request: the same key with another request is a mistake of the client.
    """

    account: str
    key: str
    fingerprint: str
    status: int
    body: str = field(repr=False)
    at: str


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, known by the SHA-256 of its text (``token_digest``)."""

    digest: str = field(repr=False)
    account: str
    user: str
    key_id: str
    created: str
    expires: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent enforces: the revision, and how it went (``ok``, ``failed`` or ``drift``)."""

    agent: str
    revision: int
    at: str
    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A revision that is undone at ``deadline`` unless it is confirmed through another connection than made it."""

    revision: int
    base: int
    account: str
    deadline: str
    applied_by: str
