"""The route of the audit: who asked for what, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ringfence.api.call import MAX_PAGE, Answer, Call
from ringfence.api.resources import page_schema
from ringfence.api.route import TRUTH, Parameter, Route, Schema
from ringfence.errors import FieldProblem, InvalidFields
from ringfence.ram import actions as ram
from ringfence.ram.arn import AUDIT
from ringfence.store.rows import AuditEntry, AuditFilter

_PAGE = 100
_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}
_FILTERS = (
    "account",
    "user",
    "key_id",
    "source",
    "operation",
    "action",
    "resource",
    "code",
    "request_id",
    "since",
    "until",
)
_ENTRY: Schema = {
    "type": "object",
    "required": ["seq", *_FILTERS[:-2], "at", "allowed", "revision", "before", "after"],
    "properties": {
        "seq": _NUMBER,
        **dict.fromkeys((*_FILTERS[:-2], "at"), _TEXT),
        "allowed": TRUTH,
        "revision": {"type": ["integer", "null"]},
        **{name: {"type": ["array", "null"], "items": {"type": "object"}} for name in ("before", "after")},
    },
}
_LIMIT = Parameter("limit", "items a page", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE})
_AFTER: Schema = {"type": "integer", "minimum": 0}


def routes() -> Iterator[Route]:
    """The route."""
    allowed = Parameter("allowed", "only what was allowed, or only what was refused", TRUTH)
    newest = Parameter("newest_first", "the newest first; `after` is then where to go on backwards", TRUTH)
    yield Route(
        "GET",
        "/v1/audit",
        "list_audit",
        "Who asked for what, and what became of it.",
        (ram.LOOKUP_EVENTS,),
        _audit,
        (
            _LIMIT,
            Parameter("after", "the `next` of the page before", _AFTER),
            newest,
            allowed,
            *(Parameter(name, f"only those with this {name}") for name in _FILTERS[:-2]),
            *(Parameter(name, "a time in UTC, like 2026-11-22T09:00:00.000Z") for name in _FILTERS[-2:]),
        ),
        answer=page_schema(_ENTRY),
    )


def sees_all(call: Call) -> bool:
    """Whether the caller is an operator who acts on no tenant in particular."""
    caller = call.caller
    return caller.operator and caller.account == (caller.home or caller.account)


def _audit(call: Call) -> Answer:
    call.control.authority.require_kind(call.caller, ram.LOOKUP_EVENTS, AUDIT)
    limit, newest = call.number("limit", _PAGE, 1, MAX_PAGE), call.flag("newest_first")
    after = call.number("after", 0, 0, 2**53)
    found = call.control.store.find_audit(
        _filter(call),
        after_seq=0 if newest else after,
        before_seq=after if newest and "after" in call.query else None,
        newest_first=newest,
        limit=limit + 1,
    )
    rest = len(found) > limit
    return Answer({"items": list(map(_entry, found[:limit])), "next": found[limit - 1].seq if rest else None})


def _filter(call: Call) -> AuditFilter:
    wanted: dict[str, Any] = {name: call.query[name] for name in _FILTERS if name in call.query}
    if "allowed" in call.query:
        wanted["allowed"] = call.flag("allowed")
    if not sees_all(call):
        other = wanted.get("account", call.caller.account)
        if other != call.caller.account:
            what = f"the audit of {other!r} is not the caller's to see"
            raise InvalidFields((FieldProblem("account", what, "leave it out", value=other),))
        wanted["account"] = call.caller.account
    return AuditFilter(**wanted)


def _entry(entry: AuditEntry) -> dict[str, Any]:
    told = asdict(entry)
    return told | {name: json.loads(told[name]) if told[name] else None for name in ("before", "after")}
