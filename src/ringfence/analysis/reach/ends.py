"""The ends that flows of a world can have, in classes that no rule tells apart: one address stands for all of them.

Two addresses are of one class if they have the same policy class, lie in the same of all the sets of addresses that
some rule names, and share whatever else is on their path: the subnet's ACL, a penalty, being a port's own or virtual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ringfence.analysis.reach.names import LARGEST
from ringfence.analysis.sets.packets import addresses
from ringfence.analysis.sets.segments import Ranges, Segments
from ringfence.analysis.sets.sieve import bits
from ringfence.model.acl import AclRule
from ringfence.model.address import NOT_UNICAST, Address, AddressRange, Family, Prefix
from ringfence.model.flow import Endpoint
from ringfence.model.rule import AddressGroupRemote, Remote, Rule
from ringfence.model.topology import Port, Subnet
from ringfence.model.world import World
from ringfence.policy.decisions import PolicyClass, class_of
from ringfence.policy.platform import penalty_of


class Lot(NamedTuple):
    """What decides about an address inside, apart from the sets that it lies in."""

    of: PolicyClass
    subnet: str
    """If it has a network ACL."""
    cut_off: bool
    own: bool
    """Whether it is a port's own, so that the port's groups mean it; a virtual one is not."""


_Key = tuple[int, Lot | None]
"""A mark, and nothing else outside."""


@dataclass(frozen=True, slots=True, eq=False)
class EndClass:
    """Addresses that fare alike. ``example`` is one of them, ``size`` how many there are.

    ``port`` has the example; None outside, where ``ranges`` are all that is in it. ``guest`` is the guest that all of
    them are in, if it is one: between its ports nothing leaves the guest. ``index`` counts the classes of a family.
    ``members`` are the first few of them inside, no two in one guest: the example, and a second one where there is one.
    """

    index: int
    label: str
    size: int
    example: Endpoint
    port: Port | None
    own: bool
    guest: tuple[str, str] | None
    ranges: Ranges = ()
    members: tuple[tuple[Port, Address], ...] = ()

    @property
    def family(self) -> Family:
        """The family of its addresses."""
        return self.example.address.family

    @property
    def other(self) -> Endpoint | None:
        """An address of it in another guest than the example; None if there is none."""
        return next((Endpoint(address, port.vpc, str(port)) for port, address in self.members[1:]), None)

    @property
    def is_outside(self) -> bool:
        """Whether it lies outside of every VPC."""
        return self.port is None

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class EndSet:
    """Some of the classes of a family: those at whose places ``which`` has a bit. Costs what a number does."""

    every: tuple[EndClass, ...]
    which: int

    def __iter__(self) -> Iterator[EndClass]:
        return (self.every[place] for place in bits(self.which))

    def __len__(self) -> int:
        return self.which.bit_count()

    def __contains__(self, end: EndClass) -> bool:
        return bool(self.which >> end.index & 1) and self.every[end.index] is end

    def __str__(self) -> str:
        return ", ".join(map(str, self))


@dataclass(slots=True)
class Bucket:
    """Addresses that came together: how many, and the first ones, each in another guest."""

    members: list[tuple[Port, Address]]
    size: int = 1

    @classmethod
    def of(cls, having: Iterable[tuple[Port, Address]], size: int) -> Bucket:
        """The bucket of some; looks no further than it must."""
        made = cls([], size)
        for each in having:
            if made.meets(each):
                break
        return made

    def meets(self, one: tuple[Port, Address]) -> bool:
        """Keep one of them if it is in another guest; whether enough are kept."""
        if all(port.guest != one[0].guest for port, _ in self.members):
            self.members.append(one)
        return len(self.members) == _KEPT

    def join(self, other: Bucket) -> None:
        """Take in another one."""
        self.size += other.size
        for each in other.members[: _KEPT * (len(self.members) < _KEPT)]:
            if self.meets(each):
                break


_KEPT = 3
"""How many members of a class are known by name."""


class Ends:
    """The classes of a world, by family. Costs one look at each port; all else is by classes and by what rules name."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.named = frozenset(named(world, _rules(world)))
        """Every set of addresses that some stage of a path may tell from others."""
        self.segments = Segments(self.named)
        self._whole = {(it.vpc, it.name): self._marks(it) for vpc in world.vpcs.values() for it in vpc.subnets.values()}
        self._inside: Mapping[Family, dict[_Key, Bucket]] = {family: {} for family in Family}
        self._gather()
        self._by_key: dict[tuple[Family, _Key], EndClass] = {}
        self.of_family = {family: tuple(self._classes(family)) for family in Family}
        """Its classes, those of the outside last."""

    def at(self, end: Endpoint) -> EndClass | None:
        """The class of an address; None if no packet can come from or go to it."""
        port = self._world.port_at(end)
        if port:
            key: _Key = self.segments.mark(end.address), lot_of(self._world, port, end.address)
        elif end.vpc:
            return None
        else:
            key = self.segments.mark(end.address), None
        return self._by_key.get((end.address.family, key))

    def within(self, ranges: Ranges, family: Family) -> Iterator[int]:
        """The marks of the addresses of a set that is named."""
        for each in ranges:
            if each.family is family:
                yield from self.segments.marks(each)

    def mark(self, of: EndClass) -> int:
        """The mark that all its addresses have."""
        return self.segments.mark(of.example.address)

    def _marks(self, subnet: Subnet) -> dict[Family, int]:
        """The mark of a subnet's addresses of a family, where nothing tells them apart."""
        found = {prefix.family: list(self.segments.within(prefix.range)) for prefix in subnet.prefixes}
        return {family: runs[0][0] for family, runs in found.items() if len(runs) == 1}

    def _gather(self) -> None:
        for ports in self._alike():
            marks = self._whole[ports[0].vpc, ports[0].subnet]
            for family in Family:
                if family in marks:
                    self._add_all(family, ports)
                else:
                    self._add_each(family, ports)
        for vip in self._world.virtual_ips.values():
            for address in vip.addresses:
                holder = self._world.port_at(Endpoint(address, vip.vpc))
                if holder and address not in holder.addresses:
                    self._add(address.family, Bucket([(holder, address)]))

    def _alike(self) -> Iterable[list[Port]]:
        """The ports by what takes no time to look up: the one place where it counts how many there are."""
        found: dict[object, list[Port]] = defaultdict(list)
        penalties = self._world.penalties
        for instance in self._world.instances.values():
            for port in instance.ports:
                cut_off = penalties and penalty_of(self._world, port) is not None
                found[port.vpc, port.subnet, port.groups, bool(cut_off)].append(port)
        return found.values()

    def _add_all(self, family: Family, ports: list[Port]) -> None:
        """Add ports of a subnet in which nothing tells addresses of a family apart."""
        size = [address.family for port in ports for address in port.addresses].count(family)
        having = ((port, address) for port in ports if (address := port.address(family)))
        if size:
            self._add(family, Bucket.of(having, size))

    def _add_each(self, family: Family, ports: list[Port]) -> None:
        """Add ports of a subnet through which a named prefix goes."""
        marked: dict[int, list[tuple[Port, Address]]] = defaultdict(list)
        for port in ports:
            for address in port.addresses:
                if address.family is family:
                    marked[self.segments.mark(address)].append((port, address))
        for each in marked.values():
            self._add(family, Bucket.of(each, len(each)))

    def _add(self, family: Family, bucket: Bucket) -> None:
        port, address = bucket.members[0]
        key = self.segments.mark(address), lot_of(self._world, port, address)
        known = self._inside[family].setdefault(key, bucket)
        if known is not bucket:
            known.join(bucket)

    def _classes(self, family: Family) -> Iterator[EndClass]:
        labels: set[str] = set()
        buckets = self._inside[family]
        for index, (key, bucket) in enumerate(buckets.items()):
            yield self._kept(key, inside_class(index, bucket, labels))
        outside = self._outside(family)
        largest = max(map(_size, outside.values()), default=0)
        for index, (mark, ranges) in enumerate(outside.items(), len(buckets)):
            label = LARGEST if _size(ranges) == largest else out_there(self._world, ranges)
            yield self._kept((mark, None), outside_class(self._world, index, label, ranges))

    def _kept(self, key: _Key, found: EndClass) -> EndClass:
        self._by_key[found.family, key] = found
        return found

    def _outside(self, family: Family) -> dict[int, list[AddressRange]]:
        """What is in no VPC and may be sent to, by marks."""
        closed = {mark for each in closed_to(self._world) for mark in self.within((each,), family)}
        found: dict[int, list[AddressRange]] = {}
        for mark, each in self.segments.within(AddressRange(family, *addresses(family))):
            if mark not in closed:
                found.setdefault(mark, []).append(each)
        return found


