"""Routes for what resources list: lines of ACLs and firewalls, and entries of lists, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change, check_match
from ringfence.api.resources import changed_schema, list_schema, schema_of
from ringfence.api.route import AS_OF, CHANGE, IF_MATCH, Route, Schema
from ringfence.control import entries, lines
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of
from ringfence.control.lines import FIELDS, Place
from ringfence.control.reading import find
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

_AT: Schema = {"type": ["string", "integer"], "description": "the id of a line, or its position from 1"}
_PLACE = {"before": _AT, "after": _AT}
_INSERT: Schema = {
    "type": "object",
    "required": ["rule"],
    "properties": {"rule": {"type": "string", "maxLength": 4096}, **_PLACE},
    "additionalProperties": False,
}
_MOVE: Schema = {"type": "object", "properties": _PLACE, "additionalProperties": False}
_LINE: Schema = {
    "type": "object",
    "required": ["id", "position", "rule"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string", "description": "left out where it has none"},
        "position": {"type": "integer"},
        "rule": {"type": "string"},
    },
}
_LINES: Schema = {"type": "object", "required": ["items"], "properties": {"items": list_schema(_LINE)}}
_ENTRIES: Schema = {"type": "array", "items": {"type": "string", "maxLength": 128}}
_NEW: Schema = {
    "type": "array",
    "items": {
        "type": ["string", "object"],
        "required": ["entry"],
        "properties": {"entry": {"type": "string", "maxLength": 128}, "remark": {"type": "string", "maxLength": 255}},
    },
    "examples": [["203.0.113.0/24", {"entry": "198.51.100.7", "remark": "the head office"}]],
}
_EDIT: Schema = {
    "type": "object",
    "properties": {"add": _NEW, "remove": _ENTRIES},
    "additionalProperties": False,
}


def routes() -> Iterator[Route]:
    """The routes."""
    for kind in FIELDS:
        yield from _routes(kind)
    for kind, name in ((Kind.ADDRESS_GROUP, "edit_entries"), (Kind.PORT_LIST, "edit_port_list_entries")):
        yield Route(
            "POST",
            f"/v1/{FORMS[kind].plural}/{{id}}/entries",
            name,
            f"Add entries to one {kind.words} and remove others, all or none; every rule that names it follows.",
            (action_of(Verb.UPDATE, kind),),
            partial(_edit_entries, kind),
            CHANGE,
            _EDIT,
            answer=changed_schema(schema_of(FORMS[kind]), added=_ENTRIES, removed=_ENTRIES),
        )


def _routes(kind: Kind) -> Iterator[Route]:
    form, field, word = FORMS[kind], FIELDS[kind], kind.words
    path = f"/v1/{form.plural}/{{id}}/{field}"
    answer, actions = changed_schema(schema_of(form), lines=list_schema(_LINE)), _actions(kind)
    changes = (*CHANGE, IF_MATCH)
    yield Route(
        "GET",
        path,
        f"list_{kind}_{field}",
        f"List the lines of one {word} in their order.",
        (action_of(Verb.READ, kind),),
        partial(_list, kind),
        (AS_OF,),
        answer=_LINES,
    )
    yield Route(
        "POST",
        path,
        f"insert_{kind}_{field}",
        f"Add a line to one {word}: behind all, or before or after another line.",
        actions,
        partial(_insert, kind),
        changes,
        _INSERT,
        answer=answer,
    )
    one = f"{path}/{{line}}"
    yield Route(
        "POST",
        f"{one}/move",
        f"move_{kind}_{field}",
        f"Have a line of one {word} stand behind all, or before or after another line.",
        actions,
        partial(_move, kind),
        changes,
        _MOVE,
        answer=answer,
    )
    yield Route(
        "DELETE",
        one,
        f"remove_{kind}_{field}",
        f"Remove a line of one {word}.",
        actions,
        partial(_remove, kind),
        changes,
        answer=answer,
    )


def _actions(kind: Kind) -> tuple[Action, ...]:
    if kind is Kind.ACL:
        return (ram.UPDATE_NETWORK_ACL_ENTRIES,)
    return (ram.MODIFY_FIREWALL_POLICY, action_of(Verb.UPDATE, kind))


def _told(resource: Resource) -> list[dict[str, Any]]:
    return [
        {"id": it.id, "position": it.position, "rule": str(it.rule)} | ({"name": it.rule.name} if it.rule.name else {})
        for it in lines.lines(resource)
    ]


def _list(kind: Kind, call: Call) -> Answer:
    return Answer({"items": _told(find(call.control, call.state, call.caller, kind, call.path["id"]))})


def _change(kind: Kind, call: Call, edit: Callable[[Draft], Resource]) -> Answer:
    def work(draft: Draft) -> dict[str, Any]:
        old = draft.find(kind, call.path["id"])
        edited = edit(draft)
        check_match(call, old)
        return {"item": edited.shown(), "lines": _told(edited)}

    return change(call, _actions(kind)[0].name, work)


def _place(said: dict[str, Any]) -> Place:
    return Place(said.get("before"), said.get("after"))


def _insert(kind: Kind, call: Call) -> Answer:
    said = call.checked(_INSERT)
    return _change(kind, call, lambda draft: lines.insert(draft, kind, call.path["id"], said["rule"], _place(said)))


def _move(kind: Kind, call: Call) -> Answer:
    said, line = call.checked(_MOVE), call.path["line"]
    return _change(kind, call, lambda draft: lines.move(draft, kind, call.path["id"], line, _place(said)))


def _remove(kind: Kind, call: Call) -> Answer:
    return _change(kind, call, lambda draft: lines.remove(draft, kind, call.path["id"], call.path["line"]))


def _edit_entries(kind: Kind, call: Call) -> Answer:
    said = call.checked(_EDIT)

    def work(draft: Draft) -> dict[str, Any]:
        done = entries.edit_entries(draft, kind, call.path["id"], said.get("add", []), said.get("remove", []))
        added, removed = (list(map(str, each)) for each in (done.added, done.removed))
        return {"item": done.list.shown(), "added": added, "removed": removed}

    return change(call, action_of(Verb.UPDATE, kind).name, work)
