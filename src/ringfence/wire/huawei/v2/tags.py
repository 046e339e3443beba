"""Tags of security groups, version 2.0 (apis/huawei.md 3.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ringfence.control.kinds import Verb, action_of
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.huawei import tagged
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.operation import MOST, Call, Operation
from ringfence.wire.huawei.tagged import MATCHING, TAG, TAG_TO_DELETE, tags_of
from ringfence.wire.request import Told

_EVERY = "/v2.0/{project_id}/security-groups"
_TAGS = f"{_EVERY}/{{security_group_id}}/tags"
_READ = (action_of(Verb.READ, Kind.GROUP),)
_ACTION = Member("action", (str,), required=True)


def operations() -> Iterator[Operation]:
    """The calls."""
    set_, unset = (ram.TAG_RESOURCES,), (ram.UNTAG_RESOURCES,)
    yield Operation(
        "create_security_group_tag",
        "POST",
        _TAGS,
        "Set a tag of a group.",
        set_,
        _create,
        204,
        body=(Member("tag", (dict,), required=True, of=TAG),),
    )
    yield Operation("show_security_group_tags", "GET", _TAGS, "Show the tags of a group.", _READ, _show)
    yield Operation("delete_security_group_tag", "DELETE", f"{_TAGS}/{{key}}", "Take away a tag.", unset, _delete, 204)
    yield Operation(
        "batch_create_security_group_tags",
        "POST",
        f"{_TAGS}/action",
        "Set up to 10 tags of a group.",
        set_,
        _add,
        204,
        body=(_ACTION, Member("tags", (list,), required=True, of=TAG)),
        only=("action", "create"),
    )
    yield Operation(
        "batch_delete_security_group_tags",
        "POST",
        f"{_TAGS}/action",
        "Take away up to 10 tags of a group; those that it does not have are no mistake.",
        unset,
        _remove,
        204,
        body=(_ACTION, Member("tags", (list,), required=True, of=TAG_TO_DELETE)),
    )
    yield Operation("list_security_group_tags", "GET", f"{_EVERY}/tags", "List the tags of groups.", _READ, _list)
    yield Operation(
        "list_security_groups_by_tags",
        "POST",
        f"{_EVERY}/resource_instances/action",
        "List groups, or count them, by their tags and by parts of their names.",
        _READ,
        _by_tags,
        body=(_ACTION, Member("limit", (int,)), Member("offset", (int,)), *MATCHING),
    )


def _create(call: Call) -> Told:
    return tagged.add_tags(call, Kind.GROUP, call.path["security_group_id"], [call.json["tag"]])


def _show(call: Call) -> Told:
    return {"tags": tags_of(call.find(Kind.GROUP, call.path["security_group_id"]))}


def _delete(call: Call) -> Told:
    return tagged.remove_tag(call, Kind.GROUP, call.path["security_group_id"], call.path["key"])


def _add(call: Call) -> Told:
    return tagged.add_tags(call, Kind.GROUP, call.path["security_group_id"], call.json["tags"])


def _remove(call: Call) -> Told:
    if call.json["action"] != "delete":
        raise invalid("action", "use create or delete", call.json["action"])
    return tagged.remove_tags(call, Kind.GROUP, call.path["security_group_id"], call.json["tags"])


def _list(call: Call) -> Told:
    return {"tags": tagged.all_tags(call, Kind.GROUP)}


def _by_tags(call: Call) -> Told:
    action = call.json["action"]
    if action not in ("filter", "count"):
        raise invalid("action", "use filter or count", action)
    found = tagged.having(call, Kind.GROUP, call.json)
    told: dict[str, Any] = {"total_count": len(found)}
    if action == "filter":
        first = _number(call, "offset", 0, 10**8)
        told["resources"] = tagged.resources_told(found[first : first + _number(call, "limit", MOST, MOST)])
    return told


def _number(call: Call, name: str, default: int, high: int) -> int:
    said = call.json.get(name)
    if said is None:
        return default
    if not 0 <= said <= high:
        raise invalid(name, f"use a number from 0 to {high}", said)
    number: int = said
    return number
