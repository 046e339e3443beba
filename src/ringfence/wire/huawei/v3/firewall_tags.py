"""Tags of network ACLs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.control.kinds import Verb, actions_of
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.wire.huawei import tagged
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.request import Told

_EVERY: Final = "/v3/{project_id}/firewalls"
_ONE: Final = f"{_EVERY}/{{firewall_id}}/tags"
_SEEN: Final = (ram.DESCRIBE_NETWORK_ACLS,)
_PART: Final = ("limit", "offset")


def operations() -> Iterator[Operation]:
    """The calls."""
    tag = Member("tag", (dict,), required=True, of=tagged.TAG)
    gone = Member("tags", (list,), required=True, of=tagged.TAG_TO_DELETE)
    add, remove = (ram.TAG_RESOURCES,), (ram.UNTAG_RESOURCES,)
    yield Operation("create_firewall_tag", "POST", _ONE, "Set a tag.", add, _create, 204, body=(tag,))
    yield Operation(
        "batch_create_firewall_tags", "POST", f"{_ONE}/create", "Set tags.", add, _create_many, 204, body=(tagged.TAGS,)
    )
    one = f"{_ONE}/{{tag_key}}"
    yield Operation("delete_firewall_tag", "DELETE", one, "Take a tag away.", remove, _delete, 204)
    yield Operation(
        "batch_delete_firewall_tags",
        "POST",
        f"{_ONE}/delete",
        "Take tags away by their keys; one that is not there is no mistake.",
        remove,
        _delete_many,
        204,
        body=(gone,),
    )
    yield Operation("show_firewall_tags", "GET", _ONE, "The tags of a network ACL.", _SEEN, _show)
    yield Operation(
        "list_firewall_tags",
        "GET",
        f"{_EVERY}/tags",
        "Every tag of network ACLs: keys with their values.",
        actions_of(Verb.READ, Kind.ACL),
        _list,
        query=_PART,
    )
    yield Operation(
        "list_firewalls_by_tags",
        "POST",
        f"{_EVERY}/resource-instances/filter",
        "The network ACLs that have some tags, or a name.",
        _SEEN,
        _filter,
        query=_PART,
        body=tagged.MATCHING,
    )
    yield Operation(
        "count_firewalls_by_tags",
        "POST",
        f"{_EVERY}/resource-instances/count",
        "How many these are.",
        _SEEN,
        _count,
        body=tagged.MATCHING,
    )


def _create(call: Call) -> Told:
    return tagged.add_tags(call, Kind.ACL, call.path["firewall_id"], [call.json["tag"]])


def _create_many(call: Call) -> Told:
    return tagged.add_tags(call, Kind.ACL, call.path["firewall_id"], call.json["tags"])


def _delete(call: Call) -> Told:
    return tagged.remove_tag(call, Kind.ACL, call.path["firewall_id"], call.path["tag_key"])


def _delete_many(call: Call) -> Told:
    return tagged.remove_tags(call, Kind.ACL, call.path["firewall_id"], call.json["tags"])


def _show(call: Call) -> Told:
    return {"tags": tagged.tags_of(call.find(Kind.ACL, call.path["firewall_id"]))}


def _list(call: Call) -> Told:
    found = tagged.all_tags(call, Kind.ACL)
    return {"tags": tagged.part(call, found), "total_count": len(found)}


def _filter(call: Call) -> Told:
    found = tagged.having(call, Kind.ACL, call.json)
    return {"resources": tagged.resources_told(tagged.part(call, found)), "total_count": len(found)}


def _count(call: Call) -> Told:
    return {"total_count": len(tagged.having(call, Kind.ACL, call.json))}
