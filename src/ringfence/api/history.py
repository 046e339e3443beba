"""Routes for what happened: revisions, taking one back, confirming one, and the audit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from ringfence.api.audit import sees_all
from ringfence.api.call import MAX_PAGE, Answer, Call
from ringfence.api.changes import change
from ringfence.api.resources import page_schema
from ringfence.api.route import CHANGE, DRY_RUN, TRUTH, Parameter, Route, Schema
from ringfence.control.draft import Draft
from ringfence.control.kinds import CHANGING, Verb, action_for
from ringfence.control.reverting import changes_of, revert, revision_of, unknown
from ringfence.errors import NotFound, UnknownRevision
from ringfence.ram import actions as ram
from ringfence.ram.arn import REVISION
from ringfence.resources.resource import ResourceChange
from ringfence.store.rows import AuditFilter, Revision

_CHUNK, _CHUNKS = 100, 20  # revisions that are read at once, and how often for one page
_PAGE = 100
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}
_HEAD = {
    "number": _NUMBER,
    **dict.fromkeys(("at", "account", "user", "operation", "request_id"), _TEXT),
    "count": {"type": "integer", "description": "how many resources it changed that the caller may see"},
    "confirm_until": {"type": ["string", "null"], "description": "when it is taken back unless it is confirmed"},
}
_REVISION: Schema = {"type": "object", "required": list(_HEAD), "properties": _HEAD}
_CHANGE: Schema = {
    "type": "object",
    "required": ["before", "after"],
    "properties": {name: {"type": ["object", "null"]} for name in ("before", "after")},
}
_WHOLE: Schema = {
    "type": "object",
    "required": [*_HEAD, "changes"],
    "properties": {**_HEAD, "changes": {"type": "array", "items": _CHANGE}},
}
_REVERTED: Schema = {
    "type": "object",
    "required": ["reverted", "revision", "dry_run"],
    "properties": {"reverted": _NUMBER, "revision": _NUMBER, "dry_run": TRUTH, "enforced": TRUTH},
}
_CONFIRMED: Schema = {
    "type": "object",
    "required": ["confirmed", "revision", "dry_run"],
    "properties": {"confirmed": _NUMBER, "revision": _NUMBER, "dry_run": TRUTH},
}
_AWAITED: Schema = {
    "type": "object",
    "required": ["revision", "confirm_until", "failure"],
    "properties": {
        "revision": _NUMBER,
        "confirm_until": _TEXT,
        "failure": {"type": ["string", "null"], "description": "why it could not be taken back when it was due"},
    },
}
_LIMIT = Parameter("limit", "items a page", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE})
_AFTER: Schema = {"type": "integer", "minimum": 0}


def routes() -> Iterator[Route]:
    """The routes."""
    one, see = "/v1/revisions/{id}", (ram.DESCRIBE_REVISIONS,)
    yield Route(
        "GET",
        "/v1/revisions",
        "list_revisions",
        "List revisions: the newest, or those that follow on one.",
        see,
        _list,
        (_LIMIT, Parameter("after", "the revision that they follow on", _AFTER)),
        answer=page_schema(_REVISION),
    )
    yield Route("GET", one, "get_revision", "Show what a revision changed.", see, _get, answer=_WHOLE)
    yield Route(
        "POST",
        f"{one}/revert",
        "revert_revision",
        "Take a revision back, by a new one with the reverse of its changes.",
        (ram.APPLY_CHANGES, *CHANGING),
        _revert,
        CHANGE,
        answer=_REVERTED,
    )
    yield Route(
        "POST",
        f"{one}/confirm",
        "confirm_revision",
        "Confirm a revision, through a connection that was opened after it was in force.",
        (ram.CONFIRM_CHANGES,),
        _confirm,
        (DRY_RUN,),
        answer=_CONFIRMED,
    )
    yield Route(
        "GET",
        "/v1/confirmations",
        "list_confirmations",
        "List the revisions that wait for their confirmation.",
        see,
        _awaited,
        answer=page_schema(_AWAITED),
    )


# --- revisions


def _visible(call: Call, revision: Revision) -> list[ResourceChange]:
    """What the caller may see of a revision."""
    own = [
        version
        for version in revision.versions
        if sees_all(call) or call.caller.account in {row.account for row in (version.before, version.after) if row}
    ]
    authority, caller = call.control.authority, call.caller
    if not caller.user:
        return changes_of(own)
    return [
        each for each in changes_of(own) if authority.may(caller, action_for(Verb.READ, each.resource), each.resource)
    ]


def _is_visible(call: Call, revision: Revision, changes: Iterable[ResourceChange]) -> bool:
    return sees_all(call) or revision.account == call.caller.account or any(True for _ in changes)


def _told(call: Call, revision: Revision, count: int, awaited: dict[int, str]) -> dict[str, Any]:
    own = sees_all(call) or revision.account == call.caller.account
    return {
        "number": revision.number,
        "at": revision.at,
        "account": revision.account if own else "",
        "user": revision.user if own else "",
        "operation": revision.operation,
        "request_id": revision.request_id if own else "",
        "count": count,
        "confirm_until": awaited.get(revision.number),
    }


def _deadlines(call: Call) -> dict[int, str]:
    known = call.control.store.confirmations()
    return {it.revision: it.deadline for it in known if sees_all(call) or it.account == call.caller.account}


def _list(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_REVISIONS, REVISION)
    limit, awaited = call.number("limit", _PAGE, 1, MAX_PAGE), _deadlines(call)
    newest = "after" not in call.query
    found, after = _newest(call, limit) if newest else _following(call, call.number("after", 0, 0, 2**53), limit)
    more = not newest and after < call.control.store.head()
    items = [_told(call, revision, len(changes), awaited) for revision, changes in found]
    return Answer({"items": items, "next": after if more else None})


_Seen = list[tuple[Revision, list[ResourceChange]]]
"""Revisions with what the caller may see of them."""


def _following(call: Call, after: int, limit: int) -> tuple[_Seen, int]:
    """Those that follow on one, as far as they were looked at in one go: which is the last of these."""
    found: _Seen = []
    for _ in range(_CHUNKS):
        chunk = call.control.store.revisions(after, _CHUNK)
        for revision in chunk:
            after = revision.number
            found += _if_visible(call, revision)
            if len(found) == limit:
                return found, after
        if len(chunk) < _CHUNK:
            break
    return found, after


def _newest(call: Call, limit: int) -> tuple[_Seen, int]:
    """The newest; of an account also where others have made many since, by what its audit says of them."""
    store, found = call.control.store, _Seen()
    head = store.head()
    numbers = range(head, max(0, head - limit), -1) if sees_all(call) else _own_numbers(call, limit)
    with suppress(UnknownRevision):  # the older ones are kept no longer
        for number in numbers:
            found += _if_visible(call, revision_of(store, number))
    return found[::-1], head


def _own_numbers(call: Call, limit: int) -> list[int]:
    """The revisions that the caller's account has made last, the newest first."""
    own, numbers, before = AuditFilter(account=call.caller.account, allowed=True), dict[int, None](), None
    for _ in range(_CHUNKS):
        entries = call.control.store.find_audit(own, before_seq=before, newest_first=True, limit=MAX_PAGE)
        numbers |= dict.fromkeys(entry.revision for entry in entries if entry.revision)
        if len(numbers) >= limit or len(entries) < MAX_PAGE:
            break
        before = entries[-1].seq
    return list(numbers)[:limit]


