"""Flows: the first packet of a connection, by its two ends and what it asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ringfence.errors import NotationError
from ringfence.model.address import Address, Family
from ringfence.model.rule import Action
from ringfence.model.service import ICMP, ICMPV6, PortRange, PortSet, Protocol, Service

EPHEMERAL = PortRange(32768, 60999)
"""The ports from which programs send where nobody names one (Linux's own range)."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One end of a flow: an address, and the VPC that it lies in (empty: outside of every VPC).

    ``name`` is what people call it; it takes no part in any decision.
    """

    address: Address
    vpc: str = ""
    name: str = ""

    def __str__(self) -> str:
        return self.name or str(self.address)


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """The first packet of a connection. Both ends are of one family; ICMP over IPv6 is ICMPv6."""

    source: Endpoint
    destination: Endpoint
    service: Service
    source_port: int | None = None
    """Where it matters from which port it comes: None is any of `EPHEMERAL`."""

    def __post_init__(self) -> None:
        if self.source_port is not None and not self.service.protocol.has_ports:
            raise NotationError(f"{self.service} has no source port", "leave it out")
        if self.source.address.family is not self.destination.address.family:
            raise NotationError("the two ends are of different families", "give both an address of one family")
        if self.family not in self.service.protocol.families:
            raise NotationError(f"{self.service} does not exist on {self.family}", "choose the other family")

    @property
    def family(self) -> Family:
        """The family of both ends."""
        return self.source.address.family

    def comes_from(self, ports: PortSet) -> bool:
        """Whether its source port is among some; an unnamed one only if every ephemeral port is."""
        return _is_among(self.source_port, ports)

    @property
    def back(self) -> Flow:
        """The first answer to it: ends and ports change places; an unnamed source port stays unnamed."""
        return Flow(self.destination, self.source, Service(self.service.protocol, self.source_port), self.service.port)

    def goes_to(self, ports: PortSet) -> bool:
        """Whether its destination port is among some; a packet without ports goes to all."""
        return not self.service.protocol.has_ports or _is_among(self.service.port, ports)

    def __str__(self) -> str:
        port = f" from port {self.source_port}" if self.source_port is not None else ""
        return f"{self.source} -> {self.destination} {self.service}{port} over {self.family}"


def _is_among(port: int | None, ports: PortSet) -> bool:
    if port is not None:
        return port in ports
    return not ports or ports.covers(EPHEMERAL)


_QUERY = re.compile(
    r"(?P<source>\S+)\s*->\s*(?P<destination>\S+)\s+(?P<service>\S+)"
    r"(?:\s+from\s+port\s+(?P<port>\S+))?(?P<family>\s+over\s+\S+)?"
)


@dataclass(frozen=True, slots=True, order=True)
class Query:
    """A flow as people name it: ``web-1 -> db-1 tcp/3306``, ``laptop -> web-1 icmp over ipv6``.

    The ends are names that a world resolves: an instance, ``instance.port``, an outside host or a literal address.
    ICMP over IPv6 becomes ICMPv6, and ICMPv6 implies IPv6.
    """

    source: str
    destination: str
    service: Service
    family: Family = Family.IPV4
    source_port: int | None = None

    @classmethod
    def of(
        cls,
        source: str,
        destination: str,
        service: Service,
        family: Family = Family.IPV4,
        source_port: int | None = None,
    ) -> Query:
        """Build one; settles which ICMP is meant."""
        if service.number == ICMPV6:
            family = Family.IPV6
        elif service.number == ICMP and family is Family.IPV6:
            service = Service(Protocol.ICMPV6)
        return cls(source, destination, service, family, source_port)

    @classmethod
    def parse(cls, text: str) -> Query:
        """Read ``SRC -> DST PROTO[/PORT] [from port N] [over ipv6]``; raises `NotationError`."""
        match = _QUERY.fullmatch(text.strip())
        if not match:
            raise NotationError(f"{text!r} is not a flow", "write: SRC -> DST PROTO[/PORT] [from port N] [over ipv6]")
        word = (match["family"] or "over ipv4").split()[1]
        if word not in ("ipv4", "ipv6"):
            raise NotationError(f"{word!r} is not a family", "write over ipv4 or over ipv6")
        service = Service.parse(match["service"])
        port = PortRange.parse(match["port"]).first if match["port"] else None
        if port is not None and not service.protocol.has_ports:
            raise NotationError(f"{service} has no source port", "leave out 'from port'")
        return cls.of(match["source"], match["destination"], service, Family(int(word[-1])), port)

    def __str__(self) -> str:
        over = " over ipv6" if self.family is Family.IPV6 else ""
        port = f" from port {self.source_port}" if self.source_port is not None else ""
        return f"{self.source} -> {self.destination} {self.service}{port}{over}"


@dataclass(frozen=True, slots=True, order=True)
class Expectation:
    """An ``expect`` line: a flow and what should become of it. ``account`` is whose it is, "" in a world file."""

    query: Query
    action: Action
    account: str = ""

    @classmethod
    def parse(cls, text: str) -> Expectation:
        """Read ``SRC -> DST PROTO[/PORT] [over ipv6] allow|deny``; raises `NotationError`."""
        query, _, word = text.strip().rpartition(" ")
        if word not in ("allow", "deny"):
            raise NotationError(f"{text!r} says neither allow nor deny", "end it with allow or deny")
        return cls(Query.parse(query), Action(word))

    def __str__(self) -> str:
        return f"{self.query} {self.action}"
