"""What requests say of supplementary interfaces, and how these are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from ringfence.control import attaching, basic
from ringfence.control.draft import Draft
from ringfence.control.settling import free_addresses
from ringfence.errors import NotFound
from ringfence.model.address import Family
from ringfence.model.mac import mac_of
from ringfence.model.topology import Subnet
from ringfence.ram.actions import Action
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.wire.huawei.members import Member, invalid, refused
from ringfence.wire.huawei.operation import Call, Operation
from ringfence.wire.huawei.said import named
from ringfence.wire.huawei.tagged import tags_of
from ringfence.wire.huawei.telling import time_of
from ringfence.wire.huawei.v3.ports import port_of
from ringfence.wire.request import Fault, Told

ALL: Final = "/v3/{project_id}/vpc/sub-network-interfaces"
ONE: Final = f"{ALL}/{{sub_network_interface_id}}"
GROUPS: Final = Member("security_groups", (list,))
FAULTS: Final = {
    code: Fault(409, "VPC.0701") for code in (attaching.WRONG_STATE, attaching.PRIMARY, attaching.OTHER_VPC)
}
NOT_SERVED: Final = "Address pairs and switching the groups off are refused: every address that passes is a port's."
Change = Callable[[Call, Draft, Resource], Resource]


def body_of_one(*of: Member) -> Member:
    """What a body says of an interface."""
    return Member("sub_network_interface", (dict,), required=True, of=of)


def on_one(
    name: str,
    method: str,
    word: str,
    doc: str,
    actions: tuple[Action, ...],
    change: Change,
    body: tuple[Member, ...] = (),
) -> Operation:
    """A call that changes the one of the path and tells it."""

    def handle(call: Call) -> Told:
        def work(draft: Draft) -> Told:
            return {"sub_network_interface": interface_told(change(call, draft, own(draft, id_of(call))))}

        return call.change(work)

    return Operation(name, method, f"{ONE}{word}", doc, actions, handle, body=body, faults=FAULTS)


def id_of(call: Call) -> str:
    """The id in the path."""
    return call.path["sub_network_interface_id"]


def own(draft: Draft, id_: str) -> Resource:
    """A supplementary interface of the caller's, or a port of no instance. Raises `NotFound`."""
    found = draft.own(Kind.PORT, id_)
    if not is_one(found):
        raise NotFound(f"{found.key} is no supplementary interface", field="id", value=id_, kind=Kind.PORT.value)
    return found


def is_one(port: Resource) -> bool:
    """Whether a port is a supplementary interface, or of no instance, so that it can become one."""
    return bool(port_of(port).parent) or not port_of(port).instance


def made(call: Call, draft: Draft, said: Mapping[str, Any]) -> Resource:
    """A new interface. Raises `InvalidFields`, `NotFound`, and what making a port raises."""
    check_served(said)
    if said.get("project_id") not in (None, "", call.project):
        raise refused(f"the project of this key is {call.project}", "VPC.0007")
    parent, subnet = draft.own(Kind.PORT, said["parent_id"]), _subnet(draft, said["virsubnet_id"])
    groups = groups_of(draft, said) or [basic.default_group(draft, subnet.vpc).id]
    wanted = {
        **named({"description": said.get("description")}),
        "parent": parent.id,
        "subnet": subnet.name,
        "groups": groups,
        "addresses": list(_addresses(draft, subnet, said)),
    }
    if said.get("vlan_id"):
        wanted["vlan"] = vlan_of(said["vlan_id"])
    return basic.create(draft, Kind.PORT, wanted)


def _subnet(draft: Draft, id_: str) -> Subnet:
    found = draft.usable(Kind.SUBNET, id_)
    if found is None:
        raise draft.missing(Kind.SUBNET, id_)
    return cast("Subnet", found.value)


def _addresses(draft: Draft, subnet: Subnet, said: Mapping[str, Any]) -> Iterator[str]:
    """Its addresses: those that are asked for, and free ones in place of others that it is to have."""
    for family, name, wanted in (
        (Family.IPV4, "private_ip_address", True),
        (Family.IPV6, "ipv6_ip_address", bool(said.get("ipv6_enable"))),
    ):
        prefix = subnet.prefix_of(family)
        if said.get(name):
            yield said[name]
        elif wanted and prefix:
            yield from map(str, free_addresses(draft, subnet, prefix, 1))
        elif wanted and family is Family.IPV6:
            raise invalid("ipv6_enable", "use a subnet with IPv6", True)


def vlan_of(text: str) -> int:
    """A VLAN, which the API says as a text. Raises `InvalidFields`."""
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 4):
        raise invalid("vlan_id", "use a number from 1 to 4094", text)
    return int(text)


def groups_of(draft: Draft, said: Mapping[str, Any]) -> list[str]:
    """The groups that a body names, which must be the caller's. Raises `NotFound`."""
    return [draft.own(Kind.GROUP, id_).id for id_ in said.get("security_groups") or ()]


def check_served(said: Mapping[str, Any]) -> None:
    """Refuse what no interface can be."""
    if said.get("allowed_address_pairs"):
        right = "leave them out: an interface has its own addresses only"
        raise invalid("allowed_address_pairs", right, said["allowed_address_pairs"])
    if said.get("security_enabled") is False:
        raise invalid("security_enabled", "use true: security groups guard every interface", False)


def interface_told(resource: Resource) -> dict[str, Any]:
    """A supplementary interface."""
    port = port_of(resource)
    four, six = (port.address(family) for family in (Family.IPV4, Family.IPV6))
    return {
        "id": resource.id,
        "virsubnet_id": port.subnet,
        "private_ip_address": str(four or ""),
        "ipv6_ip_address": str(six or ""),
        "mac_address": mac_of(port),
        "parent_device_id": port.instance,
        "parent_id": port.parent,
        "description": resource.description,
        "vpc_id": port.vpc,
        "vlan_id": port.vlan or None,
        "security_groups": list(port.groups),
        "tags": tags_of(resource),
        "project_id": resource.account,
        "created_at": time_of(resource.created),
        "updated_at": time_of(resource.created),
        "allowed_address_pairs": [],
        "state": "NORMAL" if port.parent else "UNBOUND",
        "instance_id": "",
        "instance_type": "",
        "scope": "center",
        "security_enabled": True,
    }
