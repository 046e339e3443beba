"""A subnet as Huawei's APIs know it: a network, a subnet for each address family, and a port at the router.

We have one resource for all of these. The ids of the others follow from its own, always the same.
"""

from __future__ import annotations

import uuid
from typing import Any, Final, cast

from ringfence.model.address import Address, Family
from ringfence.model.topology import Subnet
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.state import State

ROUTER: Final = "network:router_interface_distributed"
"""Whose port the one at the router is, as ``device_owner`` says it; network ACLs are bound to it in version 2.0."""
_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:ringfence:huawei")


def subnet_of(resource: Resource) -> Subnet:
    """The subnet that a resource is."""
    return cast("Subnet", resource.value)


def family_subnet_id(subnet: str, family: Family) -> str:
    """The id of a subnet's part of one family (``neutron_subnet_id``, ``subnet_cidr_id``), by the subnet's own id."""
    return str(uuid.uuid5(_SPACE, f"{subnet} {family}"))


def router_port_id(subnet: str) -> str:
    """The id of a subnet's port at the router, by the subnet's own id."""
    return str(uuid.uuid5(_SPACE, f"{subnet} router"))


def fixed_ip(subnet: str, address: Address) -> dict[str, Any]:
    """An address of a port, with the id of its subnet's part of that family."""
    return {"subnet_id": family_subnet_id(subnet, address.family), "ip_address": str(address)}


def subnet_of_router_port(state: State, account: str, port: str) -> Resource | None:
    """The account's subnet whose port at the router has an id, if there is one."""
    return next((it for it in state.owned(account, Kind.SUBNET) if router_port_id(it.id) == port), None)
