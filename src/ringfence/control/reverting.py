"""Taking a revision back: a new revision with the exact reverse of its changes."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.control.control import change_of
from ringfence.control.draft import Draft
from ringfence.control.making import make
from ringfence.errors import Conflict, FieldProblem, InvalidFields, NotFound
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION
from ringfence.resources.kind import IDENTITY
from ringfence.resources.resource import Resource, ResourceChange
from ringfence.store.rows import Revision, Version
from ringfence.store.store import Store

_NAMED = 5  # conflicts that a message tells


def revision_of(store: Store, number: int) -> Revision:
    """A revision with what it did. Raises `UnknownRevision`."""
    found = store.revisions(number - 1, 1) if number > 0 else []
    if not found:
        raise unknown(number)
    return found[0]


def unknown(number: int) -> NotFound:
    """The refusal of a revision that is not there, or is nobody's to see."""
    return NotFound(f"there is no revision {number} of yours", "list them: GET /v1/revisions", field="id", value=number)


def changes_of(versions: Iterable[Version]) -> list[ResourceChange]:
    """What a revision did."""
    return [change_of(version) for version in versions]


def revert(draft: Draft, revision: Revision) -> None:
    """Take a revision back, which is of the caller's account.

    Raises `Conflict` with what has changed since, `NotFound` where the revision is another account's, `InvalidFields`
    where it is about users, keys or policies: what was deleted there must not come back by a detour. Each change is
    judged as if it was made by itself.
    """
    draft.require_any(ram.APPLY_CHANGES, REVISION)
    changes = changes_of(revision.versions)
    account = draft.caller.account
    foreign = revision.account != account or any(change.resource.account != account for change in changes)
    if foreign and not draft.caller.operator:
        raise unknown(revision.number)
    if any(change.key.kind in IDENTITY for change in changes):
        what = f"revision {revision.number} is about accounts, users, keys or policies"
        right = "make that change by itself: what was revoked does not come back with a revision"
        raise InvalidFields((FieldProblem("id", what, right, "revert.identity", revision.number),))
    _check_unchanged(draft, revision, changes)
    make(draft, [change.reversed for change in reversed(changes)])


def _check_unchanged(draft: Draft, revision: Revision, changes: list[ResourceChange]) -> None:
    since = [change.key for change in changes if _text(draft.get(*change.key)) != _text(change.after)]
    if since:
        more = f" and {len(since) - _NAMED} more" if len(since) > _NAMED else ""
        what = f"{', '.join(map(str, since[:_NAMED]))}{more} changed after revision {revision.number}"
        right = "take back the later revisions first, or apply a file that says what you want"
        raise Conflict(what, right, reason="revert.conflict", field="id", value=revision.number)


def _text(resource: Resource | None) -> str | None:
    return resource.text() if resource else None
