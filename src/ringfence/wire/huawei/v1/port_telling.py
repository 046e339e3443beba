"""Ports as versions 1 and 2.0 tell them, with those of subnets at their router."""

from __future__ import annotations

from typing import Any, cast

from ringfence.model.mac import mac_of
from ringfence.resources.kind import Kind
from ringfence.resources.resource import Resource
from ringfence.resources.values import PortAt
from ringfence.wire.huawei.networks import ROUTER, fixed_ip, router_port_id, subnet_of


def told(resource: Resource) -> dict[str, Any]:
    """A port as version 1 tells it; of a subnet, its port at the router."""
    more = {
        "instance_id": "",
        "instance_type": "",
        "zone_id": "",
        "enable_efi": False,
        "ipv6_bandwidth_id": "",
    }
    return told_alike(resource) | more


def told_alike(resource: Resource) -> dict[str, Any]:
    """What both versions tell of a port; of a subnet, of its port at the router."""
    own = _router_port(resource) if resource.kind is Kind.SUBNET else _port(resource)
    return {
        "admin_state_up": True,
        "tenant_id": resource.account,
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "binding:vnic_type": "normal",
        "binding:vif_details": {"primary_interface": False},
        "binding:profile": {},
        "dns_assignment": [],
        "dns_name": "",
        **own,
    }


def _port(resource: Resource) -> dict[str, Any]:
    at = cast("PortAt", resource.value)
    return {
        "id": resource.id,
        "name": at.label,
        "network_id": at.port.subnet,
        "mac_address": mac_of(at.port),
        "fixed_ips": [fixed_ip(at.port.subnet, address) for address in at.port.addresses],
        "device_id": at.port.instance,
        "device_owner": "compute:local" if at.port.instance else "",
        "status": "ACTIVE" if at.port.instance else "DOWN",
        "security_groups": list(at.port.groups),
        "port_security_enabled": True,
        "binding:vif_details": {"primary_interface": bool(at.port.instance) and at.index == 0},
    }


def _router_port(subnet: Resource) -> dict[str, Any]:
    own = subnet_of(subnet)
    return {
        "id": router_port_id(subnet.id),
        "name": "",
        "network_id": subnet.id,
        "mac_address": "",
        "fixed_ips": [fixed_ip(subnet.id, address) for address in own.gateways],
        "device_id": own.vpc,
        "device_owner": ROUTER,
        "status": "ACTIVE",
        "security_groups": [],
        "port_security_enabled": False,
    }
