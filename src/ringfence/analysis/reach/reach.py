"""Who can reach whom in a world, exactly: for each two classes of ends the services whose path is open both ways.

The answers are sets, not samples: a flow is in the services between its classes if and only if `evaluate` allows it.
Three kinds of flow are left out: those that stay in one guest, which nothing judges; those between two ends outside;
and those to or from addresses of a VPC that nobody has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ringfence.analysis.reach.ends import EndClass, Ends, EndSet
from ringfence.analysis.reach.names import INTERNET
from ringfence.analysis.reach.plane import Plane
from ringfence.analysis.reach.roster import OneWorld
from ringfence.analysis.sets.diagram import Diagram
from ringfence.analysis.sets.notation import Services
from ringfence.errors import NotationError
from ringfence.model.address import Address, Family
from ringfence.model.flow import Endpoint, Flow
from ringfence.model.service import Service
from ringfence.model.topology import OutsideHost
from ringfence.model.world import World
from ringfence.policy.evaluate import Policy


@dataclass(frozen=True, slots=True)
class Way:
    """Services that each of some classes may use of each of some others, and no more than these."""

    sources: EndSet
    destinations: EndSet
    services: Services

    def __str__(self) -> str:
        over = " over ipv6" if self.services.family is Family.IPV6 else ""
        return f"{self.sources} -> {self.destinations}: {self.services}{over}"


class Reach:
    """The reachability of a world. Making one costs little; each answer what it needs, and what others left over."""

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def _ends(self) -> Ends:
        return Ends(self.world)

    @cached_property
    def _planes(self) -> dict[Family, Plane]:
        policy = Policy(self.world)
        return {family: Plane(policy, OneWorld(self.world, self._ends, family)) for family in Family}

    @property
    def classes(self) -> tuple[EndClass, ...]:
        """Every class of ends, of both families."""
        return tuple(each for family in Family for each in self._ends.of_family[family])

    def at(self, end: Endpoint) -> EndClass | None:
        """The class that an address is of; None if no packet can come from or go to it."""
        return self._ends.at(end)

    def members(self, group: str) -> tuple[EndClass, ...]:
        """The classes of the ports in a security group."""
        return tuple(each for each in self.classes if each.port and group in each.port.groups)

    def allows(self, flow: Flow) -> bool:
        """Whether a flow passes. What `evaluate` says, for every flow that the answers are about."""
        source, destination = self.at(flow.source), self.at(flow.destination)
        if not source or not destination:
            return False
        return self.between(source, destination).covers(flow.service, flow.source_port)

    def named(self, name: str) -> tuple[EndClass, ...]:
        """The classes that people mean by a name: an instance's, a host's, an address's or a group's; ``internet``.

        Raises `UnknownName`.
        """
        if name == INTERNET:
            return tuple(each for each in self.classes if each.is_outside)
        if name in self.world.groups and name not in self.world.instances and name not in self.world.outside:
            return self.members(name)
        found = dict.fromkeys(map(self.at, self._ends_of(name)))
        return tuple(each for each in found if each)

    def _ends_of(self, name: str) -> Iterator[Endpoint]:
        instance = self.world.instances.get(name)
        if instance:
            yield from (Endpoint(address, port.vpc) for port in instance.ports for address in port.addresses)
            return
        try:
            address = Address.parse(name)
        except NotationError:
            target = self.world.resolve(name)
            vpc = "" if isinstance(target, OutsideHost) else target.vpc
            yield from (Endpoint(address, vpc) for address in target.addresses)
        else:
            yield self.world.endpoint(name, address.family)

    def ways(
        self,
        sources: Iterable[EndClass] | None = None,
        destinations: Iterable[EndClass] | None = None,
        service: Service | None = None,
    ) -> tuple[Way, ...]:
        """What passes from some classes to some others (None: all of them); only by one service, if it is given."""
        if destinations is None:
            return self.matrix(service) if sources is None else self.of(sources, service)
        if sources is None:
            return self.to(destinations, service)
        return tuple(_ways(self._pairs([*sources], [*destinations]), service))

    def between(self, source: EndClass, destination: EndClass) -> Services:
        """The services that a class may use of another of its family."""
        plane = self._planes[source.family]
        return Services(source.family, plane.between(source, destination))

    def to(self, destinations: Iterable[EndClass], service: Service | None = None) -> tuple[Way, ...]:
        """Who can reach some classes, and by what; only by one service, if it is given."""
        return tuple(_ways(self._columns(destinations), service))

    def of(self, sources: Iterable[EndClass], service: Service | None = None) -> tuple[Way, ...]:
        """What some classes can reach."""
        some = [*sources]
        parts = self._rows(some) if len(some) <= _FEW else self._pairs(some, [*self.classes])
        return tuple(_ways(parts, service))

    def open_to_internet(self, service: Service | None = None) -> tuple[Way, ...]:
        """What can be reached from outside, and from where there."""
        return tuple(_ways(self._from_outside(), service))

    def matrix(self, service: Service | None = None) -> tuple[Way, ...]:
        """Everything: each two classes between which something may pass are in one way."""
        return tuple(_ways(self._columns(self.classes), service))

    def _pairs(self, sources: list[EndClass], destinations: list[EndClass]) -> Iterator[_Part]:
        for plane in self._planes.values():
            wanted = plane.set_of(sources)
            for each in destinations if wanted else ():
                if each.family is plane.family:
                    found = plane.to(each).items()
                    yield from ((plane, 1 << each.index, hit & wanted, it) for it, hit in found if hit & wanted)

    def _columns(self, destinations: Iterable[EndClass]) -> Iterator[_Part]:
        for each in destinations:
            plane = self._planes[each.family]
            yield from ((plane, 1 << each.index, sources, services) for services, sources in plane.to(each).items())

    def _rows(self, sources: Iterable[EndClass]) -> Iterator[_Part]:
        for each in sources:
            plane = self._planes[each.family]
            yield from ((plane, to, 1 << each.index, services) for services, to in plane.from_(each).items())

    def _from_outside(self) -> Iterator[_Part]:
        for each in self.classes:
            plane = self._planes[each.family]
            found = {} if each.is_outside else plane.from_outside(each)
            yield from ((plane, 1 << each.index, sources, services) for services, sources in found.items())


_FEW = 8
"""Up to so many classes are asked where they reach; of more it is quicker to ask everybody who reaches them."""
_Part = tuple[Plane, int, int, Diagram]
"""Destinations, sources and what passes from these to those, in one family."""


def _ways(parts: Iterable[_Part], service: Service | None) -> Iterator[Way]:
    """Parts put together: what the same sources may use of several destinations is one way."""
    found: dict[tuple[Plane, int, Diagram], int] = {}
    for plane, destinations, sources, services in parts:
        key = plane, sources, services
        found[key] = found.get(key, 0) | destinations
    for (plane, sources, diagram), destinations in found.items():
        services_ = Services(plane.family, diagram)
        if service is None or service in services_:
            yield Way(plane.chosen(sources), plane.chosen(destinations), services_)