def closed_to(world: World) -> Iterator[AddressRange]:
    """What is not outside: the spaces of VPCs, and what no machine has."""
    yield from (cidr.range for vpc in world.vpcs.values() for cidr in vpc.cidrs)
    yield from (prefix.range for prefix in NOT_UNICAST)


def outside_class(world: World, index: int, label: str, ranges: Sequence[AddressRange]) -> EndClass:
    """A class of addresses outside; a host that has a name stands for it, if there is one."""
    hosts = (Endpoint(it, "", host.name) for host in world.outside.values() for it in host.addresses)
    named = (end for end in hosts if any(end.address in each for each in ranges))
    example = next(named, Endpoint(Address(ranges[0].family, ranges[0].first)))
    return EndClass(index, label, _size(ranges), example, None, False, None, tuple(ranges))


def out_there(world: World, ranges: Sequence[AddressRange]) -> str:
    """What some of the outside is called: its ranges, and the hosts in it that have names."""
    hosts = world.outside.values()
    names = [it.name for it in hosts if any(address in each for address in it.addresses for each in ranges)]
    more = [f"{len(ranges) - _SHOWN} more"] * (len(ranges) > _SHOWN)
    shown = [*map(str, ranges[:_SHOWN]), *more]
    return f"{', '.join(shown)} ({', '.join(names) or 'outside'})"


