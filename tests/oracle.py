"""The oracle of the differential tests: a second evaluator, slow and obvious, written from SEMANTICS.md alone.

It shares no code with `ringfence.policy` or `ringfence.compile`, and of the model it reads plain fields only: no
matching helper, no index, no cached property. So a mistake in one of the two shows as a difference between them.
Section numbers are those of SEMANTICS.md; section 13 decides where another leaves a choice.

It judges the first packet of a connection. In this slice a world has no network ACLs, peerings or virtual addresses.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from ringfence.model.address import Address, Prefix
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import AddressGroupRemote, AnyRemote, GroupRemote, Rule
from ringfence.model.topology import Port
from ringfence.model.world import World

Way = Literal["ingress", "egress"]


@dataclass(frozen=True)
class Judgement:
    """What becomes of a flow, and in a few words why."""

    allowed: bool
    reason: str


def allowed(world: World, flow: Flow) -> bool:
    """Whether the first packet of the flow reaches its destination."""
    return _judge(world, flow).allowed


def reason(world: World, flow: Flow) -> str:
    """Why the flow is allowed or denied, in a few words: ``egress: web-1.eth0: sg-web, rule 3, says deny``."""
    return _judge(world, flow).reason


def _judge(world: World, flow: Flow) -> Judgement:
    source, destination = _port_with(world, flow.source), _port_with(world, flow.destination)

    # Nobody sends from, or receives at, an address of a VPC's space that no port has (no route).
    if source is None and _lies_in_a_vpc(world, flow.source):
        return Judgement(False, f"route: nobody has {_ip(flow.source.address)}")
    if destination is None and _lies_in_a_vpc(world, flow.destination):
        return Judgement(False, f"route: nobody has {_ip(flow.destination.address)}")

    # Section 5: traffic between two interfaces of one instance stays in its guest kernel; groups do not apply.
    if source is not None and destination is not None and source.instance == destination.instance:
        return Judgement(True, f"local: stays in {source.instance}")

    # Section 5: different VPCs have no connectivity by themselves, and without a route groups have no effect.
    if source is not None and destination is not None and source.vpc != destination.vpc:
        return Judgement(False, f"route: no path from VPC {source.vpc} to VPC {destination.vpc}")

    # Section 4.4: the egress of the source, then the ingress of the destination, independently; all must allow.
    # A host outside has no security group and so no gate of its own; between two of them nothing is ours to judge.
    if source is not None:
        egress = _gate(world, source, "egress", flow, flow.destination, destination)
        if not egress.allowed:
            return egress
    if destination is not None:
        return _gate(world, destination, "ingress", flow, flow.source, source)
    if source is not None:
        return egress
    return Judgement(True, "route: from outside to outside")


def _gate(world: World, port: Port, way: Way, flow: Flow, remote: Endpoint, remote_port: Port | None) -> Judgement:
    """Section 2: one port's verdict on a packet that leaves it (egress) or comes to it (ingress)."""
    profile = world.vpcs[port.vpc].profile
    groups = [world.groups[name] for name in port.groups]
    where = f"{way}: {port.instance}.{port.name}"

    # 2.2, first step, and 13.6: the remote address is that of an interface in the same VPC which shares a BASIC group
    # that has intra_group accept: accepted before any rule, in both directions.
    if remote_port is not None and remote_port.vpc == port.vpc:
        for group in groups:
            shared = group.name in remote_port.groups
            if shared and group.type.value == "basic" and group.intra_group.value == "accept":
                return Judgement(True, f"{where}: shares {group.name} with {remote_port.instance}.{remote_port.name}")

    # 13.1: aggregate puts the rules of all groups into one list; sequence has a list for each group, in their order.
    if profile.group_order.value == "aggregate":
        lists = [[(group, number, rule) for group in groups for number, rule in enumerate(group.rules, start=1)]]
    else:
        lists = [[(group, number, rule) for number, rule in enumerate(group.rules, start=1)] for group in groups]

    for rules in lists:
        # 2.1, 2.2: smaller priority first; deny before allow among equals.
        for group, number, rule in sorted(rules, key=_precedence):
            if rule.direction.value == way and _matches(world, port, rule, flow, remote):
                says = rule.action.value
                return Judgement(says == "allow", f"{where}: {group.name}, rule {number}, says {says}")

    # 2.1, 2.2, 13.7: no rule matched. In: deny. Out: as the profile says for the type of the port's groups.
    if way == "ingress":
        return Judgement(False, f"{where}: no rule matched, deny by default")
    advanced = any(group.type.value == "advanced" for group in groups)
    default = (profile.default_egress_advanced if advanced else profile.default_egress).value
    return Judgement(default == "allow", f"{where}: no rule matched, {default} by default")


