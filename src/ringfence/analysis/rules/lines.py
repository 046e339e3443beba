"""Lines of network ACLs and firewalls that never decide, as lines before them match all that they do. Exact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ringfence.analysis.rules.matched import spares
from ringfence.model.acl import AclRule
from ringfence.model.rule import Direction
from ringfence.model.world import World
from ringfence.policy.decisions import Decision, acl_decisions, border_decisions, peering_decisions

FIELDS = {"acls": "rules", "vpcs": "border", "peerings": "firewall"}
"""The sections of a world with such lines, and what holds them there."""
_List = tuple[tuple[Decision, ...], Direction]


@dataclass(frozen=True, slots=True)
class ShadowedLine:
    """A line at a place in the list that a thing of a section has; ``deciders`` decide in its place, first first.

    All that are given may go, or any of them.
    """

    section: str
    name: str
    index: int
    line: AclRule
    deciders: tuple[Decision, ...]


def shadowed_lines(world: World) -> Iterator[ShadowedLine]:
    """Those of all ACLs that some subnet has, of the firewalls at borders and on peerings."""
    for acl in world.acls.values():
        homes = [vpc for vpc in world.vpcs.values() if any(it.acl == acl.name for it in vpc.subnets.values())]
        profiles = dict.fromkeys(vpc.profile for vpc in homes)
        for way in Direction if acl.enabled else ():
            lists = [(acl_decisions(acl, profile, way), way) for profile in profiles]
            yield from _shadowed(world, "acls", acl.name, acl.rules, acl.name, lists)
    for vpc in world.vpcs.values():
        for way in Direction:
            own = [(border_decisions(vpc, way), way)]
            yield from _shadowed(world, "vpcs", vpc.name, vpc.border, vpc.border_owner, own)
    for peering in world.peerings.values():
        own = [(peering_decisions(peering), Direction.EGRESS)]
        yield from _shadowed(world, "peerings", peering.name, peering.firewall, peering.firewall_owner, own)


def _shadowed(
    world: World, section: str, name: str, lines: Sequence[AclRule], owner: str, lists: Sequence[_List]
) -> Iterator[ShadowedLine]:
    """Those that are shadowed in every one of the lists that are made of some lines."""
    found: list[dict[int, tuple[Decision, ...]]] = []
    for listed, way in lists:
        known = spares(world, listed, way)
        mine = [place for place, decision in enumerate(listed) if decision.owner == owner]
        gone = {place for place in mine if known.is_shadowed(place) and known.matches(place)}
        own = _indices(lines, [listed[place] for place in mine], owner)
        by_place = dict(zip(mine, own, strict=True))
        found.append({by_place[place]: tuple(listed[it] for it in known.deciders(place, gone)) for place in gone})
    for index in sorted(set(found[0]).intersection(*found)) if found else ():
        yield ShadowedLine(section, name, index, lines[index], found[0][index])


def _indices(lines: Sequence[AclRule], listed: Sequence[Decision], owner: str) -> list[int]:
    """Where the lines of a decision list stand among all lines of its owner: they keep their order."""
    found, index = [], 0
    for decision in listed:
        while lines[index].id_in(owner) != decision.rule_id or not lines[index].enabled:
            index += 1
        found.append(index)
        index += 1
    return found
