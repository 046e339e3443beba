"""Revisions and the resources that are valid at each: reading, writing and pruning them, in a transaction given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy import Row as SqlRow

from ringfence import garbage
from ringfence.errors import StoreMismatch, UnknownRevision
from ringfence.store.fast import Fast, Parameters
from ringfence.store.rows import AuditEntry, Revision, Row, Version
from ringfence.store.tables import AUDIT, CONFIRMATION, HISTORY, RESOURCE, REVISION

_ZERO: ColumnElement[int] = literal_column("0")
_HEAD = Fast(
    select(
        select(func.coalesce(func.max(REVISION.c.number), _ZERO)).scalar_subquery(),
        HISTORY.c.oldest,
        select(func.coalesce(func.max(AUDIT.c.seq), _ZERO)).scalar_subquery(),
        select(func.count(CONFIRMATION.c.revision)).scalar_subquery(),
    )
)
_LOCK = Fast(select(HISTORY.c.id).with_for_update())
_ROW = (RESOURCE.c.kind, RESOURCE.c.id, RESOURCE.c.account, RESOURCE.c.body)
_ORDER = (RESOURCE.c.kind, RESOURCE.c.id)
_CURRENT = select(*_ROW).where(RESOURCE.c.until.is_(None)).order_by(*_ORDER)
_AT: BindParameter[int] = bindparam("as_of")
_AS_OF = (
    select(*_ROW)
    .where(RESOURCE.c.since <= _AT, or_(RESOURCE.c.until.is_(None), RESOURCE.c.until > _AT))
    .order_by(*_ORDER)
)
_AFTER: BindParameter[int] = bindparam("after")
_UP_TO: BindParameter[int] = bindparam("up_to")
_REVISIONS = select(REVISION).where(REVISION.c.number > _AFTER, REVISION.c.number <= _UP_TO).order_by(REVISION.c.number)
_BEGUN = select(RESOURCE.c.since, *_ROW).where(RESOURCE.c.since > _AFTER, RESOURCE.c.since <= _UP_TO)
_ENDED = select(RESOURCE.c.until, *_ROW).where(RESOURCE.c.until > _AFTER, RESOURCE.c.until <= _UP_TO)

_ADD_REVISION = Fast(insert(REVISION), REVISION.c.keys())
_ADD_ROWS = Fast(insert(RESOURCE), ("since", "kind", "id", "account", "until", "body"))
_ADD_AUDIT = Fast(insert(AUDIT), AUDIT.c.keys())
_of_revision = attrgetter(*REVISION.c.keys())
_of_entry = attrgetter(*AUDIT.c.keys()[1:])  # the number is the store's to give
_END_ROWS = Fast(
    update(RESOURCE)
    .where(RESOURCE.c.kind == bindparam("of_kind"), RESOURCE.c.id == bindparam("of_id"), RESOURCE.c.until.is_(None))
    .values(until=bindparam("ended")),
    ("ended", "of_kind", "of_id"),
)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the store is: its newest revision, the oldest that can be read, how many audit entries there are, and how
    many revisions are to be confirmed.
    """

    number: int
    oldest: int
    audited: int
    awaited: int = 0


def head(connection: Connection) -> Head:
    """The head, as the transaction sees it."""
    row = _HEAD.run(connection).fetchone()
    assert row, "the history has one row, which is never deleted"
    return Head(*row)


def locked_head(connection: Connection) -> Head:
    """The head, which no other process moves until the transaction ends; SQLite's writers are alone already."""
    if connection.dialect.name != "sqlite":
        _LOCK.run(connection)  # a statement of its own: the next one sees what was committed while this one waited
    return head(connection)


def load(connection: Connection, at: int | None) -> tuple[int, list[Row]]:
    """A revision and all rows that are valid at it, in the order of kind and id; the newest one if none is named."""
    where = head(connection)
    if at is not None and not where.oldest <= at <= where.number:
        raise _unknown(f"revision {at}", where.oldest, where.number)
    with garbage.paused():
        if at is None or at == where.number:
            return where.number, [Row(*row) for row in connection.execute(_CURRENT)]
        return at, [Row(*row) for row in connection.execute(_AS_OF, {"as_of": at})]