def _precedence(entry: tuple[SecurityGroup, int, Rule]) -> tuple[int, int]:
    rule = entry[2]
    return rule.priority, 0 if rule.action.value == "deny" else 1


def _matches(world: World, port: Port, rule: Rule, flow: Flow, remote: Endpoint) -> bool:
    """2.3: whether the rule, on this port, is about this packet; ``remote`` is its other end."""
    # 1.1: a disabled rule is not evaluated.
    if not rule.enabled:
        return False

    # 2.3: protocol equal, or the rule says all (which includes every number).
    wanted, number = rule.protocol.number, flow.service.protocol.number
    if wanted is not None and wanted != number:
        return False
    # 1.1: icmp needs IPv4, icmpv6 needs IPv6.
    version = int(remote.address.family)
    if (wanted == 1 and version != 4) or (wanted == 58 and version != 6):
        return False

    # 2.3: ports are tested for TCP and UDP only, and section 2 says they are always the destination's.
    if number in (6, 17) and rule.ports.ranges:
        asked = flow.service.port
        if asked is None or not any(listed.first <= asked <= listed.last for listed in rule.ports.ranges):
            return False

    # Section 2: the remote is the source of an incoming and the destination of an outgoing packet.
    return _is_remote(world, port, rule, remote)


def _is_remote(world: World, port: Port, rule: Rule, remote: Endpoint) -> bool:
    ip = _ip(remote.address)
    wanted = rule.remote

    # any is 0.0.0.0/0 and ::/0, two rules in one line.
    if isinstance(wanted, AnyRemote):
        return True

    # 2.3: 0.0.0.0/0 never matches IPv6 and ::/0 never IPv4, nor does any other prefix match the other family.
    if isinstance(wanted, Prefix):
        return int(wanted.family) == ip.version and ip in _network(wanted)

    # Section 5: a group means the private addresses of its members' interfaces, here those in the port's own VPC; a
    # host outside that happens to have the same address is no member. An empty group matches nothing.
    if isinstance(wanted, GroupRemote):
        for instance in world.instances.values():
            for member in instance.ports:
                if wanted.name in member.groups and member.vpc == port.vpc == remote.vpc:
                    for address in member.addresses:
                        if _ip(address) == ip:
                            return True
        return False

    # 1.3: an address group lists addresses, prefixes and ranges.
    assert isinstance(wanted, AddressGroupRemote)
    for entry in world.address_groups[wanted.name].entries:
        if int(entry.family) == ip.version and entry.first <= int(ip) <= entry.last:
            return True
    return False


def _port_with(world: World, endpoint: Endpoint) -> Port | None:
    """The interface that has the address in the endpoint's VPC; addresses may repeat in other VPCs."""
    for instance in world.instances.values():
        for port in instance.ports:
            if port.vpc == endpoint.vpc and any(_ip(own) == _ip(endpoint.address) for own in port.addresses):
                return port
    return None


def _lies_in_a_vpc(world: World, endpoint: Endpoint) -> bool:
    ip = _ip(endpoint.address)
    return any(
        int(cidr.family) == ip.version and ip in _network(cidr) for vpc in world.vpcs.values() for cidr in vpc.cidrs
    )


def _ip(address: Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if int(address.family) == 4:
        return ipaddress.IPv4Address(address.value)
    return ipaddress.IPv6Address(address.value)


def _network(prefix: Prefix) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if int(prefix.family) == 4:
        return ipaddress.IPv4Network((prefix.network, prefix.length))
    return ipaddress.IPv6Network((prefix.network, prefix.length))
