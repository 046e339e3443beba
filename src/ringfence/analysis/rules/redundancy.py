"""Rules of a group that decide nothing, or nothing that others would not decide alike (SEMANTICS.md 8.3). Exact.

Whoever may be in the groups that rules name: a named group is a dimension of its own here, so what is found needless is
so for all memberships there can be. Address groups and port lists count as what they hold now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ringfence.analysis.rules.grid import is_plain
from ringfence.analysis.rules.lists import Effect, Line, outcome
from ringfence.analysis.rules.needed import needs
from ringfence.analysis.rules.spare_rows import SpareRows
from ringfence.analysis.rules.spares import Spares, SpareSets
from ringfence.analysis.sets.diagram import EVERYTHING, Diagram, Interval, span
from ringfence.analysis.sets.packets import DESTINATION, Packets
from ringfence.model.address import AddressRange, Prefix
from ringfence.model.group import SecurityGroup
from ringfence.model.rule import AddressGroupRemote, Direction, GroupRemote, NicType, Remote, Rule
from ringfence.model.topology import Network, Vpc
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, PolicyClass, decisions

MEMBERSHIP: Interval = (0, 2)
"""How the far end may be in a named group: not at all, by a port of another VPC, or by one of the same VPC."""


@dataclass(frozen=True, slots=True)
class Needless:
    """A rule without which its group means the same. Of two that say the same each is; only one of them may go.

    It is shadowed if stronger rules decide all that it matches; else weaker ones, or the default, decide it alike.
    """

    rule_id: str
    rule: Rule
    shadowed: bool


def needless_rules(world: World, group: SecurityGroup) -> tuple[Needless, ...]:
    """The needless rules of a group as it stands alone, in the order of their ids; disabled ones do not count."""
    found: dict[str, bool] = {}
    for direction in Direction:
        for nic in nics(world, group):
            found |= _needless(world, group, direction, nic)
    own = {rule_id: shadowed for rule_id, shadowed in found.items() if rule_id in group.by_id}
    return tuple(Needless(rule_id, group.by_id[rule_id], shadowed) for rule_id, shadowed in sorted(own.items()))


def _needless(world: World, group: SecurityGroup, direction: Direction, nic: NicType) -> dict[str, bool]:
    """The needless lines of one list, and whether they are shadowed; by sets of packets where a line says much."""
    listed = listed_in(world, group, direction, nic)
    if all(map(is_plain, listed)):
        lines = Lines(world, listed, direction)
        both = zip(listed, needs(listed, lines.ranges), strict=True)
        return {decision.rule_id: not need.decides for decision, need in both if not need.missed}
    found = effects(world, group, direction, nic)
    return {decision.rule_id: effect.is_shadowed for decision, effect in found if effect.is_redundant}


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


def effects(
    world: World, group: SecurityGroup, direction: Direction, nic: NicType = NicType.INTRANET
) -> Iterator[tuple[Decision, Effect]]:
    """Each line of a group's decision list with what it does."""
    listed = listed_in(world, group, direction, nic)
    done = outcome(_with_packets(world, listed, direction)).effects
    return zip(listed, done, strict=True)


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
