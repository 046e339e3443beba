"""Peerings: which VPCs they join, and whether addresses stay unambiguous."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from ringfence.model.address import Prefix
from ringfence.model.topology import Network, Peering, Vpc
from ringfence.model.validation.acls import line_problems
from ringfence.model.validation.problem import Path, Problem
from ringfence.model.validation.scope import Scope
from ringfence.model.world import World, nearest


def shared_space(one: Vpc, two: Vpc) -> Prefix | None:
    """A prefix of the second VPC that overlaps one of the first, if there is one."""
    pairs = product(two.cidrs, one.cidrs)
    return next((prefix for prefix, other in pairs if prefix.range.overlaps(other.range)), None)


def peering_problems(scope: Scope) -> Iterator[Problem]:
    """Peerings that join what they cannot join, or from where an address would be in two places; their firewalls."""
    world = scope.world
    for peering in scope.all_of_pairs:
        path: Path = ("peerings", peering.name)
        first = world.peering(*peering.vpcs)
        if first != peering:
            what = f"{' and '.join(peering.vpcs)} are peered already, by {first}"
            yield Problem(path, "world.duplicate", what, "keep one of them")
        else:
            yield from _end_problems(world, peering, (*path, "vpcs"))
        firewall = (*path, "firewall")
        yield from line_problems(world, peering.firewall, firewall, peering.firewall_owner, directed=False)
    yield from _two_ways_problems(scope)


def _end_problems(world: World, peering: Peering, path: Path) -> Iterator[Problem]:
    ends = [world.vpcs[name] for name in peering.vpcs if name in world.vpcs]
    for name in sorted({*peering.vpcs} - {*world.vpcs}):
        yield Problem(path, "world.unknown_vpc", f"there is no VPC {name!r}", nearest(name, world.vpcs))
    for vpc in ends:
        if vpc.network is Network.CLASSIC:
            what = f"{vpc.name} is the classic network, which has no peerings"
            yield Problem(path, "InvalidNetworkType.Mismatch", what, "peer VPCs only")
    if peering.vpcs[0] == peering.vpcs[1]:
        what = f"peering {peering.name} joins VPC {peering.vpcs[0]} to itself"
        yield Problem(path, "world.peering", what, "name two VPCs")
    elif len(ends) == 2 and (prefix := shared_space(*ends)):
        what = (
            f"{prefix} of VPC {ends[1].name} overlaps VPC {ends[0].name}, and they are peered: nothing could route it"
        )
        yield Problem(path, "world.overlap", what, "choose other prefixes, or leave out the peering")


def _two_ways_problems(scope: Scope) -> Iterator[Problem]:
    """VPCs from which two others are to be reached that use the same addresses."""
    world, touched = scope.world, scope.touched
    for vpc in scope.hubs:
        ways = [way for way in world.ways[vpc, ""] if world.peering(*way.vpcs) == way and _leads_on(world, way, vpc)]
        fresh = {way.name for way in ways if way.name in touched.peerings or way.other(vpc) in touched.vpcs}
        for one, two in combinations(ways, 2):
            if not {one.name, two.name} & fresh:
                continue
            if prefix := shared_space(world.vpcs[one.other(vpc)], world.vpcs[two.other(vpc)]):
                what = f"VPC {vpc} would have two ways to {prefix}: peering {one} and peering {two}"
                right = f"choose other prefixes for VPC {two.other(vpc)}, or leave out one of the peerings"
                yield Problem(("peerings", two.name, "vpcs"), "world.overlap", what, right)


def _leads_on(world: World, way: Peering, vpc: str) -> bool:
    return way.other(vpc) != vpc and way.other(vpc) in world.vpcs
