"""Ends of flows that no rule tells apart, before a change and after it: one of them stands for all.

Two addresses are of one party if in both worlds they have the same policy class, subnet and penalties, and lie in the
same of all the prefixes and entries that any rule names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from ringfence.analysis.sets.segments import Segments
from ringfence.analysis.spans import NO_CUTS, Cuts
from ringfence.model.acl import AclRule
from ringfence.model.address import NOT_UNICAST, Address, AddressRange, Family, Prefix
from ringfence.model.flow import Endpoint
from ringfence.model.rule import AddressGroupRemote, Direction, Remote, Rule
from ringfence.model.topology import Port, VirtualIp
from ringfence.model.world import World
from ringfence.policy.change import Change, Differences
from ringfence.policy.decisions import class_of

Worlds = tuple[World, World]
"""The world before a change, and after it."""
_EXAMPLES = tuple(map(Address.parse, ("198.51.100.1", "2001:db8::1")))  # for documentation (RFC 5737, RFC 3849)
_KEPT = 4
"""How many addresses of a party are kept: enough to find two that are not in one guest."""


@dataclass(frozen=True, eq=False)
class Party:
    """Addresses that no rule tells apart. ``members`` are a few of its ``size``; ``touched`` if the change is at them.

    ``sends`` and ``receives`` are where the rules at its own end tell services apart.
    """

    label: str
    size: int
    members: tuple[Endpoint, ...]
    touched: bool = False
    sends: Cuts = NO_CUTS
    receives: Cuts = NO_CUTS

    @property
    def vpc(self) -> str:
        """The VPC that it lies in; empty outside."""
        return self.members[0].vpc

    @property
    def family(self) -> Family:
        """The family of its addresses."""
        return self.members[0].address.family

    def __str__(self) -> str:
        return self.label


def parties(before: World, after: World, change: Change) -> list[Party]:
    """Everybody inside of VPCs, and of the outside whom the rules at touched ends tell apart."""
    builder = _Builder((before, after), Differences(before, after, change))
    inside = builder.inside()
    return [*inside, *builder.outside()] if any(party.touched for party in inside) else []


class _Builder:
    def __init__(self, worlds: Worlds, differences: Differences) -> None:
        self._worlds, self._differences = worlds, differences
        self._cuts: dict[Hashable, Cuts] = {}
        self._sides: set[AddressRange] = set()
        """What the rules at touched ends name."""

    def inside(self) -> list[Party]:
        segments = Segments((each,) for each in self._ranges(every_rule_of(self._worlds)))
        found: dict[Hashable, dict[Endpoint, None]] = defaultdict(dict)
        for end in dict.fromkeys(_ends(self._worlds)):
            views = tuple(map(self._view, self._worlds, (end, end)))
            found[end.address.family, end.vpc, views, segments.mark(end.address)][end] = None
        return [self._party(list(ends)) for ends in found.values()]

    def _view(self, world: World, end: Endpoint) -> Hashable:
        """What decides about an address in a world, apart from the prefixes that it lies in."""
        port = world.port_at(end)
        if port is None:
            return None
        cut_off = any(name in world.penalties for name in (port.instance, str(port)))
        own = end.address in port.addresses
        return class_of(world.vpcs[port.vpc], port), world.subnet_of(port).name, cut_off, own

    def _party(self, ends: list[Endpoint]) -> Party:
        ports = [world.port_at(ends[0]) for world in self._worlds]
        touched = any(map(self._is_touched, ends))
        rules = {way: list(self._rules(ports, way, everything=touched)) for way in Direction}
        for way in Direction if touched else ():
            self._sides.update(self._ranges(rules[way]))
        sends, receives = (self._cut(ports, way, rules[way]) for way in (Direction.EGRESS, Direction.INGRESS))
        return Party(_label(ends, ports), len(ends), _apart(self._worlds, ends), touched, sends, receives)

    def _is_touched(self, end: Endpoint) -> bool:
        ports = [world.port_at(end) for world in self._worlds]
        if self._differences.whole(end.vpc) or str(ports[0]) != str(ports[1]):
            return True
        return any(
            port and self._differences.near(port, world) for port, world in zip(ports, self._worlds, strict=True)
        )

    def _rules(self, ports: list[Port | None], way: Direction, *, everything: bool) -> Iterator[Rule | AclRule]:
        """The rules that judge what a port sends or receives, in both worlds; the border's where it is touched."""
        for port, world in zip(ports, self._worlds, strict=True):
            if port is None:
                continue
            for name in port.groups:
                yield from (rule for rule in world.groups[name].rules if rule.direction is way)
            vpc, acl = world.vpcs[port.vpc], world.acls.get(world.subnet_of(port).acl)
            if acl:  # an answer passes it in the other direction
                yield from (*acl.rules, *map(AclRule.parse, vpc.profile.acl_exempt))
            if everything:
                yield from vpc.border

    def _cut(self, ports: list[Port | None], way: Direction, rules: list[Rule | AclRule]) -> Cuts:
        places = [port and (port.groups, port.vpc, port.subnet) for port in ports]
        key = (*places, way)
        if key not in self._cuts:
            blocked = NO_CUTS
            for port, world in zip(ports, self._worlds, strict=True):
                if port and way is Direction.EGRESS:
                    blocked |= Cuts.at(world.vpcs[port.vpc].profile.blocked_egress)
            self._cuts[key] = Cuts.of(rules, *(world.port_lists for world in self._worlds)) | blocked
        return self._cuts[key]

    def _ranges(self, rules: Iterable[Rule | AclRule]) -> Iterator[AddressRange]:
        for rule in rules:
            for side in sides(rule):
                if isinstance(side, Prefix):
                    yield side.range
                elif isinstance(side, AddressGroupRemote):
                    for world in self._worlds:
                        found = world.address_groups.get(side.name)
                        yield from found.entries if found else ()

    def outside(self) -> Iterator[Party]:
        """One address for each set of prefixes that the outside can lie in; hosts with names go first."""
        spaces = {cidr.range for world in self._worlds for vpc in world.vpcs.values() for cidr in vpc.cidrs}
        segments = Segments((each,) for each in (*self._sides, *spaces, *(prefix.range for prefix in NOT_UNICAST)))
        hosts = [host for world in self._worlds for host in world.outside.values()]
        named = [Endpoint(address, "", host.name) for host in hosts for address in host.addresses]
        found: dict[Hashable, Endpoint] = {}
        for end in [*named, *map(Endpoint, (*_EXAMPLES, *segments.first_addresses()))]:
            if end.address.is_unicast and not any(end.address in space for space in spaces):
                found.setdefault((end.address.family, segments.mark(end.address)), end)
        for end in found.values():
            around = [each for each in self._sides if end.address in each and each != AddressRange.all(each.family)]
            nearest = min(around, key=lambda each: each.last - each.first, default=None)
            yield Party(f"{nearest} (outside)" if nearest else "outside", 1, (end,))


