"""What rules say, as formulas over bit-vectors for z3: a second reading of SEMANTICS.md 2 and 4, beside the oracle's.

It shares no code with `ringfence.policy`, `ringfence.compile` or `ringfence.analysis`. A `Packet` may be unknown in any
of its parts; `equal` says whether two formulas agree on every packet that can be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from ringfence.model.acl import AclRule, NetworkAcl
from ringfence.model.address import AddressRange, Family, Prefix
from ringfence.model.flow import Endpoint
from ringfence.model.group import GroupType, SecurityGroup
from ringfence.model.port_list import NamedPorts
from ringfence.model.profile import GroupOrder, IntraGroup, Profile
from ringfence.model.rule import Action, AddressGroupRemote, AnyRemote, Direction, GroupRemote, NicType, Rule
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP, PortSet, Protocol, ServiceSet
from ringfence.model.topology import Network, Port
from ringfence.model.world import World

Term = Any
"""A formula or a number of z3's; it comes without types."""
Membership = Callable[[str, bool], Term]
"""Whether the far end is in a group; and the second, whether only members in the same VPC count."""


@dataclass(frozen=True)
class Packet:
    """A first packet's header. Where addresses are of no concern they are those of two ends."""

    family: Family
    number: Term
    port: Term
    source_port: Term
    source: Term
    destination: Term

    @classmethod
    def unknown(cls, family: Family, source: Endpoint | None = None, destination: Endpoint | None = None) -> Packet:
        """Any packet of a family, between two ends or any."""
        ends = [
            z3.BitVec(name, family.bits) if end is None else z3.BitVecVal(end.address.value, family.bits)
            for name, end in (("source", source), ("destination", destination))
        ]
        return cls(family, z3.BitVec("number", 8), z3.BitVec("port", 16), z3.BitVec("source_port", 16), *ends)

    @property
    def has_ports(self) -> Term:
        """Whether it is TCP or UDP."""
        return z3.Or(self.number == TCP, self.number == UDP)

    @property
    def can_be_sent(self) -> Term:
        """ICMP is of IPv4, ICMPv6 of IPv6; no TCP or UDP port is 0, and others have none."""
        other = ICMPV6 if self.family is Family.IPV4 else ICMP
        ported = z3.And(self.port != 0, self.source_port != 0)
        bare = z3.And(self.port == 0, self.source_port == 0)
        return z3.And(self.number != other, z3.If(self.has_ports, ported, bare))

    @property
    def back(self) -> Packet:
        """The first answer to it."""
        return Packet(self.family, self.number, self.source_port, self.port, self.destination, self.source)


def agree(one: Term, two: Term, packet: Packet) -> bool:
    """Whether two formulas say the same of every packet."""
    return not can_be(z3.Xor(one, two), packet)


def can_be(formula: Term, packet: Packet) -> bool:
    """Whether a formula holds for any packet that can be sent."""
    solver = z3.Solver()
    solver.add(packet.can_be_sent, formula)
    return bool(solver.check() == z3.sat)


def first_match(lines: Iterable[tuple[Term, Action]], default: Action) -> Term:
    """Whether the first line that matches allows it, or the default where none does."""
    found = z3.BoolVal(default is Action.ALLOW)
    for matches, action in reversed([*lines]):
        found = z3.If(matches, z3.BoolVal(action is Action.ALLOW), found)
    return found


def _in_range(address: Term, each: AddressRange, family: Family) -> Term:
    if each.family is not family:
        return z3.BoolVal(False)
    low, high = (z3.BitVecVal(value, family.bits) for value in (each.first, each.last))
    return z3.And(z3.UGE(address, low), z3.ULE(address, high))


def _on_side(world: World, side: object, address: Term, family: Family) -> Term:
    match side:
        case Prefix():
            if side.family is not family:
                return z3.BoolVal(False)
            if not side.length:
                return z3.BoolVal(True)
            top = family.bits - 1
            rest = family.bits - side.length
            return z3.Extract(top, rest, address) == side.network >> rest
        case AddressGroupRemote(name):
            return z3.Or([_in_range(address, each, family) for each in world.address_groups[name].entries])
    assert side is AnyRemote.ANY or side is None
    return z3.BoolVal(True)


