"""Decision lists, what their lines match, and which of these may go (SEMANTICS.md 8.3).

Whoever may be in the groups that rules name: a named group is a dimension of its own here, so what may go may do so for
all memberships there can be. Address groups and port lists count as what they hold now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ringfence.analysis.rules.grid import is_plain
from ringfence.analysis.rules.lists import Line
from ringfence.analysis.rules.spare_rows import SpareRows
from ringfence.analysis.rules.spares import Spares, SpareSets
from ringfence.analysis.sets.diagram import EVERYTHING, Diagram, Interval, span
from ringfence.analysis.sets.packets import DESTINATION, Packets
from ringfence.model.address import AddressRange, Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import AddressGroupRemote, Direction, GroupRemote, NicType, Remote
from ringfence.model.topology import Network, Vpc
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, PolicyClass, decisions

MEMBERSHIP: Interval = (0, 2)
"""How the far end may be in a named group: not at all, by a port of another VPC, or by one of the same VPC."""


def listed_in(world: World, group: SecurityGroup, direction: Direction, nic: NicType) -> tuple[Decision, ...]:
    """The decision list of a group as it stands alone."""
    vpc = home_of(world, group)
    of = PolicyClass(vpc.name, (group.name,), nic)
    return decisions(vpc, {group.name: group}, world.port_lists, of, direction)


def home_of(world: World, group: SecurityGroup) -> Vpc:
    """The VPC of a group; of one that belongs to none, a VPC of its profile without anything in it."""
    return world.vpcs.get(group.vpc) or Vpc("", world.profile_of(group), (), {})


def nics(world: World, group: SecurityGroup) -> tuple[NicType, ...]:
    """The interfaces that rules of a group may be for."""
    return tuple(NicType) if home_of(world, group).network is Network.CLASSIC else (NicType.INTRANET,)


def spares(world: World, listed: Sequence[Decision], direction: Direction) -> Spares:
    """Which lines of a list may go; by sets of packets where a line says much."""
    if listed and all(map(is_plain, listed)):
        return SpareRows(listed, Lines(world, listed, direction).ranges)
    return SpareSets(_with_packets(world, listed, direction))


def _with_packets(world: World, listed: Sequence[Decision], direction: Direction) -> list[Line]:
    """Lines with the packets that they match; named groups are dimensions behind those of a packet."""
    lines = Lines(world, listed, direction)
    return [Line(lines.packets(it), it.action) for it in listed]


class Lines:
    """What lines of decision lists match: packets, and who is in the groups that any of the lines names."""

    def __init__(self, world: World, listed: Iterable[Decision], direction: Direction) -> None:
        self._world, self._inward = world, direction is Direction.INGRESS
        names = sorted({it.remote.name for it in listed if isinstance(it.remote, GroupRemote)})
        self._dimensions = {name: DESTINATION + 1 + index for index, name in enumerate(names)}

    def packets(self, decision: Decision) -> Packets:
        """What a line matches."""
        sides = self.ranges(decision.remote), self.ranges(decision.local)
        source, destination = sides if self._inward else reversed(sides)
        found = Packets.of(decision.protocol, decision.ports, source, decision.source_ports, destination)
        members = self._members(decision)
        return Packets(found.ipv4 & members, found.ipv6 & members)

    def _members(self, decision: Decision) -> Diagram:
        if not isinstance(decision.remote, GroupRemote):
            return EVERYTHING
        first = MEMBERSHIP[1] if decision.own_vpc else 1
        return span(self._dimensions[decision.remote.name], [(first, MEMBERSHIP[1])], MEMBERSHIP)

    def ranges(self, side: Remote) -> tuple[AddressRange, ...] | None:
        """The addresses that a side means; None for any, and for a group: members are a dimension of their own."""
        if isinstance(side, Prefix):
            return (side.range,)
        return self._world.address_groups[side.name].entries if isinstance(side, AddressGroupRemote) else None
