"""The oracle's security groups: SEMANTICS.md section 2, and what section 5 says of their members."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.flow import Endpoint
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import GroupRemote, Rule
from ringfence.model.topology import Port
from ringfence.model.world import World
from tests.oracle_match import Judgement, Packet, Way, has_address, is_about, is_in, is_side, peering_of


def judged_by_groups(world: World, port: Port, way: Way, packet: Packet) -> Judgement:
    """Section 2: one port's verdict on a packet that leaves it (egress) or comes to it (ingress)."""
    profile = world.vpcs[port.vpc].profile
    groups = [world.groups[name] for name in port.groups]
    where = f"{way}: {port.instance}.{port.name}"

    # Section 2: the remote is the source of an incoming and the destination of an outgoing packet.
    remote = packet.source if way == "ingress" else packet.destination

    # 2.2, first step, and 13.6: the remote address is that of an intranet interface in the same VPC which shares a
    # BASIC group that has intra_group accept: accepted before any rule, in both directions.
    for group in groups:
        if group.type.value == "basic" and group.intra_group.value == "accept" and nic_of(world, port) == "intranet":
            for member in members(world, group.name):
                if member.vpc == port.vpc == remote.vpc and has_address(member, remote.address):
                    return Judgement(True, f"{where}: shares {group.name} with {member.instance}.{member.name}")

    # 13.1: aggregate puts the rules of all groups into one list; sequence has a list for each group, in their order.
    if profile.group_order.value == "aggregate":
        lists = [[(group, number, rule) for group in groups for number, rule in enumerate(group.rules, start=1)]]
    else:
        lists = [[(group, number, rule) for number, rule in enumerate(group.rules, start=1)] for group in groups]

    for rules in lists:
        # 2.1, 2.2: smaller priority first; deny before allow among equals.
        for group, number, rule in sorted(rules, key=_precedence):
            if rule.direction.value == way and _matches(world, port, rule, packet, remote):
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


def _matches(world: World, port: Port, rule: Rule, packet: Packet, remote: Endpoint) -> bool:
    """2.3: whether the rule, on this port, is about this packet; ``remote`` is its other end."""
    # 1.1: a disabled rule is not evaluated.
    if not rule.enabled:
        return False

    # 2.2, 1.2: the classic network has rules for its two kinds of interface. Those that say none are for the internet
    # side, except that groups are on the intranet side only. In a VPC all is intranet.
    if rule.nic is not None:
        nic = rule.nic.value
    elif world.vpcs[port.vpc].network.value == "classic" and not isinstance(rule.remote, GroupRemote):
        nic = "internet"
    else:
        nic = "intranet"
    if nic != nic_of(world, port):
        return False

    # 1.2: a five-tuple rule names the port's own side too: the destination of what comes in, the source of what goes.
    own = packet.destination if rule.direction.value == "ingress" else packet.source
    if rule.local is not None and not is_in(own.address, rule.local):
        return False

    return is_about(world, rule, packet) and _is_remote(world, port, rule, remote)


def _is_remote(world: World, port: Port, rule: Rule, remote: Endpoint) -> bool:
    if not isinstance(rule.remote, GroupRemote):
        return is_side(world, rule.remote, remote.address)

    # Section 5: a group means its members' own private addresses, those in the port's own VPC, and where the profile
    # says so those in VPCs that are peered with it. An empty group matches nothing; a host outside that happens to have
    # the same address is no member.
    far = world.vpcs[port.vpc].profile.peer_references and peering_of(world, port.vpc, remote.vpc) is not None
    if remote.vpc != port.vpc and not far:
        return False
    named = members(world, rule.remote.name)
    return any(member.vpc == remote.vpc and has_address(member, remote.address) for member in named)


def members(world: World, group: str) -> Iterator[Port]:
    """Section 5, 1.2: those whom a group's name means, which are intranet interfaces only."""
    for instance in world.instances.values():
        for port in instance.ports:
            if group in port.groups and nic_of(world, port) == "intranet":
                yield port


def nic_of(world: World, port: Port) -> str:
    """2.2: which kind of interface of an instance of the classic network it is; in a VPC there is only intranet."""
    vpc = world.vpcs[port.vpc]
    return vpc.subnets[port.subnet].nic.value if vpc.network.value == "classic" else "intranet"
