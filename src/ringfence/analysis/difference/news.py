"""What a world tells apart, and who has which address in it, that another did not: all that classes must follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.analysis.reach.ends import Ends, closed_to, named
from ringfence.analysis.sets.diagram import Interval, joined
from ringfence.analysis.sets.segments import Ranges, Segments
from ringfence.model.acl import AclRule
from ringfence.model.address import Address, AddressRange, Family
from ringfence.model.rule import Rule
from ringfence.model.topology import Port, VirtualIp
from ringfence.model.world import World
from ringfence.policy.change import Change


class News:
    """What is new in the world after, beside the classes of the one before. Looks at what the change names."""

    def __init__(self, ends: Ends, before: World, after: World, change: Change) -> None:
        self.ends, self.before, self.after, self._change = ends, before, after, change
        entries = (after.address_groups[name].entries for name in change.address_groups if name in after.address_groups)
        self.named = frozenset((*named(after, self._rules()), *entries)) - ends.named | self._spaces()
        """The sets of addresses that it names, and that the one before did not."""
        self.segments = Segments(self.named)
        self.moved = frozenset(self._moved())
        """Addresses, with their VPC, that may be somebody else's or fare otherwise."""

    def _rules(self) -> Iterator[Rule | AclRule]:
        """The rules of what changed, without those that it had as the same value before."""
        change = self._change
        for sections, names in (("groups", change.groups), ("acls", change.acls)):
            for name in names:
                yield from _came(*(getattr(getattr(it, sections).get(name), "rules", ()) for it in self._worlds))
        for name in change.vpcs & self.after.vpcs.keys():
            vpc = self.after.vpcs[name]
            yield from (*vpc.border, *map(AclRule.parse, vpc.profile.acl_exempt))
        for name in change.peerings & self.after.peerings.keys():
            yield from self.after.peerings[name].firewall

    @property
    def _worlds(self) -> tuple[World, World]:
        return self.before, self.after

    def _spaces(self) -> frozenset[Ranges]:
        """The spaces that VPCs have come to have: what lies there is outside no more."""
        before, after = ({cidr for vpc in it.vpcs.values() for cidr in vpc.cidrs} for it in self._worlds)
        return frozenset((cidr.range,) for cidr in after - before)

    def _moved(self) -> Iterator[tuple[str, Address]]:
        instances = self._change.instances | {name.partition(".")[0] for name in self._change.penalties}
        if not (instances or self._change.vpcs or self._change.virtual_ips):
            return
        for world in self._worlds:
            yield from ((owner.vpc, it) for owner in self._owners(world, instances) for it in owner.addresses)

    def _owners(self, world: World, instances: frozenset[str]) -> Iterator[Port | VirtualIp]:
        for name in instances & world.instances.keys():
            yield from world.instances[name].ports
        if self._change.vpcs:
            yield from (port for port in world.ports if port.vpc in self._change.vpcs)
        for vip in world.virtual_ips.values():
            moved = vip.name in self._change.virtual_ips or vip.vpc in self._change.vpcs
            if moved or vip.active.partition(".")[0] in instances:
                yield vip

    def opened(self, family: Family) -> Iterator[AddressRange]:
        """What may have come to lie outside: spaces that VPCs had."""
        left = {cidr for vpc in self.after.vpcs.values() for cidr in vpc.cidrs}
        for vpc in self.before.vpcs.values() if self._change.vpcs else ():
            yield from (cidr.range for cidr in vpc.cidrs if cidr.family is family and cidr not in left)

    def closed(self, family: Family) -> list[Interval]:
        """What does not lie outside now."""
        return joined((it.first, it.last) for it in closed_to(self.after) if it.family is family)


def _came(old: Iterable[Rule | AclRule], new: Iterable[Rule | AclRule]) -> Iterator[Rule | AclRule]:
    known = set(map(id, old))
    return (rule for rule in new if id(rule) not in known)