_SHOWN = 3
"""How many ranges of the outside one label names."""


def _size(ranges: Iterable[AddressRange]) -> int:
    return sum(each.last - each.first + 1 for each in ranges)


def lot_of(world: World, port: Port, address: Address) -> Lot:
    """What decides about an address that a port has."""
    subnet = world.subnet_of(port)
    of = class_of(world.vpcs[port.vpc], port)
    return Lot(of, subnet.acl and subnet.name, penalty_of(world, port) is not None, address in port.addresses)


def inside_class(index: int, bucket: Bucket, taken: set[str]) -> EndClass:
    """A class of addresses inside; it is called like none of the ``taken`` names."""
    (port, address), *others = bucket.members
    label = _label(port, address, bucket.size, taken)
    example = Endpoint(address, port.vpc, label if bucket.size == 1 else str(port))
    guest = None if others else port.guest
    own = address in port.addresses
    return EndClass(index, label, bucket.size, example, port, own, guest, members=tuple(bucket.members))


def _label(port: Port, address: Address, size: int, taken: set[str]) -> str:
    """What a class inside is called: its port, or its groups; never as another of the ``taken`` names."""
    if size == 1:
        own = address in port.addresses
        alone = own and sum(it.family is address.family for it in port.addresses) == 1
        label = str(port) if alone else f"{port} ({address})"
    else:
        label = f"{'+'.join(port.groups)} ({size} addresses)"
    if label in taken:
        label = f"{label[:-1]}, as {port} {address})"
    taken.add(label)
    return label


def named(world: World, rules: Iterable[Rule | AclRule]) -> Iterator[Ranges]:
    """Every set of addresses that some rules of a world name, and those that its networks are."""
    for rule in rules:
        for side in _sides(rule) if rule.enabled else ():
            if isinstance(side, Prefix | AddressGroupRemote):
                yield ranges_of(world, side)
    for vpc in world.vpcs.values():
        yield from ((cidr.range,) for cidr in vpc.cidrs)
        yield from ((prefix.range,) for subnet in vpc.subnets.values() if subnet.acl for prefix in subnet.prefixes)
    yield from ((prefix.range,) for prefix in NOT_UNICAST)


def _sides(rule: Rule | AclRule) -> tuple[Remote | None, ...]:
    return (rule.source, rule.destination) if isinstance(rule, AclRule) else (rule.remote, rule.local)


def _rules(world: World) -> Iterator[Rule | AclRule]:
    for group in world.groups.values():
        yield from group.rules
    for acl in world.acls.values():
        yield from acl.rules
    for vpc in world.vpcs.values():
        yield from vpc.border
        if any(subnet.acl for subnet in vpc.subnets.values()):
            yield from map(AclRule.parse, vpc.profile.acl_exempt)
    for peering in world.peerings.values():
        yield from peering.firewall


def ranges_of(world: World, side: Remote) -> Ranges:
    """The addresses that a prefix or an address group means."""
    if isinstance(side, Prefix):
        return (side.range,)
    found = world.address_groups.get(side.name) if isinstance(side, AddressGroupRemote) else None
    return found.entries if found else ()