def every_rule_of(worlds: Worlds) -> Iterator[Rule | AclRule]:
    """Every rule of both worlds; what both share as one value comes once."""
    seen: set[int] = set()
    for world in worlds:
        for owner in (*world.groups.values(), *world.acls.values(), *world.vpcs.values(), *world.peerings.values()):
            if id(owner) not in seen:
                seen.add(id(owner))
                for name in ("rules", "border", "firewall"):
                    yield from getattr(owner, name, ())
    for profile in {vpc.profile for world in worlds for vpc in world.vpcs.values()}:
        yield from map(AclRule.parse, profile.acl_exempt)


def sides(rule: Rule | AclRule) -> tuple[Remote | None, ...]:
    """What a rule says of addresses at either side."""
    return (rule.source, rule.destination) if isinstance(rule, AclRule) else (rule.remote, rule.local)


def _ends(worlds: Worlds) -> Iterator[Endpoint]:
    """Every address of a port or virtual IP, by the name that it has last."""
    named: dict[tuple[str, Address], str] = {}
    for world in worlds:
        owners: list[Port | VirtualIp] = [*world.ports, *world.virtual_ips.values()]
        named |= {(owner.vpc, address): str(owner) for owner in owners for address in owner.addresses}
    yield from (Endpoint(address, vpc, name) for (vpc, address), name in sorted(named.items()))


def _apart(worlds: Worlds, ends: list[Endpoint]) -> tuple[Endpoint, ...]:
    """A few of them, each in another guest as far as there are."""
    guests: dict[Hashable, Endpoint] = {}
    for end in ends:
        port = worlds[1].port_at(end) or worlds[0].port_at(end)
        guests.setdefault(port.guest if port else None, end)
        if len(guests) == _KEPT:
            break
    return tuple(dict.fromkeys([*guests.values(), *ends[:2]]))


def _label(ends: list[Endpoint], ports: list[Port | None]) -> str:
    port = ports[1] or ports[0]
    if len(ends) == 1 or port is None:
        return ends[0].name
    return f"{'+'.join(port.groups)} ({len(ends)} ports)"
