"""What all rules of a world mention, whoever's they are: what probes must try, and what they must keep away from."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.acl import AclRule
from ringfence.model.flow import EPHEMERAL
from ringfence.model.rule import Rule
from ringfence.model.service import PortSet
from ringfence.model.world import World


def every_rule(world: World) -> Iterator[Rule | AclRule]:
    """The rules of security groups, network ACLs, borders and peerings."""
    for group in world.groups.values():
        yield from group.rules
    yield from acl_rules(world)
    for vpc in world.vpcs.values():
        yield from vpc.border
    for peering in world.peerings.values():
        yield from peering.firewall


def acl_rules(world: World) -> Iterator[AclRule]:
    """The rules of network ACLs."""
    return (rule for acl in world.acls.values() for rule in acl.rules)


def telling_ports(world: World) -> frozenset[int]:
    """The ephemeral ports that some rule tells from others, so that none of them stands for any port.

    They are among the source ports of a rule, or among the destination ports of an ACL's, which may judge answers.
    """
    sets = {rule.source_ports for rule in every_rule(world)} | {rule.ports for rule in acl_rules(world)}
    ranges = {each for ports in sets if not ports.covers(EPHEMERAL) for each in ports.ranges}
    return frozenset(port for each in ranges for port in range(each.first, each.last + 1) if port in EPHEMERAL)


def edges(ports: PortSet) -> set[int]:
    """The ends of its ranges and the ports beside them."""
    ends = {end for each in ports.ranges for end in (each.first, each.last)}
    return {port for end in ends for port in (end - 1, end, end + 1) if 1 <= port <= 65535}