def _is_protocol(protocol: Protocol, packet: Packet) -> Term:
    return z3.BoolVal(True) if protocol.number is None else packet.number == protocol.number


def _in_ports(ports: PortSet, port: Term) -> Term:
    inside = [z3.And(z3.UGE(port, each.first), z3.ULE(port, each.last)) for each in ports.ranges]
    return z3.Or(inside) if inside else z3.BoolVal(True)


def _ports(world: World, rule: Rule | AclRule, packet: Packet) -> Term:
    comes_from = _in_ports(rule.source_ports, packet.source_port)
    if isinstance(rule.ports, NamedPorts):
        listed = world.port_lists[rule.ports.name].entries
        return z3.And(comes_from, z3.Or([_in_ports(PortSet((each,)), packet.port) for each in listed]))
    return z3.And(comes_from, _in_ports(rule.ports, packet.port))


def rule_matches(world: World, rule: Rule, packet: Packet, member: Membership) -> Term:
    """SEMANTICS.md 2.3: whether a rule of a group is about a packet."""
    ends = (packet.source, packet.destination)
    far, near = ends if rule.direction is Direction.INGRESS else reversed(ends)
    if isinstance(rule.remote, GroupRemote):
        remote = member(rule.remote.name, False)
    else:
        remote = _on_side(world, rule.remote, far, packet.family)
    local = _on_side(world, rule.local, near, packet.family)
    return z3.And(_is_protocol(rule.protocol, packet), _ports(world, rule, packet), remote, local)


def line_matches(world: World, line: AclRule, packet: Packet) -> Term:
    """The same of a line of an ACL or a firewall."""
    sides = ((line.source, packet.source), (line.destination, packet.destination))
    both = [_on_side(world, side, address, packet.family) for side, address in sides]
    return z3.And(_is_protocol(line.protocol, packet), _ports(world, line, packet), *both)


def _ordered(rules: Iterable[Rule]) -> list[Rule]:
    return sorted(rules, key=lambda rule: (rule.priority, rule.action is Action.ALLOW))


def groups_allow(
    world: World,
    groups: Sequence[SecurityGroup],
    profile: Profile,
    direction: Direction,
    packet: Packet,
    member: Membership,
    nic: NicType = NicType.INTRANET,
    classic: bool = False,
) -> Term:
    """SEMANTICS.md 2.1 and 2.2: whether the groups of a port let a packet pass in one direction."""

    def of(group: SecurityGroup) -> list[Rule]:
        return [rule for rule in group.rules if rule.direction is direction and rule.enabled and _nic(rule) is nic]

    def _nic(rule: Rule) -> NicType:
        usual = NicType.INTERNET if classic and not isinstance(rule.remote, GroupRemote) else NicType.INTRANET
        return rule.nic or usual

    if profile.group_order is GroupOrder.SEQUENCE:
        rules = [rule for group in groups for rule in _ordered(of(group))]
    else:
        rules = _ordered(rule for group in groups for rule in of(group))
    open_ = [it.name for it in groups if it.type is GroupType.BASIC and it.intra_group is IntraGroup.ACCEPT]
    lines = [(member(name, True), Action.ALLOW) for name in open_ if nic is NicType.INTRANET]
    lines += [(rule_matches(world, rule, packet, member), rule.action) for rule in rules]
    advanced = any(group.type is GroupType.ADVANCED for group in groups)
    leaving = profile.default_egress_advanced if advanced else profile.default_egress
    default = Action(leaving.value) if direction is Direction.EGRESS else Action.DENY
    return first_match(lines, default)


def acl_allows(world: World, acl: NetworkAcl, profile: Profile, direction: Direction, packet: Packet) -> Term:
    """SEMANTICS.md 4.1 and 4.2: what always passes, then the ACL's own lines in their order, then nothing."""
    fixed = [AclRule.parse(text) for text in profile.acl_exempt]
    own = [line for line in acl.rules if acl.enabled and line.enabled]
    lines = [line for line in (*fixed, *own) if line.direction is direction]
    return first_match([(line_matches(world, it, packet), it.action) for it in lines], Action.DENY)


def firewall_allows(world: World, lines: Iterable[AclRule], packet: Packet) -> Term:
    """SEMANTICS.md 4.3: lines in their order, then everything."""
    return first_match([(line_matches(world, it, packet), it.action) for it in lines if it.enabled], Action.ALLOW)


