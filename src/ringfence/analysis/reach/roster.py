"""Which classes of ends are meant by a VPC, a group, a guest or a set of addresses, as numbers.

The bit of a class is at its index, so a set of classes is one number however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Protocol

from ringfence.analysis.reach.ends import EndClass, Ends
from ringfence.analysis.sets.segments import Ranges
from ringfence.model.address import Family
from ringfence.model.rule import NicType
from ringfence.model.world import World

Guest = tuple[str, str]
"""Instance and namespace."""


class Roster(Protocol):
    """The classes of one family, as one world has them."""

    @property
    def family(self) -> Family:
        """The family of their addresses."""

    @property
    def classes(self) -> tuple[EndClass, ...]:
        """Each at its index."""

    @property
    def everybody(self) -> int:
        """All that the world has."""

    @property
    def outside(self) -> int:
        """Those outside of every VPC."""

    def in_vpc(self, vpc: str) -> int:
        """Those in a VPC."""

    def members(self, vpc: str, group: str) -> int:
        """Those in a VPC that a rule means by a group."""

    def in_guest(self, guest: Guest) -> int:
        """Those of which all are in one guest."""

    def meant(self, ranges: Ranges) -> int:
        """Those in a set of addresses that the world names."""


class Lists:
    """Some classes, listed by what they belong to."""

    def __init__(self, world: World, classes: Iterable[EndClass]) -> None:
        self.vpcs: dict[str, int] = {}
        """By VPC; the empty one is the outside."""
        self.members: dict[tuple[str, str], int] = {}
        """By VPC and a group that means them."""
        self.guests: dict[Guest, int] = {}
        self.ruled: dict[str, int] = {}
        """By a group whose rules judge them, whether it means them or not."""
        for each in classes:
            bit = 1 << each.index
            self.vpcs[each.example.vpc] = self.vpcs.get(each.example.vpc, 0) | bit
            if each.guest:
                self.guests[each.guest] = self.guests.get(each.guest, 0) | bit
            for name in each.port.groups if each.port else ():
                self.ruled[name] = self.ruled.get(name, 0) | bit
            for name in groups_meaning(world, each):
                key = each.example.vpc, name
                self.members[key] = self.members.get(key, 0) | bit


def groups_meaning(world: World, each: EndClass) -> tuple[str, ...]:
    """The groups that mean a class: its port's, if the address is the port's own and of the intranet."""
    means = each.port and each.own and world.nic_of(each.port) is NicType.INTRANET
    return each.port.groups if each.port and means else ()


class OneWorld:
    """The roster of the world that the classes were made for."""

    def __init__(self, world: World, ends: Ends, family: Family) -> None:
        self.world, self.ends, self.family = world, ends, family
        self.classes = ends.of_family[family]
        self.everybody = (1 << len(self.classes)) - 1
        self._meant: dict[Ranges, int] = {}

    @cached_property
    def lists(self) -> Lists:
        """Its classes by what they belong to."""
        return Lists(self.world, self.classes)

    @cached_property
    def _marked(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for each in self.classes:
            mark = self.ends.mark(each)
            found[mark] = found.get(mark, 0) | 1 << each.index
        return found

    @property
    def outside(self) -> int:
        """Those outside of every VPC."""
        return self.in_vpc("")

    def in_vpc(self, vpc: str) -> int:
        """Those in a VPC."""
        return self.lists.vpcs.get(vpc, 0)

    def members(self, vpc: str, group: str) -> int:
        """Those in a VPC that a rule means by a group."""
        return self.lists.members.get((vpc, group), 0)

    def in_guest(self, guest: Guest) -> int:
        """Those of which all are in one guest."""
        return self.lists.guests.get(guest, 0)

    def meant(self, ranges: Ranges) -> int:
        """Those in a set of addresses that the world names."""
        if ranges not in self._meant:
            found = 0
            for mark in set(self.ends.within(ranges, self.family)):
                found |= self._marked.get(mark, 0)
            self._meant[ranges] = found
        return self._meant[ranges]
