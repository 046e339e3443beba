"""Security groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.model.profile import HUAWEI
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.narrowing import PROJECT, check_project, narrowed
from ringfence.wire.huawei.operation import Call, Operation, deleting
from ringfence.wire.huawei.said import DESCRIPTION, DRY_RUN, ENTERPRISE_PROJECT, NAME, NEW_NAME, named
from ringfence.wire.huawei.tagged import TAG, said_tags, tags_of
from ringfence.wire.huawei.telling import rules_seen, time_of
from ringfence.wire.huawei.v3.rules import rule_told
from ringfence.wire.request import Told

_ALL: Final = "/v3/{project_id}/vpc/security-groups"
_ONE: Final = f"{_ALL}/{{security_group_id}}"
_TAGS: Final = Member("tags", (list,), of=TAG)


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "create_security_group",
        "POST",
        _ALL,
        "Make a security group with its four default rules. It belongs to no VPC: ports in any of this cloud's may be "
        "in it.",
        actions_of(Verb.CREATE, Kind.GROUP),
        _create,
        201,
        body=(_body(NAME, DESCRIPTION, ENTERPRISE_PROJECT, _TAGS), DRY_RUN),
    )
    yield Operation(
        "list_security_groups",
        "GET",
        _ALL,
        "The security groups, without their rules; those that other APIs made, too.",
        (ram.DESCRIBE_SECURITY_GROUPS,),
        _list,
        query=("limit", "marker", "id", "name", "description", "enterprise_project_id"),
    )
    yield Operation(
        "show_security_group",
        "GET",
        _ONE,
        "A security group with its rules; of a rule that only another API can make, what can be told here.",
        (ram.DESCRIBE_SECURITY_GROUPS, ram.DESCRIBE_SECURITY_GROUP_ATTRIBUTE),
        _show,
    )
    yield Operation(
        "update_security_group",
        "PUT",
        _ONE,
        "Call a security group otherwise, or describe it anew. The default group keeps its name.",
        actions_of(Verb.UPDATE, Kind.GROUP),
        _update,
        body=(_body(NEW_NAME, DESCRIPTION), DRY_RUN),
    )
    yield Operation(
        "delete_security_group",
        "DELETE",
        _ONE,
        "Delete a security group and its rules; refused while a port is in it or another group's rule names it, and of "
        "the default group.",
        actions_of(Verb.DELETE, Kind.GROUP),
        deleting(Kind.GROUP, "security_group_id"),
        204,
    )


def _body(*of: Member) -> Member:
    return Member("security_group", (dict,), required=True, of=of)


def _create(call: Call) -> Told:
    said = call.json["security_group"]
    check_project(said.get("enterprise_project_id"))
    tags = said_tags(said.get("tags") or (), new=True)
    wanted = {**named(said), "tags": tags, "profile": HUAWEI.name, "template": "default"}

    def work(draft: Draft) -> Told:
        made = basic.create(draft, Kind.GROUP, wanted)
        return {"security_group": _with_rules(made, draft.rules(made.id))}

    return call.change(work)


def _list(call: Call) -> Told:
    told = map(group_told, call.visible(Kind.GROUP))
    return call.page(narrowed(call, told, ("id", "name", "description")), "security_groups")


def _show(call: Call) -> Told:
    state, found = call.state, call.find(Kind.GROUP, call.path["security_group_id"])
    call.control.authority.require(call.caller, ram.DESCRIBE_SECURITY_GROUP_ATTRIBUTE, found)
    return {"security_group": _with_rules(found, state.rules(found.id))}


def _update(call: Call) -> Told:
    wanted = named(call.json["security_group"])

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.GROUP, call.path["security_group_id"])
        new = basic.update(draft, Kind.GROUP, found.id, wanted)
        return {"security_group": _with_rules(new, rules_seen(call, new, draft.rules(new.id)))}

    return call.change(work)


def group_told(group: Resource) -> dict[str, Any]:
    """A security group without its rules."""
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "project_id": group.account,
        "created_at": time_of(group.created),
        "updated_at": time_of(group.created),
        "enterprise_project_id": PROJECT,
        "tags": tags_of(group),
    }


def _with_rules(group: Resource, rules: list[Resource]) -> dict[str, Any]:
    told = [rule_told(it) for it in sorted(rules, key=lambda it: it.id)]
    return {**group_told(group), "security_group_rules": told}
