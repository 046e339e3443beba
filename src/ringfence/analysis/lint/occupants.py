"""Who has the addresses of a prefix, and which groups mean just them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property, lru_cache

from ringfence.model.address import Family, Prefix
from ringfence.model.topology import Port
from ringfence.model.world import World


class Occupants:
    """Who has the addresses of a prefix."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.covered = lru_cache(maxsize=None)(self._covered)

    @cached_property
    def _sorted(self) -> dict[tuple[str, Family], tuple[list[int], list[Port | None]]]:
        """By VPC and family the addresses that somebody has, and the port that has each; None for a virtual one."""
        found: dict[tuple[str, Family], dict[int, Port | None]] = {}
        world = self._world
        for port in (*world.ports, *(it.port for it in world.detached.values())):
            for address in port.addresses:
                found.setdefault((port.vpc, address.family), {})[address.value] = port
        for vip in world.virtual_ips.values():
            for address in vip.addresses:
                found.setdefault((vip.vpc, address.family), {})[address.value] = None
        return {key: ([*sorted(own)], [own[value] for value in sorted(own)]) for key, own in found.items()}

    @cached_property
    def _counts(self) -> dict[tuple[str, str, Family], int]:
        """How many addresses of a family the members of a group have in a VPC."""
        found: dict[tuple[str, str, Family], int] = {}
        for (vpc, family), (_, ports) in self._sorted.items():
            for port in ports:
                for name in port.groups if port else ():
                    found[name, vpc, family] = found.get((name, vpc, family), 0) + 1
        return found

    def _covered(self, prefix: Prefix, vpcs: frozenset[str]) -> tuple[int, frozenset[str]]:
        """How many addresses of the VPCs lie in a prefix, and the groups that all of them are in."""
        number, groups = 0, None
        for vpc in vpcs:
            values, ports = self._sorted.get((vpc, prefix.family), ([], []))
            begin, end = bisect_left(values, prefix.range.first), bisect_right(values, prefix.range.last)
            number += end - begin
            for port in ports[begin:end]:
                own = frozenset(port.groups) if port else frozenset[str]()
                groups = own if groups is None else groups & own
                if not groups:
                    return number, frozenset()
        return number, groups or frozenset()

    def size(self, group: str, vpcs: frozenset[str], family: Family) -> int:
        """How many addresses a group means in the VPCs."""
        return sum(self._counts.get((group, vpc, family), 0) for vpc in vpcs)

    def leaves_empty(self, prefix: Prefix, vpc: str) -> bool:
        """Whether nobody has an address of a prefix in a VPC, though others have some there."""
        known = any((vpc, family) in self._sorted for family in Family)
        return known and not self.covered(prefix, frozenset([vpc]))[0]
