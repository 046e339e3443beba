"""Exact sets of packets in the notation of rules, as short as people would write them.

::

    tcp 80,443 from 10.0.0.0/8; udp 53 from any; all but tcp 25 from any

Each line stands alone and lines may overlap: together they are the set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ringfence.analysis.sets.diagram import EVERYTHING, NOTHING, Diagram, Interval, span, union
from ringfence.analysis.sets.packets import (
    DESTINATION,
    PORT,
    PORTS,
    PROTOCOL,
    PROTOCOLS,
    SOURCE,
    SOURCE_PORT,
    Packets,
    addresses,
    every_service,
    service_box,
)
from ringfence.model.address import AddressRange, Family
from ringfence.model.service import ICMP, ICMPV6, TCP, UDP, Protocol, Service

_MANY = 48
"""Beyond so many different sides, lines are not made to overlap."""
_FIRST = {number: rank for rank, number in enumerate((TCP, UDP, ICMP, ICMPV6))}

Intervals = tuple[Interval, ...] | None
"""Ranges of addresses; None is any."""


@dataclass(frozen=True, slots=True)
class Services:
    """An exact set of services of one family. Prints in the notation of rules; false if there is none in it."""

    family: Family
    diagram: Diagram

    def __contains__(self, service: Service) -> bool:
        """Whether a service is in it, from whatever source port programs send."""
        return self.covers(service, None)

    def covers(self, service: Service, source_port: int | None) -> bool:
        """Whether a service from a source port is in it; None is every port of `EPHEMERAL`."""
        return self.diagram.covers(service_box(service, source_port))

    @property
    def others(self) -> Services:
        """All the services of the family that are not in it."""
        return Services(self.family, every_service(self.family) - self.diagram)

    @property
    def sample(self) -> tuple[Service, int | None] | None:
        """A service of it, with the source port that it comes from; None if it is empty."""
        found = Packets(**{str(self.family): self.diagram}).sample
        return (found.service, found.source_port) if found else None

    @property
    def usual(self) -> tuple[Service, int | None]:
        """A service of it as `sample`, without a source port where it matters from none that programs send from.

        Not for an empty set.
        """
        found = self.sample
        assert found, "an empty set has no services"
        service, _ = found
        return (service, None) if self.covers(service, None) else found

    def __bool__(self) -> bool:
        return bool(self.diagram)

    @property
    def lines(self) -> tuple[str, ...]:
        """Its lines; none if it is empty."""
        return told_services(self.diagram, self.family)

    def __str__(self) -> str:
        return "; ".join(self.lines) or "nothing"


class _Line(NamedTuple):
    service: str
    source_ports: str
    source: Intervals
    destination: Intervals


def told(packets: Packets) -> tuple[str, ...]:
    """The lines of a set; none if it is empty. What both families have alike is said once."""
    by_family = {family: list(_lines(packets.of_family(family), family)) for family in Family}
    shared = [it for it in by_family[Family.IPV4] if it in by_family[Family.IPV6] and not (it.source or it.destination)]
    apart = ((family, line) for family, lines in by_family.items() for line in lines if line not in shared)
    return (*(_text(line, None) for line in shared), *(_text(line, family) for family, line in apart))


def told_services(services: Diagram, family: Family) -> tuple[str, ...]:
    """The lines of some services: ``tcp 80,443``, ``udp 53 from port 1-1023``, ``all but tcp 25``."""
    return tuple(f"{name} from port {ports}" if ports else name for name, ports in _services(services, family))


def _lines(diagram: Diagram, family: Family) -> Iterator[_Line]:
    everywhere = addresses(family)
    for sides, services in _by_sides(diagram):
        for source, rest in _ways(sides, SOURCE, everywhere):
            for destination, _ in _ways(rest, DESTINATION, everywhere):
                yield from (_Line(name, ports, source, destination) for name, ports in _services(services, family))


def _by_sides(diagram: Diagram) -> Iterator[tuple[Diagram, Diagram]]:
    """The services by the sides between which they may go, each as wide as possible.

    Where ``tcp 80`` may come from everywhere and ``all`` from one prefix, that is said so, and not with what is left of
    everywhere beside the prefix.
    """
    found: dict[Diagram, Diagram] = {}
    for services, sides in _split(diagram):
        found[sides] = found.get(sides, NOTHING) | services
    for sides, services in found.items():
        less = [other for other in found if other != sides and other <= sides] if len(found) <= _MANY else []
        if not less or union(less) != sides:
            wider = (it for other, it in found.items() if sides <= other) if len(found) <= _MANY else ()
            yield sides, union((services, *wider))


def _split(diagram: Diagram) -> Iterator[tuple[Diagram, Diagram]]:
    """Services, and the sides that go with them: the levels of a diagram that are about the one and the other."""
    if diagram.dimension > SOURCE_PORT:
        if diagram:
            yield EVERYTHING, diagram
        return
    bounds = PROTOCOLS if diagram.dimension == PROTOCOL else PORTS
    for interval, inner in diagram.spans(bounds):
        for services, sides in _split(inner):
            yield span(diagram.dimension, [interval], bounds, services), sides


def _services(diagram: Diagram, family: Family) -> list[tuple[str, str]]:
    """Protocols with their ports, and source ports where they matter; or what is missing, if that is less to say."""
    found = list(_said(diagram, family))
    missing = list(_said(every_service(family) - diagram, family))
    if not missing or any(ports for _, ports in missing) or len(missing) >= len(found):
        return found
    return [("all but " + ", ".join(name for name, _ in missing), "")]


def _said(diagram: Diagram, family: Family) -> Iterator[tuple[str, str]]:
    if diagram == every_service(family):
        yield "all", ""
        return
    for (first, last), inner in sorted(diagram.spans(PROTOCOLS), key=lambda it: _FIRST.get(it[0][0], 4 + it[0][0])):
        name = str(Protocol(first)) if first == last else f"{first}-{last}"
        for ports, rest in _ways(inner, PORT, PORTS):
            for sources, _ in _ways(rest, SOURCE_PORT, PORTS):
                yield f"{name} {_ports(ports)}".rstrip(), _ports(sources)


def _ports(found: Intervals) -> str:
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found or ())


def _ways(diagram: Diagram, dimension: int, bounds: Interval) -> list[tuple[Intervals, Diagram]]:
    """The values of a dimension by how it goes on from there; None if it goes on alike from everywhere."""
    if diagram.dimension != dimension:
        return [(None, diagram)]
    found: dict[Diagram, list[Interval]] = {}
    for interval, inner in diagram.spans(bounds):
        found.setdefault(inner, []).append(interval)
    return [(tuple(intervals), inner) for inner, intervals in found.items()]


def _text(line: _Line, family: Family | None) -> str:
    source, destination = (_side(side, family) for side in (line.source, line.destination))
    if source == destination == "any" and family:
        source = str(AddressRange.all(family))
    ports = f" port {line.source_ports}" if line.source_ports else ""
    to = f" to {destination}" if destination != "any" else ""
    return f"{line.service} from {source}{ports}{to}"


def _side(side: Intervals, family: Family | None) -> str:
    if side is None or family is None:
        return "any"
    return ",".join(str(AddressRange(family, first, last)) for first, last in side)
