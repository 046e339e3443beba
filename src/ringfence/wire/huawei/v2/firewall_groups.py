"""Firewall groups, version 2.0: network ACLs with policies for both directions (FWaaS v2; apis/huawei.md 3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from ringfence.control import basic
from ringfence.control.acl_policies import bind, bound_to
from ringfence.control.acls import associate, subnets_of, unassociate
from ringfence.control.draft import Draft
from ringfence.control.kinds import Verb, action_of, actions_of
from ringfence.errors import NotFound
from ringfence.model.acl import NetworkAcl
from ringfence.model.rule import Direction
from ringfence.ram import actions as ram
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.networks import router_port_id, subnet_of_router_port
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.paging import linked_page
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.huawei.v2.described import DESCRIBED, described
from ringfence.wire.request import Told

_PATH = "/v2.0/fwaas/firewall_groups"
_ONE = f"{_PATH}/{{firewall_group_id}}"
_POLICIES = {
    Direction.INGRESS: "ingress_firewall_policy_id",
    Direction.EGRESS: "egress_firewall_policy_id",
}
_SAID = (
    *DESCRIBED,
    *(Member(name, (str,)) for name in _POLICIES.values()),
    Member("ports", (list,)),
    Member("admin_state_up", (bool,)),
)
_BODY = Member("firewall_group", (dict,), required=True, of=_SAID)
_FILTERS = ("id", "name", "description", *_POLICIES.values())
_DOC = (
    "A group is a network ACL, and its ports are those at the router of the subnets that have it; other ports are "
    "refused. An ACL of version 3 or of the native API has no policies, and its own rules are not shown here; one that "
    "gets a policy has that policy's rules in place of its own, and those cannot be changed there."
)


def operations() -> Iterator[Operation]:
    """The calls."""
    read = (action_of(Verb.READ, Kind.ACL),)
    binding = (
        *(ram.ASSOCIATE_NETWORK_ACL, ram.UNASSOCIATE_NETWORK_ACL),
        *(ram.UPDATE_NETWORK_ACL_ENTRIES, ram.DESCRIBE_ACL_POLICIES),
    )
    yield Operation(
        "neutron_create_firewall_group",
        "POST",
        _PATH,
        f"Make a group. {_DOC}",
        (*actions_of(Verb.CREATE, Kind.ACL), *binding),
        _create,
        201,
        body=(_BODY,),
    )
    yield Operation(
        "neutron_list_firewall_groups",
        "GET",
        _PATH,
        f"List the groups. {_DOC}",
        read,
        _list,
        query=("limit", "marker", *_FILTERS),
    )
    yield Operation("neutron_show_firewall_group", "GET", _ONE, "Show a group.", read, _show)
    yield Operation(
        "neutron_update_firewall_group",
        "PUT",
        _ONE,
        f"Change a group: an empty policy id takes the policy away, and ports are all that are to have it. {_DOC}",
        (*actions_of(Verb.UPDATE, Kind.ACL), *binding),
        _update,
        body=(_BODY,),
    )
    yield Operation(
        "neutron_delete_firewall_group",
        "DELETE",
        _ONE,
        "Delete a group that no port has; its policies stay.",
        (*actions_of(Verb.DELETE, Kind.ACL), ram.MODIFY_NETWORK_ACL_ATTRIBUTES),
        _delete,
        204,
    )


def _create(call: Call) -> Told:
    said = call.json["firewall_group"]

    def work(draft: Draft) -> Told:
        wanted = {**described(said), "rules": [], "enabled": said.get("admin_state_up") is not False}
        made = basic.create(draft, Kind.ACL, wanted)
        _bind(draft, call, made, said)
        return {"firewall_group": _told(draft, made)}

    return call.change(work)


def _update(call: Call) -> Told:
    said = call.json["firewall_group"]

    def work(draft: Draft) -> Told:
        found, wanted = _own(draft, call), described(said)
        if said.get("admin_state_up") is not None:
            wanted["enabled"] = said["admin_state_up"]
        new = basic.update(draft, Kind.ACL, found.id, wanted) if wanted else found
        _bind(draft, call, new, said)
        return {"firewall_group": _told(draft, new)}

    return call.change(work)


def _bind(draft: Draft, call: Call, acl: Resource, said: dict[str, Any]) -> None:
    """Have an ACL have the policies and the ports that a body says."""
    for direction, name in _POLICIES.items():
        if said.get(name) is not None:
            bind(draft, acl, direction, said[name])
    if said.get("ports") is not None:
        wanted = _subnets(call, said["ports"])
        if gone := [it.id for it in subnets_of(draft, acl) if it.id not in wanted]:
            unassociate(draft, acl.id, gone)
        if wanted:
            associate(draft, acl.id, wanted)


def _subnets(call: Call, ports: Sequence[str]) -> list[str]:
    """The subnets whose ports at the router these are. Raises `NotFound`."""
    found = [subnet_of_router_port(call.state, call.project, port) for port in ports]
    for port, subnet in zip(ports, found, strict=True):
        if subnet is None:
            what = f"there is no port {port!r} at a router"
            raise NotFound(what, "give such ports of subnets", field="ports", value=port, kind=Kind.PORT)
    return [it.id for it in found if it]


def _delete(call: Call) -> Told:
    def work(draft: Draft) -> Told:
        found = _own(draft, call)
        for direction in _POLICIES:
            bind(draft, found, direction, "")
        basic.delete(draft, Kind.ACL, found.id)
        return {}

    return call.change(work)


def _own(draft: Draft, call: Call) -> Resource:
    return draft.own(Kind.ACL, call.path["firewall_group_id"])


def _list(call: Call) -> Told:
    draft = call.looking()
    found = [_told(draft, it) for it in call.visible(Kind.ACL)]
    return linked_page(call, narrowed(call, found, _FILTERS), "firewall_groups")


def _show(call: Call) -> Told:
    return {"firewall_group": _told(call.looking(), call.find(Kind.ACL, call.path["firewall_group_id"]))}


def _told(draft: Draft, resource: Resource) -> dict[str, Any]:
    enabled = cast("NetworkAcl", resource.value).enabled
    ports = sorted(router_port_id(it.id) for it in subnets_of(draft, resource))
    bound = {name: bound_to(draft, resource.id, direction) for direction, name in _POLICIES.items()}
    at = time_of(resource.created)
    return {
        "id": resource.id,
        "name": resource.name,
        "description": resource.description,
        "admin_state_up": enabled,
        **{name: found[0].id if found else None for name, found in bound.items()},
        "ports": ports,
        "public": False,
        "status": ("ACTIVE" if ports else "INACTIVE") if enabled else "DOWN",
        "tenant_id": resource.account,
        "project_id": resource.account,
        "created_at": at,
        "updated_at": at,
    }
