"""The classic network (SEMANTICS.md 2.2): interfaces of two kinds, and groups that no VPC shares."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.group import SecurityGroup
from ringfence.model.port_list import NamedPorts
from ringfence.model.rule import AddressGroupRemote, NicType, Rule
from ringfence.model.topology import Network, Port, Vpc
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.world import World


def network_of(world: World, group: SecurityGroup) -> Network:
    """The kind of network a group is for: the classic one only if it belongs to that."""
    return world.vpcs[group.vpc].network if group.vpc in world.vpcs else Network.VPC


def classic_network_problems(vpc: Vpc) -> Iterator[Problem]:
    """A classic network where the profile has none, and internet interfaces outside of one."""
    path: Path = ("vpcs", vpc.name)
    if vpc.network is Network.CLASSIC and not vpc.profile.classic_network:
        what = f"the {vpc.profile.name} profile has no classic network"
        yield Problem((*path, "network"), "world.network_type", what, "leave out the network")
    for subnet in vpc.subnets.values():
        if subnet.nic is NicType.INTERNET and vpc.network is not Network.CLASSIC:
            what = f"subnet {subnet.name} is for internet interfaces, and VPC {vpc.name} has intranet ones only"
            where = (*path, "subnets", subnet.name, "nic")
            yield Problem(where, "InvalidNicType.ValueNotSupported", what, "leave out nic, or make it network: classic")


def classic_rule_problems(group: SecurityGroup, rule: Rule, path: Path, *, classic: bool) -> Iterator[Problem]:
    """What a rule may say in one kind of network only; ``classic``: its group is for the classic one."""
    if rule.nic is NicType.INTERNET and not classic:
        what = f"the rule is for the {rule.nic} interface, and group {group.name} is no group of the classic network"
        yield Problem(path, "InvalidNicType.Mismatch", what, "leave out nic: a VPC has intranet interfaces only")
    if classic and isinstance(rule.remote, AddressGroupRemote):
        what = f"the rule names address group {rule.remote}, which the classic network does not take"
        yield Problem(path, "NotSupported.ClassicNetworkPrefixList", what, "use prefixes, a rule for each")
    if classic and isinstance(rule.ports, NamedPorts):
        what = f"the rule names port list {rule.ports}, which the classic network does not take"
        yield Problem(path, "NotSupported.ClassicNetworkPortList", what, "write the ports in the rule")


def mixed_network_problem(world: World, port: Port, group: SecurityGroup, path: Path) -> Problem | None:
    """A port of one kind of network in a group of the other kind."""
    network = world.vpcs[port.vpc].network
    if network is network_of(world, group):
        return None
    home = f"belongs to {group.vpc}" if group.vpc else "names no VPC"
    kind = "the classic network" if network is Network.CLASSIC else "a VPC"
    what = f"{port} is in {port.vpc}, {kind}, and group {group.name} {home}: the two kinds never share a group"
    return Problem(path, "InvalidNetworkType.Mismatch", what, f"use a group with vpc: {port.vpc}")
