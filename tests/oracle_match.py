"""What every part of the oracle looks at: packets, what a rule matches, and where an address is."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from ringfence.model.acl import AclRule
from ringfence.model.address import Address, Prefix
from ringfence.model.flow import Endpoint
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote, AnyRemote, Remote, Rule
from ringfence.model.service import PortSet
from ringfence.model.topology import Peering, Port, VirtualIp
from ringfence.model.world import World

Way = Literal["ingress", "egress"]


@dataclass(frozen=True)
class Judgement:
    """What becomes of a packet at one stage, and in a few words why."""

    allowed: bool
    reason: str


@dataclass(frozen=True)
class Packet:
    """What rules look at. A port is None where the protocol has none, or where it is any ephemeral one."""

    source: Endpoint
    destination: Endpoint
    protocol: int
    source_port: int | None
    port: int | None

    @property
    def family(self) -> int:
        """4 or 6."""
        return int(self.source.address.family)


def is_about(world: World, rule: Rule | AclRule, packet: Packet) -> bool:
    """2.3: protocol and ports."""
    # Protocol equal, or the rule says all (which includes every number).
    wanted = rule.protocol.number
    if wanted is not None and wanted != packet.protocol:
        return False
    # 1.1: icmp needs IPv4, icmpv6 needs IPv6.
    if (wanted == 1 and packet.family != 4) or (wanted == 58 and packet.family != 6):
        return False
    # Ports are tested for TCP and UDP only, and section 2 says that a rule's ports are the destination's.
    if packet.protocol not in (6, 17):
        return True
    if not has_port(rule.source_ports, packet.source_port):
        return False
    # 1.3: a port list in place of ports; nothing says that an empty one means every port.
    if isinstance(rule.ports, NamedPorts):
        entries = world.port_lists[rule.ports.name].entries
        return bool(entries) and has_port(PortSet(entries), packet.port)
    return has_port(rule.ports, packet.port)


def has_port(ports: PortSet, port: int | None) -> bool:
    """Whether a list, where no entry means all, has a port, or if it is None every ephemeral port."""
    if not ports.ranges:
        return True
    if port is not None:
        return any(listed.first <= port <= listed.last for listed in ports.ranges)
    missing = 32768
    for listed in sorted(ports.ranges):
        if listed.first <= missing <= listed.last:
            missing = listed.last + 1
    return missing > 60999


def is_side(world: World, side: Remote, address: Address) -> bool:
    """Whether an address is meant by a side that is no security group."""
    # any is 0.0.0.0/0 and ::/0, two rules in one line.
    if isinstance(side, AnyRemote):
        return True
    if isinstance(side, Prefix):
        return is_in(address, side)
    # 1.3: an address group lists addresses, prefixes and ranges.
    assert isinstance(side, AddressGroupRemote)
    for entry in world.address_groups[side.name].entries:
        if int(entry.family) == int(address.family) and entry.first <= address.value <= entry.last:
            return True
    return False


def is_in(address: Address, prefix: Prefix) -> bool:
    """2.3: 0.0.0.0/0 never matches IPv6 and ::/0 never IPv4, nor does any other prefix match the other family."""
    return int(prefix.family) == int(address.family) and ip_of(address) in _network(prefix)


def port_with(world: World, endpoint: Endpoint) -> Port | None:
    """The interface that has the address in the endpoint's VPC, as its own or, while it is active, as a virtual one.

    Addresses may repeat in other VPCs.
    """
    ports = [port for instance in world.instances.values() for port in instance.ports]
    for port in ports:
        if port.vpc == endpoint.vpc and has_address(port, endpoint.address):
            return port
    for vip in world.virtual_ips.values():
        if vip.vpc == endpoint.vpc and has_address(vip, endpoint.address):
            for port in ports:
                if f"{port.instance}.{port.name}" == vip.active:
                    return port
    return None


def has_address(owner: Port | VirtualIp, address: Address) -> bool:
    """Whether it is the port's own, or the virtual IP's."""
    return any(ip_of(own) == ip_of(address) for own in owner.addresses)


def is_outside(world: World, endpoint: Endpoint) -> bool:
    """Whether it is beyond the internet border: in no VPC, and in no VPC's space either."""
    spaces = [cidr for vpc in world.vpcs.values() for cidr in vpc.cidrs]
    return not endpoint.vpc and not any(is_in(endpoint.address, cidr) for cidr in spaces)


def peering_of(world: World, one: str, two: str) -> Peering | None:
    """The peering between two VPCs; there is at most one."""
    for peering in world.peerings.values():
        if one != two and one in peering.vpcs and two in peering.vpcs:
            return peering
    return None


def ip_of(address: Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address as the standard library knows it."""
    if int(address.family) == 4:
        return ipaddress.IPv4Address(address.value)
    return ipaddress.IPv6Address(address.value)


def _network(prefix: Prefix) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if int(prefix.family) == 4:
        return ipaddress.IPv4Network((prefix.network, prefix.length))
    return ipaddress.IPv6Network((prefix.network, prefix.length))
