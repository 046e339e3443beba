"""What a packet carries: protocol numbers, TCP and UDP ports, and the services and listeners named by them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from ringfence.errors import NotationError
from ringfence.model.address import Address, Family

TCP, UDP, ICMP, ICMPV6, GRE = 6, 17, 1, 58, 47
_NAMES = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmpv6", GRE: "gre"}


@dataclass(frozen=True, slots=True, order=True)
class Protocol:
    """An IP protocol by number, or all of them (``number`` is None).

    Prints as ``all``, ``tcp``, ``udp``, ``icmp``, ``icmpv6``, ``gre`` or the number. ICMP exists on IPv4 only and
    ICMPv6 on IPv6 only (SEMANTICS.md 1.1).
    """

    number: int | None = None

    ALL: ClassVar[Protocol]
    TCP: ClassVar[Protocol]
    UDP: ClassVar[Protocol]
    ICMP: ClassVar[Protocol]
    ICMPV6: ClassVar[Protocol]
    GRE: ClassVar[Protocol]

    @classmethod
    def parse(cls, text: str) -> Protocol:
        """Read a name or a number from 0 to 255; raises `NotationError`."""
        word = text.lower()
        if named := _NAMED.get(word):
            return named
        if word.isascii() and word.isdigit() and len(word) < 10 and int(word) <= 255:
            return cls(int(word))
        raise NotationError(
            f"{text!r} is not a protocol", "use all, tcp, udp, icmp, icmpv6, gre or a number from 0 to 255"
        )

    @property
    def has_ports(self) -> bool:
        """Whether rules for it may name ports: TCP and UDP."""
        return self.number in (TCP, UDP)

    @property
    def families(self) -> tuple[Family, ...]:
        """The address families on which it exists."""
        if self.number == ICMP:
            return (Family.IPV4,)
        if self.number == ICMPV6:
            return (Family.IPV6,)
        return (Family.IPV4, Family.IPV6)

    def covers(self, number: int) -> bool:
        """Whether a packet with this protocol number is meant."""
        return self.number is None or self.number == number

    def __str__(self) -> str:
        return "all" if self.number is None else _NAMES.get(self.number) or str(self.number)


Protocol.ALL = Protocol(None)
Protocol.TCP = Protocol(TCP)
Protocol.UDP = Protocol(UDP)
Protocol.ICMP = Protocol(ICMP)
Protocol.ICMPV6 = Protocol(ICMPV6)
Protocol.GRE = Protocol(GRE)
_NAMED = {str(each): each for each in (Protocol.ALL, *map(Protocol, _NAMES))}


def _port_number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= 65535:
        return int(text)
    raise NotationError(f"{text!r} is not a port", "use a number from 1 to 65535")


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """TCP or UDP ports ``first`` to ``last``, both inclusive: ``80`` or ``80-90``."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Read one port or a range; ``200-1`` is an error (best practices for inbound rules, PortRange)."""
        low, dash, high = text.partition("-")
        first = _port_number(low)
        last = _port_number(high) if dash else first
        if first > last:
            raise NotationError(f"the port range {text!r} runs backwards", f"write {last}-{first}")
        return cls(first, last)

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, order=True)
class PortSet:
    """Ports of a rule in ascending order: ``22,80-90``; no ranges mean every port."""

    ranges: tuple[PortRange, ...] = ()

    @classmethod
    def parse(cls, text: str) -> PortSet:
        """Read a comma-separated list; ranges may not overlap (SEMANTICS.md 1.1, multiport)."""
        if "," not in text:
            return cls((PortRange.parse(text),))
        ranges = sorted(map(PortRange.parse, text.split(",")))
        for before, after in pairwise(ranges):
            if after.first <= before.last:
                raise NotationError(f"ports {before} and {after} overlap", "name each port once")
        return cls(tuple(ranges))

    def __contains__(self, port: int) -> bool:
        return not self.ranges or any(port in ports for ports in self.ranges)

    def covers(self, wanted: PortRange) -> bool:
        """Whether every port of a range is among them, also if several ranges make it up."""
        if not self.ranges:
            return True
        open_from = wanted.first
        for ports in self.ranges:
            if ports.first <= open_from <= ports.last:
                open_from = ports.last + 1
        return open_from > wanted.last

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __str__(self) -> str:
        return ",".join(map(str, self.ranges)) if self.ranges else ""


ALL_PORTS = PortSet()
"""Every port, and what a rule of a protocol without ports has."""


@dataclass(frozen=True, slots=True, order=True)
class Service:
    """What a flow asks for: ``tcp/3306``, ``udp/53``, ``icmp``, ``gre``, ``132``; ``port`` is None where none is."""

    protocol: Protocol
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Service:
        """Read ``PROTO`` or ``PROTO/PORT``; TCP and UDP need a port, nothing else takes one."""
        name, slash, port = text.partition("/")
        protocol = Protocol.parse(name)
        if protocol.number is None:
            raise NotationError(f"{text!r} is not one service", "name a protocol, as in tcp/443 or icmp")
        if protocol.has_ports and not slash:
            raise NotationError(f"{text!r} names no port", f"write one as in {protocol}/443")
        if slash and not protocol.has_ports:
            raise NotationError(f"{protocol} has no ports", f"write {protocol} alone")
        return cls(protocol, _port_number(port) if slash else None)

    @property
    def number(self) -> int:
        """The protocol number."""
        assert self.protocol.number is not None
        return self.protocol.number

    def __str__(self) -> str:
        return str(self.protocol) if self.port is None else f"{self.protocol}/{self.port}"


@dataclass(frozen=True, slots=True)
class ServiceSet:
    """TCP and UDP ports in a list: ``tcp/25,udp/135-139``; the empty text is none."""

    ranges: tuple[tuple[Protocol, PortRange], ...] = ()

    @classmethod
    def parse(cls, text: str) -> ServiceSet:
        """Read the list; raises `NotationError`."""
        return cls(tuple(sorted(_service_range(part.strip()) for part in text.split(",") if part.strip())))

    def __contains__(self, service: Service) -> bool:
        number = service.port
        return number is not None and any(
            protocol == service.protocol and number in ports for protocol, ports in self.ranges
        )

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __str__(self) -> str:
        return ",".join(f"{protocol}/{ports}" for protocol, ports in self.ranges)


NO_SERVICES = ServiceSet()


def _service_range(text: str) -> tuple[Protocol, PortRange]:
    name, slash, ports = text.partition("/")
    protocol = Protocol.parse(name)
    if not (slash and protocol.has_ports):
        raise NotationError(f"{text!r} is no port of TCP or UDP", "write it as in tcp/25 or udp/135-139")
    return protocol, PortRange.parse(ports)


@dataclass(frozen=True, slots=True, order=True)
class Listener:
    """A server inside an instance of the lab: ``tcp/80``, ``tcp/6379@127.0.0.1``; no address means every address."""

    service: Service
    address: Address | None = None

    @classmethod
    def parse(cls, text: str) -> Listener:
        """Read ``tcp/PORT[@ADDRESS]`` or ``udp/PORT[@ADDRESS]``."""
        service_text, at, address = text.partition("@")
        service = Service.parse(service_text)
        if service.port is None:
            raise NotationError(f"nothing can listen on {service}", "use tcp/PORT or udp/PORT")
        return cls(service, Address.parse(address) if at else None)

    def __str__(self) -> str:
        return str(self.service) if self.address is None else f"{self.service}@{self.address}"
