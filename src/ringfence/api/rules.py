"""Routes for many rules of one group at once, and for clones of groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change
from ringfence.api.resources import changed_schema, list_schema, schema_of, told_schema
from ringfence.api.route import CHANGE, Route, Schema
from ringfence.control import cloning, rules
from ringfence.control.draft import Draft
from ringfence.model.group import GroupType
from ringfence.ram import actions as ram
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

_RULE = schema_of(FORMS[Kind.RULE])
_ANY_RULE: Schema = {"type": ["string", "object"], "examples": ["in allow tcp 80 from any"]}
_SAID: Schema = {
    "type": "array",
    "items": _ANY_RULE,
    "description": f"lines of the notation, or objects; up to {rules.RULES_PER_CALL}",
}
_AUTHORIZE: Schema = {
    "type": "object",
    "required": ["rules"],
    "properties": {"rules": _SAID},
    "additionalProperties": False,
}
_REVOKE: Schema = {
    "type": "object",
    "properties": {
        "ids": {"type": "array", "items": {"type": "string"}, "description": "ids of rules of the group"},
        "rules": _SAID,
    },
    "additionalProperties": False,
}
_TEXT: Schema = {"type": "string", "maxLength": 512}
_CLONE: Schema = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 128},
        "description": _TEXT,
        "vpc": {"type": "string", "description": "the VPC of the clone; the group's own, if nothing is said"},
        "type": {"enum": [each.value for each in GroupType], "description": "the group's own, if nothing is said"},
        "copy_tags": {"type": "boolean"},
        "skip": {"type": "boolean", "description": "leave out rules that cannot stand in the clone"},
    },
    "additionalProperties": False,
}
_SKIPPED: Schema = {
    "type": "object",
    "required": ["id", "rule", "code", "reason"],
    "properties": {name: {"type": "string"} for name in ("id", "rule", "code", "reason")},
}


def routes() -> Iterator[Route]:
    """The routes."""
    many = list_schema(_RULE)
    yield Route(
        "POST",
        "/v1/groups/{id}/rules",
        "authorize_rules",
        "Add rules to a group, all or none. One that is there already is as good as added.",
        (ram.AUTHORIZE_SECURITY_GROUP, ram.AUTHORIZE_SECURITY_GROUP_EGRESS),
        _authorize,
        CHANGE,
        _AUTHORIZE,
        answer=told_schema(added=many, already=many),
    )
    yield Route(
        "POST",
        "/v1/groups/{id}/rules/revoke",
        "revoke_rules",
        "Remove rules of a group by their ids and by what they say, all or none. What is not there is as good as gone.",
        (ram.REVOKE_SECURITY_GROUP, ram.REVOKE_SECURITY_GROUP_EGRESS),
        _revoke,
        CHANGE,
        _REVOKE,
        answer=told_schema(removed=many),
    )
    yield Route(
        "POST",
        "/v1/groups/{id}/clone",
        "clone_group",
        "Make a group with the rules of another one: in another VPC, or of the other type.",
        (
            ram.CLONE_SECURITY_GROUP,
            ram.CREATE_SECURITY_GROUP,
            ram.AUTHORIZE_SECURITY_GROUP,
            ram.AUTHORIZE_SECURITY_GROUP_EGRESS,
        ),
        _clone,
        CHANGE,
        _CLONE,
        answer=changed_schema(schema_of(FORMS[Kind.GROUP]), rules=many, skipped=list_schema(_SKIPPED)),
        status=201,
    )


def told(resources: Iterable[Resource]) -> list[dict[str, Any]]:
    """Some resources as the API tells them."""
    return [resource.shown() for resource in resources]


def _authorize(call: Call) -> Answer:
    said = call.checked(_AUTHORIZE)

    def work(draft: Draft) -> dict[str, Any]:
        done = rules.authorize(draft, call.path["id"], said["rules"])
        return {"added": [draft.shown(each) for each in done.added], "already": told(done.already)}

    return change(call, ram.AUTHORIZE_SECURITY_GROUP.name, work)


def _revoke(call: Call) -> Answer:
    said = call.checked(_REVOKE)

    def work(draft: Draft) -> dict[str, Any]:
        return {"removed": told(rules.revoke(draft, call.path["id"], said.get("ids", []), said.get("rules", [])))}

    return change(call, ram.REVOKE_SECURITY_GROUP.name, work)


def _clone(call: Call) -> Answer:
    said = call.checked(_CLONE)

    def work(draft: Draft) -> dict[str, Any]:
        made = cloning.clone(draft, call.path["id"], said)
        skipped = [asdict(each) for each in made.skipped]
        return {"item": made.group.shown(), "rules": told(made.rules), "skipped": skipped}

    return change(call, ram.CLONE_SECURITY_GROUP.name, work, status=201)
