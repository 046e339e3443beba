"""Routes for quotas: what is used, and what the operator allows instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change
from ringfence.api.resources import changed_schema, list_schema, schema_of
from ringfence.api.route import CHANGE, Parameter, Route, Schema
from ringfence.control import quotas
from ringfence.control.draft import Draft
from ringfence.model.profile import LIMITS
from ringfence.ram import actions as ram
from ringfence.resources.forms import FORMS
from ringfence.resources.identity_forms import EVERYBODY
from ringfence.resources.kind import Kind

_LIMIT: Schema = {"type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000}
_SET: Schema = {
    "type": "object",
    "required": ["limits"],
    "properties": {
        "target": {"type": "string", "minLength": 1, "maxLength": 128, "description": "an account's id; * for all"},
        "limits": {
            "type": "object",
            "properties": dict.fromkeys(LIMITS, _LIMIT),
            "description": "numbers by name; null gives the profile's back",
        },
    },
    "additionalProperties": False,
}
_USAGE: Schema = {
    "type": "object",
    "required": ["limit", "of", "used", "allowed", "source"],
    "properties": {
        "limit": {"type": "string"},
        "of": {"type": ["object", "null"], "description": "the resource that has it; null for the account"},
        "used": {"type": "integer"},
        "allowed": {"type": "integer"},
        "source": {"enum": [quotas.PROFILE, quotas.OPERATOR, quotas.FIXED]},
    },
}
_FULLEST = Parameter(
    "fullest", "so many of the fullest groups, ports …", {"type": "integer", "minimum": 1, "maximum": 100}
)


def routes() -> Iterator[Route]:
    """The routes; they stand before those of the kind itself."""
    yield Route(
        "GET",
        "/v1/quotas/usage",
        "get_quota_usage",
        "Show each limit: what is used, what is allowed, and who says so.",
        (ram.DESCRIBE_QUOTAS,),
        _usage,
        (_FULLEST,),
        answer={"type": "object", "required": ["items"], "properties": {"items": list_schema(_USAGE)}},
    )
    yield Route(
        "PUT",
        "/v1/quotas",
        "set_quotas",
        "Set limits of an account, or of all of them; what exists is judged by them at once.",
        (ram.MODIFY_QUOTA,),
        _set,
        CHANGE,
        _SET,
        answer=changed_schema(schema_of(FORMS[Kind.QUOTA])),
    )


def _usage(call: Call) -> Answer:
    fullest = call.number("fullest", quotas.FULLEST, 1, 100)
    found = quotas.usage_for(call.control, call.caller, fullest=fullest)
    return Answer({"items": [each.as_json() for each in found]})


def _set(call: Call) -> Answer:
    said = call.checked(_SET)

    def work(draft: Draft) -> dict[str, Any]:
        draft.require_any(ram.MODIFY_QUOTA, Kind.QUOTA)
        return {"item": quotas.set_limits(draft, said.get("target", EVERYBODY), said["limits"]).shown()}

    return change(call, ram.MODIFY_QUOTA.name, work)
