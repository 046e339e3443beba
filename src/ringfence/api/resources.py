"""Routes for resources of every kind: list, make, show, change, delete. All that differs is in the forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change, check_match, etag
from ringfence.api.route import AS_OF, CHANGE, IF_MATCH, PAGE, TRUTH, Parameter, Route, Schema
from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.control.reading import find, visible
from ringfence.resources.filters import FILTERS
from ringfence.resources.form import Form
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.resource import COMMON

_TAG = Parameter(
    "tag",
    "only those with a tag: KEY or KEY=VALUE; of several, with each",
    {"type": "array", "items": {"type": "string"}},
)
_SPECIAL = frozenset({Kind.ACCESS_KEY})
"""Kinds that are made otherwise."""


def routes() -> Iterator[Route]:
    """The routes of all kinds."""
    for form in FORMS.values():
        yield from _routes(form)


def _routes(form: Form) -> Iterator[Route]:
    kind, one, every = form.kind, f"/v1/{form.plural}/{{id}}", f"/v1/{form.plural}"
    item, word = schema_of(form), kind.words
    changed = changed_schema(item)
    filters = tuple(Parameter(name, f"only those with this {name}") for name in FILTERS.get(kind, ()))
    by_tag = (Parameter("name", "only those of this name"), _TAG)
    read = (action_of(Verb.READ, kind),)
    yield Route(
        "GET",
        every,
        f"list_{form.plural}",
        f"List each {word}.",
        read,
        partial(_list, kind),
        (*PAGE, AS_OF, *by_tag, *filters),
        answer=page_schema(item),
    )
    yield Route(
        "GET", one, f"get_{kind}", f"Show one {word}, by id or name.", read, partial(_get, kind), (AS_OF,), answer=item
    )
    if kind not in _SPECIAL:
        yield Route(
            "POST",
            every,
            f"create_{kind}",
            f"Make a {word}.",
            actions_of(Verb.CREATE, kind),
            partial(_create, kind),
            CHANGE,
            asked_schema(form),
            answer=changed,
            status=201,
        )
    yield Route(
        "PATCH",
        one,
        f"update_{kind}",
        f"Change fields of a {word}.",
        actions_of(Verb.UPDATE, kind),
        partial(_update, kind),
        (*CHANGE, IF_MATCH),
        asked_schema(form, new=False),
        answer=changed,
    )
    yield Route(
        "DELETE",
        one,
        f"delete_{kind}",
        f"Delete a {word}.",
        actions_of(Verb.DELETE, kind),
        partial(_delete, kind),
        (*CHANGE, IF_MATCH, Parameter("force", "with the rules that name it (address groups and port lists)", TRUTH)),
        answer=changed,
    )


def _list(kind: Kind, call: Call) -> Answer:
    found = visible(call.control, call.state, call.caller, kind)
    told = [resource.shown() for resource in found]
    return call.page([it for it in told if _is_wanted(kind, it, call)])


def _is_wanted(kind: Kind, told: Mapping[str, Any], call: Call) -> bool:
    names = ("name", *FILTERS.get(kind, ()))
    tagged = all(_has_tag(told["tags"], tag) for tag in call.every("tag"))
    return tagged and all(_has(told[name], call.query[name]) for name in names if name in call.query)


def _has_tag(tags: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in tags and (not equals or tags[key] == value)


def _has(value: Any, wanted: str) -> bool:
    return wanted in value if isinstance(value, list) else str(value) == wanted


def _get(kind: Kind, call: Call) -> Answer:
    resource = find(call.control, call.state, call.caller, kind, call.path["id"])
    return Answer(resource.shown(), headers={"etag": etag(resource)})


def _create(kind: Kind, call: Call) -> Answer:
    def work(draft: Draft) -> dict[str, Any]:
        return {"item": draft.shown(basic.create(draft, kind, call.object))}

    return change(call, action_of(Verb.CREATE, kind).name, work, status=201)


def _update(kind: Kind, call: Call) -> Answer:
    def work(draft: Draft) -> dict[str, Any]:
        old = draft.find(kind, call.path["id"])
        made = basic.update(draft, kind, old.id, call.object)
        check_match(call, old)  # by now it is known that the caller may look at it
        return {"item": made.shown()}

    return change(call, action_of(Verb.UPDATE, kind).name, work)


def _delete(kind: Kind, call: Call) -> Answer:
    def work(draft: Draft) -> dict[str, Any]:
        gone = basic.delete(draft, kind, call.path["id"], force=call.flag("force"))
        check_match(call, gone)
        return {"item": gone.shown()}

    return change(call, action_of(Verb.DELETE, kind).name, work)


# --- schemas


_SAID: Mapping[str, Schema] = {
    "name": {"type": "string", "maxLength": 128},
    "description": {"type": "string", "maxLength": 512},
    "tags": {
        "type": "object",
        "maxProperties": basic.TAGS,
        "propertyNames": {"minLength": 1, "maxLength": 128},
        "additionalProperties": {"type": "string", "maxLength": 128},
    },
    "protected": {"type": "boolean", "description": "whether it may not be deleted"},
}
"""What a request may say of a resource of any kind."""
_SETTLED = {Kind.PORT: {"addresses", "groups"}, Kind.VIRTUAL_IP: {"addresses"}}
"""Fields that a request may leave open, as they are settled by others."""


def schema_of(form: Form) -> dict[str, Any]:
    """The JSON schema of a resource as it is told."""
    common = {name: {"type": "string"} for name in COMMON} | dict(_SAID) | {"kind": {"const": form.kind.value}}
    told = common | _own(form) | {name: {"type": "string"} for name in form.derived}
    return {"type": "object", "required": list(told), "properties": told}


def _own(form: Form) -> dict[str, Any]:
    return {each.name: {**each.schema, "description": each.doc} for each in form.open_fields}


def asked_schema(form: Form, *, new: bool = True) -> Schema:
    """The JSON schema of what a request may say, to make a resource or to change one."""
    given = dict(_SAID) | _own(form)
    required = [
        each.name for each in form.open_fields if each.required and each.name not in _SETTLED.get(form.kind, ())
    ]
    if form.kind is Kind.RULE:
        given["rule"] = {"type": "string", "maxLength": 4096, "examples": ["in allow tcp 80 from any"]}
        required = ["group"]  # and the direction, unless the line says it
    if form.kind is Kind.GROUP and new:
        given["template"] = {"enum": ["default"], "description": "the rules that it begins with"}
    if form.kind is Kind.INSTANCE and new:
        given["ports"] = {"type": "array", "items": _port(), "maxItems": 64}
    asked = {"type": "object", "properties": given, "additionalProperties": False}
    return {**asked, "required": required} if new and required else asked


def _port() -> Schema:
    """A port of a new instance: the default group is its group where it names none."""
    schema = dict(asked_schema(FORMS[Kind.PORT]))
    return schema | {"properties": {name: it for name, it in schema["properties"].items() if name != "instance"}}


def changed_schema(item: Schema, **more: Schema) -> Schema:
    """The JSON schema of the answer to a change of one resource."""
    return told_schema(item=item, **more)


def told_schema(**told: Schema) -> Schema:
    """The JSON schema of the answer to a change that tells some things."""
    always = {"revision": {"type": "integer"}, "dry_run": {"type": "boolean"}}
    properties = {name: dict(each) for name, each in told.items()} | always | {"enforced": {"type": "boolean"}}
    return {"type": "object", "required": [*told, *always], "properties": properties}


def list_schema(item: Schema) -> Schema:
    """The JSON schema of a whole list."""
    return {"type": "array", "items": dict(item)}


def page_schema(item: Schema) -> Schema:
    """The JSON schema of a page of items."""
    properties = {"items": {"type": "array", "items": dict(item)}, "next": {"type": ["string", "integer", "null"]}}
    return {"type": "object", "required": ["items", "next"], "properties": properties}
