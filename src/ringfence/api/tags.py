"""Routes for tags: of every kind of resource, and all of an account."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ringfence.api.call import Answer, Call
from ringfence.api.changes import change
from ringfence.api.resources import changed_schema, page_schema, schema_of
from ringfence.api.route import AS_OF, CHANGE, PAGE, Parameter, Route, Schema
from ringfence.control import tagging
from ringfence.control.draft import Draft
from ringfence.ram import actions as ram
from ringfence.resources.form import Form
from ringfence.resources.forms import FORMS
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource

_TAGS: Schema = {
    "type": "object",
    "required": ["tags"],
    "properties": {"tags": {"type": "object", "additionalProperties": {"type": "string"}}},
    "additionalProperties": False,
}
_KEYS = Parameter("key", "a tag's key; of all tags, if none is given", {"type": "array", "items": {"type": "string"}})
_TAG: Schema = {
    "type": "object",
    "required": ["tag", "key", "value", "resources"],
    "properties": {
        "tag": {"type": "string", "description": "as lists are narrowed by it: KEY=VALUE"},
        "key": {"type": "string"},
        "value": {"type": "string"},
        "resources": {"type": "object", "description": "how many of each kind have it"},
    },
}


def routes() -> Iterator[Route]:
    """The routes."""
    for form in FORMS.values():
        yield from _routes(form)
    yield Route(
        "GET",
        "/v1/tags",
        "list_tags",
        "List the tags of all resources.",
        (ram.LIST_TAG_RESOURCES,),
        _list,
        (*PAGE, AS_OF),
        answer=page_schema(_TAG),
    )


def _routes(form: Form) -> Iterator[Route]:
    kind, path, answer = form.kind, f"/v1/{form.plural}/{{id}}/tags", changed_schema(schema_of(form))
    yield Route(
        "PUT",
        path,
        f"tag_{kind}",
        f"Set tags of one {kind.words}; its others stay.",
        (ram.TAG_RESOURCES,),
        partial(_tag, kind),
        CHANGE,
        _TAGS,
        answer=answer,
    )
    yield Route(
        "DELETE",
        path,
        f"untag_{kind}",
        f"Take tags of one {kind.words} away, by their keys or all.",
        (ram.UNTAG_RESOURCES,),
        partial(_untag, kind),
        (*CHANGE, _KEYS),
        answer=answer,
    )


def _tag(kind: Kind, call: Call) -> Answer:
    tags = call.checked(_TAGS)["tags"]

    def work(draft: Draft) -> dict[str, Any]:
        return {"item": tagging.tag(draft, kind, call.path["id"], tags).shown()}

    return change(call, ram.TAG_RESOURCES.name, work)


def _untag(kind: Kind, call: Call) -> Answer:
    def work(draft: Draft) -> dict[str, Any]:
        return {"item": tagging.untag(draft, kind, call.path["id"], call.every("key")).shown()}

    return change(call, ram.UNTAG_RESOURCES.name, work)


def _list(call: Call) -> Answer:
    tags = tagging.tags_of(_tagged(call))
    told = [_told(each) for each in sorted(tags, key=lambda it: it.text)]
    return call.page(told, "tag")


def _told(tag: tagging.Tag) -> dict[str, Any]:
    counts = {kind.value: number for kind, number in tag.resources.items()}
    return {"tag": tag.text, "key": tag.key, "value": tag.value, "resources": counts}


def _tagged(call: Call) -> Iterator[Resource]:
    """The resources that have tags and may be seen; raises `Forbidden` where a user may see none at all."""
    state, caller, authority = call.state, call.caller, call.control.authority
    tagged = [it for kind in FORMS for it in state.owned(caller.account, kind) if it.tags]
    seen = [it for it in tagged if authority.may(caller, ram.LIST_TAG_RESOURCES, it)]
    if not seen:
        authority.require_kind(caller, ram.LIST_TAG_RESOURCES, Kind.GROUP)
    yield from seen
