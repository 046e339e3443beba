"""Where the addresses of the classes of a world lie: made once, for new prefixes to find those they go through."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Set
from functools import cached_property
from typing import NamedTuple

from ringfence.analysis.reach.ends import Ends
from ringfence.model.address import Address, AddressRange, Family
from ringfence.model.flow import Endpoint
from ringfence.model.topology import Port, VirtualIp
from ringfence.model.world import World


class Place(NamedTuple):
    """An address of a VPC, the index of its class (``end``), and who has it."""

    value: int
    vpc: str
    end: int
    port: Port


class Places:
    """The addresses of one family, in ascending order."""

    def __init__(self, world: World, ends: Ends, family: Family) -> None:
        self._world, self._ends, self._family = world, ends, family

    @cached_property
    def _inside(self) -> list[Place]:
        owners: tuple[Port | VirtualIp, ...] = (*self._world.ports, *self._world.virtual_ips.values())
        known = {(it.value, owner.vpc) for owner in owners for it in owner.addresses if it.family is self._family}
        return [place for value, vpc in sorted(known) if (place := self._place(value, vpc))]

    def _place(self, value: int, vpc: str) -> Place | None:
        end = Endpoint(Address(self._family, value), vpc)
        port, found = self._world.port_at(end), self._ends.at(end)
        return Place(value, vpc, found.index, port) if port and found else None

    def followed(self, world: World, ends: Ends, cut: int, moved: Set[tuple[str, Address]]) -> Places:
        """Those of a world in which the same addresses are somebody's: who has them where they moved, and the classes
        of those that were of one that is cut.
        """
        made = Places(world, ends, self._family)
        if cut or moved:
            gone = {(address.value, vpc) for vpc, address in moved if address.family is self._family}
            kept = (
                made._place(it.value, it.vpc) if cut >> it.end & 1 or (it.value, it.vpc) in gone else it
                for it in self._inside
            )
            made._inside = [it for it in kept if it]
        else:
            made._inside = self._inside
        return made

    @cached_property
    def _values(self) -> list[int]:
        return [place.value for place in self._inside]

    @cached_property
    def of_class(self) -> dict[int, list[Place]]:
        """Those of each class inside, by its index."""
        found: dict[int, list[Place]] = defaultdict(list)
        for place in self._inside:
            found[place.end].append(place)
        return found

    @cached_property
    def _classes(self) -> list[int]:
        return [place.end for place in self._inside]

    @cached_property
    def _outside(self) -> list[tuple[int, int, int]]:
        classes = self._ends.of_family[self._family]
        return sorted((run.first, run.last, each.index) for each in classes for run in each.ranges)

    @cached_property
    def _starts(self) -> list[int]:
        return [first for first, _, _ in self._outside]

    def within(self, run: AddressRange) -> Counter[int]:
        """How many of each class inside lie in a range, by its index."""
        return Counter(self._classes[bisect_left(self._values, run.first) : bisect_right(self._values, run.last)])

    def outside(self, run: AddressRange) -> Iterator[tuple[int, AddressRange]]:
        """The parts of a range that lie outside, each with the index of its class."""
        begin = max(bisect_right(self._starts, run.first) - 1, 0)
        for first, last, index in self._outside[begin : bisect_right(self._starts, run.last)]:
            if last >= run.first:
                yield index, AddressRange(run.family, max(first, run.first), min(last, run.last))