def revisions(connection: Connection, after: int, limit: int | None, where: Head) -> list[Revision]:
    """The revisions that follow one, with what they did, in order; raises UnknownRevision where some are pruned."""
    first = max(where.oldest - 1, 0)
    if not first <= after <= where.number:
        raise _unknown(f"the revisions after {after}", first, where.number)
    if after == where.number:
        return []
    span = {"after": after, "up_to": where.number if limit is None else min(after + limit, where.number)}
    versions = _versions(connection, span)
    return [_revision(row, versions.get(row.number, ())) for row in connection.execute(_REVISIONS, span)]


def _revision(row: SqlRow[Any], versions: tuple[Version, ...]) -> Revision:
    return Revision(row.number, row.at, row.account, row.user, row.operation, row.request_id, versions)


def _versions(connection: Connection, span: Mapping[str, int]) -> dict[int, tuple[Version, ...]]:
    before: dict[tuple[int, str, str], Row] = {}
    after: dict[tuple[int, str, str], Row] = {}
    for statement, found in ((_ENDED, before), (_BEGUN, after)):
        for number, *row in connection.execute(statement, span):
            found[number, row[0], row[1]] = Row(*row)
    versions: defaultdict[int, list[Version]] = defaultdict(list)
    for key in sorted(before.keys() | after.keys()):
        versions[key[0]].append(Version(before.get(key), after.get(key)))
    return {number: tuple(those) for number, those in versions.items()}


def _unknown(what: str, oldest: int, newest: int) -> UnknownRevision:
    return UnknownRevision(f"{what} cannot be read", f"this store can read from {oldest} up to {newest}")


def add_revisions(connection: Connection, revisions: Sequence[Revision]) -> None:
    """Write revisions and what they did, many rows at a time; raises StoreMismatch if a resource is not as one says."""
    if revisions:
        _ADD_REVISION.run(connection, [_of_revision(revision) for revision in revisions])
    begun: list[Parameters] = []
    for revision in revisions:
        ended = [version.key for version in revision.versions if version.before]
        if ended:
            _add_rows(connection, begun)  # some of those may be what it ends
            begun = []
            _end_rows(connection, revision.number, ended)
        number = revision.number
        begun += [(number, it.kind, it.id, it.account, None, it.body) for _, it in revision.versions if it]
    _add_rows(connection, begun)


def _add_rows(connection: Connection, rows: Sequence[Parameters]) -> None:
    if rows:
        _ADD_ROWS.run(connection, rows)


def _end_rows(connection: Connection, number: int, keys: Sequence[tuple[str, str]]) -> None:
    found = _END_ROWS.run(connection, [(number, kind, name) for kind, name in keys]).rowcount
    if found != len(keys):
        raise StoreMismatch(f"revision {number} changes {len(keys)} resources, of which only {found} are stored")


def add_audit(connection: Connection, where: Head, entries: Sequence[AuditEntry]) -> None:
    """Write audit entries, numbered as they follow on the last one."""
    if entries:
        rows = [(seq, *_of_entry(entry)) for seq, entry in enumerate(entries, where.audited + 1)]
        _ADD_AUDIT.run(connection, rows)


def prune(connection: Connection, before: int) -> None:
    """Forget what only older revisions show: the triggers let go what ``history`` says is past reading."""
    where = locked_head(connection)
    if not 0 <= before <= where.number:
        raise _unknown(f"revision {before}, from which on the history is to be kept,", where.oldest, where.number)
    if before <= where.oldest:
        return
    connection.execute(update(HISTORY).values(oldest=before))
    connection.execute(delete(RESOURCE).where(RESOURCE.c.until < before))
    connection.execute(delete(REVISION).where(REVISION.c.number < before))
