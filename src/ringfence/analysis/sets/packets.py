"""Exact sets of packets, by what a first packet's header says: the algebra behind reachability and redundancy.

The universe is that of `Flow`: both families, ports from 1 to 65535 for TCP and UDP, none for anything else, ICMP on
IPv4 and ICMPv6 on IPv6 only. So equal sets are equal values, and whatever is in a set can be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from ringfence.analysis.sets.diagram import EVERYTHING, NOTHING, Diagram, Interval, span
from ringfence.model.address import Address, AddressRange, Family
from ringfence.model.flow import EPHEMERAL, Endpoint, Flow
from ringfence.model.service import ALL_PORTS, ICMP, ICMPV6, TCP, UDP, PortSet, Protocol, Service, ServiceSet

PROTOCOL, PORT, SOURCE_PORT, SOURCE, DESTINATION = range(5)
"""The dimensions, in the order in which diagrams ask for them.

Services come first, since rules tell them apart more finely: with addresses first, a rule that is about any address
would touch everything (1,000 such rules took 8 s instead of 0.3 s).
"""
PROTOCOLS: Interval = (0, 255)
PORTS: Interval = (1, 65535)
_ELSEWHERE = {Family.IPV4: ICMPV6, Family.IPV6: ICMP}
"""The protocol that a family does not have."""
_SERVICES = {
    family: span(PROTOCOL, [(0, number - 1), (number + 1, 255)], PROTOCOLS) for family, number in _ELSEWHERE.items()
}
_EXAMPLES = {
    family: Address.parse(text).value for family, text in ((Family.IPV4, "198.51.100.1"), (Family.IPV6, "2001:db8::1"))
}
"""Addresses for documentation (RFC 5737, RFC 3849)."""


def addresses(family: Family) -> Interval:
    """The bounds of both addresses."""
    return 0, family.top


def every_service(family: Family) -> Diagram:
    """Every protocol that a family has, with every port."""
    return _SERVICES[family]


def services(
    family: Family, protocol: Protocol = Protocol.ALL, ports: PortSet = ALL_PORTS, source_ports: PortSet = ALL_PORTS
) -> Diagram:
    """The services of a rule in one family, as a diagram of protocol and ports; nothing if it is of the other one."""
    if protocol.number is None:
        return every_service(family)
    if family not in protocol.families:
        return NOTHING
    return _service(protocol, ports, source_ports, EVERYTHING)


def service_box(service: Service, source_port: int | None) -> tuple[Interval, Interval, Interval]:
    """Where a service lies in the first three dimensions; without a source port, every port of `EPHEMERAL`."""
    comes_from = (EPHEMERAL.first, EPHEMERAL.last) if source_port is None else (source_port, source_port)
    port = service.port or PORTS[0]  # that of a packet without ports is not asked for
    return (service.number, service.number), (port, port), comes_from


def listed_services(family: Family, listed: ServiceSet) -> Diagram:
    """The services of a list, such as that of the ports that carriers block."""
    found = NOTHING
    for protocol, ports in listed.ranges:
        found |= services(family, protocol, PortSet((ports,)))
    return found


def _service(protocol: Protocol, ports: PortSet, source_ports: PortSet, inner: Diagram) -> Diagram:
    if protocol.has_ports:
        inner = _ports(PORT, ports, _ports(SOURCE_PORT, source_ports, inner))
    numbers = PROTOCOLS if protocol.number is None else (protocol.number, protocol.number)
    return span(PROTOCOL, [numbers], PROTOCOLS, inner)


def _ports(dimension: int, ports: PortSet, inner: Diagram = EVERYTHING) -> Diagram:
    return span(dimension, [(each.first, each.last) for each in ports.ranges] or [PORTS], PORTS, inner)


@dataclass(frozen=True, slots=True)
class Packets:
    """A set of packets. Equal if the same packets are in both; ``|``, ``&``, ``-`` and ``<=`` are those of sets."""

    ipv4: Diagram = NOTHING
    ipv6: Diagram = NOTHING

    NONE: ClassVar[Packets]
    ALL: ClassVar[Packets]

    @classmethod
    def of(
        cls,
        protocol: Protocol = Protocol.ALL,
        ports: PortSet = ALL_PORTS,
        source: Iterable[AddressRange] | None = None,
        source_ports: PortSet = ALL_PORTS,
        destination: Iterable[AddressRange] | None = None,
    ) -> Packets:
        """The packets that a rule means: from and to some ranges of addresses, or any (None)."""
        sides = [None if side is None else [*side] for side in (source, destination)]
        return cls(*(services(family, protocol, ports, source_ports) & _between(family, *sides) for family in Family))

    def of_family(self, family: Family) -> Diagram:
        """Those of one family."""
        return self.ipv4 if family is Family.IPV4 else self.ipv6

    def __or__(self, other: Packets) -> Packets:
        return Packets(self.ipv4 | other.ipv4, self.ipv6 | other.ipv6)

    def __and__(self, other: Packets) -> Packets:
        return Packets(self.ipv4 & other.ipv4, self.ipv6 & other.ipv6)

    def __sub__(self, other: Packets) -> Packets:
        return Packets(self.ipv4 - other.ipv4, self.ipv6 - other.ipv6)

    def __le__(self, other: Packets) -> bool:
        return not self - other

    def __bool__(self) -> bool:
        return bool(self.ipv4 or self.ipv6)

    def __contains__(self, flow: Flow) -> bool:
        """Whether a flow is in it; one whose source port is unnamed only with every ephemeral port."""
        if flow.service.protocol.has_ports and flow.service.port is None:
            return False
        ends = ((end.address.value, end.address.value) for end in (flow.source, flow.destination))
        return self.of_family(flow.family).covers((*service_box(flow.service, flow.source_port), *ends))

    @property
    def sample(self) -> Flow | None:
        """A packet of it, an ordinary one where there is one; None if it is empty."""
        return next((_sample(family, found) for family in Family if (found := self.of_family(family))), None)

    @property
    def boxes(self) -> Iterator[tuple[Family, tuple[Interval, ...]]]:
        """All of it as disjoint boxes: an interval of each dimension, in the order of the dimensions."""
        for family in Family:
            yield from ((family, box) for box in _boxes(self.of_family(family), list(_bounds(family))))


Packets.NONE = Packets()
Packets.ALL = Packets(*map(every_service, Family))


def _between(family: Family, source: list[AddressRange] | None, destination: list[AddressRange] | None) -> Diagram:
    found = EVERYTHING
    for dimension, side in ((DESTINATION, destination), (SOURCE, source)):
        if side is not None:
            own = [(each.first, each.last) for each in side if each.family is family]
            found = span(dimension, own, addresses(family), found)
    return found


def _bounds(family: Family) -> tuple[Interval, ...]:
    return PROTOCOLS, PORTS, PORTS, addresses(family), addresses(family)


def _boxes(diagram: Diagram, bounds: list[Interval], dimension: int = PROTOCOL) -> Iterator[tuple[Interval, ...]]:
    if not diagram:
        return
    if dimension > DESTINATION:
        yield ()
    elif diagram.dimension > dimension:
        yield from ((bounds[dimension], *rest) for rest in _boxes(diagram, bounds, dimension + 1))
    else:
        for interval, inner in diagram.spans(bounds[dimension]):
            yield from ((interval, *rest) for rest in _boxes(inner, bounds, dimension + 1))


def _sample(family: Family, diagram: Diagram) -> Flow:
    """A packet of a diagram that is not empty: usual values where it has them, else the lowest."""
    usual: tuple[tuple[int, ...], ...] = (
        (TCP, UDP, ICMP, ICMPV6),
        (80, 443, 22),
        (EPHEMERAL.first,),
        (_EXAMPLES[family],),
        (_EXAMPLES[family] + 1,),
    )
    found = []
    for dimension, (bounds, wanted) in enumerate(zip(_bounds(family), usual, strict=True)):
        value, diagram = _choose(diagram, bounds, wanted) if diagram.dimension == dimension else (wanted[0], diagram)
        found.append(value)
    number, port, source_port, source, destination = found
    one, two = (Endpoint(Address(family, value)) for value in (source, destination))
    ported = Protocol(number).has_ports
    return Flow(one, two, Service(Protocol(number), port if ported else None), source_port if ported else None)


def _choose(diagram: Diagram, bounds: Interval, wanted: tuple[int, ...]) -> tuple[int, Diagram]:
    for value in wanted:
        if inner := diagram.at(value):
            return value, inner
    (first, _), inner = next(diagram.spans(bounds))
    return first, inner
