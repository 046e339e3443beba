"""Which flows a change of worlds turns, exactly: interim, by all pairs of classes of both worlds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from ringfence.analysis.reach.ends import EndClass
from ringfence.analysis.reach.reach import Reach
from ringfence.analysis.sets.diagram import Diagram
from ringfence.analysis.sets.notation import Services
from ringfence.analysis.sets.packets import PORTS, PROTOCOL, PROTOCOLS, SOURCE_PORT
from ringfence.model.address import Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.topology import Port, VirtualIp
from ringfence.model.world import World


@dataclass(frozen=True, slots=True)
class Turned:
    """Services that pass between two kinds of ends in one of two worlds only, with an example of such a flow.

    ``pairs`` is how many pairs of addresses there are.
    """

    source: str
    destination: str
    services: Services
    pairs: int
    example: Flow

    @property
    def volume(self) -> int:
        """How much it is: pairs of addresses, times services from any source port."""
        return self.pairs * _volume(self.services.diagram)

    def __str__(self) -> str:
        over = " over ipv6" if self.services.family is Family.IPV6 else ""
        return f"{self.source} -> {self.destination}: {self.services}{over}"


def turned(before: World, after: World) -> tuple[tuple[Turned, ...], tuple[Turned, ...]]:
    """What passes now and did not before, and the other way round."""
    reaches = Reach(before), Reach(after)
    ends = list(_ends(reaches))
    opened: list[Turned] = []
    closed: list[Turned] = []
    for (one, n, label), (two, m, to) in product(ends, repeat=2):
        if one[0] and two[0] and one[0].family is two[0].family:
            was, now = (_between(reach, one[at], two[at]) for at, reach in enumerate(reaches))
            family = one[0].family
            for found, kept in ((now - was, opened), (was - now, closed)):
                services = Services(family, found)
                if sample := services.sample:
                    kept.append(Turned(label, to, services, n * m, Flow(one[0].example, two[0].example, *sample)))
    return tuple(opened), tuple(closed)


Pair = tuple[EndClass, EndClass]


def _between(reach: Reach, one: EndClass, two: EndClass) -> Diagram:
    return reach.between(one, two).diagram


def _ends(reaches: tuple[Reach, Reach]) -> Iterator[tuple[Pair, int, str]]:
    world = reaches[1].world
    owners: list[Port | VirtualIp] = [*world.ports, *world.virtual_ips.values()]
    found: dict[Pair, list[str]] = {}
    for owner in owners:
        for address in owner.addresses:
            old, new = (reach.at(Endpoint(address, owner.vpc)) for reach in reaches)
            if old and new:
                found.setdefault((old, new), []).append(str(owner))
    for pair, names in found.items():
        yield pair, len(names), pair[1].label if len(names) == pair[1].size else ", ".join(sorted(set(names)))
    for family in Family:
        old_, new_ = ([it for it in reach.classes if it.is_outside and it.family is family] for reach in reaches)
        for old, new in product(old_, new_):
            size = sum(
                max(0, min(a.last, b.last) - max(a.first, b.first) + 1) for a, b in product(old.ranges, new.ranges)
            )
            if size:
                yield (old, new), size, new.label


def _volume(diagram: Diagram, dimension: int = PROTOCOL) -> int:
    if dimension > SOURCE_PORT:
        return 1
    bounds = (PROTOCOLS, PORTS, PORTS)[dimension]
    spans = diagram.spans(bounds) if diagram.dimension == dimension else [(bounds, diagram)] if diagram else []
    return sum((last - first + 1) * _volume(inner, dimension + 1) for (first, last), inner in spans)