def _listed(services: ServiceSet, packet: Packet) -> Term:
    return z3.Or(
        [
            z3.And(packet.number == protocol.number, z3.UGE(packet.port, each.first), z3.ULE(packet.port, each.last))
            for protocol, each in services.ranges
        ]
    )


def passes(world: World, source: Endpoint, destination: Endpoint, packet: Packet) -> Term:
    """SEMANTICS.md 4.4: whether a packet between two ends arrives, and its answer. An end is of a port or outside."""
    ports = world.port_at(source), world.port_at(destination)
    sender, receiver = ports
    if sender and receiver and sender.guest == receiver.guest:
        return z3.BoolVal(True)
    terms = [_platform(world, sender, receiver, packet), _firewalls(world, sender, receiver, packet)]
    for direction, near, far, ends in (
        (Direction.EGRESS, sender, receiver, (source, destination)),
        (Direction.INGRESS, receiver, sender, (destination, source)),
    ):
        if near:
            terms.append(_gate(world, near, far, ends[1], direction, packet))
            terms.append(_edge(world, near, ends[1], far, direction, packet))
            if not world.vpcs[near.vpc].profile.acl_stateful:
                other = Direction.INGRESS if direction is Direction.EGRESS else Direction.EGRESS
                terms.append(_edge(world, near, ends[1], far, other, packet.back))
    return z3.And(terms)


def _platform(world: World, sender: Port | None, receiver: Port | None, packet: Packet) -> Term:
    cut = any(
        port and (port.instance in world.penalties or str(port) in world.penalties) for port in (sender, receiver)
    )
    terms = [z3.BoolVal(not cut)]
    if sender:
        terms.append(z3.Not(_listed(world.vpcs[sender.vpc].profile.blocked_egress, packet)))
    inside = sender or receiver
    if inside and not (sender and receiver):
        terms.append(z3.Not(_listed(world.vpcs[inside.vpc].profile.carrier_blocks, packet)))
    return z3.And(terms)


def _firewalls(world: World, sender: Port | None, receiver: Port | None, packet: Packet) -> Term:
    if sender and receiver:
        if sender.vpc == receiver.vpc:
            return z3.BoolVal(True)
        peering = next((it for it in world.peerings.values() if {*it.vpcs} == {sender.vpc, receiver.vpc}), None)
        return firewall_allows(world, peering.firewall, packet) if peering else z3.BoolVal(False)
    inside, direction = (sender, Direction.EGRESS) if sender else (receiver, Direction.INGRESS)
    if not inside:
        return z3.BoolVal(True)
    lines = [line for line in world.vpcs[inside.vpc].border if line.direction is direction]
    return firewall_allows(world, lines, packet)


def _edge(world: World, near: Port, far: Endpoint, other: Port | None, direction: Direction, packet: Packet) -> Term:
    """The ACL of a port's subnet; what stays inside of the subnet does not meet it."""
    subnet = world.subnet_of(near)
    if not subnet.acl or (other and other.vpc == near.vpc and far.address in subnet):
        return z3.BoolVal(True)
    return acl_allows(world, world.acls[subnet.acl], world.vpcs[near.vpc].profile, direction, packet)


def _gate(world: World, near: Port, far: Port | None, end: Endpoint, direction: Direction, packet: Packet) -> Term:
    vpc = world.vpcs[near.vpc]

    def member(group: str, own_vpc: bool) -> Term:
        """SEMANTICS.md 5: own intranet addresses of members, in this VPC and, as the profile says, in peers."""
        if not far or end.address not in far.addresses or world.subnet_of(far).nic is not NicType.INTRANET:
            return z3.BoolVal(False)
        peers = any({*it.vpcs} == {near.vpc, far.vpc} for it in world.peerings.values())
        near_by = far.vpc == near.vpc or (not own_vpc and vpc.profile.peer_references and peers)
        return z3.BoolVal(near_by and group in far.groups)

    groups = [world.groups[name] for name in near.groups]
    nic = world.subnet_of(near).nic
    return groups_allow(world, groups, vpc.profile, direction, packet, member, nic, vpc.network is Network.CLASSIC)
