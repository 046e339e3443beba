"""How instances and network interfaces are told, and what lists of them are narrowed by.

What is no concern of a firewall is not kept, and told as empty: types, images, zones' hardware, prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ringfence.model.address import Family
from ringfence.model.mac import mac_of
from ringfence.model.rule import NicType
from ringfence.model.topology import Network, Port, Subnet
from ringfence.resources.kind import Kind
from ringfence.resources.naming import Key
from ringfence.resources.resource import Resource
from ringfence.resources.state import State
from ringfence.resources.values import Machine, PortAt, SharedVpc
from ringfence.wire.alibaba.common import minute
from ringfence.wire.alibaba.operation import Call
from ringfence.wire.alibaba.regions import zone_of
from ringfence.wire.alibaba.tagged import tags_told
from ringfence.wire.alibaba.texts import time_of
from ringfence.wire.request import Told

_NOTHING = ("InstanceType", "InstanceTypeFamily", "ImageId", "KeyPairName", "HpcClusterId", "InstanceChargeType")


def port_of(resource: Resource) -> Port:
    """The port that a resource is."""
    return cast("PortAt", resource.value).port


def ports_in(state: State, instance: str) -> list[Resource]:
    """The ports of an instance, the primary one first."""
    keys = [key for key in state.referrers(Key(Kind.INSTANCE, instance)) if key.kind is Kind.PORT]
    return sorted((state.resources[key] for key in keys), key=lambda it: (cast("PortAt", it.value).index, it.name))


def of_family(port: Port, family: Family) -> list[str]:
    """The addresses of a port of one family, the primary one first."""
    return [str(address) for address in port.addresses if address.family is family]


def is_classic(state: State, port: Port) -> bool:
    """Whether a port is of the classic network."""
    found = state.get(Kind.VPC, port.vpc)
    return found is not None and cast("SharedVpc", found.value).vpc.network is Network.CLASSIC


def _faces_internet(state: State, port: Port) -> bool:
    found = state.get(Kind.SUBNET, port.subnet)
    return found is not None and cast("Subnet", found.value).nic is NicType.INTERNET


# --- network interfaces


def status_of(port: Port) -> str:
    """Whether an instance has a port."""
    return "InUse" if port.instance else "Available"


def type_of(state: State, resource: Resource) -> str:
    """Whether a port is its instance's first one."""
    home = port_of(resource).instance
    return "Primary" if home and ports_in(state, home)[0].id == resource.id else "Secondary"


def primary_address(port: Port) -> str:
    """The first IPv4 address of a port, if it has one."""
    return next(iter(of_family(port, Family.IPV4)), "")


def interface_told(call: Call, resource: Resource) -> dict[str, Any]:
    """A network interface as the lists of them tell it."""
    at, port = cast("PortAt", resource.value), port_of(resource)
    addresses = of_family(port, Family.IPV4)
    attachment = {
        "InstanceId": port.instance,
        "DeviceIndex": at.index,
        "NetworkCardIndex": 0,
        "TrunkNetworkInterfaceId": port.parent,
    }
    return {
        "NetworkInterfaceId": resource.id,
        "NetworkInterfaceName": at.label,
        "Description": resource.description,
        "Type": type_of(call.state, resource),
        "Status": status_of(port),
        "InstanceId": port.instance,
        "Attachment": attachment if port.instance else {},
        "VpcId": port.vpc,
        "VSwitchId": port.subnet,
        "ZoneId": zone_of(call),
        "MacAddress": mac_of(port),
        "PrivateIpAddress": primary_address(port),
        "PrivateIpSets": {"PrivateIpSet": _each("PrivateIpAddress", addresses)},
        "Ipv6Sets": {"Ipv6Set": _each("Ipv6Address", of_family(port, Family.IPV6))},
        "Ipv4PrefixSets": {"Ipv4PrefixSet": []},
        "Ipv6PrefixSets": {"Ipv6PrefixSet": []},
        "SecurityGroupIds": {"SecurityGroupId": list(port.groups)},
        "Tags": tags_told(resource.tags),
        "SourceDestCheck": True,
        "DeleteOnRelease": True,
        "ServiceManaged": False,
        "NetworkInterfaceTrafficMode": "Standard",
        "OwnerId": resource.account,
        "ResourceGroupId": "",
        "CreationTime": time_of(resource.created),
    }


def _each(name: str, addresses: Sequence[str]) -> list[Told]:
    return [{name: address, "Primary": not index} for index, address in enumerate(addresses)]


# --- instances


def instance_told(call: Call, resource: Resource) -> dict[str, Any]:
    """An instance as the lists of them tell it."""
    machine, ports = cast("Machine", resource.value), ports_in(call.state, resource.id)
    groups = list(port_of(ports[0]).groups) if ports else []
    return {
        **dict.fromkeys(_NOTHING, ""),
        "InstanceId": resource.id,
        "InstanceName": resource.name or resource.id,
        "HostName": machine.hostname,
        "Description": resource.description,
        "Status": machine.power.value.title(),
        "SecurityGroupIds": {"SecurityGroupId": groups},
        "NetworkInterfaces": {"NetworkInterface": [_brief(call, it) for it in ports]},
        **_network(call, [port_of(it) for it in ports]),
        "DeletionProtection": resource.protected,
        "OperationLocks": {"LockReason": _locks(call.state, [resource, *ports])},
        "Tags": tags_told(resource.tags),
        "RegionId": call.region,
        "ZoneId": zone_of(call),
        "ResourceGroupId": "",
        "CreationTime": minute(resource),
    }


def _locks(state: State, resources: Sequence[Resource]) -> list[Told]:
    """That the platform has cut it off, or a port of it (SEMANTICS.md 4.5)."""
    users = (key for it in resources for key in state.referrers(it.key))
    return [{"LockReason": "security"}] if any(key.kind is Kind.PENALTY for key in users) else []


def _brief(call: Call, resource: Resource) -> Told:
    told = interface_told(call, resource)
    names = ("NetworkInterfaceId", "MacAddress", "Type", "PrivateIpSets", "Ipv6Sets", "Ipv4PrefixSets")
    return {name: told[name] for name in names} | {"PrimaryIpAddress": told["PrivateIpAddress"]}


def _network(call: Call, ports: Sequence[Port]) -> Told:
    """Where an instance is: in a VPC by its primary port, or in the classic network with up to two."""
    state = call.state
    classic = bool(ports) and is_classic(state, ports[0])
    inner = [port for port in ports if classic and not _faces_internet(state, port)]
    outer = [port for port in ports if classic and _faces_internet(state, port)]
    place = ports[0] if ports and not classic else None
    private = of_family(place, Family.IPV4)[:1] if place else []
    return {
        "InstanceNetworkType": "classic" if classic else "vpc",
        "VpcAttributes": {
            "VpcId": place.vpc if place else "",
            "VSwitchId": place.subnet if place else "",
            "PrivateIpAddress": {"IpAddress": private},
            "NatIpAddress": "",
        },
        "InnerIpAddress": {"IpAddress": _first(inner)},
        "PublicIpAddress": {"IpAddress": _first(outer)},
        "RdmaIpAddress": {"IpAddress": []},
    }


def _first(ports: Sequence[Port]) -> list[str]:
    return [str(address) for port in ports for address in port.addresses if address.family is Family.IPV4]
