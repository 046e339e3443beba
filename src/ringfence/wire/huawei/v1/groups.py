"""Security groups, version 1; version 2.0 has the same with a few members more (apis/huawei.md 3.5 and 3.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.model.profile import HUAWEI
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.narrowing import PROJECT, check_project, narrowed
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.paging import plain_page
from ringfence.wire.huawei.said import ENTERPRISE_PROJECT, NAME, named
from ringfence.wire.huawei.telling import group_of, rules_seen
from ringfence.wire.huawei.v1.rules import REDUCED, reduced
from ringfence.wire.request import Told

READ: Final = (action_of(Verb.READ, Kind.GROUP), ram.DESCRIBE_SECURITY_GROUP_ATTRIBUTE)
_PATH = "/v1/{project_id}/security-groups"
_NEW = (NAME, Member("vpc_id", (str,)), ENTERPRISE_PROJECT)
Tell = Callable[[Resource, list[Resource]], dict[str, Any]]
"""Tells of a group and its rules."""


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "create_security_group",
        "POST",
        _PATH,
        "Make a group with its default rules. A vpc_id must be a VPC of the project's; the group can be used in any, "
        "as in the cloud, and does not remember it.",
        actions_of(Verb.CREATE, Kind.GROUP),
        partial(create, tell=_told),
        201,
        body=(Member("security_group", (dict,), required=True, of=_NEW),),
    )
    yield Operation(
        "list_security_groups",
        "GET",
        _PATH,
        f"List the groups with their rules. {REDUCED}",
        READ,
        _list,
        query=("limit", "marker", "vpc_id", "enterprise_project_id"),
    )
    one = f"{_PATH}/{{security_group_id}}"
    yield Operation(
        "show_security_group",
        "GET",
        one,
        f"Show a group with its rules. {REDUCED}",
        READ,
        partial(show, tell=_told),
    )
    yield Operation(
        "delete_security_group",
        "DELETE",
        one,
        "Delete a group that nobody is in and no rule names.",
        actions_of(Verb.DELETE, Kind.GROUP),
        delete,
        204,
    )


def create(call: Call, tell: Tell) -> Told:
    """Make a group."""
    said = call.json["security_group"]
    check_project(said.get("enterprise_project_id"))
    wanted = named(said)

    def work(draft: Draft) -> Told:
        if said.get("vpc_id"):
            draft.own(Kind.VPC, said["vpc_id"])
        made = basic.create(draft, Kind.GROUP, {**wanted, "profile": HUAWEI.name, "template": "default"})
        return {"security_group": tell(made, draft.rules(made.id))}

    return call.change(work)


def every(call: Call, tell: Tell) -> list[dict[str, Any]]:
    """All groups that the caller may see, with their rules."""
    return [tell(it, rules_seen(call, it, call.state.rules(it.id))) for it in call.visible(Kind.GROUP)]


def _list(call: Call) -> Told:
    return plain_page(call, narrowed(call, every(call, _told), ("vpc_id",)), "security_groups")


def show(call: Call, tell: Tell) -> Told:
    """Show a group."""
    found = call.find(Kind.GROUP, call.path["security_group_id"])
    call.control.authority.require(call.caller, ram.DESCRIBE_SECURITY_GROUP_ATTRIBUTE, found)
    return {"security_group": tell(found, call.state.rules(found.id))}


def delete(call: Call) -> Told:
    """Delete a group."""

    def work(draft: Draft) -> Told:
        basic.delete(draft, Kind.GROUP, draft.own(Kind.GROUP, call.path["security_group_id"]).id)
        return {}

    return call.change(work)


def by_id(rules: list[Resource]) -> list[Resource]:
    """Rules in the order in which they are told."""
    return sorted(rules, key=lambda rule: rule.id)


def _told(resource: Resource, rules: list[Resource]) -> dict[str, Any]:
    return {
        "id": resource.id,
        "name": resource.name,
        "description": resource.description,
        "vpc_id": group_of(resource).vpc or None,
        "enterprise_project_id": PROJECT,
        "security_group_rules": [told for rule in by_id(rules) for told in reduced(rule)],
    }
