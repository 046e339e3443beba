"""Security groups, version 2.0 (apis/huawei.md 3.7)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ringfence.control import basic
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, actions_of
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.paging import linked_page
from ringfence.wire.huawei.said import DESCRIPTION, NEW_NAME, named
from ringfence.wire.huawei.telling import rules_seen, time_of
from ringfence.wire.huawei.v1 import groups
from ringfence.wire.huawei.v1.groups import READ
from ringfence.wire.huawei.v1.rules import REDUCED
from ringfence.wire.huawei.v2 import rules
from ringfence.wire.request import Told

_PATH = "/v2.0/security-groups"
_ONE = f"{_PATH}/{{security_group_id}}"
_FILTERS = ("id", "name", "description", "tenant_id")
_BODY = Member("security_group", (dict,), required=True, of=(NEW_NAME, DESCRIPTION))


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "neutron_create_security_group",
        "POST",
        _PATH,
        "Make a group with its default rules.",
        actions_of(Verb.CREATE, Kind.GROUP),
        partial(groups.create, tell=_told),
        201,
        body=(_BODY,),
    )
    yield Operation(
        "neutron_list_security_groups",
        "GET",
        _PATH,
        f"List the groups with their rules. {REDUCED}",
        READ,
        _list,
        query=("limit", "marker", *_FILTERS),
    )
    yield Operation(
        "neutron_show_security_group",
        "GET",
        _ONE,
        f"Show a group with its rules. {REDUCED}",
        READ,
        partial(groups.show, tell=_told),
    )
    yield Operation(
        "neutron_update_security_group",
        "PUT",
        _ONE,
        "Change the name and the description of a group.",
        actions_of(Verb.UPDATE, Kind.GROUP),
        _update,
        body=(_BODY,),
    )
    yield Operation(
        "neutron_delete_security_group",
        "DELETE",
        _ONE,
        "Delete a group that nobody is in and no rule names.",
        actions_of(Verb.DELETE, Kind.GROUP),
        groups.delete,
        204,
    )


def _list(call: Call) -> Told:
    return linked_page(call, narrowed(call, groups.every(call, _told), _FILTERS), "security_groups")


def _update(call: Call) -> Told:
    said = named(call.json["security_group"])

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.GROUP, call.path["security_group_id"])
        new = basic.update(draft, Kind.GROUP, found.id, said)
        return {"security_group": _told(new, rules_seen(call, new, draft.rules(new.id)))}

    return call.change(work)


def _told(resource: Resource, own: list[Resource]) -> dict[str, Any]:
    at = time_of(resource.created)
    return {
        "id": resource.id,
        "name": resource.name,
        "description": resource.description,
        "tenant_id": resource.account,
        "project_id": resource.account,
        "created_at": at,
        "updated_at": at,
        "security_group_rules": [told for rule in groups.by_id(own) for told in rules.told(rule)],
    }
