"""The ends that flows of a world can have, in classes that no rule tells apart: one address stands for all of them.

Two addresses are of one class if they have the same policy class, lie in the same of all the sets of addresses that
some rule names, and share whatever else is on their path: the subnet's ACL, a penalty, being a port's own or virtual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ringfence.analysis.parties import sides
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

LARGEST = "outside"
"""What the largest class outside is called: the internet, but for the parts that rules tell apart."""


class _Key(NamedTuple):
    """What decides about an address. Outside there is only the mark."""

    mark: int
    of: PolicyClass | None = None
    subnet: str = ""
    """If it has a network ACL."""
    cut_off: bool = False
    own: bool = False
    """Whether it is a port's own, so that the port's groups mean it; a virtual one is not."""


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
class _Bucket:
    """Addresses that came together: how many, and the first ones, each in another guest."""

    members: list[tuple[Port, Address]]
    size: int = 1

    @classmethod
    def of(cls, having: Iterable[tuple[Port, Address]], size: int) -> _Bucket:
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

    def join(self, other: _Bucket) -> None:
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
        self._segments = Segments(_named(world))
        self._whole = {(it.vpc, it.name): self._marks(it) for vpc in world.vpcs.values() for it in vpc.subnets.values()}
        self._inside: Mapping[Family, dict[_Key, _Bucket]] = {family: {} for family in Family}
        self._gather()
        self._by_key: dict[tuple[Family, _Key], EndClass] = {}
        self.of_family = {family: tuple(self._classes(family)) for family in Family}
        """Its classes, those of the outside last."""

    def at(self, end: Endpoint) -> EndClass | None:
        """The class of an address; None if no packet can come from or go to it."""
        port = self._world.port_at(end)
        if port:
            key = self._key(port, end.address)
        elif end.vpc:
            return None
        else:
            key = _Key(self._segments.mark(end.address))
        return self._by_key.get((end.address.family, key))

    def within(self, side: Remote, family: Family) -> Iterator[int]:
        """The marks of the addresses that a side of a rule means; any and groups are not for here."""
        for each in _ranges(self._world, side):
            if each.family is family:
                yield from (mark for mark, _ in self._segments.within(each))

    def mark(self, of: EndClass) -> int:
        """The mark that all its addresses have."""
        return self._segments.mark(of.example.address)

    def _marks(self, subnet: Subnet) -> dict[Family, int]:
        """The mark of a subnet's addresses of a family, where nothing tells them apart."""
        found = {prefix.family: list(self._segments.within(prefix.range)) for prefix in subnet.prefixes}
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
                    self._add(address.family, _Bucket([(holder, address)]))

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
            self._add(family, _Bucket.of(having, size))

    def _add_each(self, family: Family, ports: list[Port]) -> None:
        """Add ports of a subnet through which a named prefix goes."""
        marked: dict[int, list[tuple[Port, Address]]] = defaultdict(list)
        for port in ports:
            for address in port.addresses:
                if address.family is family:
                    marked[self._segments.mark(address)].append((port, address))
        for each in marked.values():
            self._add(family, _Bucket.of(each, len(each)))

    def _add(self, family: Family, bucket: _Bucket) -> None:
        known = self._inside[family].setdefault(self._key(*bucket.members[0]), bucket)
        if known is not bucket:
            known.join(bucket)

    def _key(self, port: Port, address: Address) -> _Key:
        subnet = self._world.subnet_of(port)
        cut_off = penalty_of(self._world, port) is not None
        of = class_of(self._world.vpcs[port.vpc], port)
        return _Key(self._segments.mark(address), of, subnet.acl and subnet.name, cut_off, address in port.addresses)

    def _classes(self, family: Family) -> Iterator[EndClass]:
        labels: set[str] = set()
        buckets = self._inside[family]
        for index, (key, bucket) in enumerate(buckets.items()):
            label, members = _label(bucket, labels, own=key.own), tuple(bucket.members)
            port, address = members[0]
            example = Endpoint(address, port.vpc, label if bucket.size == 1 else str(port))
            guest = port.guest if len(members) == 1 else None
            found = EndClass(index, label, bucket.size, example, port, key.own, guest, members=members)
            yield self._kept(key, found)
        outside = self._outside(family)
        largest = max(map(_size, outside.values()), default=0)
        for index, (mark, ranges) in enumerate(outside.items(), len(buckets)):
            label = LARGEST if _size(ranges) == largest else self._out_there(ranges)
            example = Endpoint(Address(family, ranges[0].first))
            found = EndClass(index, label, _size(ranges), example, None, False, None, tuple(ranges))
            yield self._kept(_Key(mark), found)

    def _kept(self, key: _Key, found: EndClass) -> EndClass:
        self._by_key[found.family, key] = found
        return found

    def _outside(self, family: Family) -> dict[int, list[AddressRange]]:
        """What is in no VPC and may be sent to, by marks."""
        spaces = [cidr for vpc in self._world.vpcs.values() for cidr in vpc.cidrs]
        closed = {mark for cidr in (*spaces, *NOT_UNICAST) for mark in self.within(cidr, family)}
        found: dict[int, list[AddressRange]] = {}
        for mark, each in self._segments.within(AddressRange(family, *addresses(family))):
            if mark not in closed:
                found.setdefault(mark, []).append(each)
        return found

    def _out_there(self, ranges: list[AddressRange]) -> str:
        hosts = self._world.outside.values()
        names = [it.name for it in hosts if any(address in each for address in it.addresses for each in ranges)]
        more = [f"{len(ranges) - _SHOWN} more"] * (len(ranges) > _SHOWN)
        shown = [*map(str, ranges[:_SHOWN]), *more]
        return f"{', '.join(shown)} ({', '.join(names) or 'outside'})"


_SHOWN = 3
"""How many ranges of the outside one label names."""


def _size(ranges: list[AddressRange]) -> int:
    return sum(each.last - each.first + 1 for each in ranges)


def _label(bucket: _Bucket, taken: set[str], *, own: bool) -> str:
    port, address = bucket.members[0]
    if bucket.size == 1:
        alone = own and sum(it.family is address.family for it in port.addresses) == 1
        label = str(port) if alone else f"{port} ({address})"
    else:
        label = f"{'+'.join(port.groups)} ({bucket.size} addresses)"
    if label in taken:
        label = f"{label[:-1]}, as {port} {address})"
    taken.add(label)
    return label


def _named(world: World) -> Iterator[Ranges]:
    """Every set of addresses that some stage of a path may tell from others."""
    for rule in _rules(world):
        for side in sides(rule) if rule.enabled else ():
            if isinstance(side, Prefix | AddressGroupRemote):
                yield _ranges(world, side)
    for vpc in world.vpcs.values():
        yield from ((cidr.range,) for cidr in vpc.cidrs)
        yield from ((prefix.range,) for subnet in vpc.subnets.values() if subnet.acl for prefix in subnet.prefixes)
    yield from ((prefix.range,) for prefix in NOT_UNICAST)


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


def _ranges(world: World, side: Remote) -> Ranges:
    if isinstance(side, Prefix):
        return (side.range,)
    found = world.address_groups.get(side.name) if isinstance(side, AddressGroupRemote) else None
    return found.entries if found else ()
