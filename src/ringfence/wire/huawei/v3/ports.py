"""Ports, and the security groups that they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

from ringfence.control import membership
from ringfence.control.draft import Draft
from ringfence.errors import FieldProblem, InvalidFields, Refused
from ringfence.model.mac import mac_of
from ringfence.model.topology import Port
from ringfence.ram import actions as ram
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import PortAt
from ringfence.wire.huawei.members import Member, invalid
from ringfence.wire.huawei.narrowing import narrowed
from ringfence.wire.huawei.networks import family_subnet_id
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.said import DRY_RUN
from ringfence.wire.huawei.tagged import tags_of
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.request import Told

_ALL: Final = "/v3/{project_id}/ports"
_ONE: Final = f"{_ALL}/{{port_id}}"
_GROUPS: Final = Member("security_groups", (list,), required=True)
_PLAIN: Final = (
    *("id", "name", "status", "virsubnet_id", "device_id", "mac_address", "device_owner", "description"),
    *("binding:host_id", "security_groups", "vpc_id", "allowed_address_pairs", "instance_id", "instance_type"),
)
_ZONE: Final = "local"
"""There is one availability zone."""


def operations() -> Iterator[Operation]:
    """The calls."""
    yield Operation(
        "list_ports",
        "GET",
        _ALL,
        "The ports of all APIs, with supplementary interfaces and ports of no instance, and without virtual IPs.",
        (ram.DESCRIBE_NETWORK_INTERFACES,),
        _list,
        query=("limit", "marker", *_PLAIN, "admin_state_up", "device_owner_prefixlike", "private_ips"),
    )
    yield Operation(
        "show_port",
        "GET",
        _ONE,
        "A port, with its security groups in their order.",
        (ram.DESCRIBE_NETWORK_INTERFACES,),
        _show,
    )
    replacing = ram.MODIFY_NETWORK_INTERFACE_ATTRIBUTE
    yield _membership(
        "add_security_groups",
        "insert",
        "Have a port be in more security groups, at a place in their order or behind all; those that it is in stay.",
        (ram.JOIN_SECURITY_GROUP, replacing),
        (_GROUPS, Member("index", (int,))),
        _inserted,
    )
    yield _membership(
        "remove_security_groups",
        "remove",
        "Have a port leave security groups; the last one cannot be left.",
        (ram.LEAVE_SECURITY_GROUP, replacing),
        (_GROUPS,),
        _removed,
    )


Wanted = Callable[[Call, Port, Sequence[str]], list[str]]


def _membership(
    name: str, word: str, doc: str, actions: tuple[Action, ...], of: tuple[Member, ...], wanted: Wanted
) -> Operation:
    path, body = f"{_ONE}/{word}-security-groups", (Member("port", (dict,), required=True, of=of), DRY_RUN)
    return Operation(name, "PUT", path, doc, actions, lambda call: _regrouped(call, wanted), body=body)


def _regrouped(call: Call, wanted: Wanted) -> Told:
    """Have a port be in other groups."""
    said = list(dict.fromkeys(call.json["port"]["security_groups"]))
    if not said:
        raise invalid("port.security_groups", "name one security group at least", said)

    def work(draft: Draft) -> Told:
        found = draft.own(Kind.PORT, call.path["port_id"])
        groups = [draft.own(Kind.GROUP, id_).id for id_ in said]
        (new,) = membership.set_groups(draft, [found.id], wanted(call, port_of(found), groups))
        return {"port": port_told(draft.state, new)}

    return call.change(work)


def _inserted(call: Call, port: Port, groups: Sequence[str]) -> list[str]:
    there = list(port.groups)
    index = call.json["port"].get("index")
    if index is not None and not 0 <= index <= len(there):
        raise invalid("port.index", f"use 0 to {len(there)}: the port is in so many groups", index)
    new = [id_ for id_ in groups if id_ not in there]
    at = len(there) if index is None else index
    return [*there[:at], *new, *there[at:]]


def _removed(_: Call, port: Port, groups: Sequence[str]) -> list[str]:
    if astray := [id_ for id_ in groups if id_ not in port.groups]:
        what = f"the port is not in security group {astray[0]}"
        raise InvalidFields((FieldProblem("port.security_groups", what, "name one it is in", value=astray[0]),))
    left = [id_ for id_ in port.groups if id_ not in groups]
    if not left:
        raise Refused("a port is in one security group at least", "leave one", reason=membership.LAST_GROUP)
    return left


# --- told


def _list(call: Call) -> Told:
    state = call.state
    told = [port_told(state, it) for it in call.visible(Kind.PORT)]
    prefixes = call.query.get("device_owner_prefixlike", ("",))
    told = [it for it in told if it["device_owner"].startswith(prefixes) and _at(call, it)]
    return call.page(narrowed(call, told, _PLAIN, ("admin_state_up",)), "ports")


def _at(call: Call, told: dict[str, Any]) -> bool:
    """Whether a port has one of the addresses that are asked for: ``ip_address=10.0.0.9``, or of a subnet's part."""
    wanted = set(call.query.get("private_ips", ()))
    texts = {f"{name}={value}" for it in told["private_ips"] for name, value in it.items()}
    return not wanted or bool(wanted & (texts | {it["ip_address"] for it in told["private_ips"]}))


def _show(call: Call) -> Told:
    return {"port": port_told(call.state, call.find(Kind.PORT, call.path["port_id"]))}


def port_of(resource: Resource) -> Port:
    """The port that a resource is."""
    return cast("PortAt", resource.value).port


def port_told(state: State, resource: Resource) -> dict[str, Any]:
    """A port."""
    at = cast("PortAt", resource.value)
    port, vpc = at.port, state.get(Kind.VPC, at.port.vpc)
    return {
        "id": resource.id,
        "name": at.label,
        "description": resource.description,
        "admin_state_up": True,
        "status": "ACTIVE" if port.instance else "DOWN",
        "mac_address": mac_of(port),
        "device_id": port.instance,
        "device_owner": f"compute:{_ZONE}" if port.instance else "",
        "instance_id": "",
        "instance_type": "",
        "instance_info": {},
        "ecs_flavor": "",
        "virsubnet_id": port.subnet,
        "vpc_id": port.vpc,
        "vpc_tenant_id": vpc.account if vpc else "",
        "project_id": resource.account,
        "tenant_id": resource.account,
        "private_ips": [
            {"subnet_cidr_id": family_subnet_id(port.subnet, it.family), "ip_address": str(it)} for it in port.addresses
        ],
        "security_groups": list(port.groups),
        "port_security_enabled": True,
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "binding:host_id": "",
        "binding:profile": {},
        "binding:vif_type": "ovs",
        "binding:vnic_type": "normal",
        "binding:vif_details": _wired(at),
        "binding:migration_info": {},
        "vtep_ip": "",
        "enable_efi": False,
        "scope": "center",
        "position_type": "center",
        "zone_id": _ZONE,
        "tags": tags_of(resource),
        "created_at": time_of(resource.created),
        "updated_at": time_of(resource.created),
    }


def _wired(at: PortAt) -> dict[str, Any]:
    """How a port comes to its instance: a supplementary interface by a VLAN of another one."""
    port = at.port
    under = {"vlan_id": port.vlan, "parent_id": port.parent, "parent_device_id": port.instance} if port.parent else {}
    return {"primary_interface": bool(port.instance) and at.index == 0, "port_filter": True, **under}