def _if_visible(call: Call, revision: Revision) -> _Seen:
    changes = _visible(call, revision)
    return [(revision, changes)] if _is_visible(call, revision, changes) else []


def _number(call: Call) -> int:
    text = call.path["id"]
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 17):
        raise NotFound(f"{text!r} is no revision", "give its number", field="id", value=text)
    return int(text)


def _get(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_REVISIONS, REVISION)
    revision = _revision(call)
    changes = _visible(call, revision)
    if not _is_visible(call, revision, changes):
        raise unknown(revision.number)
    told = [{"before": _shown(change.before), "after": _shown(change.after)} for change in changes]
    return Answer(_told(call, revision, len(changes), _deadlines(call)) | {"changes": told})


def _revision(call: Call) -> Revision:
    number = _number(call)
    try:
        return revision_of(call.control.store, number)
    except UnknownRevision:
        raise unknown(number) from None


def _shown(resource: Any) -> dict[str, Any] | None:
    return resource.shown() if resource else None


def _revert(call: Call) -> Answer:
    number = _number(call)
    awaited = {it.revision for it in call.service.confirming.pending(call.caller.account)}

    def work(draft: Draft) -> dict[str, Any]:
        draft.require_any(ram.APPLY_CHANGES, REVISION)
        revert(draft, _revision(call))
        return {"reverted": number}

    return change(call, "RevertRevision", work, settles=number if number in awaited else None)


def _confirm(call: Call) -> Answer:
    number, dry_run = _number(call), call.flag("dry_run")
    call.service.confirming.confirm(call.caller, number, dry_run=dry_run)
    return Answer({"confirmed": number, "revision": call.control.state.revision, "dry_run": dry_run})


def _awaited(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.DESCRIBE_REVISIONS, REVISION)
    confirming = call.service.confirming
    failures = confirming.failures
    told = [
        {"revision": it.revision, "confirm_until": it.deadline, "failure": failures.get(it.revision)}
        for it in confirming.pending(call.caller.account)
    ]
    return Answer({"items": told, "next": None})
