"""Tags of one kind of resource, as every version tells and takes them (apis/huawei.md 3.6 and 3.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ringfence.control import tagging
from ringfence.control.draft import Draft
from ringfence.errors import FieldProblem, InvalidFields, NotFound
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.operation import MOST, Call
from ringfence.wire.request import Told

TAGS_PER_CALL: Final = 10
"""So many tags one call sets or takes away (apis/huawei.md 3.4, VPC.1801)."""
_KEY, _VALUE = Member("key", (str,), required=True), Member("value", (str,))
TAG: Final = (_KEY, Member("value", (str,), required=True))
"""A tag."""
TAG_TO_DELETE: Final = (_KEY, _VALUE)
TAGS: Final = Member("tags", (list,), required=True, of=TAG)
MATCHING: Final = (
    Member("matches", (list,), of=TAG),
    Member("tags", (list,), of=(_KEY, Member("values", (list,), required=True))),
)
"""What resources are looked for by: their names, and their tags."""
_NAME = "resource_name"


def tags_of(resource: Resource) -> list[dict[str, str]]:
    """The tags of a resource, as a list."""
    return [{"key": key, "value": value} for key, value in sorted(resource.tags.items())]


def said_tags(said: Sequence[Mapping[str, str]], *, new: bool = False) -> dict[str, str]:
    """Tags by their keys. Raises `InvalidFields`: two of one key, or too many for a call that is not about a ``new``
    resource.
    """
    found = {each["key"]: each.get("value") or "" for each in said}
    if len(found) < len(said):
        raise _wrong("a key is given twice", "give each key once", "limit.tags")
    if not new and not 1 <= len(said) <= TAGS_PER_CALL:
        raise _wrong(f"{len(said)} tags are given", f"give 1 to {TAGS_PER_CALL}", "input.tag")
    return found


def _wrong(what: str, right: str, code: str) -> InvalidFields:
    return InvalidFields((FieldProblem("tags", what, right, code),))


def add_tags(call: Call, kind: Kind, id_: str, said: Sequence[Mapping[str, str]]) -> Told:
    """Set tags of a resource; its others stay."""
    tags = said_tags(said)

    def work(draft: Draft) -> Told:
        tagging.tag(draft, kind, draft.own(kind, id_).id, tags)
        return {}

    return call.change(work)


def remove_tags(call: Call, kind: Kind, id_: str, said: Sequence[Mapping[str, str]]) -> Told:
    """Take tags away by their keys; a tag that is not there is no mistake."""
    keys = said_tags(said)

    def work(draft: Draft) -> Told:
        tagging.untag(draft, kind, draft.own(kind, id_).id, keys)
        return {}

    return call.change(work)


def remove_tag(call: Call, kind: Kind, id_: str, key: str) -> Told:
    """Take away one tag, which must be there."""

    def work(draft: Draft) -> Told:
        found = draft.own(kind, id_)
        if key not in found.tags:
            raise NotFound(f"{found.key} has no tag {key!r}", field="key", value=key, kind="tag")
        tagging.untag(draft, kind, found.id, [key])
        return {}

    return call.change(work)


def all_tags(call: Call, kind: Kind) -> list[dict[str, Any]]:
    """Every tag of the project's resources of a kind: each key with its values."""
    found: dict[str, list[str]] = {}
    for tag in tagging.tags_of(call.visible(kind)):
        found.setdefault(tag.key, []).append(tag.value)
    return [{"key": key, "values": values} for key, values in found.items()]


def having(call: Call, kind: Kind, said: Mapping[str, Any]) -> list[Resource]:
    """The resources that have all tags asked for, of each one of its values, and whose names hold the one asked for."""
    keys = {each["key"]: frozenset(each["values"]) for each in said.get("tags") or ()}
    names = [each["value"] for each in said.get("matches") or () if _check_match(each)]
    return [
        it
        for it in call.visible(kind)
        if all(key in it.tags and (not values or it.tags[key] in values) for key, values in keys.items())
        and all(name in it.name for name in names)
    ]


def _check_match(said: Mapping[str, str]) -> bool:
    if said["key"] != _NAME:
        problem = FieldProblem("matches", f"{said['key']!r} is no field", f"use {_NAME}", "input.tag", said["key"])
        raise InvalidFields((problem,))
    return True


def resources_told(found: Sequence[Resource]) -> list[dict[str, Any]]:
    """Resources as a search by tags tells them."""
    return [
        {"resource_id": it.id, "resource_name": it.name, "resource_detail": None, "tags": tags_of(it)} for it in found
    ]


def part(call: Call, items: Sequence[Any]) -> list[Any]:
    """The part of a list that the query's ``limit`` and ``offset`` ask for."""
    offset = call.number("offset", 0, 0, 10**8)
    return list(items[offset : offset + call.number("limit", MOST, 0, MOST)])
