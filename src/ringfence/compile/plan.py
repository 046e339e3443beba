"""The Plan: what a backend has to enforce, without a word of how, and the change from one plan to the next.

A plan depends on what the world says and on nothing else: not on the order in which it was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from ringfence.compile.boxes import Kind
from ringfence.compile.layers import Layer
from ringfence.model.address import Address, Family, Prefix
from ringfence.model.rule import Direction
from ringfence.model.service import NO_SERVICES, ServiceSet

OUTSIDE_CLASS = 0
"""The class of every address that is no member's: neither of the VPC nor of a peer."""
ELSEWHERE_CLASS = 1
"""A number that no class has: backends may use it for the links that lead out of the VPC."""

Gate = Mapping[Kind, tuple[Layer, ...]]
"""A decision list: for each kind of packet the layers to look up, the last of which covers everything."""


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """The policy of all ports that share the same groups."""

    id: int
    groups: tuple[str, ...]
    gates: Mapping[Direction, Gate]
    address_groups: tuple[str, ...] = ()
    """Those that its gates name."""


@dataclass(frozen=True, slots=True)
class PortPlan:
    """A port: its name (``instance.port``), the addresses it may send from, its class, and what else guards it."""

    name: str
    addresses: tuple[Address, ...]
    class_id: int
    virtual: tuple[Address, ...] = ()
    """Virtual IPs that it may have."""
    subnet: int = 0
    """The number of its subnet, if that has a network ACL; else 0."""
    penalty: str = ""
    """The id of the penalty that cuts it off."""
    ftp_helper: bool = False


@dataclass(frozen=True, slots=True)
class MemberPlan:
    """Addresses by which a rule means a port, here or in a peered VPC, and the class of that port."""

    name: str
    addresses: tuple[Address, ...]
    class_id: int


@dataclass(frozen=True, slots=True)
class SubnetPlan:
    """A subnet with a network ACL, which judges what leaves and enters the subnet. ``number`` is 1 or more."""

    number: int
    name: str
    prefixes: tuple[Prefix, ...]
    acl: str


@dataclass(frozen=True, slots=True)
class AclPlan:
    """A network ACL by direction."""

    name: str
    gates: Mapping[Direction, Gate]


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """A peered VPC, its address space, and the firewall that judges what goes there (None: everything may)."""

    vpc: str
    cidrs: tuple[Prefix, ...]
    gate: Gate | None = None


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """Services that the platform blocks, and the id by which the block is counted; without services it is none."""

    id: str = ""
    services: ServiceSet = NO_SERVICES


_NO_BLOCK = BlockPlan()


@dataclass(frozen=True, slots=True)
class VpcPlan:
    """Everything to enforce inside one VPC."""

    name: str
    cidrs: tuple[Prefix, ...] = ()
    classes: tuple[ClassPlan, ...] = ()
    ports: tuple[PortPlan, ...] = ()
    members: tuple[MemberPlan, ...] = ()
    acls: tuple[AclPlan, ...] = ()
    subnets: tuple[SubnetPlan, ...] = ()
    acls_are_stateful: bool = True
    peers: tuple[PeerPlan, ...] = ()
    border: Mapping[Direction, Gate] = field(default_factory=dict)
    """The firewall towards the internet; a direction that is not there passes."""
    blocked_egress: BlockPlan = _NO_BLOCK
    """What no port may send."""
    carrier_blocks: BlockPlan = _NO_BLOCK
    """What may not cross the internet border."""
    address_groups: Mapping[str, tuple[Prefix, ...]] = field(default_factory=dict)
    """The address groups that a gate names, cut into prefixes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all VPCs, by name."""

    vpcs: Mapping[str, VpcPlan]


class Entries(NamedTuple):
    """The prefixes that an address group lost and won."""

    removed: tuple[Prefix, ...]
    added: tuple[Prefix, ...]

    def then(self, later: Entries) -> Entries:
        """Both changes as one; what only came and went, or went and came, is in neither part."""
        gone, come, gone_later, come_later = map(frozenset, (*self, *later))
        return Entries(
            tuple(sorted((gone - come_later) | (gone_later - come))),
            tuple(sorted((come - gone_later) | (come_later - gone))),
        )


@dataclass(frozen=True, slots=True)
class VpcChange:
    """What a change of the world does to the plan of a VPC: each thing as it was and as it is; None is nothing.

    A class whose plan is the same stands here if an address group that it names has prefixes of other lengths now.
    """

    classes: Mapping[int, tuple[ClassPlan | None, ClassPlan | None]] = field(default_factory=dict)
    ports: Mapping[str, tuple[PortPlan | None, PortPlan | None]] = field(default_factory=dict)
    members: Mapping[str, tuple[MemberPlan | None, MemberPlan | None]] = field(default_factory=dict)
    address_groups: Mapping[str, Entries] = field(default_factory=dict)
    lengths: Mapping[tuple[str, Family], tuple[int, ...]] = field(default_factory=dict)
    """Of the prefixes of each address group that one of the classes names."""
    anew: frozenset[int] = frozenset()
    """The classes to write anew even where their plans are the same, because of other lengths."""

    def then(self, later: VpcChange) -> VpcChange:
        """The change and one that came after it as one: from what was before the first to what is after the second.

        A class that is again what it was stays in it: the lengths that it is written with may be others.
        """
        classes = _joined(self.classes, later.classes)
        groups = [self.address_groups, later.address_groups]
        nothing = Entries((), ())
        entries = {name: groups[0].get(name, nothing).then(groups[1].get(name, nothing)) for name in _keys(*groups)}
        return VpcChange(
            {number: pair for number, pair in classes.items() if pair != (None, None)},
            _differing(_joined(self.ports, later.ports)),
            _differing(_joined(self.members, later.members)),
            {name: each for name, each in entries.items() if each != nothing},
            {**self.lengths, **later.lengths},
            self.anew | later.anew,
        )

    def __bool__(self) -> bool:
        return bool(self.classes or self.ports or self.members or self.address_groups)


K = TypeVar("K")
T = TypeVar("T")
_Pairs = Mapping[K, tuple[T | None, T | None]]


def _joined(first: _Pairs[K, T], second: _Pairs[K, T]) -> dict[K, tuple[T | None, T | None]]:
    """From what each thing was before the first change to what it is after the second."""
    return {
        key: ((first.get(key) or second[key])[0], (second.get(key) or first[key])[1]) for key in _keys(first, second)
    }


def _keys(first: Mapping[K, object], second: Mapping[K, object]) -> list[K]:
    return [*first, *(key for key in second if key not in first)]


def _differing(pairs: _Pairs[K, T]) -> dict[K, tuple[T | None, T | None]]:
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def lengths_of(prefixes: Iterable[Prefix], family: Family) -> tuple[int, ...]:
    """The lengths of the prefixes of one family, longest first."""
    return tuple(sorted({prefix.length for prefix in prefixes if prefix.family is family}, reverse=True))
